"""Every exception that a user may meet.

::

    GpuKernelsError
    ├── InvalidInputError            the caller's fault: what was asked for is malformed
    │   ├── InvalidNameError         a name that cannot be an environment's or a kernel's
    │   ├── InvalidVersionError      a version that is not written as one
    │   ├── InvalidPackageError      a package spec that is none, or of a kind that is not allowed
    │   ├── InvalidChannelError      a channel that is neither a name nor a web address
    │   ├── UnknownFrameworkError    no such framework, version or variant in the catalogue
    │   └── TooLargeError            the body of a request is too long
    ├── NotFoundError                no such environment, kernel or job
    ├── ConflictError                it exists already, or somebody is working on it
    │   ├── NameTakenError           the name belongs to another environment or kernel
    │   ├── EnvironmentBusyError     another job, here or in another process, holds it
    │   ├── KernelsRunningError      kernels of the environment are running
    │   └── NoGpuFreeError           the GPUs that a kernel may have are others'
    ├── RefusedError                 well-formed, but it cannot work on this machine
    ├── ChannelError                 a channel or index does not answer as it should
    ├── BuildError                   a stage of a job failed
    │   ├── SolveError               no set of packages satisfies what was asked for
    │   ├── DownloadError            packages could not be fetched whole
    │   ├── InstallError             packages could not be put into the environment
    │   ├── VerificationError        the built environment does not start or import
    │   └── BenchmarkError           the CPU-vs-GPU notebook did not come to a result
    ├── JobCancelledError            somebody cancelled the job
    ├── JobInterruptedError          the process that worked on the job ended
    └── BrokenEnvironmentError       an environment on disk is damaged or gone

Each carries a stable machine-readable ``code``, a one-sentence ``message``, and a ``cure``: the reader's next step.
"""

from __future__ import annotations

from typing import Any, ClassVar


class GpuKernelsError(Exception):
    """Base of everything raised on purpose by this package.

    Args:
        message: One sentence that says what happened.
        cure: One sentence that says what to do next.
        detail: Raw evidence (a tool's output), shown on request only.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, cure: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} {self.cure}".strip()

    def to_json(self) -> dict[str, Any]:
        """The one JSON shape of an error: ``code``, ``message``, ``cure``, ``detail``."""
        return {"code": self.code, "message": self.message, "cure": self.cure, "detail": self.detail}


class InvalidInputError(GpuKernelsError):
    """What was asked for is malformed."""

    code = "invalid_input"


class InvalidNameError(InvalidInputError):
    """The name cannot be an environment's or a kernel's."""

    code = "invalid_name"


class InvalidVersionError(InvalidInputError):
    """A version of a framework, of Python or of CUDA is not written as one."""

    code = "invalid_version"


class InvalidPackageError(InvalidInputError):
    """A package spec is none, or of a kind that is not allowed."""

    code = "invalid_package"


class InvalidChannelError(InvalidInputError):
    """A channel is neither a name nor a web address."""

    code = "invalid_channel"


class UnknownFrameworkError(InvalidInputError):
    """The catalogue has no such framework, version or variant."""

    code = "unknown_framework"


class TooLargeError(InvalidInputError):
    """The body of a request is longer than anything sensible."""

    code = "too_large"


class NotFoundError(GpuKernelsError):
    """There is no such environment, kernel or job."""

    code = "not_found"


class ConflictError(GpuKernelsError):
    """The present state of things does not allow it."""

    code = "conflict"


class NameTakenError(ConflictError):
    """The name belongs to another environment or kernel."""

    code = "name_taken"


class EnvironmentBusyError(ConflictError):
    """Another job, in this process or in another, holds the environment."""

    code = "environment_busy"


class KernelsRunningError(ConflictError):
    """Kernels of the environment are running."""

    code = "kernels_running"


class NoGpuFreeError(ConflictError):
    """The GPUs that a kernel may have are others'; it waits, or says whose."""

    code = "no_gpu_free"


class RefusedError(GpuKernelsError):
    """Well-formed, but it cannot work on this machine; the cure names what would."""

    code = "refused"


class ChannelError(GpuKernelsError):
    """A channel or index does not answer as it should."""

    code = "channel"


class BuildError(GpuKernelsError):
    """A stage of a job failed; nothing half-made is left."""

    code = "build_failed"


class SolveError(BuildError):
    """No set of packages satisfies what was asked for."""

    code = "unsatisfiable"


class DownloadError(BuildError):
    """Packages could not be fetched whole."""

    code = "download_failed"


class InstallError(BuildError):
    """Packages could not be put into the environment."""

    code = "install_failed"


class VerificationError(BuildError):
    """The built environment does not start a kernel or does not import its framework."""

    code = "verification_failed"


class BenchmarkError(BuildError):
    """The CPU-vs-GPU notebook did not come to a result."""

    code = "benchmark_failed"


class JobCancelledError(GpuKernelsError):
    """Somebody cancelled the job."""

    code = "cancelled"


class JobInterruptedError(GpuKernelsError):
    """The process that worked on the job ended before the job did."""

    code = "interrupted"


class BrokenEnvironmentError(GpuKernelsError):
    """An environment on disk is damaged or gone."""

    code = "broken_environment"
