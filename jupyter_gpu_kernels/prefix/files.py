"""Writing files so that a reader sees all of the old or all of the new, whenever somebody dies."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def replace_file(path: Path, content: bytes, *, mode: int, durable: bool = False) -> None:
    """Write a file in one step; it may be there already, even as a hard link into somebody's cache.

    Args:
        path: The file; its directory must be there.
        content: What it shall hold.
        mode: Its permissions, as in ``st_mode``: temporary files are for secrets, and nobody else may read them.
        durable: Whether it shall outlast a power cut from now on.

    Raises:
        OSError: It cannot be written; then nothing is left of the attempt.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.chmod(stat.S_IMODE(mode))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_directory(path.parent)


def sync_directory(folder: Path) -> None:
    """Make renames in a directory outlast a power cut, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
