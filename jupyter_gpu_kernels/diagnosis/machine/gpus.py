"""The GPUs: whether kernels may compute on them, and together."""

from __future__ import annotations

from collections.abc import Iterator

from ...hardware.visible import MASK, ORDER, visible_devices
from ...models import ComputeMode, Finding, Gpu
from ..check import note, problem, warning
from ..context import Context
from .surroundings import container, nvidia_gpus

_MODES = "https://docs.nvidia.com/cuda/cuda-c-programming-guide/#compute-modes"
_VARIABLES = "https://docs.nvidia.com/cuda/cuda-programming-guide/05-appendices/environment-variables.html"
_MIG = "https://docs.nvidia.com/datacenter/tesla/mig-user-guide/"


def visible(context: Context) -> Iterator[Finding]:
    """A mask that leaves kernels no GPU, or not those that it seems to name."""
    gpus = context.hardware.gpus
    seen = visible_devices(gpus, context.environ)
    if seen.mask is None or not gpus:
        return
    evidence = [f"{MASK}={seen.mask}", *(f"{_called(gpu)}: {gpu.uuid}" for gpu in gpus)]
    cure = f"Correct {MASK} where the server is started, or unset it; kernels are never given more than it names."
    if not seen.devices:
        yield problem(
            f"No kernel sees a GPU: {seen.reason}",
            evidence=evidence,
            cure=cure,
            link=_VARIABLES,
        )
    for remark in seen.notes:
        say = note if ORDER in remark else warning
        yield say(remark, evidence=evidence, cure=cure, link=_VARIABLES)


def compute_mode(context: Context) -> Iterator[Finding]:
    """GPUs that one process may use at a time, or none."""
    for gpu in context.hardware.gpus:
        evidence = [f"Compute mode: {gpu.compute_mode.value}", gpu.uuid]
        cure = f"Have `sudo nvidia-smi -i {gpu.index} -c 0` run, which lets any number of processes compute on it."
        if gpu.compute_mode is ComputeMode.PROHIBITED:
            yield problem(f"{_called(gpu)} is set to compute for nobody.", evidence=evidence, cure=cure, link=_MODES)
        elif gpu.compute_mode is ComputeMode.EXCLUSIVE:
            yield warning(
                f"{_called(gpu)} is set to compute for one process at a time: a second kernel fails on it.",
                evidence=evidence,
                cure=f"{cure[:-1]}, or shut a kernel down before another one needs the GPU.",
                link=_MODES,
            )


def without_instances(context: Context) -> Iterator[Finding]:
    """GPUs that are to be split, and are not: nothing can compute on them."""
    for gpu in context.hardware.gpus:
        if gpu.mig and not gpu.instances:
            yield problem(
                f"{_called(gpu)} is in MIG mode but has no instance: no kernel can compute on it.",
                evidence=[f"MIG mode: on, instances: none, {gpu.uuid}"],
                cure=f"Have instances made (`sudo nvidia-smi mig -i {gpu.index} -lgip` lists what fits), or MIG mode "
                f"turned off (`sudo nvidia-smi -i {gpu.index} -mig 0`).",
                link=_MIG,
            )


def lost(context: Context) -> Iterator[Finding]:
    """GPUs on the bus that the driver does not show."""
    on_bus, shown = nvidia_gpus(context), len(context.hardware.gpus)
    # A container sees its host's bus, and is given what it is given.
    if not context.hardware.driver or len(on_bus) <= shown or container(context):
        return
    yield warning(
        f"The machine has {len(on_bus)} NVIDIA GPUs, and the driver shows {shown}.",
        evidence=[
            *(f"On the PCI bus: {address}" for address in on_bus),
            *(f"The driver shows: {gpu.name}, {gpu.uuid}" for gpu in context.hardware.gpus),
            *([context.hardware.reason] if context.hardware.reason else []),
        ],
        cure="Look what `sudo dmesg | grep -i nvrm` says: a GPU may have failed, or be too old for the driver, or "
        "belong to a virtual machine.",
    )


def _called(gpu: Gpu) -> str:
    return f"GPU {gpu.index} ({gpu.name})"
