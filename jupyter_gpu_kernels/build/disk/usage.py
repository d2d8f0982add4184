"""What an environment takes on disk, and what its removal would give back."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ...models import DiskUsage

#: Unit of ``st_blocks``, whatever the filesystem's own blocks are. Source: inode(7).
BLOCK = 512


def measure(prefix: Path) -> DiskUsage:
    """Measure a tree; blocks on the disk, a second for a hundred thousand files.

    Counted as ``du`` does: the blocks that are allocated, directories included, a file with several names once. What
    cannot be read is left out. Where the filesystem shares blocks between copies (reflinks), nobody can tell.

    Args:
        prefix: The environment; it may be a link.
    """
    total = freed = 0
    #: By device and inode: names that were not met yet.
    shared: dict[tuple[int, int], int] = {}
    for status in _statuses(prefix):
        size = allocated(status)
        if stat.S_ISDIR(status.st_mode) or status.st_nlink <= 1:
            total += size
            freed += size
            continue
        identity = (status.st_dev, status.st_ino)
        if identity not in shared:
            shared[identity] = status.st_nlink
            total += size
        shared[identity] -= 1
        if not shared[identity]:
            # No name of it is left elsewhere, as in a cache of packages or in another environment.
            freed += size
    return DiskUsage(bytes=total, freed_bytes=freed)


def _statuses(prefix: Path) -> Iterator[os.stat_result]:
    """The status of everything in a tree, the tree's own directory first."""
    with contextlib.suppress(OSError):
        yield prefix.stat()
    folders = [str(prefix)]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    # Windows lists directories without inodes and numbers of links.
                    yield status if status.st_ino else os.lstat(entry.path)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)


def allocated(status: os.stat_result) -> int:
    """Bytes of the blocks of a file; where the system does not tell, its length."""
    blocks: int | None = getattr(status, "st_blocks", None)
    return status.st_size if blocks is None else blocks * BLOCK
