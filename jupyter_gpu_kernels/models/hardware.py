"""What a machine has."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU, as the driver describes it.

    Attributes:
        index: Index in the driver's order.
        uuid: ``GPU-…`` identifier, stable over reboots.
        name: Marketing name.
        memory_total: Bytes.
        compute_capability: ``"9.0"`` for Hopper, ….
    """

    index: int
    uuid: str
    name: str
    memory_total: int
    compute_capability: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hardware:
    """What this machine has.

    Attributes:
        driver: Version of the NVIDIA driver, ``None`` without one.
        cuda: Highest CUDA version that the driver supports, ``None`` without one.
        gpus: The GPUs.
        reason: Why there is no usable GPU, empty if there is one.
        notes: What overrules the driver's answer, one sentence each.
    """

    driver: str | None = None
    cuda: str | None = None
    gpus: tuple[Gpu, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()
