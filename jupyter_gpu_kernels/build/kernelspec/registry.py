"""Reading kernelspecs: which of them are ours, and of which environment each is."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir

from .kernel_json import KEY

#: Bytes of which a ``kernel.json`` is certainly none any more.
LARGEST = 16_000_000

#: Nanoseconds after which a directory's time of change tells all; FAT, the slowest clock, ticks every two seconds.
SETTLED_NS = 3_000_000_000


def kernels_directory(*, sys_prefix: bool = False) -> Path:
    """Where kernelspecs are registered: for the user, or for all who use the server's environment."""
    return Path(sys.prefix, "share", "jupyter", "kernels") if sys_prefix else Path(jupyter_data_dir(), "kernels")


class Registry:
    """The kernels of ours that are registered; a directory that did not change is not read again.

    Kernelspecs of ours come, change and go by renames, which their directory's time of change shows.
    """

    def __init__(self) -> None:
        #: By directory of kernels: its time of change, and the kernelspecs' directories by their environments'.
        self._folders: dict[Path, tuple[int, dict[str, str]]] = {}
        #: By kernel.json: inode, modification time and size, and the environment if it is ours.
        self._files: dict[str, tuple[tuple[int, int, int], str]] = {}

    def __call__(self) -> dict[str, str]:
        """The kernelspec's directory by the environment's; the user's come before those of ``sys.prefix``."""
        found: dict[str, str] = {}
        for folder in dict.fromkeys((kernels_directory(sys_prefix=True), kernels_directory())):
            try:
                changed = folder.stat().st_mtime_ns
            except OSError:
                continue
            before = self._folders.get(folder)
            if before is None or before[0] != changed:
                before = changed, self._scan(folder)
                # Clocks of file systems tick slowly: what changes in this moment may show the same time.
                if time.time_ns() - changed > SETTLED_NS:
                    self._folders[folder] = before
            found.update(before[1])
        return found

    def _scan(self, folder: Path) -> dict[str, str]:
        """Look at every kernelspec of a directory, and read those that changed."""
        found: dict[str, str] = {}
        for entry in entries(folder):
            path = f"{entry}/kernel.json"
            try:
                status = os.stat(path)  # noqa: PTH116  # a Path costs more than the call
            except OSError:
                self._files.pop(path, None)
                continue
            signature = (status.st_ino, status.st_mtime_ns, status.st_size)
            before = self._files.get(path)
            if before is None or before[0] != signature:
                before = signature, owner_of(ours_in(read(Path(entry))))
                self._files[path] = before
            if before[1]:
                found[before[1]] = entry
        return found


def read(place: Path) -> dict[str, Any]:
    """Read a ``kernel.json``; empty if it is missing, damaged or no file at all: a pipe or a device has no end."""
    path = place / "kernel.json"
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return {}
        with open(path, "rb", opener=_unhesitating) as file:
            data = file.read(LARGEST + 1) or b""
        content = json.loads(data) if len(data) <= LARGEST else None
    # The last is what nesting without an end comes to.
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _unhesitating(path: str, flags: int) -> int:
    """Open a file without waiting for anybody; what looks like one in ``/proc`` may have nothing to give."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def ours_in(spec: dict[str, Any]) -> Any:
    """Our part of a kernelspec's metadata, ``None`` if it is not ours."""
    metadata = spec.get("metadata")
    return metadata.get(KEY) if isinstance(metadata, dict) else None


def owner_of(ours: Any) -> str:
    """The environment that our part of a kernelspec's metadata names."""
    return str(ours.get("prefix", "")) if isinstance(ours, dict) else ""


def entries(folder: Path) -> list[str]:
    """What is in a directory of kernels."""
    try:
        with os.scandir(folder) as found:
            return sorted(entry.path for entry in found)
    except OSError:
        return []
