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
    seconds: float = 0.0
    checked: str = ""
