"""pip's ``requirements.txt``: what was asked for, or exactly what there is, with hashes."""

from __future__ import annotations

import platform as system
import re
from collections.abc import Sequence

from ...errors import InvalidPackageError
from ...models import EnvironmentSpec, FileFormat, Installer
from . import notes, requirement_lines, texts
from .parsed import Exact, Parsed, WheelPin, wheel_pin

_PYTHON = re.compile(r"^#[ \t]*python[ \t:=]*(\d+\.\d+(?:\.\d+)?)[ \t]*$", re.MULTILINE | re.IGNORECASE)


def write(*, python: str, wheels: Sequence[WheelPin], head: str = "", note: notes.Note) -> str:
    """The text of a file.

    Args:
        python: Exact version of Python.
        wheels: All packages.
        head: What is said before, in comments.
        note: What was asked for, which goes along.
    """
    lines = [f"# python {python}", notes.line(note)]
    lines += [
        " \\\n    ".join((f"{pin.name}=={pin.version}", *(f"--hash={digest}" for digest in pin.hashes)))
        for pin in wheels
    ]
    return head + "".join(f"{line}\n" for line in lines)


def read(text: str, platform: str) -> Parsed:
    """Read a file; with hashes it says exactly which packages.

    Raises:
        InvalidInputError: It is malformed, or has what no imported file may have.
    """
    logical = list(requirement_lines.joined(text))
    texts.counted(len(logical), "packages")
    python = found[1] if (found := _PYTHON.search(text)) else ""
    if not python and requirement_lines.speaks_of_python(logical):
        # Markers must be decided before a Python is chosen: then it is that one.
        python = ".".join(system.python_version_tuple()[:2])
    lines = requirement_lines.read(logical, python=python)
    if not lines:
        msg = "The file names no package that is for this machine."
        raise InvalidPackageError(msg, cure="Give a file of one of the formats that can be imported.")
    short = ".".join(python.split(".")[:2]) or None
    note = notes.read(text)
    hashed = [line for line in lines if line.hashes]
    if not hashed:
        wished = tuple(dict.fromkeys(line.text for line in lines))
        plain = EnvironmentSpec(
            name="", installer=Installer.PYPI, python=short, packages=wished, recipe=False, companions=False
        )
        return Parsed(format=FileFormat.REQUIREMENTS, spec=plain)
    loose = next((line for line in lines if not line.hashes or not line.exact), None)
    if loose is not None:
        msg = f"{loose.text[:80]!r} has no hash or no exact version, and other lines of the file have."
        raise InvalidPackageError(msg, cure="Give all lines exact versions and hashes, or none, as pip wants it.")
    pins = tuple(wheel_pin(line.requirement.name, line.exact, line.hashes) for line in lines)
    plain = EnvironmentSpec(name="", installer=Installer.PYPI, python=short, recipe=False, companions=False)
    return Parsed(
        format=FileFormat.REQUIREMENTS,
        spec=note.spec if note else plain,
        exact=Exact(wheels=pins, python=python),
        note=note,
    )
