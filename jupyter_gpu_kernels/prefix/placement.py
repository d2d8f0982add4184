"""Placements as people and files write them: what makes sense, and what does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors import InvalidInputError
from ..models import GpuPolicy, Placement

#: Set for a kernel that is only tried out, for seconds: it wants no GPU for itself alone, and waits for none.
TRIAL = "JUPYTER_GPU_KERNELS_TRIAL"

#: What a server that ends sets on its kernel manager: no kernel waits for a GPU any more.
HURRY = "gpu_kernels_hurry"

#: More GPUs than one machine has.
MAX_COUNT = 64

#: Seconds in an hour: nobody waits longer for a notebook to open.
MAX_WAIT = 3600.0

#: Policies that take a number of GPUs.
COUNTED = (GpuPolicy.LEAST_USED, GpuPolicy.EXCLUSIVE)

_HEX = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# The old form of an instance names its GPU: https://docs.nvidia.com/datacenter/tesla/mig-user-guide/
_DEVICE = re.compile(rf"(?:GPU-|MIG-){_HEX}|MIG-GPU-{_HEX}/\d{{1,3}}/\d{{1,3}}")

_LIST = "`jupyter gpu-kernels gpus` lists the identifiers."


def check_placement(placement: Placement) -> None:
    """Check what can be checked of a placement without a GPU.

    Raises:
        InvalidInputError: It makes no sense; the message says why.
    """
    policy, devices = placement.policy, placement.devices
    for device in devices:
        if not _DEVICE.fullmatch(device):
            msg = f"{device[:60]!a} is not the identifier of a GPU."
            cure = f"Write it as GPU-… or MIG-…, as the driver does; {_LIST}"
            raise InvalidInputError(msg, cure=cure)
    if policy is GpuPolicy.FIXED and not devices:
        msg = "The placement is fixed, and no GPU is named."
        raise InvalidInputError(msg, cure=f"Name at least one GPU; {_LIST}")
    if policy is not GpuPolicy.FIXED and devices:
        msg = f"GPUs are named, and the policy {policy.value} chooses them itself."
        raise InvalidInputError(msg, cure="Choose the policy fixed, or leave the GPUs out.")
    if len(set(devices)) < len(devices):
        msg = "The same GPU is named twice."
        raise InvalidInputError(msg, cure="Name each GPU once.")
    if len(devices) > 1 and any(device.startswith("MIG-") for device in devices):
        msg = "A process can compute on one instance of a split GPU only, and several devices are named."
        raise InvalidInputError(msg, cure="Name that instance alone.")
    if not 1 <= placement.count <= MAX_COUNT or (placement.count != 1 and policy not in COUNTED):
        msg = f"{placement.count} cannot be the number of GPUs of a kernel with the policy {policy.value}."
        cure = f"Give 1 to {MAX_COUNT} with the policies least-used and exclusive, and none with the others."
        raise InvalidInputError(msg, cure=cure)
    # Also false for what is no number at all.
    if not 0 <= placement.wait <= MAX_WAIT:
        msg = f"A kernel cannot wait {placement.wait:g} seconds for a GPU."
        raise InvalidInputError(msg, cure=f"Give 0 to {MAX_WAIT:g} seconds.")


def parse_gpus(text: str) -> Placement:
    """Read a placement as it is written on a command line.

    Args:
        text: A policy, with a number after a colon if need be (``exclusive:2``), or identifiers with commas between.

    Raises:
        InvalidInputError: It is neither.
    """
    name, colon, count = text.strip().partition(":")
    policy = next((policy for policy in GpuPolicy if policy.value == name.lower()), None)
    if policy in (None, GpuPolicy.FIXED) and re.match(r"(GPU|MIG)-", text.strip()):
        names = tuple(device for device in re.split(r"[,\s]+", text.strip()) if device)
        placement = Placement(policy=GpuPolicy.FIXED, devices=names)
    elif policy is None or policy is GpuPolicy.FIXED or (colon and not re.fullmatch(r"\d{1,4}", count)):
        msg = f"{text[:60]!a} does not say which GPUs to take."
        cure = f"Write auto, all, least-used, exclusive, least-used:2, or identifiers of GPUs; {_LIST}"
        raise InvalidInputError(msg, cure=cure)
    else:
        placement = Placement(policy=policy, count=int(count) if colon else 1)
    check_placement(placement)
    return placement


def override_placement(placement: Placement, wish: object, ignored: list[str]) -> Placement:
    """Change what somebody has written into a file of any shape; what makes no sense is left out.

    Args:
        placement: What it is without.
        wish: A mapping with some of a placement's fields, or the name of a policy.
        ignored: Gets a sentence for what is left out.
    """
    if isinstance(wish, str):
        wish = {"policy": wish}
    if not isinstance(wish, Mapping):
        ignored.append("The launch policy's placement is no table of values, and is ignored.")
        return placement
    taken = {name: value for name, value in map(_read, wish.items()) if value is not None}
    for name in wish:
        if name not in taken:
            ignored.append(f"The placement's {str(name)[:40]!a} in the launch policy makes no sense, and is ignored.")
    other = taken.get("policy", placement.policy) is not placement.policy
    # What belongs to one policy does not belong to another.
    rest: dict[str, Any] = {"count": 1, "devices": ()} if other else {}
    changed = replace(placement, **{**rest, **taken})
    try:
        check_placement(changed)
    except InvalidInputError as error:
        ignored.append(f"The placement in the launch policy is ignored: {error.message}")
        return placement
    return changed


def _read(entry: tuple[object, object]) -> tuple[str, Any]:
    """One field of a placement as JSON has it; ``None`` if it is none."""
    name, value = entry
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9 else None
    if name == "policy":
        return "policy", next((policy for policy in GpuPolicy if policy.value == value), None)
    if name == "count":
        return "count", number if isinstance(number, int) else None
    if name == "wait":
        return "wait", None if number is None else float(number)
    if name == "devices" and isinstance(value, (list, tuple)) and all(isinstance(device, str) for device in value):
        return "devices", tuple(value)
    return str(name), None
