"""What is asked for."""

from __future__ import annotations

import dataclasses
import enum

from .placement import Placement


class Variant(str, enum.Enum):
    """For which hardware a framework is built."""

    AUTO = "auto"
    GPU = "gpu"
    CPU = "cpu"


class Installer(str, enum.Enum):
    """Where packages come from: conda channels, or a PyPI index into a virtual environment."""

    AUTO = "auto"
    CONDA = "conda"
    PYPI = "pypi"


class MemoryPreset(str, enum.Enum):
    """How frameworks take the GPU's memory: as each does by default, as they need it, or up to a fraction of it."""

    DEFAULT = "default"
    GROW = "grow"
    FRACTION = "fraction"


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnvironmentSpec:
    """What was asked for.

    Attributes:
        name: Name of the environment; lower-cased it is the kernel's name.
        framework: Id of a catalogue entry, e.g. ``"tensorflow"``.
        variant: ``auto`` takes ``gpu`` where a usable driver (or a target) is known.
        version: Version of the framework (``"2.19"`` means any 2.19.x), or ``None`` for the newest that fits.
        python: Python version (``"3.12"``), or ``None`` for the newest that fits.
        cuda: CUDA version wished for the result (``"12.9"``), or ``None``.
        target_cuda: Highest CUDA of the driver that the result must run on, if that is not this machine's.
        target_gpu: GPU that the result must run on, if that is not this machine's: a compute capability (``"9.0"``),
            an architecture (``"hopper"``), or a product (``"H100"``).
        installer: Where packages come from.
        channels: Conda channels, exclusively; empty means the configured ones.
        packages: Extra packages of the installer's own kind (conda match specs, or PEP 508 requirements with ``pypi``).
        pip: Extra PEP 508 requirements, installed after the conda packages.
        extras: Ids of the framework's extras in the catalogue, e.g. ``"fiftyone"``.
        companions: Whether to add the framework's companions (numpy, pandas, matplotlib).
        recipe: Whether the catalogue adds the framework's packages. Without, ``packages`` and ``pip`` are all there is,
            but for the kernel itself, and ``framework`` only tells what is verified: the environments of others.
        verify: Whether to verify in a real kernel before registration.
        memory: How its kernels take the GPU's memory.
        memory_fraction: The part of it that one kernel may take, for ``fraction``; above 0, at most 1.
        placement: Which GPUs its kernels are given.
        display_name: Name shown in the Launcher, or ``None`` for one made from name, framework and CUDA.
        sys_prefix: Register in the server's ``sys.prefix`` instead of the user's data directory.
    """

    name: str
    framework: str = "python"
    variant: Variant = Variant.AUTO
    version: str | None = None
    python: str | None = None
    cuda: str | None = None
    target_cuda: str | None = None
    target_gpu: str | None = None
    installer: Installer = Installer.AUTO
    channels: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    companions: bool = True
    recipe: bool = True
    verify: bool = True
    memory: MemoryPreset = MemoryPreset.DEFAULT
    memory_fraction: float = 0.5
    placement: Placement = dataclasses.field(default_factory=Placement)
    display_name: str | None = None
    sys_prefix: bool = False
