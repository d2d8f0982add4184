"""Processes of this host: who they are, whether they still run, and who belongs to whom."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from pathlib import Path

import psutil

from ..models import ProcessIdentity

#: Seconds by which two readings of one process's start may differ: the system reckons it from a boot time in whole
#: seconds. A pid does not come round again that quickly.
START_TOLERANCE = 2.0

#: Linux makes one up at each boot.
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

#: Seconds that no machine stays up.
_LONG = 1e8


def identity() -> ProcessIdentity:
    """Tell this process from all others, also from later ones with the same pid."""
    return ProcessIdentity(host=socket.gethostname(), pid=os.getpid(), started=_started(psutil.Process()))


def identity_of(pid: int) -> ProcessIdentity | None:
    """Tell a process of this host from all others; ``None`` if it is gone or may not be looked at."""
    try:
        return ProcessIdentity(host=socket.gethostname(), pid=pid, started=_started(psutil.Process(pid)))
    except (psutil.Error, ValueError, OverflowError):
        return None


def alive(process: ProcessIdentity) -> bool:
    """Whether a process still runs; one on another host counts as alive, as nothing shows otherwise."""
    if process.host != socket.gethostname():
        return True
    try:
        there = psutil.Process(process.pid)
        return abs(_started(there) - process.started) < START_TOLERANCE and there.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except (psutil.Error, ValueError, OverflowError):
        return False


def _started(process: psutil.Process) -> float:
    """When a process was started, in seconds that nobody can set back or forth.

    Linux knows how long after the boot that was, and psutil adds the time of the boot as the clock now has it: when the
    clock is set, all processes seem to be others. Here it is told by this boot's name when the boot was.
    """
    try:
        boot = int(BOOT_ID.read_text(encoding="ascii")[:5], 16)
    except (OSError, ValueError):
        return process.create_time()
    # In this order: before version 7, psutil keeps the boot time that was asked for last.
    booted = psutil.boot_time()
    return boot * _LONG + process.create_time() - booted


def family(pid: int) -> frozenset[int]:
    """The ids of a process, of its descendants, and of all others in sessions that one of these leads.

    The session finds what lost its parent on the way: a worker that was started in the background by a shell, say.
    Empty if the process is gone.
    """
    try:
        members = {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    except (psutil.Error, ValueError, OverflowError):
        return frozenset()
    if not hasattr(os, "getsid"):
        return frozenset(members)
    leaders = {member for member in members if _session(member) == member}
    if leaders:
        members.update(other for other in psutil.pids() if _session(other) in leaders)
    return frozenset(members)


def nearest(pid: int, among: Collection[int]) -> int | None:
    """Whose :func:`family` a process belongs to; of several, the nearest, ``None`` if it belongs to none.

    Asked for one process: it looks at its ancestors only, where the family looks at every process there is.
    """
    waiting, seen = [pid], {pid}
    while waiting:
        here = waiting.pop(0)
        if here in among:
            return here
        for further in (_session(here), _parent(here)):
            if further and further not in seen:
                seen.add(further)
                waiting.append(further)
    return None


def _parent(pid: int) -> int | None:
    """The parent of a process, ``None`` where it is not told."""
    try:
        return psutil.Process(pid).ppid()
    except (psutil.Error, ValueError, OverflowError):
        return None


def _session(pid: int) -> int | None:
    """The session of a process, ``None`` where it is not told."""
    try:
        return os.getsid(pid)
    except (OSError, AttributeError):
        # Gone; or Windows, which has no such sessions.
        return None
