"""Choosing the Python that a virtual environment is made of."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from ...errors import InvalidInputError, SolveError
from ..tools.processes import ToolSilentError, ToolStartError, run_tool
from .uv import Uv

#: What an interpreter is asked: what it really is, and whether it belongs to somebody else's environment.
QUESTION = """
import json, sys, sysconfig
print(json.dumps({
    "version": ".".join(map(str, sys.version_info[:3])),
    "final": sys.version_info.releaselevel == "final",
    "executable": getattr(sys, "_base_executable", None) or sys.executable,
    "prefix": sys.base_prefix,
    "threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
}))
"""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A Python that was found.

    Attributes:
        version: As far as its discoverer knows.
        path: Its executable, perhaps a shim.
        rank: The smaller the better among those of one minor version.
    """

    version: Version
    path: str
    rank: int


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """A Python that a virtual environment can be made of.

    Attributes:
        version: Exact, ``"3.12.4"``.
        path: The executable itself, no shim, no link into another virtual environment.
        warning: What the user should know of it, or empty.
    """

    version: str
    path: str
    warning: str = ""

    @property
    def minor(self) -> str:
        """``"3.12"``."""
        return ".".join(self.version.split(".")[:2])


def wanted_versions(python: str | None, python_range: str) -> SpecifierSet:
    """The versions that fit: the one asked for (``"3.12"`` means any 3.12.x) within the framework's range.

    Raises:
        InvalidInputError: One of them is no version.
    """
    try:
        wanted = SpecifierSet(python_range)
        if python:
            parts = Version(python).release
            wanted &= SpecifierSet(f"=={python}" if len(parts) > 2 else f"=={'.'.join(map(str, parts))}.*")
    except (InvalidSpecifier, InvalidVersion) as error:
        msg = f"{python or python_range!r} is no version of Python."
        raise InvalidInputError(msg, cure="Give it like 3.12.") from error
    return wanted


def own_python() -> str:
    """The executable of the Python that runs this, outside of any virtual environment."""
    return getattr(sys, "_base_executable", None) or sys.executable


async def candidates(uv: Uv, cwd: Path, environ: Mapping[str, str] | None = None) -> list[Candidate]:
    """Every CPython on this machine that is neither a prerelease nor free-threaded, newest first."""
    lines: list[str] = []
    command = uv.command("python", "list", "--only-installed", "--output-format", "json")
    await run_tool(command, env=uv.environment, cwd=cwd, on_line=lines.append, silence=60)
    found = _listed("".join(lines))
    found += _of_pyenv(os.environ if environ is None else environ)
    here = Version(".".join(map(str, sys.version_info[:3])))
    found.append(Candidate(version=here, path=own_python(), rank=1))
    return sorted(found, key=lambda item: (-item.version.major, -item.version.minor, item.rank, -item.version.micro))


async def choose(
    found: Iterable[Candidate], wanted: SpecifierSet, environment: Mapping[str, str], *, python: str | None = None
) -> list[Interpreter]:
    """Look at the candidates that fit, and take the best of each minor version, newest first.

    Args:
        found: From :func:`candidates`.
        wanted: From :func:`wanted_versions`.
        environment: To ask the interpreters in.
        python: The version asked for, to be named when there is none.

    Raises:
        SolveError: None fits.
    """
    found = list(found)
    enough = 3
    chosen: dict[str, Interpreter] = {}
    last_resort: dict[str, Interpreter] = {}
    for candidate in found:
        minor = f"{candidate.version.major}.{candidate.version.minor}"
        if minor in chosen or len(chosen) >= enough or not wanted.contains(candidate.version):
            continue
        answer = await _ask(candidate.path, environment)
        if answer is None or not answer["final"] or answer["threaded"] or not wanted.contains(str(answer["version"])):
            continue
        path, prefix = str(answer["executable"]), Path(str(answer["prefix"]))
        if not _borrowed(prefix):
            chosen[minor] = Interpreter(version=str(answer["version"]), path=path)
        elif prefix == Path(sys.base_prefix):
            warning = f"Its Python is that of {prefix}: if that environment is removed, this one no longer works."
            last_resort[minor] = Interpreter(version=str(answer["version"]), path=path, warning=warning)
    for minor, interpreter in last_resort.items():
        chosen.setdefault(minor, interpreter)
    if not chosen:
        known = sorted({f"{item.version.major}.{item.version.minor}" for item in found}, key=Version)
        what = f"Python {python}" if python else f"Python {wanted}" if str(wanted) else "usable Python"
        msg = f"No {what} on this machine: found {', '.join(known) or 'none'}."
        cure = "Install it, choose one of those found, or use the conda installer, which brings its own Python."
        raise SolveError(msg, cure=cure)
    return sorted(chosen.values(), key=lambda item: Version(item.minor), reverse=True)


def _listed(text: str) -> list[Candidate]:
    """Read what ``uv python list --output-format json`` wrote."""
    try:
        entries = json.loads(text or "[]")
    except ValueError:
        return []
    found = []
    for entry in entries:
        version = _final(str(entry.get("version", "")))
        path = entry.get("path")
        if not path or version is None or entry.get("implementation") != "cpython":
            continue
        if entry.get("variant", "default") == "default":
            # uv keeps its own Pythons in a directory of the same name as their key.
            managed = entry.get("key") in Path(path).parts
            found.append(Candidate(version=version, path=path, rank=0 if managed else 2))
    return found


def _of_pyenv(environ: Mapping[str, str]) -> list[Candidate]:
    """Pythons that pyenv has built, which uv sees only where a shim happens to choose them."""
    root = Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = []
    for directory in root.glob("3.*"):
        version = _final(directory.name)
        python = directory / ("python.exe" if sys.platform == "win32" else "bin/python")
        if version is not None and python.exists():
            found.append(Candidate(version=version, path=str(python), rank=3))
    return found


def _final(text: str) -> Version | None:
    return Version(text) if re.fullmatch(r"3\.\d+(\.\d+)?", text) else None


def _borrowed(prefix: Path) -> bool:
    """Whether a Python is part of an environment of another tool, which may be removed at any time."""
    return (prefix / "conda-meta").is_dir() or (prefix / "pyvenv.cfg").is_file()


async def _ask(path: str, environment: Mapping[str, str]) -> dict[str, object] | None:
    """Ask an interpreter what it is; ``None`` if it does not answer."""
    lines: list[str] = []
    take: Callable[[str], None] = lines.append
    try:
        finished = await run_tool([path, "-I", "-S", "-c", QUESTION], env=environment, on_line=take, silence=20)
        answer: dict[str, object] = json.loads("".join(lines))
    except (ValueError, ToolSilentError, ToolStartError):
        return None
    return answer if finished.returncode == 0 else None
