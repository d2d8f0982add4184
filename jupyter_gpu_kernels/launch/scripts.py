"""Running shell scripts for what they do to the variables of the shell."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

#: Says, among the dumped variables, how far the scripts came.
_POSITION = "_JGK_POSITION"

#: Variables that make bash read files or change its behaviour, kept away from scripts.
_HIDDEN = ("BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS")

#: Variables that bash changes by itself.
_SHELL_OWN = ("SHLVL", "_", "PWD", "OLDPWD")


class ScriptError(Exception):
    """Scripts did not come to their end.

    Args:
        sentence: What happened.
        environ: The variables at that moment, ``None`` if they are not known.
    """

    def __init__(self, sentence: str, environ: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.environ = environ


def run_scripts(
    scripts: Sequence[Path], environ: Mapping[str, str], *, cwd: Path, timeout: float, platform: str
) -> dict[str, str]:
    """Source scripts one after another in one shell and return the variables after the last.

    Args:
        scripts: Scripts of the platform's shell: bash, or ``cmd.exe``.
        environ: Variables before.
        cwd: Working directory of the scripts.
        timeout: Seconds for all of them.
        platform: As ``sys.platform`` says it.

    Raises:
        ScriptError: One ended the shell, they took too long, or there is no shell.
    """
    if platform == "win32":
        return _run_windows(scripts, environ, cwd, timeout)
    bash = shutil.which("bash", path=environ.get("PATH")) or shutil.which("bash", path="/bin:/usr/bin")
    if bash is None:
        msg = "The environment's activation scripts were not run: there is no bash on this machine."
        raise ScriptError(msg)
    visible = {name: value for name, value in environ.items() if name not in _HIDDEN}
    with tempfile.TemporaryFile() as dump, tempfile.TemporaryFile() as said:
        text = bash_text(scripts, dump.fileno())
        argv = [bash, "--norc", "--noprofile", "-c", text]
        ended = _run_group(argv, visible, cwd, timeout, said, keep=dump.fileno())
        after = _parse(_content(dump), b"\0")
        output = _content(said)[-2000:].decode(errors="replace").strip()
    position = after.pop(_POSITION, None)
    for name in (*_SHELL_OWN, *_HIDDEN):
        after.pop(name, None)
        if name in environ:
            after[name] = environ[name]
    if position == str(len(scripts)):
        return after
    at = scripts[int(position)].name if position and position.isdecimal() else scripts[0].name
    why = "ended the shell" if ended else f"did not end within {timeout:g} seconds"
    said_so = f" It said: {output}" if output else ""
    msg = f"The activation script {at} {why}; the kernel starts without what it and later ones would do.{said_so}"
    raise ScriptError(msg, after if position is not None else None)


def bash_text(scripts: Sequence[Path], descriptor: int) -> str:
    """Write what bash runs: every script sourced, the variables dumped at the end, whoever brings it about.

    The dump comes from an EXIT trap, since a script may call ``exit`` or ``set -e``; the trap is set anew after each
    script, since a script may set its own. ``env`` is called by its path: a script may have changed ``PATH``.
    """
    env = "/usr/bin/env" if Path("/usr/bin/env").exists() else shutil.which("env") or "env"
    trap = f"trap '{env} -0 >&{descriptor}' EXIT"
    lines = [trap]
    for number, script in enumerate(scripts):
        lines += [f"export {_POSITION}={number}", f". {shlex.quote(str(script))}", trap]
    return "\n".join([*lines, f"export {_POSITION}={len(scripts)}", "exit 0"])


def windows_command_line(scripts: Sequence[Path]) -> str:
    """Write the command line for ``cmd.exe``: every script called, then the variables listed in UTF-16.

    ``/D`` skips AutoRun commands, ``/S`` takes everything between the outer quotes as it is. A failing script does not
    keep the next from running.
    """
    calls = "".join(f'call "{script}" 1>&2 & ' for script in scripts)
    return f'cmd.exe /D /U /S /C "{calls}set"'


def parse_windows_listing(listing: bytes) -> dict[str, str]:
    """Read what ``set`` lists under ``cmd /U``."""
    pairs = (line.partition("=") for line in listing.decode("utf-16-le", "replace").splitlines())
    return {name: value for name, equals, value in pairs if name and equals}


def _run_group(
    argv: Sequence[str], environ: Mapping[str, str], cwd: Path, timeout: float, said: IO[bytes], keep: int
) -> bool:
    """Run a shell in its own process group; say whether it ended in time, and leave no member behind if not.

    Output goes to a file: a program that a script left in the background would hold a pipe open.
    """
    try:
        process = subprocess.Popen(
            argv,
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            pass_fds=(keep,),
            start_new_session=True,
        )
    except OSError as error:
        msg = f"The environment's activation scripts were not run: {error}."
        raise ScriptError(msg) from error
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False
    return True


def _run_windows(scripts: Sequence[Path], environ: Mapping[str, str], cwd: Path, timeout: float) -> dict[str, str]:
    """Call batch scripts in ``cmd.exe``."""
    try:
        done = subprocess.run(
            windows_command_line(scripts),
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"The environment's activation scripts did not run to their end: {error}."
        raise ScriptError(msg) from error
    after = parse_windows_listing(done.stdout)
    if not after:
        msg = "The environment's activation scripts ended the shell; the kernel starts without them."
        raise ScriptError(msg)
    return after


def _content(file: IO[bytes]) -> bytes:
    """Everything in a temporary file that a child wrote to."""
    file.seek(0)
    return file.read()


def _parse(dump: bytes, separator: bytes) -> dict[str, str]:
    """Read ``name=value`` items; values may hold newlines."""
    pairs = (item.partition(b"=") for item in dump.split(separator))
    return {os.fsdecode(name): os.fsdecode(value) for name, equals, value in pairs if equals}
