"""Asking uv what it would install; nothing is installed here."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ...errors import ChannelError, SolveError
from ..tools.processes import ToolSilentError, run_tool
from ..tools.redaction import redact
from .failures import explain
from .lock import Locked
from .settings import Hold, WheelsRequest, WheelsSolution
from .uv import Uv

#: Seconds without a word from uv. It says nothing while it resolves, and an index without separate metadata may make
#: it fetch whole wheels; its own time-outs and retries come long before.
SILENCE = 600.0


#: What uv says of its own settings, and not of what was asked for.
OWN_AFFAIRS = ("experimental", "is deprecated and will be removed")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What uv wrote and warned of."""

    output: str
    remarks: str

    @property
    def warnings(self) -> tuple[str, ...]:
        """Its warnings, without credentials."""
        found = (
            line.removeprefix("warning:").strip() for line in self.remarks.splitlines() if line.startswith("warning:")
        )
        return tuple(redact(line) for line in found if not any(words in line for words in OWN_AFFAIRS))


async def ask(
    uv: Uv, *words: str, cwd: Path, pins: Mapping[str, str] | None = None, python: str = "", solving: bool = True
) -> Answer:
    """Run a command of uv that only answers.

    Raises:
        SolveError: Nothing satisfies what was asked for.
        ChannelError: The index does not answer as it should.
        InstallError: uv itself could not work.
    """
    output: list[str] = []
    remarks: list[str] = []
    try:
        finished = await run_tool(
            uv.command(*words),
            env=uv.environment,
            cwd=cwd,
            on_line=output.append,
            on_error_line=remarks.append,
            silence=SILENCE,
        )
    except ToolSilentError as error:
        msg = "The package index did not answer in ten minutes."
        raise ChannelError(
            msg, cure="Check the connection and the configured index.", detail=redact(str(error))
        ) from error
    if finished.returncode:
        text = "\n".join((*output, *remarks)) if not remarks else "\n".join(remarks)
        raise explain(text, returncode=finished.returncode, solving=solving, pins=pins, python=python)
    return Answer(output="\n".join(output), remarks="\n".join(remarks))


def options(what: WheelsRequest | WheelsSolution) -> tuple[str, ...]:
    """Options that must be the same in every command about one set of wheels."""
    builds = () if what.allow_builds else ("--only-binary", ":all:")
    return (*builds, *(("--torch-backend", what.torch_backend) if what.torch_backend else ()))


def requirements_file(cwd: Path, name: str, requirements: Sequence[str]) -> str:
    """Write requirements into a file in the working directory and return its name."""
    (cwd / name).write_text("".join(f"{line}\n" for line in requirements), "utf-8")
    return name


async def lock(
    uv: Uv,
    requirements: Sequence[str],
    *,
    cwd: Path,
    interpreter: str,
    python: str,
    options: Sequence[str] = (),
    hold: Hold | None = None,
) -> Answer:
    """Resolve requirements into a ``pylock.toml``: exact files with their hashes, and sizes where the index tells.

    Args:
        uv: uv.
        requirements: Checked requirements.
        cwd: A throwaway directory.
        interpreter: A Python of this machine.
        python: Version to resolve for.
        options: Further options.
        hold: What is there already.
    """
    hold = hold or Hold()
    held = {pin.partition("==")[0] for pin in hold.pins}
    # What stands first gets its newest version: the rest shall go with that, and not the other way round.
    ordered = sorted(requirements, key=lambda text: canonicalize_name(Requirement(text).name) in held)
    file = requirements_file(cwd, "requirements.in", ordered)
    words = ["pip", "compile", "--format", "pylock.toml", "--no-header", "--python", interpreter]
    words += ["--python-version", python, *uv.index_options, *options, file]
    if not held:
        return await ask(uv, *words, cwd=cwd, python=python)
    # What the file holds that is to be written is preferred: https://docs.astral.sh/uv/pip/compile/#upgrading-requirements
    output = cwd / "pylock.toml"
    words += ["--output-file", output.name]
    answer = None
    output.write_text(_former(hold.pins), "utf-8")
    if hold.firm:
        with contextlib.suppress(SolveError):
            answer = await ask(uv, *words, "-c", requirements_file(cwd, "held.txt", hold.firm), cwd=cwd, python=python)
    if answer is None:
        answer = await ask(uv, *words, cwd=cwd, python=python)
    return Answer(output=output.read_text("utf-8"), remarks=answer.remarks)


def _former(pins: Sequence[str]) -> str:
    """A lock file with nothing in it but names and versions."""
    entries = (pin.partition("==") for pin in pins)
    # Quoted as JSON, which for names and versions is TOML.
    packages = [f"[[packages]]\nname = {json.dumps(name)}\nversion = {json.dumps(at)}\n" for name, _, at in entries]
    return "\n".join(('lock-version = "1.0"\ncreated-by = "jupyter-gpu-kernels"\n', *packages))


async def would_change(
    uv: Uv,
    requirements: Sequence[str],
    *,
    cwd: Path,
    interpreter: str,
    python: str,
    pins: Mapping[str, str],
    options: Sequence[str] = (),
    held: Sequence[Sequence[str]] = (),
) -> tuple[dict[str, str], dict[str, str]]:
    """Ask what an installation would add to an environment and remove, while its packages keep their versions.

    Args:
        uv: uv.
        requirements: Checked requirements.
        cwd: A throwaway directory.
        interpreter: The environment's Python.
        python: Version to resolve for.
        pins: Versions by name of what is there.
        options: Further options.
        held: Exact requirements of what was there before; tried one after the other, and in the end without any.

    Returns:
        Versions by name of what would be added, and of what would be removed.
    """
    file = requirements_file(cwd, "requirements.in", requirements)
    fixed = [f"{name}=={version}" for name, version in pins.items()]
    constraints = requirements_file(cwd, "constraints.txt", fixed)
    words = (
        "pip",
        "install",
        "--dry-run",
        "--break-system-packages",
        "--python",
        interpreter,
        "--python-version",
        python,
    )
    question = (*words, *uv.index_options, *options, "-r", file, "-c", constraints)
    answer = None
    for exact in dict.fromkeys(tuple(pin for pin in each if pin.partition("==")[0] not in pins) for each in held):
        if answer is None and exact:
            more = requirements_file(cwd, "held.txt", exact)
            with contextlib.suppress(SolveError):
                answer = await ask(uv, *question, "-c", more, cwd=cwd, pins=pins, python=python)
    if answer is None:
        answer = await ask(uv, *question, cwd=cwd, pins=pins, python=python)
    changes = re.findall(r"^ ([+~-]) (\S+?)==(\S+)", f"{answer.output}\n{answer.remarks}", re.MULTILINE)
    added: dict[str, str] = {canonicalize_name(name): version for sign, name, version in changes if sign != "-"}
    removed: dict[str, str] = {canonicalize_name(name): version for sign, name, version in changes if sign != "+"}
    return added, removed


async def uncached(
    uv: Uv, packages: Sequence[Locked], *, cwd: Path, interpreter: str, python: str, options: Sequence[str] = ()
) -> set[str]:
    """Names of the packages that would be downloaded; all, if uv does not say clearly."""
    remote = {package.name for package in packages if not package.local}
    if not remote:
        return remote
    pins = requirements_file(cwd, "pins.txt", [package.pin for package in packages])
    # --target leaves every environment of this machine out of it; -v names what is not in the cache.
    words = ("pip", "sync", "-v", "--dry-run", "--python", interpreter, "--python-version", python)
    where = ("--target", str(cwd / "target"))
    answer = await ask(uv, *words, *where, *uv.index_options, *options, pins, cwd=cwd, python=python)
    found = re.findall(r"Identified uncached distribution: ([\w.-]+)==", answer.remarks)
    named: set[str] = set(map(canonicalize_name, found))
    counted = re.search(r"Would download (\d+) packages?", answer.remarks)
    if (int(counted[1]) if counted else 0) != len(named) or "Would " not in answer.remarks:
        return remote
    return named & remote
