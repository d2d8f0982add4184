"""Is there room, and may it be used? What cannot be told by numbers is tried."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ...build.disk.filesystem import explain
from ...models import Finding
from ..amounts import size
from ..check import problem, warning
from ..context import Context
from .places import Place, all_places, environment_places, free_bytes, mounts, scratch, where

#: Bytes that an environment with a GPU framework takes, with its downloads: PyTorch and TensorFlow from conda-forge are
#: 2 to 4 GB of packages, which grow by two to three times; from PyPI 3 GB of wheels.
TYPICAL = 12e9
#: The same as a multiple of what an environment takes, as its packages lie in the cache too, and the old one stays
#: until the new one is verified.
MARGIN = 1.3
#: Bytes below which nothing can be built at all, and below which even a kernel may fail to start.
NOTHING = 5e8

#: Files of an environment with a GPU framework, in round figures.
FILES = 60_000
#: Files below which nothing can be built at all.
NO_FILES = 5_000

#: Bytes that are written to see whether it can be done; more than a filesystem keeps in an inode.
TRIAL = 1 << 20


def look(context: Context) -> Iterator[Finding]:
    """Find filesystems without room for another environment."""
    largest = max((item.disk_bytes for item in context.environments), default=0)
    needed = largest * MARGIN or TYPICAL
    measured = f"the largest environment here takes {size(largest)}" if largest else "a typical one takes up to 12 GB"
    for folder, places in _by_filesystem(all_places(context)).items():
        free = free_bytes(folder)
        names = " and ".join(place.what for place in places)
        facts = (where(folder, mounts(context)), f"it holds {names}", f"{size(free)} are free", measured)
        homes = {place.path for place in environment_places(context)}
        if free < NOTHING:
            yield problem(
                f"The disk is full: {size(free)} are left for {names}.",
                evidence=facts,
                cure="Free some space, or configure directories on another disk.",
            )
        elif free < needed and any(place.path in homes for place in places):
            yield warning(
                f"The disk may be too small for another environment: {size(free)} are left for {names}.",
                evidence=facts,
                cure="Free some space, remove an environment, or configure directories on another disk.",
            )


def look_at_files(context: Context) -> Iterator[Finding]:
    """Find filesystems that have room, but no numbers left to give to files."""
    for folder, places in _by_filesystem(all_places(context)).items():
        count, free = _files(folder)
        # Some filesystems have as many as they like, and say 0.
        if not count or free >= FILES:
            continue
        finding = problem if free < NO_FILES else warning
        names = " and ".join(place.what for place in places)
        yield finding(
            f"The disk can hold only {free} more files, however small: there is room for {names}, but no inodes.",
            evidence=(where(folder, mounts(context)), f"an environment has about {FILES} files"),
            cure="Delete directories with many small files (old environments, caches), or use another disk.",
        )


def look_at_writing(context: Context) -> Iterator[Finding]:
    """Find directories that cannot be written: a quota shows only when it is used up."""
    home = Place(what="your settings and Jupyter's", path=Path.home())
    temporary = Place(what="temporary files", path=Path(context.environ.get("TMPDIR") or tempfile.gettempdir()))
    met: set[Path] = set()
    for place in (*all_places(context), home, temporary):
        folder = place.existing
        if folder in met:
            continue
        met.add(folder)
        error = _try(folder)
        if error is None:
            continue
        said = explain(f"Nothing can be written to {place.path}, where {place.what} are kept", error)
        cure = said.cure.replace(", then try again", "")
        if place is home and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            cure = "Have your home directory made writable, or set HOME and JUPYTER_DATA_DIR to a place that is."
        yield problem(said.message, evidence=(where(folder, mounts(context)), said.detail), cure=cure)


def _by_filesystem(places: tuple[Place, ...]) -> dict[Path, list[Place]]:
    """Places by a directory of the filesystem that they share."""
    folders: dict[int, Path] = {}
    found: dict[Path, list[Place]] = {}
    for place in places:
        folder = folders.setdefault(place.existing.stat().st_dev, place.existing)
        found.setdefault(folder, []).append(place)
    return found


def _files(folder: Path) -> tuple[int, int]:
    """How many files the filesystem can hold, and how many more; 0 where it does not tell."""
    if not hasattr(os, "statvfs"):
        return 0, 0
    status = os.statvfs(folder)
    return status.f_files, status.f_favail


def _try(folder: Path) -> OSError | None:
    """Write a little; what the system says if it cannot be done."""
    try:
        with scratch(folder) as made, (made / "trial").open("wb") as file:
            file.write(os.urandom(TRIAL))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return None
