"""What a real kernel says of itself."""

from __future__ import annotations

import dataclasses
import enum


class VerificationOutcome(str, enum.Enum):
    """What a verification found."""

    VERIFIED = "verified"
    GPU_NOT_SEEN = "gpu_not_seen"
    FAILED = "failed"


class LibraryOrigin(str, enum.Enum):
    """Whose a mapped CUDA library is."""

    ENVIRONMENT = "environment"
    DRIVER = "driver"
    FOREIGN = "foreign"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MappedLibrary:
    """A CUDA library found in the memory map of a running kernel."""

    soname: str
    path: str
    origin: LibraryOrigin


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExtraCheck:
    """What was found of an extra of the framework.

    Attributes:
        id: Its id in the catalogue.
        title: What people call it.
        works: Whether it does what it is there for.
        sentence: What it said of itself, or why it does not work.
    """

    id: str
    title: str
    works: bool
    sentence: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verification:
    """What a real kernel of the environment said of itself.

    Attributes:
        outcome: The verdict.
        sentence: The verdict in plain words, with the cause where something is missing.
        framework_version: ``__version__`` of the framework.
        built_with_cuda: CUDA version that the framework was built with, ``None`` for a CPU build.
        devices: Accelerators that the framework sees, by name.
        computation: Result of the small computation, ``None`` if it did not run.
        libraries: CUDA libraries mapped after the computation.
        extras: What was found of the extras that were asked for, in that order.
        seconds: Duration, kernel start included.
        checked: When.
    """

    outcome: VerificationOutcome
    sentence: str
    framework_version: str | None = None
    built_with_cuda: str | None = None
    devices: tuple[str, ...] = ()
    computation: str | None = None
    libraries: tuple[MappedLibrary, ...] = ()
    extras: tuple[ExtraCheck, ...] = ()
    seconds: float = 0.0
    checked: str = ""
