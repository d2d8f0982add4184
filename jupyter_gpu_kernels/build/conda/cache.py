"""The package cache's hygiene: what killed builders left half unpacked is removed when nobody else is unpacking."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

#: Held, shared, by every builder that works with the cache.
LOCK = ".gpu-kernels.lock"

#: Where locks cannot be shared, seconds after which a leftover is certainly nobody's.
OLD = 24 * 3600.0


@contextlib.contextmanager
def in_use(directory: Path) -> Iterator[int]:
    """Use the cache together with other builders; sweep it first if there are none.

    Yields:
        How many leftovers were removed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield sweep(directory, older_than=OLD)
        return
    import fcntl

    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            swept = sweep(directory)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        except BlockingIOError:
            swept = 0
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        except OSError:
            # A network file system without locks.
            swept = sweep(directory, older_than=OLD)
        yield swept
    finally:
        os.close(descriptor)


def sweep(directory: Path, *, older_than: float = 0.0) -> int:
    """Remove the hidden directories (``.NAME-VERSION-BUILDxxxxxx``) into which packages are unpacked before a rename.

    Args:
        directory: The package cache.
        older_than: Seconds of age; younger ones are left alone.

    Returns:
        How many were removed.
    """
    removed = 0
    for path in directory.glob(".*"):
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink() and time.time() - path.stat().st_mtime >= older_than:
                shutil.rmtree(path)
                removed += 1
    return removed
