"""Lines of a requirements file, and entries of a ``pip:`` section, as pip reads them; options are refused.

The rules are pip's: https://pip.pypa.io/en/stable/reference/requirements-file-format/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement

from ...errors import InvalidPackageError
from .parsed import shown

#: Characters of a logical line. A package with a hundred files has a tenth of that in hashes.
_LONGEST = 65536

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ]\s*(?P<hash>\S+)")

#: Why options are refused, by what they do.
_READS = "reads another file"
_WHERE = "says where packages come from"
_OPTIONS = {
    "-r": _READS,
    "--requirement": _READS,
    "-c": _READS,
    "--constraint": _READS,
    "-e": "installs a directory",
    "--editable": "installs a directory",
    "-i": _WHERE,
    "--index-url": _WHERE,
    "--extra-index-url": _WHERE,
    "--no-index": _WHERE,
    "-f": _WHERE,
    "--find-links": _WHERE,
    "--trusted-host": _WHERE,
}

#: Options that say what holds here anyway.
_HARMLESS = ("--require-hashes", "--prefer-binary", "--only-binary=:all:", "--only-binary :all:")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A requirement that holds here.

    Attributes:
        requirement: It, without its marker.
        hashes: What its files may hash to.
    """

    requirement: Requirement
    hashes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """It, as uv and pip take it."""
        return str(self.requirement)

    @property
    def exact(self) -> str:
        """The one version that it allows, empty if it allows several."""
        versions = list(self.requirement.specifier)
        if len(versions) != 1 or versions[0].operator not in ("==", "===") or versions[0].version.endswith("*"):
            return ""
        return versions[0].version


def joined(text: str) -> Iterator[str]:
    """The logical lines of a file, without comments."""
    held = ""
    for line in text.split("\n"):
        comment = re.match(r"\s*#", line)
        if line.endswith("\\") and not comment:
            held += line[:-1]
            continue
        whole = _COMMENT.sub("", f"{held} " if comment else held + line).strip()
        held = ""
        if whole:
            yield whole
    if last := _COMMENT.sub("", held).strip():
        yield last


def read(lines: Iterable[str], *, python: str = "") -> tuple[Line, ...]:
    """Read logical lines; those whose marker does not hold here are left out.

    Args:
        lines: As :func:`joined` gives them.
        python: Version of Python that markers speak of, empty for this one.

    Raises:
        InvalidPackageError: A line is an option, a place, or no requirement.
    """
    return tuple(found for line in lines if (found := _read(line, python)) is not None)


def speaks_of_python(lines: Iterable[str]) -> bool:
    """Whether a marker asks for the version of Python."""
    return any(";" in line and ("python_version" in line or "python_full_version" in line) for line in lines)


def _read(line: str, python: str) -> Line | None:
    if line in _HARMLESS:
        return None
    if len(line) > _LONGEST:
        msg = f"The file has a line of {len(line)} characters: {shown(line)}"
        raise InvalidPackageError(msg, cure="Write one requirement on each line.")
    _refuse_options(line)
    hashes = tuple(match["hash"] for match in _HASH.finditer(line))
    text = _HASH.sub("", line).strip()
    _refuse_options(text)
    if option := re.search(r"\s(--?[A-Za-z][\w-]*)", text):
        msg = f"{shown(line)} has the option {option.group(1)}, which is not taken from a file."
        raise InvalidPackageError(msg, cure="Remove the option.")
    _refuse_places(text)
    try:
        requirement = Requirement(text)
        holds = requirement.marker is None or requirement.marker.evaluate(_environment(python))
    except (ValueError, RecursionError):
        msg = f"{shown(line)} is no requirement of a Python package."
        raise InvalidPackageError(msg, cure="Write it like numpy, numpy>=2 or jax[cuda12].") from None
    if requirement.url is not None:
        msg = f"{shown(requirement.name)} is asked for by an address, and packages come from the configured index only."
        raise InvalidPackageError(msg, cure="Name a version that the package index has.")
    requirement.marker = None
    return Line(requirement=requirement, hashes=hashes) if holds else None


def _environment(python: str) -> dict[str, str]:
    """What markers are asked of: this machine, with another Python if that is known."""
    if not python:
        return {"extra": ""}
    short = ".".join(python.split(".")[:2])
    full = python if python.count(".") > 1 else f"{python}.0"
    return {"extra": "", "python_version": short, "python_full_version": full, "implementation_version": full}


def _refuse_options(text: str) -> None:
    """Refuse a line that is an option."""
    if not text.startswith("-"):
        return
    word = re.split(r"[\s=]", text, maxsplit=1)[0]
    # -r/etc/passwd is the same as -r /etc/passwd.
    name = word if word.startswith("--") else word[:2]
    why = _OPTIONS.get(name, "changes how packages are installed")
    msg = f"The file has {shown(text)}: the option {name} {why}, which no imported file may."
    raise InvalidPackageError(msg, cure="Remove that line; indexes are those that are configured here.")


def _refuse_places(text: str) -> None:
    """Refuse paths and addresses."""
    place = text.startswith(("/", ".", "~", "\\")) or re.match(
        r"[A-Za-z]:[\\/]|[A-Za-z][\w+.-]*:|.*\.(whl|tar\.gz|zip)$", text
    )
    if place or "://" in text.split(";")[0]:
        msg = f"{shown(text)} names a place, and packages come from the configured index only."
        raise InvalidPackageError(msg, cure="Give the package's name, and a version if it matters.")
