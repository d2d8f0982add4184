"""What an adoption has installed into an environment, and how that is taken out again: exactly that, or nothing of it.

Noted is, for each distribution, where its metadata lies and the hash of its ``RECORD``, which in turn has the hashes of
all its files: whatever somebody has changed, upgraded or removed since is left to whoever did.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import posixpath
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from ...prefix.layout import Layout
from ..contents.census import python_packages
from ..wheels.filelist import checksum

#: Directories that an environment keeps, however empty.
KEPT = frozenset({".", "bin", "Scripts", "lib", "Lib"})


@dataclass(frozen=True, kw_only=True)
class Addition:
    """One distribution that was installed.

    Attributes:
        metadata: Directory of its metadata below the prefix, with ``/``.
        record: sha256 of its ``RECORD``.
    """

    metadata: str
    record: str

    @property
    def name(self) -> str:
        """Name and version, for people."""
        name, _, version = posixpath.basename(self.metadata).removesuffix(".dist-info").partition("-")
        return f"{canonicalize_name(name)} {version}"


def noted(layout: Layout, names: Collection[str]) -> tuple[Addition, ...]:
    """Note distributions that were just installed; blocks on the disk.

    Args:
        layout: The environment.
        names: Their normalised names.
    """
    found = []
    for folder in layout.site_packages():
        for package in python_packages(folder):
            record = package.metadata / "RECORD"
            if package.name in names and record.is_file():
                path = package.metadata.relative_to(layout.prefix).as_posix()
                found.append(Addition(metadata=path, record=_sha256(record)))
    return tuple(found)


def to_metadata(additions: Iterable[Addition]) -> list[list[str]]:
    """What a kernelspec keeps of them."""
    return [[addition.metadata, addition.record] for addition in additions]


def from_metadata(kept: Any) -> tuple[Addition, ...]:
    """What a kernelspec has kept; whatever makes no sense, since anybody may have written it, is passed over."""
    return tuple(
        Addition(metadata=entry[0], record=entry[1])
        for entry in (kept if isinstance(kept, list) else ())
        if isinstance(entry, list) and len(entry) == 2 and all(isinstance(word, str) for word in entry)
        if entry[0].endswith(".dist-info") and not Path(entry[0]).is_absolute() and ".." not in entry[0].split("/")
    )


def take_out(layout: Layout, additions: Iterable[Addition]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove distributions that are as they were installed; blocks on the disk.

    Returns:
        Those that are removed, and those that are left since somebody has changed them; names and versions.

    Raises:
        OSError: A file cannot be removed.
    """
    removed, left = [], []
    for addition in additions:
        files = _unchanged(layout, addition)
        if files is None:
            left.append(addition.name)
        elif files:
            _remove(layout.prefix, files)
            removed.append(addition.name)
    return tuple(removed), tuple(left)


def _unchanged(layout: Layout, addition: Addition) -> list[Path] | None:
    """The files of a distribution; ``None`` if one was changed, none if it is gone."""
    metadata = layout.prefix / addition.metadata
    if metadata.parent not in layout.site_packages() or not metadata.is_dir():
        return []
    try:
        data = (metadata / "RECORD").read_bytes()
        if hashlib.sha256(data).hexdigest() != addition.record:
            return None
        files = []
        for row in csv.reader(io.StringIO(data.decode("utf-8"), newline="")):
            path = Path(os.path.normpath(metadata.parent / row[0]))
            if not path.is_relative_to(layout.prefix):
                return None
            files.append(path)
            try:
                if len(row) > 1 and row[1] and checksum(path.read_bytes(), row[1].partition("=")[0]) != row[1]:
                    return None
            except FileNotFoundError:
                # Somebody who took it out has died over the others.
                continue
    except (OSError, ValueError, IndexError, csv.Error):
        return None
    return files


def _remove(prefix: Path, files: list[Path]) -> None:
    """Remove files, the bytecode that Python has made of them, and directories that are empty then."""
    folders = set()
    # The list of all others last: whoever has to do this again needs it.
    for path in sorted(files, key=lambda place: place.name == "RECORD" and place.parent.suffix == ".dist-info"):
        for each in (path, *_bytecode(path)):
            each.unlink(missing_ok=True)
            folders.add(each.parent)
    # The deepest first: a directory is empty once those in it are gone.
    for folder in sorted(folders, key=lambda place: len(place.parts), reverse=True):
        for place in (folder, *folder.parents):
            inside = place.is_relative_to(prefix) and place.relative_to(prefix).as_posix() not in KEPT
            if not inside or place.name == "site-packages":
                break
            try:
                place.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                break


def _bytecode(path: Path) -> Iterator[Path]:
    """The files in which any Python may keep its bytecode of a module."""
    if path.suffix == ".py":
        yield from (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
