"""Which GPUs this process was given: CUDA's own reading of ``CUDA_VISIBLE_DEVICES``.

The rules: https://docs.nvidia.com/cuda/cuda-programming-guide/05-appendices/environment-variables.html. What that page
leaves open (a repeated entry, text after a number, entries of two kinds) is as the driver has it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..models import Gpu

MASK = "CUDA_VISIBLE_DEVICES"
ORDER = "CUDA_DEVICE_ORDER"


@dataclass(frozen=True, kw_only=True)
class Device:
    """What a kernel can be given: a whole GPU, or an instance of a split one.

    Attributes:
        uuid: ``GPU-…`` or ``MIG-…`` identifier, as ``CUDA_VISIBLE_DEVICES`` takes it.
        gpu_index: Index of the GPU in the driver's order.
        name: Of the GPU, with the instance's profile.
        memory_total: Bytes, 0 where they are not told.
        mig: Whether it is an instance.
    """

    uuid: str
    gpu_index: int
    name: str
    memory_total: int
    mig: bool = False


@dataclass(frozen=True, kw_only=True)
class Visible:
    """What is left to be given.

    Attributes:
        devices: In the order of the mask, else in the driver's.
        mask: The mask, ``None`` without one.
        reason: Why there is nothing, one sentence; empty if there is something.
        notes: What in the mask does not say what it seems to say, one sentence each.
    """

    devices: tuple[Device, ...]
    mask: str | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


def devices_of(gpu: Gpu) -> tuple[Device, ...]:
    """What a GPU can be given as: itself, or its instances if it is split."""
    if not gpu.mig:
        return (Device(uuid=gpu.uuid, gpu_index=gpu.index, name=gpu.name, memory_total=gpu.memory_total),)
    return tuple(
        Device(
            uuid=part.uuid,
            gpu_index=gpu.index,
            name=f"{gpu.name} MIG {part.profile}",
            memory_total=part.memory_total,
            mig=True,
        )
        for part in gpu.instances
    )


def visible_devices(gpus: Sequence[Gpu], environ: Mapping[str, str]) -> Visible:
    """Read the mask.

    An instance that a mask names by its GPU counts: CUDA itself would take the first one of that GPU.

    Args:
        gpus: The machine's, in the driver's order.
        environ: Environment variables of the process that CUDA would run in.
    """
    mask = environ.get(MASK)
    if mask is None:
        devices = tuple(device for gpu in gpus for device in devices_of(gpu))
        return Visible(devices=devices, reason="" if devices else _nothing(gpus))
    if not mask.strip():
        return Visible(devices=(), mask=mask, reason=f"{MASK} is empty, which hides all GPUs: unset it to use them.")
    return _masked(gpus, mask, environ.get(ORDER, "FASTEST_FIRST"))


def _nothing(gpus: Sequence[Gpu]) -> str:
    if gpus:
        return "The GPUs here are split (MIG), and have no instances: create some, or switch the mode off."
    return "There is no GPU."


def _masked(gpus: Sequence[Gpu], mask: str, order: str) -> Visible:
    """What a mask with something in it leaves."""
    # A blank before an identifier makes it none, one behind it does not matter.
    entries = [entry.rstrip() for entry in mask.split(",")]
    ordinals = _in_order(gpus, order)
    # The first entry decides what kind all are of; one of another kind is as good as none.
    if entries[0].startswith("MIG-"):
        find = functools.partial(_instance, gpus)
    elif entries[0].startswith("GPU-"):
        find = functools.partial(_by_uuid, gpus)
    else:
        find = functools.partial(_by_ordinal, ordinals)
    found: list[tuple[Device, ...]] = []
    notes: list[str] = []
    for entry in entries:
        devices = find(entry)
        if not devices:
            if found:
                notes.append(f"{MASK} is {mask!r}: nothing from {entry!r} on is visible, as there is no such GPU.")
            break
        if devices in found:
            reason = f"{MASK} is {mask!r}, which names a GPU twice and so hides all: name each GPU once."
            return Visible(devices=(), mask=mask, reason=reason)
        found.append(devices)
    if not found:
        reason = f"{MASK} is {mask!r}, and there is no such GPU here: correct it, or unset it to use all GPUs."
        return Visible(devices=(), mask=mask, reason=reason)
    if find(entries[0]) and not entries[0].startswith(("MIG-", "GPU-")) and ordinals != list(gpus):
        notes.append(
            f"{MASK} is {mask!r}, and CUDA's numbers may not be those of nvidia-smi where GPUs differ: set "
            f"{ORDER}=PCI_BUS_ID, or name the GPUs by their identifiers."
        )
    return Visible(devices=tuple(device for devices in found for device in devices), mask=mask, notes=tuple(notes))


def _in_order(gpus: Sequence[Gpu], order: str) -> list[Gpu]:
    """The GPUs as CUDA numbers them.

    The driver keeps its rule for what is fastest to itself; the newest generation and then the largest memory is the
    best guess, and none is needed where all GPUs are alike.
    """
    if order == "PCI_BUS_ID":
        return list(gpus)

    def speed(gpu: Gpu) -> tuple[tuple[int, ...], int]:
        return tuple(map(int, re.findall(r"\d+", gpu.compute_capability))), gpu.memory_total

    return sorted(gpus, key=speed, reverse=True)


def _by_ordinal(gpus: Sequence[Gpu], entry: str) -> tuple[Device, ...]:
    """The GPU of a number; the driver reads as far as there are digits."""
    number = re.match(r"\s*\+?\d+", entry)
    if number is None or int(number[0]) >= len(gpus):
        return ()
    return devices_of(gpus[int(number[0])])


def _by_uuid(gpus: Sequence[Gpu], entry: str) -> tuple[Device, ...]:
    """The GPU whose identifier begins so, if it is the only one."""
    if not entry.removeprefix("GPU-") or not entry.startswith("GPU-"):
        return ()
    found = [gpu for gpu in gpus if gpu.uuid.lower().startswith(entry.lower())]
    return devices_of(found[0]) if len(found) == 1 else ()


def _instance(gpus: Sequence[Gpu], entry: str) -> tuple[Device, ...]:
    """The instance whose identifier begins so, if it is the only one."""
    parts = [device for gpu in gpus for device in devices_of(gpu) if device.mig]
    found = [part for part in parts if entry.startswith("MIG-") and part.uuid.lower().startswith(entry.lower())]
    if len(found) == 1:
        return (found[0],)
    # What drivers before 470 call an instance, and newer ones still understand: MIG-GPU-<uuid>/<instance>/<part>.
    old = re.fullmatch(r"MIG-(GPU-[^/]+)/\d+/\d+", entry)
    owners = [gpu for gpu in gpus if old and gpu.mig and gpu.uuid.lower() == old[1].lower()]
    if not owners:
        return ()
    only = devices_of(owners[0])
    name = f"{owners[0].name} MIG"
    return (
        only
        if len(only) == 1
        else (Device(uuid=entry, gpu_index=owners[0].index, name=name, memory_total=0, mig=True),)
    )
