"""Where this process runs, as far as that changes what the driver can tell: WSL, and containers."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

#: The inode of the machine's first PID namespace, a constant of Linux (``PROC_PID_INIT_INO``):
#: https://github.com/torvalds/linux/blob/master/include/linux/proc_ns.h
FIRST_PID_NAMESPACE = "pid:[4026531836]"

WSL_NOTE = "Under WSL the driver lists no processes: which kernel has how much of a GPU cannot be told."
CONTAINER_NOTE = (
    "In this container the driver does not name every process: some GPU memory is shown without its kernel."
)


class Surroundings:
    """What can be found out of this process's surroundings; without effect outside Linux.

    Args:
        root: Where ``/proc`` is.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._processes = root / "proc"

    @cached_property
    def wsl(self) -> bool:
        """Whether this is Linux inside Windows, where NVML lists no processes (or the compositor alone).

        https://docs.nvidia.com/cuda/wsl-user-guide/index.html
        """
        try:
            return "microsoft" in (self._processes / "sys/kernel/osrelease").read_text().lower()
        except OSError:
            return False

    @cached_property
    def contained(self) -> bool:
        """Whether processes have other ids here than they have for the machine."""
        try:
            return str((self._processes / "self/ns/pid").readlink()) != FIRST_PID_NAMESPACE
        except OSError:
            return False

    def pid_here(self, pid: int) -> int | None:
        """The id that a process of the driver's list has here, ``None`` if that cannot be known.

        In a container drivers of today (580, say) give the ids of that container and leave out who is outside; older
        ones give the machine's, and the machine's id of one process may be that of another one here. So only a process
        that has the driver open is taken for the one that is meant.
        """
        if pid <= 0:
            return None
        if not self.contained:
            return pid
        return pid if self._has_driver_open(pid) else None

    def _has_driver_open(self, pid: int) -> bool:
        directory = self._processes / str(pid) / "fd"
        try:
            numbers = os.listdir(directory)
        except OSError:
            return False
        return any(_target(directory / number).startswith("/dev/nvidia") for number in numbers)


def _target(link: Path) -> str:
    """Where a link leads, empty if it has gone meanwhile."""
    try:
        return str(link.readlink())
    except OSError:
        return ""
