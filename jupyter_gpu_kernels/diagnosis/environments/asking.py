"""Asking an environment's own Python, in the variables of a kernel or of a terminal; it never takes long."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...errors import BrokenEnvironmentError
from ...launch.preparation import prepare
from ...models import Environment
from ...prefix.environ import base_environment
from ...prefix.layout import Layout
from ..check import NotApplicable
from ..context import Context

#: Seconds that a question may take. Two of them, and what is computed before, fit into the time that a check has.
LIMIT = 4.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a process said.

    Attributes:
        status: Its exit status, negative for a signal; ``None`` if it had to be ended.
        out: What it wrote to stdout.
        error: What it wrote to stderr.
    """

    status: int | None
    out: str
    error: str

    @property
    def last_line(self) -> str:
        """The last thing that it complained of."""
        lines = self.error.strip().splitlines()
        return lines[-1].strip()[:300] if lines else f"it ended with status {self.status}"


def refuse_strangers(environment: Environment, layout: Layout) -> None:
    """Run nothing of another user's that no kernel of this user runs: directories of environments may be shared.

    Raises:
        NotApplicable: It is such an environment.
    """
    if environment.registered or not hasattr(os, "geteuid") or not os.path.exists(layout.prefix):  # noqa: PTH110
        return
    if layout.prefix.stat().st_uid not in (os.geteuid(), 0):
        msg = f"{environment.name} is another user's, and no kernel of yours: nothing of it was run."
        raise NotApplicable(msg)


def kernel_variables(context: Context, environment: Environment, layout: Layout) -> dict[str, str]:
    """The variables that the provisioner gives a kernel; activation scripts run for it as they do at a launch.

    Raises:
        NotApplicable: There is no interpreter to start, or nobody here would start it.
    """
    refuse_strangers(environment, layout)
    try:
        # The interpreter alone: a kernel's command would be refused where ipykernel is missing.
        command = [str(layout.python)]
        found = prepare(command, context.environ, wishes={}, policy_wishes=None, cache=context.practice.cache_dir)
    except BrokenEnvironmentError as error:
        raise NotApplicable(str(error)) from error
    return found.environ


def terminal_variables(context: Context, layout: Layout) -> dict[str, str]:
    """The variables of a program that is started in a terminal, or by an editor that knows no provisioner."""
    environ = base_environment(context.environ, layout)
    if "LD_LIBRARY_PATH" in context.environ:
        environ["LD_LIBRARY_PATH"] = context.environ["LD_LIBRARY_PATH"]
    return environ


def ask(
    layout: Layout, options: Sequence[str], source: str, words: Sequence[str], environ: Mapping[str, str]
) -> Answer:
    """Run a few lines of Python in an environment.

    Args:
        layout: The environment.
        options: For its Python: ``-I`` and ``-S`` keep everything else out.
        source: The lines.
        words: Their arguments.
        environ: All of its variables.

    Raises:
        NotApplicable: There is no such Python, or it cannot be started.
    """
    try:
        process = subprocess.Popen(
            [str(layout.python), "-B", *options, "-c", source, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            cwd="/",
            text=True,
            errors="replace",
            # A session of its own, so that whatever it starts can be ended with it.
            start_new_session=True,
        )
    except OSError as error:
        msg = f"Its Python cannot be started: {error.strerror or error}."
        raise NotApplicable(msg) from error
    try:
        out, err = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        _end(process)
        out, err = process.communicate()
        return Answer(status=None, out=out, error=err)
    return Answer(status=process.returncode, out=out, error=err)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and what it has started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
