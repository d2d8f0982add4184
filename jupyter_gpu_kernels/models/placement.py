"""Which GPUs kernels are given, and who has which."""

from __future__ import annotations

import dataclasses
import enum

from .hardware import GpuReading
from .process import ProcessIdentity


class GpuPolicy(str, enum.Enum):
    """How GPUs are chosen for a kernel, among those that the server itself may use."""

    #: ``least-used`` where there are several, ``all`` where there is one.
    AUTO = "auto"
    ALL = "all"
    LEAST_USED = "least-used"
    #: As ``least-used``, and no other kernel gets them meanwhile.
    EXCLUSIVE = "exclusive"
    FIXED = "fixed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement:
    """Which GPUs a kernel wants.

    Attributes:
        policy: How they are chosen.
        count: How many, for ``least-used`` and ``exclusive``; of instances of split GPUs one is given at most.
        devices: ``GPU-…`` or ``MIG-…`` identifiers, for ``fixed``.
        wait: Seconds to wait where none is free, before the explaining kernel says who has them.
    """

    policy: GpuPolicy = GpuPolicy.AUTO
    count: int = 1
    devices: tuple[str, ...] = ()
    wait: float = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lease:
    """The GPUs that a running kernel was given.

    Attributes:
        kernel_id: As its server names it.
        kernel_name: Name of its kernelspec.
        title: The notebook it was started for, empty if that is not known.
        devices: ``GPU-…`` or ``MIG-…`` identifiers.
        exclusive: Whether no other kernel may have them meanwhile.
        server: The process that started it.
        kernel: Its own process, ``None`` while it starts.
        since: When it was given them.
    """

    kernel_id: str
    kernel_name: str
    title: str = ""
    devices: tuple[str, ...]
    exclusive: bool = False
    server: ProcessIdentity
    kernel: ProcessIdentity | None = None
    since: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class KernelShare:
    """What one running kernel has of one GPU.

    Attributes:
        kernel_id: As its server names it; empty for a process that is no kernel of this user's servers.
        kernel_name: Name of its kernelspec, empty if it is not known.
        title: Path of its notebook or console, else its kernelspec's display name; empty for others' processes.
        here: Whether it is a kernel of this server, which can shut it down.
        gpu: Identifier of the GPU or instance.
        pid: Its process, ``None`` where the driver counts in another PID namespace.
        memory: Bytes, ``None`` where they are not told; 0 for a kernel that was given the GPU and has nothing on it.
        leased: Whether it was given that GPU; memory on another one is somebody's mistake, or from a terminal.
        idle_since: Since when nothing runs in it, empty while something does or where it is not known.
    """

    kernel_id: str = ""
    kernel_name: str = ""
    title: str = ""
    here: bool = False
    gpu: str
    pid: int | None = None
    memory: int | None = None
    leased: bool = False
    idle_since: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GpuUsage:
    """What the GPUs are doing now, and for whom.

    Attributes:
        taken: When this was read; readers that ask within the same moment get the same answer.
        readings: One for each GPU, or for each instance of a split one, in the driver's order.
        shares: Who has what, the largest first.
        notes: What cannot be told here, one sentence each.
    """

    taken: str
    readings: tuple[GpuReading, ...] = ()
    shares: tuple[KernelShare, ...] = ()
    notes: tuple[str, ...] = ()
