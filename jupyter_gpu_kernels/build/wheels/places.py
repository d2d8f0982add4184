"""Directories that uv works in."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def throwaway() -> Iterator[Path]:
    """A directory for the files of one question; removed with all that is in it."""
    with tempfile.TemporaryDirectory(prefix="gpu-kernels-", ignore_cleanup_errors=True) as path:
        yield Path(os.path.realpath(path))


def apart(cache: Path, envs_dir: Path) -> bool:
    """Whether two directories, which need not be there yet, lie on different filesystems. Blocks on the disk."""

    def device(path: Path) -> int:
        while not path.exists() and path != path.parent:
            path = path.parent
        return path.stat().st_dev

    try:
        return device(cache) != device(envs_dir)
    except OSError:
        return False
