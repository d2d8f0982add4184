"""Giving a kernel its GPUs: what there is, who has it, what is chosen, and a record of that under one lock."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from ..hardware.glance import Glance
from ..hardware.leases import LeaseRecords
from ..hardware.nvml import NvmlError
from ..hardware.probe import open_nvml
from ..hardware.processes import identity
from ..hardware.records import Record
from ..hardware.visible import MASK, Device, Visible, devices_of, visible_devices
from ..models import ComputeMode, GpuPolicy, GpuReading, Lease, Placement, now
from .holders import unplaced
from .placing import Candidate, candidates, decide


@dataclasses.dataclass(frozen=True, kw_only=True)
class Applicant:
    """The kernel that is about to start.

    Attributes:
        kernel_id: As its server names it.
        kernel_name: Name of its kernelspec.
        title: The notebook it is started for, empty if that is not known.
    """

    kernel_id: str
    kernel_name: str = ""
    title: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given:
    """What a kernel was given.

    Attributes:
        lease: ``None`` where there is nothing to give.
        noted: Whether others can know of it.
        variables: What tells it so.
        warnings: What the server's log should say.
    """

    lease: Lease | None = None
    noted: bool = True
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Offer:
    """What there is to be given.

    Attributes:
        visible: What the mask leaves.
        modes: How many processes may compute on a GPU, by its index.
        readings: What GPUs and instances are doing.
        only: The only device that the machine has, empty if there are several.
    """

    visible: Visible
    modes: Mapping[int, ComputeMode] = dataclasses.field(default_factory=dict)
    readings: tuple[GpuReading, ...] = ()
    only: str = ""


class Leases:
    """The giving of GPUs to kernels of this user on this host; everything here blocks.

    Args:
        records: Where it is noted.
    """

    def __init__(self, records: LeaseRecords | None = None) -> None:
        self.records = records or LeaseRecords()

    def take(
        self,
        placement: Placement,
        applicant: Applicant,
        environ: Mapping[str, str],
        seen: Glance,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Given:
        """Give GPUs to a kernel that is about to start; one that starts again keeps what it has.

        Args:
            placement: What it wants.
            applicant: Which kernel.
            environ: Its variables so far, with the mask that it inherits.
            seen: What a glance has shown.
            wanted: Whether the kernel still waits for this.

        Raises:
            NoGpuFreeError: Others have all that it may have.
            RefusedError: There never will be what it wants.
        """
        try:
            offer = self._offer(placement, applicant, environ, seen)
        except NvmlError as error:
            return Given(warnings=(f"The kernel starts on whatever GPU it finds: {error}",))
        visible = offer.visible
        if visible.reason:
            return Given(warnings=(f"The kernel starts without a GPU: {visible.reason}", *visible.notes))
        warnings, noted = list(visible.notes), True
        try:
            with self.records.changing() as records:
                if not wanted():
                    return Given()
                lease = _decided(placement, applicant, offer, records)
                records[applicant.kernel_id] = Record(lease=lease, placement=placement, taken=self.records.clock())
        except OSError as error:
            warnings.append(f"Nobody else will know which GPU the kernel has, as it cannot be noted down: {error}.")
            lease, noted = _decided(placement, applicant, offer, self.records.counting()), False
        return Given(lease=lease, noted=noted, variables=_variables(lease, visible), warnings=tuple(warnings))

    def _offer(self, placement: Placement, applicant: Applicant, environ: Mapping[str, str], seen: Glance) -> Offer:
        """What there is to be given; NVML is asked only where something has to be chosen, or somebody is in the way.

        Raises:
            NvmlError: The driver does not answer.
        """
        if placement.policy in (GpuPolicy.AUTO, GpuPolicy.ALL) and seen.count == 1:
            if seen.uuid:
                device = Device(uuid=seen.uuid, gpu_index=0, name=seen.name, memory_total=0)
                return Offer(visible=Visible(devices=(device,)), only=seen.uuid)
            others = (lease for lease in self.records.current() if lease.kernel_id != applicant.kernel_id)
            if not any(lease.exclusive for lease in others):
                return Offer(visible=Visible(devices=()))
        nvml = open_nvml(environ)
        nvml.open()
        try:
            gpus = nvml.gpus()
            devices = [device for gpu in gpus for device in devices_of(gpu)]
            return Offer(
                visible=visible_devices(gpus, environ),
                modes={gpu.index: gpu.compute_mode for gpu in gpus},
                readings=nvml.readings(),
                only=devices[0].uuid if len(devices) == 1 else "",
            )
        finally:
            nvml.close()


def _decided(placement: Placement, applicant: Applicant, offer: Offer, records: Mapping[str, Record]) -> Lease:
    """Decide, or keep what was decided when the kernel was started before.

    Raises:
        NoGpuFreeError: Others have all that it may have.
        RefusedError: There never will be what it wants.
    """
    before = records.get(applicant.kernel_id)
    others = [_located(record.lease, offer.only) for record in records.values() if record is not before]
    among = candidates(offer.visible.devices, others, offer.modes, offer.readings)
    if not among:
        # The one device that it sees, whichever that is.
        return _lease(applicant, (), False, before)
    if before is not None and before.placement == placement and _can_keep(before.lease, among):
        return _lease(applicant, before.lease.devices, before.lease.exclusive, before)
    decision = decide(placement, among)
    if not decision.devices:
        raise unplaced(decision, placement)
    devices = tuple(device.uuid for device in decision.devices)
    return _lease(applicant, devices, decision.exclusive, before)


def _located(lease: Lease, only: str) -> Lease:
    """A lease of a device that nobody looked at, where there is only one."""
    return dataclasses.replace(lease, devices=(only,)) if only and not lease.devices else lease


def _can_keep(lease: Lease, among: Sequence[Candidate]) -> bool:
    """Whether a kernel that starts again can have what it had; what it left in the memory is no obstacle."""
    there = {candidate.device.uuid: dataclasses.replace(candidate, processes=()) for candidate in among}
    return bool(lease.devices) and all(
        uuid in there and there[uuid].open_to(alone=lease.exclusive) for uuid in lease.devices
    )


def _lease(applicant: Applicant, devices: tuple[str, ...], exclusive: bool, before: Record | None) -> Lease:
    """A lease of this process's, for a kernel that it has still to start."""
    same = before is not None and before.lease.devices == devices
    return Lease(
        kernel_id=applicant.kernel_id,
        kernel_name=applicant.kernel_name,
        title=applicant.title,
        devices=devices,
        exclusive=exclusive,
        server=identity(),
        since=before.lease.since if before is not None and same else now(),
    )


def _variables(lease: Lease, visible: Visible) -> dict[str, str]:
    """What tells a kernel which devices it has; nothing where it has all that it sees anyway."""
    if not lease.devices or {device.uuid for device in visible.devices} <= set(lease.devices):
        return {}
    names = lease.devices
    numbers = [entry.strip() for entry in (visible.mask or "").split(",")]
    if visible.notes and numbers[0].isdigit() and not any(device.mig for device in visible.devices):
        # Whose numbers these are is a guess where GPUs differ; what is in the mask is in the mask.
        places = dict(zip((device.uuid for device in visible.devices), numbers, strict=False))
        names = tuple(places[uuid] for uuid in names)
    return {MASK: ",".join(names)}
