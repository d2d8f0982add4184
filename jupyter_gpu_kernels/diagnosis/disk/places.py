"""The directories that this package writes to, and the filesystems that they are on."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...build.disk.filesystem import remove_tree
from ..context import Context


@dataclass(frozen=True, kw_only=True)
class Place:
    """A directory that is written to.

    Attributes:
        what: What is kept there, for people.
        path: The directory; it need not exist.
    """

    what: str
    path: Path

    @property
    def existing(self) -> Path:
        """The directory, or the nearest one above it that exists."""
        # What one may not look at is not there.
        there = (folder for folder in (self.path, *self.path.parents) if os.path.exists(folder))  # noqa: PTH110
        return next(there, Path(self.path.anchor))


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A mounted filesystem.

    Attributes:
        point: Where it is mounted.
        kind: Its type: ``ext4``, ``nfs4``.
        source: What is mounted.
        options: How.
    """

    point: Path
    kind: str
    source: str
    options: tuple[str, ...]


def environment_places(context: Context) -> tuple[Place, Place]:
    """Where environments are."""
    return (
        Place(what="conda environments", path=context.practice.conda_envs_dir),
        Place(what="virtual environments", path=context.practice.virtualenvs_dir),
    )


def all_places(context: Context) -> tuple[Place, ...]:
    """Everything that builds write to."""
    return (
        *environment_places(context),
        Place(what="downloaded packages", path=context.practice.cache_dir),
        Place(what="jobs and locks", path=context.practice.state_dir),
    )


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A throwaway directory inside another one; hidden, so that nobody takes it for an environment.

    Raises:
        OSError: It cannot be made.
    """
    made = Path(tempfile.mkdtemp(dir=folder, prefix=".gpu-kernels-doctor-"))
    try:
        yield made
    finally:
        with contextlib.suppress(OSError):
            remove_tree(made)


def mounts(context: Context) -> tuple[Mount, ...]:
    """The mounted filesystems, on Linux; see proc_pid_mountinfo(5)."""
    found = []
    for line in context.text("/proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, more = before.split(), after.split()
        if len(fields) >= 6 and len(more) >= 2:
            options = (*fields[5].split(","), *(more[2].split(",") if len(more) > 2 else ()))
            found.append(Mount(point=_path(fields[4]), kind=more[0], source=more[1], options=options))
    return tuple(found)


def mount_of(path: Path, mounted: tuple[Mount, ...]) -> Mount | None:
    """The filesystem that a path is on, ``None`` if it is not known."""
    real = Path(os.path.realpath(path))
    above = [mount for mount in mounted if real.is_relative_to(mount.point)]
    # What was mounted last on one place is what is seen there.
    return max(reversed(above), key=lambda mount: len(mount.point.parts), default=None)


def where(path: Path, mounted: tuple[Mount, ...]) -> str:
    """A path with its filesystem, for people."""
    mount = mount_of(path, mounted)
    return f"{path} is on {mount.kind}, mounted at {mount.point}" if mount else str(path)


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write, as far as the filesystem tells."""
    return shutil.disk_usage(folder).free


def _path(text: str) -> Path:
    """A path whose blanks are written as octal numbers."""
    return Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text))
