"""Which directories do running processes live in?"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import psutil


def occupied(directories: Collection[Path]) -> frozenset[Path]:
    """Find the directories that some process runs from, works in, names on its command line or has libraries of.

    The system keeps these paths up to date when a directory is renamed: a kernel started from an environment that was
    exchanged since is found under the old tree's new path. Processes of other users may not be looked into; they count
    as absent, as far as they hide.

    Args:
        directories: Absolute paths; links in them are followed.
    """
    # A command line has the path as it was typed, the system has it resolved.
    starts = {name + os.sep: path for path in directories for name in (str(path), os.path.realpath(path))}
    found: set[Path] = set()
    if starts:
        for process in psutil.process_iter():
            for place in _places(process):
                found.update(path for start, path in starts.items() if (place + os.sep).startswith(start))
            if len(found) == len(directories):
                break
    return frozenset(found)


def _places(process: psutil.Process) -> Iterator[str]:
    """Paths that a process holds on to; nothing where it is gone or another user's."""
    with contextlib.suppress(psutil.Error, OSError):
        yield process.exe()
    with contextlib.suppress(psutil.Error, OSError):
        yield process.cwd()
    with contextlib.suppress(psutil.Error, OSError):
        yield from process.cmdline()
    with contextlib.suppress(psutil.Error, OSError):
        yield from _mapped(process)


def _mapped(process: psutil.Process) -> Iterator[str]:
    """Files in a process's memory map."""
    if sys.platform == "linux":
        # psutil reads `smaps`, for which the kernel counts pages: 50 times slower.
        seen = set()
        for line in Path(f"/proc/{process.pid}/maps").read_bytes().splitlines():
            fields = line.split(None, 5)
            if len(fields) == 6 and fields[5].startswith(b"/") and fields[5] not in seen:
                seen.add(fields[5])
                yield os.fsdecode(fields[5])
    elif hasattr(process, "memory_maps"):
        yield from (area.path for area in process.memory_maps())
