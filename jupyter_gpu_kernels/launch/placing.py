"""Which GPUs a kernel is given, decided from what there is and who has it; nothing is asked or changed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from ..hardware.visible import Device
from ..models import ComputeMode, GpuPolicy, GpuProcess, GpuReading, Lease, Placement


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """A device that a kernel could be given.

    Attributes:
        device: The device.
        mode: How many processes may compute on it.
        leases: Of other kernels of this user.
        processes: Those that compute on it, as far as the driver tells; what a desktop draws is in nobody's way.
        memory_used: Bytes, 0 where they are not told.
    """

    device: Device
    mode: ComputeMode = ComputeMode.DEFAULT
    leases: tuple[Lease, ...] = ()
    processes: tuple[GpuProcess, ...] = ()
    memory_used: int = 0

    @property
    def closed(self) -> bool:
        """Whether nothing may compute on it at all."""
        return self.mode is ComputeMode.PROHIBITED

    def open_to(self, *, alone: bool) -> bool:
        """Whether one more kernel can have it.

        Args:
            alone: Whether the kernel wants it for itself.
        """
        if self.closed or any(lease.exclusive for lease in self.leases):
            return False
        if alone or self.mode is ComputeMode.EXCLUSIVE:
            return not self.leases and not self.processes
        return True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decision:
    """What a kernel is given, or what stands in the way.

    Attributes:
        devices: What it is given; nothing if there is a reason.
        exclusive: Whether no other kernel may have them meanwhile.
        taken: Candidates that others have: they may become free.
        reason: Why there is nothing and never will be, empty if waiting may help.
    """

    devices: tuple[Device, ...] = ()
    exclusive: bool = False
    taken: tuple[Candidate, ...] = ()
    reason: str = ""


def candidates(
    devices: Sequence[Device],
    leases: Iterable[Lease],
    modes: Mapping[int, ComputeMode],
    readings: Iterable[GpuReading],
) -> tuple[Candidate, ...]:
    """Bring together what is known of each device.

    Args:
        devices: What the mask leaves.
        leases: Of other kernels.
        modes: By index of the GPU.
        readings: Of GPUs and instances.
    """
    held, read = tuple(leases), {reading.uuid: reading for reading in readings}
    found: list[Candidate] = []
    for device in devices:
        reading = read.get(device.uuid)
        found.append(
            Candidate(
                device=device,
                mode=modes.get(device.gpu_index, ComputeMode.DEFAULT),
                leases=tuple(lease for lease in held if device.uuid in lease.devices),
                processes=_computing(reading.processes if reading else None),
                memory_used=(reading.memory_used or 0) if reading else 0,
            )
        )
    return tuple(found)


def _computing(processes: Iterable[GpuProcess] | None) -> tuple[GpuProcess, ...]:
    return tuple(process for process in processes or () if not process.graphics)


def decide(placement: Placement, among: Sequence[Candidate]) -> Decision:
    """Choose.

    Args:
        placement: What the kernel wants.
        among: What there is, at least one, in the order in which the mask or the driver has it.
    """
    policy = placement.policy
    if policy is GpuPolicy.AUTO:
        policy = GpuPolicy.LEAST_USED if len(among) > 1 else GpuPolicy.ALL
    if policy is GpuPolicy.FIXED:
        return _fixed(placement.devices, among)
    alone = policy is GpuPolicy.EXCLUSIVE
    free = [candidate for candidate in among if candidate.open_to(alone=alone)]
    usable = [candidate for candidate in among if not candidate.closed]
    if not usable:
        return Decision(reason="no process may compute on any GPU here: their compute mode is prohibited")
    if policy is GpuPolicy.ALL:
        return _all(free, usable)
    # Sorting keeps the order of what is equal.
    ranked = sorted(free, key=lambda candidate: (len(candidate.leases), candidate.memory_used))
    whole = [candidate for candidate in ranked if not candidate.device.mig]
    there = sum(not candidate.device.mig for candidate in usable)
    if ranked and (placement.count == 1 or not there):
        # One instance is all that a process can compute on.
        return Decision(devices=(ranked[0].device,), exclusive=alone)
    if there and len(whole) >= placement.count:
        return Decision(devices=_in_order(whole[: placement.count], among), exclusive=alone)
    if there and placement.count > there:
        found = f"{there} GPU{'s are' if there != 1 else ' is'}"
        return Decision(reason=f"it wants {placement.count} GPUs, and {found} visible here")
    return Decision(taken=_others(usable, free))


def _fixed(wanted: Sequence[str], among: Sequence[Candidate]) -> Decision:
    """The devices that were named."""
    named = {candidate.device.uuid.lower(): candidate for candidate in among}
    chosen = [named.get(uuid.lower()) for uuid in wanted]
    found = [candidate for candidate in chosen if candidate is not None]
    if len(found) < len(wanted):
        missing = ", ".join(uuid for uuid, candidate in zip(wanted, chosen, strict=True) if candidate is None)
        return Decision(reason=f"it wants {missing}, which this server cannot give")
    closed = [candidate.device.uuid for candidate in found if candidate.closed]
    if closed:
        return Decision(reason=f"it wants {', '.join(closed)}, and no process may compute there (mode prohibited)")
    taken = tuple(candidate for candidate in found if not candidate.open_to(alone=False))
    return Decision(taken=taken) if taken else Decision(devices=tuple(candidate.device for candidate in found))


def _all(free: Sequence[Candidate], usable: Sequence[Candidate]) -> Decision:
    """All that can be had: whole GPUs, or else one instance."""
    whole = tuple(candidate.device for candidate in free if not candidate.device.mig)
    parts = sorted(free, key=lambda candidate: (len(candidate.leases), candidate.memory_used))
    devices = whole or tuple(candidate.device for candidate in parts[:1])
    return Decision(devices=devices) if devices else Decision(taken=tuple(usable))


def _in_order(chosen: Sequence[Candidate], among: Sequence[Candidate]) -> tuple[Device, ...]:
    """The chosen ones as they stand among all."""
    return tuple(candidate.device for candidate in among if candidate in chosen)


def _others(usable: Sequence[Candidate], free: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """What others have."""
    return tuple(candidate for candidate in usable if candidate not in free)
