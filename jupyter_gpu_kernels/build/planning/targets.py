"""What the result shall run on: this machine, or one that was named."""

from __future__ import annotations

import platform as system
import sys
from dataclasses import dataclass

from ...models import EnvironmentSpec, Hardware
from . import drivers
from .gpus import NamedGpu, named_gpu

#: The variable that says which CUDA can be run, whatever the driver says; a note of the hardware begins with it.
OVERRIDE = "CONDA_OVERRIDE_CUDA"
OVERRIDDEN = f"the driver that {OVERRIDE} speaks of"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the result shall run on.

    Attributes:
        platform: Conda's name of the platform.
        cuda: Highest CUDA of its driver, ``None`` if it has none.
        driver: What says so, for sentences: ``this machine's driver 570.86.15``; empty where nothing does, and the
            newest driver is assumed.
        capabilities: Compute capabilities of its GPUs; empty where they are not known.
        gpus: Those GPUs, for sentences: ``its NVIDIA H200 (compute capability 9.0)``; empty where they are not known.
        named: Whether the GPU was named, and all that the name means must be served.
        missing: Why there is no CUDA, one sentence; empty if there is.
    """

    platform: str
    cuda: str | None = None
    driver: str = ""
    capabilities: tuple[str, ...] = ()
    gpus: str = ""
    named: bool = False
    missing: str = ""


def platform_name() -> str:
    """Conda's name of this platform, e.g. ``linux-64``."""
    kernel = {"linux": "linux", "darwin": "osx", "win32": "win"}.get(sys.platform, sys.platform)
    machine = system.machine().lower()
    if machine in ("aarch64", "arm64"):
        return f"{kernel}-{'aarch64' if kernel == 'linux' else 'arm64'}"
    return f"{kernel}-{'64' if machine in ('x86_64', 'amd64') else machine}"


def target(spec: EnvironmentSpec, hardware: Hardware, platform: str = "") -> Target:
    """What the result shall run on: the machine that was named, or this one.

    Where a GPU is named and no CUDA, this machine's driver is taken; where it has none, a new one is assumed.

    Args:
        spec: What was asked for.
        hardware: What this machine has.
        platform: Conda's name of the platform, empty for this one's.

    Raises:
        InvalidInputError: The GPU that is named is not known.
    """
    platform = platform or platform_name()
    if spec.target_gpu:
        named = named_gpu(spec.target_gpu)
        cuda, driver = spec.target_cuda or hardware.cuda, _driver(spec, hardware)
        return Target(
            platform=platform,
            cuda=cuda or drivers.NEWEST,
            driver=driver if cuda else "",
            capabilities=named.capabilities,
            gpus=_described(named),
            named=True,
        )
    if spec.target_cuda:
        return Target(platform=platform, cuda=spec.target_cuda, driver=_driver(spec, hardware))
    if hardware.cuda is None:
        missing = hardware.reason or next(iter(hardware.notes), "This machine offers no CUDA.")
        return Target(platform=platform, missing=missing)
    if hardware.driver is None:
        return Target(platform=platform, cuda=hardware.cuda, driver=_driver(spec, hardware))
    if not hardware.gpus:
        return Target(platform=platform, missing=hardware.reason)
    capabilities = tuple(dict.fromkeys(gpu.compute_capability for gpu in hardware.gpus))
    return Target(
        platform=platform,
        cuda=hardware.cuda,
        driver=_driver(spec, hardware),
        capabilities=capabilities,
        gpus=_own(hardware, capabilities),
    )


def _driver(spec: EnvironmentSpec, hardware: Hardware) -> str:
    """What says which CUDA can be run."""
    if spec.target_cuda:
        return "the driver of the target"
    if hardware.driver is None or any(note.startswith(f"{OVERRIDE} says ") for note in hardware.notes):
        return OVERRIDDEN
    return f"this machine's driver {hardware.driver}"


def _described(named: NamedGpu) -> str:
    """A GPU that was named."""
    numbers = " and ".join(named.capabilities)
    if named.label == "a GPU":
        return f"a GPU of compute capability {numbers}"
    return f"{named.label} (compute capability {numbers})"


def _own(hardware: Hardware, capabilities: tuple[str, ...]) -> str:
    """The GPUs of this machine."""
    names = dict.fromkeys(gpu.name for gpu in hardware.gpus)
    if len(names) > 1:
        return f"its GPUs (compute capability {' and '.join(capabilities)})"
    return f"its {next(iter(names))} (compute capability {capabilities[0]})"
