"""One record of a lease, and whether it still counts: that is told by processes, not by what their servers say."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from typing import Any

import psutil

from ..models import GpuPolicy, Lease, Placement, ProcessIdentity
from .processes import alive

#: Seconds that a server has to start a kernel which was given GPUs.
LAUNCH = 60.0

#: Seconds after a kernel's death in which its server may start it anew, on the same GPUs.
GRACE = 30.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """A lease, and what tells whether it still counts.

    Attributes:
        lease: The lease.
        placement: What was asked for; a restart that asks for the same keeps the same.
        taken: When the present start began, on this boot's monotonic clock.
        died: When the kernel was first seen dead, ``None`` while it was not.
        stopped: Whether nobody will start it anew.
    """

    lease: Lease
    placement: Placement
    taken: float
    died: float | None = None
    stopped: bool = False


class Sessions:
    """The sessions that processes of this host are in; they are looked at once, and only if somebody asks."""

    def __init__(self) -> None:
        self._members: dict[int, list[int]] | None = None

    def left_over(self, leader: int) -> bool:
        """Whether a session whose leader has died still has processes."""
        if self._members is None:
            self._members = {}
            for pid in psutil.pids():
                with contextlib.suppress(OSError, AttributeError):
                    self._members.setdefault(os.getsid(pid), []).append(pid)
        members = [pid for pid in self._members.get(leader, []) if _computing(pid)]
        # A leader that runs has taken over the number.
        return bool(members) and leader not in members


def _computing(pid: int) -> bool:
    """Whether a process is there, and not only its exit status."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def running(kernel: ProcessIdentity, sessions: Sessions) -> bool:
    """Whether a kernel runs, or something that it left."""
    return alive(kernel) or sessions.left_over(kernel.pid)


def seen(record: Record, now: float, sessions: Sessions) -> Record | None:
    """A record as it counts now, ``None`` if it does not."""
    lease = record.lease
    if lease.kernel is not None and running(lease.kernel, sessions):
        return record
    if record.stopped or not alive(lease.server):
        return None
    if lease.kernel is None:
        return record if 0 <= now - record.taken < LAUNCH else None
    if record.died is None:
        return dataclasses.replace(record, died=now)
    return record if 0 <= now - record.died < GRACE else None


def decoded(entry: Any) -> Record | None:
    """A record as :func:`~jupyter_gpu_kernels.models.to_json` wrote it; ``None`` for what another version wrote."""
    try:
        lease, placement = entry["lease"], entry["placement"]
        kernel = lease["kernel"]
        return Record(
            lease=Lease(
                kernel_id=str(lease["kernel_id"]),
                kernel_name=str(lease["kernel_name"]),
                title=str(lease["title"]),
                devices=tuple(map(str, lease["devices"])),
                exclusive=bool(lease["exclusive"]),
                server=_process(lease["server"]),
                kernel=None if kernel is None else _process(kernel),
                since=str(lease["since"]),
            ),
            placement=Placement(
                policy=GpuPolicy(placement["policy"]),
                count=int(placement["count"]),
                devices=tuple(map(str, placement["devices"])),
                wait=float(placement["wait"]),
            ),
            taken=float(entry["taken"]),
            died=None if entry["died"] is None else float(entry["died"]),
            stopped=bool(entry["stopped"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _process(entry: Any) -> ProcessIdentity:
    return ProcessIdentity(host=str(entry["host"]), pid=int(entry["pid"]), started=float(entry["started"]))
