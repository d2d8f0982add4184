"""What a machine has."""

from __future__ import annotations

import dataclasses
import enum


class Vendor(str, enum.Enum):
    """Whose accelerators a machine has; what that means for a framework is in the catalogue."""

    NVIDIA = "nvidia"
    APPLE = "apple"
    AMD = "amd"
    NONE = "none"


class ComputeMode(str, enum.Enum):
    """How many processes may compute on a GPU at a time: any number, one, or none."""

    DEFAULT = "default"
    EXCLUSIVE = "exclusive"
    PROHIBITED = "prohibited"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MigInstance:
    """A part of a GPU that the driver has split (multi-instance GPU); a process can compute on one of them only.

    Attributes:
        uuid: ``MIG-…`` identifier.
        profile: Its size, ``"1g.10gb"``.
        memory_total: Bytes.
    """

    uuid: str
    profile: str
    memory_total: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU, as the driver describes it.

    Attributes:
        index: Index in the driver's order.
        uuid: ``GPU-…`` identifier, stable over reboots.
        name: Marketing name.
        memory_total: Bytes, 0 where they are not told (memory shared with the processor, say).
        compute_capability: ``"9.0"`` for Hopper, ….
        compute_mode: How many processes may compute on it at a time.
        mig: Whether it is split; then its instances are what kernels can have, and not itself.
        instances: The instances, empty for a GPU that is whole.
    """

    index: int
    uuid: str
    name: str
    memory_total: int
    compute_capability: str
    compute_mode: ComputeMode = ComputeMode.DEFAULT
    mig: bool = False
    instances: tuple[MigInstance, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hardware:
    """What this machine has.

    Attributes:
        driver: Version of the NVIDIA driver, ``None`` without one.
        cuda: Highest CUDA version that the driver supports, ``None`` without one.
        gpus: The GPUs.
        vendor: Whose accelerators the machine has.
        reason: Why there is no usable GPU, empty if there is one.
        notes: What overrules the driver's answer, and which GPUs are left out of it, one sentence each.
    """

    driver: str | None = None
    cuda: str | None = None
    gpus: tuple[Gpu, ...] = ()
    vendor: Vendor = Vendor.NONE
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class GpuProcess:
    """A process that has memory on a GPU.

    Attributes:
        pid: Its id as this process would see it; ``None`` where the driver counts in another PID namespace.
        memory: Bytes, ``None`` where the driver does not tell.
        graphics: Whether it only draws, as a desktop does, and computes nothing.
    """

    pid: int | None
    memory: int | None
    graphics: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class GpuReading:
    """What a GPU, or an instance of one, is doing now.

    Attributes:
        uuid: Of the GPU or of the instance.
        utilization: Percent of the last moments in which something computed, ``None`` where it is not told (MIG).
        memory_used: Bytes, ``None`` where it is not told.
        memory_total: Bytes, 0 where they are not told.
        processes: Who has memory on it; ``None`` where nobody is listed (WSL, some containers).
    """

    uuid: str
    utilization: int | None
    memory_used: int | None
    memory_total: int
    processes: tuple[GpuProcess, ...] | None
