"""Who is in an environment, by names of directories and files alone: quick, and good for what others have made.

Unlike :mod:`.distributions` it counts what conda brought to Python as well, and what an old installer left.
"""

from __future__ import annotations

import contextlib
import csv
import email
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ...models import EnvironmentKind
from ...prefix.cuda import package_directories
from ...prefix.layout import CONDA_MARKER, Layout

#: Endings of the directories in which Python packages keep their metadata.
_ENDINGS = (".dist-info", ".egg-info")


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that a package brought, and its size in bytes if the package tells."""

    path: Path
    size: int | None


@dataclass(frozen=True, kw_only=True)
class Package:
    """One installed package.

    Attributes:
        name: Normalised name.
        version: Its version, as the name of its metadata says.
        build: Conda build string; empty for what Python's installers know.
        metadata: Directory of its metadata, or conda's record of it.
    """

    name: str
    version: str
    build: str = ""
    metadata: Path

    def __str__(self) -> str:
        """Name, version and build."""
        return " ".join(filter(None, (self.name, self.version, self.build)))

    @property
    def installer(self) -> str:
        """Who installed it: ``conda``, ``pip``, ``uv``; empty if nobody says."""
        if self.build:
            return "conda"
        return text(self.metadata / "INSTALLER").strip()

    def requirements(self) -> Iterator[Requirement]:
        """What a Python package says that it needs, under whatever condition."""
        metadata = text(self.metadata / "METADATA") or text(self.metadata / "PKG-INFO")
        for line in email.message_from_string(metadata).get_all("Requires-Dist", []):
            try:
                yield Requirement(line)
            except InvalidRequirement:
                continue

    def depends(self) -> tuple[str, ...]:
        """Match specs of what a conda package needs."""
        found = self._record().get("depends", [])
        return tuple(map(str, found)) if isinstance(found, list) else ()

    def files(self) -> Iterator[File]:
        """The files that it brought."""
        if self.build:
            found = self._record().get("files")
            prefix = self.metadata.parent.parent
            yield from (File(path=prefix / str(name), size=None) for name in (found if isinstance(found, list) else ()))
            return
        for row in csv.reader(text(self.metadata / "RECORD").splitlines()):
            if row:
                size = int(row[2]) if len(row) > 2 and row[2].isdigit() else None
                yield File(path=self.metadata.parent / row[0], size=size)

    def _record(self) -> dict[str, object]:
        """Conda's record."""
        try:
            found = json.loads(self.metadata.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, kw_only=True)
class Census:
    """The packages of an environment, by name.

    Attributes:
        python: What Python finds; of several under one name the first.
        conda: What conda knows.
    """

    python: Mapping[str, Package]
    conda: Mapping[str, Package]

    def find(self, *names: str) -> Package | None:
        """The first that is there, by whichever installer."""
        return next((kind[name] for name in names for kind in (self.python, self.conda) if name in kind), None)


def census(layout: Layout) -> Census:
    """The packages of an environment, the user site apart."""
    python: dict[str, Package] = {}
    for folder in package_directories(layout):
        for package in python_packages(folder):
            python.setdefault(package.name, package)
    conda: dict[str, Package] = {}
    if layout.kind is EnvironmentKind.CONDA:
        for path in _entries(layout.prefix / CONDA_MARKER):
            parts = path.name.removesuffix(".json").rsplit("-", 2)
            if path.suffix == ".json" and len(parts) == 3:
                name, version, build = parts
                conda[name] = Package(name=name, version=version, build=build, metadata=path)
    return Census(python=python, conda=conda)


def found_version(layout: Layout, name: str, environ: Mapping[str, str]) -> Version | None:
    """The version of a package that an environment's Python finds, in the user site too; ``None`` if it finds none.

    Args:
        layout: The environment.
        name: The package's normalised name.
        environ: The variables of the process.
    """
    user_site = layout.user_site(environ)
    for folder in (*package_directories(layout), *([user_site] if user_site else [])):
        for package in python_packages(folder):
            if package.name == name:
                with contextlib.suppress(InvalidVersion):
                    return Version(package.version)
    return None


def python_packages(folder: Path) -> Iterator[Package]:
    """The Python packages of one package directory; what an installer left half-way (``~orch``) is none."""
    for path in _entries(folder):
        if path.suffix in _ENDINGS and not path.name.startswith("~"):
            name, _, rest = path.stem.partition("-")
            # An egg's name goes on with the version of Python.
            version = rest.partition("-")[0]
            yield Package(name=canonicalize_name(name), version=version, metadata=path)


def _entries(folder: Path) -> list[Path]:
    """What is in a directory, in order of name; nothing, if it cannot be read."""
    try:
        return sorted(folder / name for name in os.listdir(folder))
    except OSError:
        return []


def text(path: Path) -> str:
    """What a file holds; nothing, if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
