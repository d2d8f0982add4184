"""Who has the GPUs that a kernel wanted, in words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import PurePath

import psutil

from ..errors import NoGpuFreeError, RefusedError
from ..models import GpuPolicy, GpuProcess, Lease, Placement
from .placing import Candidate, Decision

#: Holders, and devices, that a sentence names before it counts.
NAMED = 4


def unplaced(decision: Decision, placement: Placement) -> NoGpuFreeError | RefusedError:
    """Say why a kernel was given no GPU.

    Args:
        decision: One without devices.
        placement: What the kernel wanted.
    """
    if decision.reason:
        msg = f"This kernel cannot be given its GPU: {decision.reason}."
        cure = "`jupyter gpu-kernels gpus` lists the GPUs: choose a placement that fits them, then restart the kernel."
        return RefusedError(msg, cure=cure)
    several = placement.count > 1 and placement.policy is not GpuPolicy.FIXED
    head = f"There are no {placement.count} GPUs free for this kernel" if several else "No GPU is free for this kernel"
    msg = f"{head}: {_listed([_holding(candidate) for candidate in decision.taken], '; ')}."
    kernels = any(candidate.leases for candidate in decision.taken)
    cure = "Shut down a kernel that is named here" if kernels else "Wait until they are free"
    alone = placement.policy is GpuPolicy.EXCLUSIVE
    share = ", or choose the placement least-used to share one" if alone else ""
    return NoGpuFreeError(msg, cure=f"{cure}{share}; then restart this kernel.")


def _holding(candidate: Candidate) -> str:
    """Who has a device."""
    device = candidate.device
    label = f"GPU {device.gpu_index} ({device.name})"
    alone = [lease for lease in candidate.leases if lease.exclusive]
    if alone:
        return f"{label} is kept for itself by {_listed(map(_kernel, alone))}"
    if candidate.leases:
        return f"{label} is used by {_listed(map(_kernel, candidate.leases))}"
    return f"{label} is used by {_listed(dict.fromkeys(map(_process, candidate.processes)))}"


def _kernel(lease: Lease) -> str:
    """A kernel of this user."""
    title = PurePath(lease.title).name or "a kernel"
    about = [f"kernel {lease.kernel_name}"] if lease.kernel_name else []
    begun = when(lease.since, datetime.now().astimezone())
    told = ", ".join([*about, *([f"since {begun}"] if begun else [])])
    return f"{title} ({told})" if told else title


def when(time: str, present: datetime) -> str:
    """Say when something was: the time of day, with the date unless that is today's.

    Args:
        time: ISO 8601; what is none is answered with nothing.
        present: Now, in the time zone of who reads it.
    """
    try:
        then = datetime.fromisoformat(time).astimezone(present.tzinfo)
    except ValueError:
        return ""
    return then.strftime("%H:%M" if then.date() == present.date() else "%Y-%m-%d %H:%M")


def _process(process: GpuProcess) -> str:
    """A process that is no kernel of ours: other people's are told nothing of but that they are."""
    if process.pid is None or not hasattr(os, "getuid"):
        return "another process"
    try:
        there = psutil.Process(process.pid)
        if there.uids().real != os.getuid():
            return "another user's process"
        return f"your process {process.pid} ({there.name()})"
    except psutil.Error:
        return "another process"


def _listed(words: Iterable[str], comma: str = ", ") -> str:
    """Several things, the first of them by name."""
    found: Sequence[str] = list(words)
    if len(found) > NAMED:
        return f"{comma.join(found[: NAMED - 1])} and {len(found) - NAMED + 1} more"
    return comma.join(found)
