"""What was built."""

from __future__ import annotations

import dataclasses
import enum

from .benchmark import BenchmarkResult
from .job import ErrorReport
from .placement import Placement
from .plan import Plan
from .spec import EnvironmentSpec, Installer, MemoryPreset, Variant
from .verification import Verification


class EnvironmentKind(str, enum.Enum):
    """What an environment is on disk."""

    CONDA = "conda"
    VIRTUALENV = "virtualenv"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LaunchPolicy:
    """How a kernel of an environment is started.

    Attributes:
        activate: Whether to run the environment's activation scripts.
        user_site: Whether packages of ``~/.local`` may shadow the environment's.
        memory: How frameworks take the GPU's memory.
        memory_fraction: The part of it that one kernel may take, for ``fraction``.
        placement: Which GPUs a kernel is given.
    """

    activate: bool = True
    user_site: bool = False
    memory: MemoryPreset = MemoryPreset.DEFAULT
    memory_fraction: float = 0.5
    placement: Placement = dataclasses.field(default_factory=Placement)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """What was built; stored inside the environment.

    Attributes:
        schema_version: Version of this shape; readers refuse a newer one.
        name: Name of the environment.
        kernel_name: Name of the kernelspec, lower case.
        display_name: What the Launcher shows.
        kind: What it is on disk.
        prefix: Final path of the environment.
        generation: Id of the build, also the name of its directory while it was built.
        spec: What was asked for.
        plan: What the solver answered.
        verification: The last verification, if any.
        benchmark: The last benchmark, if any.
        launch: How its kernels are started.
        created: When this generation was built.
        disk_bytes: What it took on disk then, as :class:`DiskUsage` counts; 0 if nobody measured.
        built_by: Version of this package.
    """

    schema_version: int = 1
    name: str
    kernel_name: str
    display_name: str
    kind: EnvironmentKind
    prefix: str
    generation: str
    spec: EnvironmentSpec
    plan: Plan
    verification: Verification | None = None
    benchmark: BenchmarkResult | None = None
    launch: LaunchPolicy = LaunchPolicy()
    created: str = ""
    disk_bytes: int = 0
    built_by: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment as listed: its manifest's heart, and what is true of it now.

    Attributes:
        name, kernel_name, display_name, kind, prefix: As in the manifest.
        framework: Catalogue id.
        framework_version, python, cuda, variant, installer: As built.
        verification: The last verification, if any.
        benchmark: The last benchmark, if any.
        registered: Whether its kernelspec is in place.
        kernelspec: Directory of the kernelspec, empty if not registered.
        created: When it was built.
        disk_bytes: As in the manifest.
        memory: How its kernels take the GPU's memory.
        memory_fraction: The part of it that one kernel may take, for ``fraction``.
        placement: Which GPUs its kernels are given.
        restart_needed: Ids of running kernels that still use what a rebuild has replaced.
        damaged: Why nothing is known of it but its name and place, one sentence; empty for a sound manifest.
    """

    name: str
    kernel_name: str
    display_name: str
    kind: EnvironmentKind
    prefix: str
    framework: str
    framework_version: str | None
    python: str
    cuda: str | None
    variant: Variant
    installer: Installer
    verification: Verification | None
    benchmark: BenchmarkResult | None
    registered: bool
    kernelspec: str
    created: str
    disk_bytes: int = 0
    memory: MemoryPreset = MemoryPreset.DEFAULT
    memory_fraction: float = 0.5
    placement: Placement = dataclasses.field(default_factory=Placement)
    restart_needed: tuple[str, ...] = ()
    damaged: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnvironmentChange:
    """What of an environment can be changed without building anything; what is ``None`` stays as it is.

    Attributes:
        display_name: What the Launcher shows.
        memory: How kernels take the GPU's memory, from their next start on.
        memory_fraction: The part of it that one kernel may take, for ``fraction``.
        placement: Which GPUs kernels are given, from their next start on.
    """

    display_name: str | None = None
    memory: MemoryPreset | None = None
    memory_fraction: float | None = None
    placement: Placement | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class DiskUsage:
    """What an environment takes on disk now: blocks that are allocated, a file with several names counted once.

    Attributes:
        bytes: All of it.
        freed_bytes: What its removal would give back: files that have another name outside, as in the cache of
            packages, are not counted.
    """

    bytes: int
    freed_bytes: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class NameCheck:
    """Whether a new environment may have a name.

    Attributes:
        name: The name.
        problem: Why it may not, ``None`` if it may.
    """

    name: str
    problem: ErrorReport | None = None
