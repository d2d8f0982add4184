"""What a person should read before a build begins."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from ...models import EnvironmentSpec, Framework, Hardware, Recipe, Variant
from . import drivers
from .choices import began
from .targets import Target


def cautions(
    framework: Framework, spec: EnvironmentSpec, aim: Target, recipe: Recipe, hardware: Hardware, cuda: str | None
) -> Iterator[str]:
    """The warnings of a plan, one sentence each.

    Args:
        framework: The framework.
        spec: What was asked for.
        aim: What the result shall run on.
        recipe: The recipe taken.
        hardware: What this machine has.
        cuda: CUDA of the result.
    """
    if framework.legacy:
        yield framework.legacy
    if recipe.note:
        yield recipe.note
    if not (spec.target_cuda or spec.target_gpu):
        yield from hardware.notes
    if recipe.variant is not Variant.GPU:
        return
    if aim.named and cuda and not aim.driver:
        yield (
            f"Nothing is known of the driver of the machine that it is for: with CUDA {cuda} it needs NVIDIA driver "
            f"{drivers.minimum_driver(cuda, aim.capabilities)} or newer. If that one is older, name the highest CUDA "
            "that it runs."
        )
    if not hardware.gpus:
        yield f"Whether it runs on a GPU cannot be tried on this machine. {hardware.reason}".strip()
    elif aim.named and not {gpu.compute_capability for gpu in hardware.gpus} & set(aim.capabilities):
        yield f"It is for {aim.gpus}: what a verification on this machine's GPU says may be otherwise there."
    unknown = [item for item in aim.capabilities if recipe.native and item not in SpecifierSet(recipe.native)]
    if unknown:
        yield (
            f"This build of {framework.title} has no machine code for a GPU of compute capability {unknown[0]}: the "
            "driver compiles it when the GPU is first used, which may take many minutes, and keeps it."
        )
    first = max(map(drivers.first_cuda, aim.capabilities), default=None)
    if aim.named and aim.driver and aim.cuda and first is not None and first > Version(aim.cuda):
        yield (
            f"{began(aim.driver)} runs CUDA up to {aim.cuda}, and {aim.gpus} needs NVIDIA driver "
            f"{drivers.minimum_driver(str(first), aim.capabilities)} or newer (CUDA {first}): see to it that the "
            "machine that it is for has such a driver."
        )
    # A driver that is merely assumed is not known to be older than that.
    elif aim.driver and aim.cuda and cuda and Version(cuda) > Version(aim.cuda):
        # https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
        yield (
            f"CUDA {cuda} is newer than the driver's {aim.cuda}. NVIDIA supports that within a major version; if a "
            f"kernel complains of PTX or an unsupported toolchain, update the driver, or ask for CUDA {aim.cuda}, if "
            "there is such a build."
        )


def disk_caution(needed: int, free: int) -> Iterator[str]:
    """The warning of a disk that is too small; both in bytes."""
    if free < needed:
        yield (
            f"The disk has {free / 1e9:.1f} GB left, and this takes about {needed / 1e9:.1f} GB with its downloads. "
            "Free some space first."
        )
