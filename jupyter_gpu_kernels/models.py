"""What crosses a wall between rooms: frozen dataclasses and enums, JSON in and out.

Times are ISO 8601 strings in UTC, sizes are bytes, rates are bytes per second, paths are absolute strings.
Only the standard library is imported here, since :mod:`jupyter_gpu_kernels.prefix` also runs where nothing else is.
"""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime, timezone
from typing import Any, TypeVar

from .errors import InvalidInputError

T = TypeVar("T")


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


class EnvironmentKind(str, enum.Enum):
    """What an environment is on disk."""

    CONDA = "conda"
    VIRTUALENV = "virtualenv"


class Stage(str, enum.Enum):
    """The stages of a build, in order."""

    SOLVE = "solve"
    DOWNLOAD = "download"
    LINK = "link"
    WHEELS = "wheels"
    COMPILE = "compile"
    VERIFY = "verify"
    REGISTER = "register"


class JobState(str, enum.Enum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class JobKind(str, enum.Enum):
    """What a job does to its environment."""

    CREATE = "create"
    REBUILD = "rebuild"
    REMOVE = "remove"
    VERIFY = "verify"
    BENCHMARK = "benchmark"


class VerificationOutcome(str, enum.Enum):
    """What a verification found."""

    VERIFIED = "verified"
    GPU_NOT_SEEN = "gpu_not_seen"
    FAILED = "failed"
    SKIPPED = "skipped"


class LibraryOrigin(str, enum.Enum):
    """Whose a mapped CUDA library is."""

    ENVIRONMENT = "environment"
    DRIVER = "driver"
    FOREIGN = "foreign"


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
        installer: Where packages come from.
        channels: Conda channels, exclusively; empty means the configured ones.
        packages: Extra packages of the installer's own kind (conda match specs, or PEP 508 requirements with ``pypi``).
        pip: Extra PEP 508 requirements, installed after the conda packages.
        companions: Whether to add the framework's companions (numpy, pandas, matplotlib).
        verify: Whether to verify in a real kernel before registration.
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
    installer: Installer = Installer.AUTO
    channels: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    companions: bool = True
    verify: bool = True
    display_name: str | None = None
    sys_prefix: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlannedPackage:
    """One package of a plan.

    Attributes:
        name: Normalised name.
        version: Exact version.
        build: Conda build string; empty for wheels.
        source: Channel (conda) or ``"pypi"``.
        size: Bytes to download, 0 when unknown.
        stage: ``link`` for conda packages, ``wheels`` for PyPI ones.
    """

    name: str
    version: str
    build: str = ""
    source: str = ""
    size: int = 0
    stage: Stage = Stage.LINK


@dataclasses.dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a plan cannot be built here, and what would fit; the detail is the solver's own words, if there are any."""

    reason: str
    cure: str
    detail: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What the solver answered.

    Attributes:
        spec: What was asked for, unchanged.
        installer: The installer taken (never ``auto``), with the reason in one sentence.
        variant: The variant taken (never ``auto``), with the reason in one sentence.
        python: Exact Python version, empty in a refusal.
        framework_version: Exact version of the framework, ``None`` for ``python`` and refusals.
        cuda: CUDA version of the result, ``None`` for a CPU build.
        target_cuda: Highest CUDA that the build may need, ``None`` without driver or target.
        channels: The channels (or indexes) used, without credentials.
        packages: All packages, in order of name.
        download_bytes: Bytes of packages that are not in the cache yet.
        disk_bytes: Estimate of the bytes taken on disk.
        warnings: Sentences the user should read before the build.
        refusal: Set when the plan cannot be built; then ``packages`` is empty.
    """

    spec: EnvironmentSpec
    installer: Installer
    installer_reason: str
    variant: Variant
    variant_reason: str
    python: str = ""
    framework_version: str | None = None
    cuda: str | None = None
    target_cuda: str | None = None
    channels: tuple[str, ...] = ()
    packages: tuple[PlannedPackage, ...] = ()
    download_bytes: int = 0
    disk_bytes: int = 0
    warnings: tuple[str, ...] = ()
    refusal: Refusal | None = None


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """Durations of one benchmarked workload on one device, in seconds.

    Attributes:
        workload: ``"convolution"`` or ``"matmul"``.
        device: ``"cpu"`` or ``"gpu"``.
        device_name: As the framework or the system names it.
        median: Median duration of one run.
        spread: Interquartile range of the runs.
        runs: Number of timed runs.
        total: Sum of the timed runs.
        peak_memory: Bytes at the peak, ``None`` where the framework does not say.
    """

    workload: str
    device: str
    device_name: str
    median: float
    spread: float
    runs: int
    total: float
    peak_memory: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkResult:
    """Result of the bundled CPU-vs-GPU notebook.

    Attributes:
        framework: What computed, e.g. ``"TensorFlow 2.21.0"``.
        timings: One for each workload and device.
        speedups: CPU median over GPU median by workload; empty without a GPU.
        gpu_missing: Why there is no GPU half, ``None`` if there is one.
        finished: When.
    """

    framework: str
    timings: tuple[Timing, ...]
    speedups: dict[str, float] = dataclasses.field(default_factory=dict)
    gpu_missing: str | None = None
    finished: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LaunchPolicy:
    """How a kernel of an environment is started.

    Attributes:
        activate: Whether to run the environment's activation scripts.
        user_site: Whether packages of ``~/.local`` may shadow the environment's.
    """

    activate: bool = True
    user_site: bool = False


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
        restart_needed: Ids of running kernels that still use what a rebuild has replaced.
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
    restart_needed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage has come; totals are 0 while unknown."""

    packages_done: int = 0
    packages_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    bytes_per_second: float = 0.0
    detail: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ErrorReport:
    """An error as stored in a job; the JSON shape of every error."""

    code: str
    message: str
    cure: str
    detail: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A process, told apart from a later one with the same pid.

    Attributes:
        host: Host name.
        pid: Process id.
        started: Start time as the system tells it, seconds since the epoch.
    """

    host: str
    pid: int
    started: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """A snapshot of a long operation.

    Attributes:
        id: Identifier, unique for ever.
        kind: What it does.
        name: Name of the environment.
        state: Where it stands.
        stage: The stage at work, ``None`` before the first.
        revision: Rises with every change; a reader drops older snapshots.
        progress: How far the stage has come.
        log: The last lines of the log, oldest first.
        spec: What was asked for, for ``create`` and ``rebuild``.
        plan: The plan, once solved, without its packages.
        verification: What a verification found, once known.
        benchmark: What a benchmark found, once known.
        error: Why it failed, once it did.
        owner: The process that works on it.
        attempts: How often it was started: more than 1 after a server died.
        created, started, finished: When, or empty.
    """

    id: str
    kind: JobKind
    name: str
    state: JobState = JobState.QUEUED
    stage: Stage | None = None
    revision: int = 0
    progress: Progress = Progress()
    log: tuple[str, ...] = ()
    spec: EnvironmentSpec | None = None
    plan: Plan | None = None
    verification: Verification | None = None
    benchmark: BenchmarkResult | None = None
    error: ErrorReport | None = None
    owner: ProcessIdentity | None = None
    attempts: int = 0
    created: str = ""
    started: str = ""
    finished: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link:
    """A page worth reading."""

    title: str
    url: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Guard:
    """What a solution must hold to be the build that a recipe promises.

    Attributes:
        package: Name of the package that must be there; a trailing ``*`` matches any ending.
        build: Glob that its conda build string must match; empty for any.
        needs: Name of a second package that must be there too, with the same ``*``; empty for none.
        cuda: CUDA version of a wheel that has it compiled in and names it nowhere; empty to read it from the packages.
    """

    package: str
    build: str = ""
    needs: str = ""
    cuda: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to install a framework; of those that fit, the first is taken.

    Version ranges are PEP 440 specifiers; an empty one takes any.

    Attributes:
        variant: ``gpu`` or ``cpu``, never ``auto``.
        installer: ``conda`` or ``pypi``, never ``auto``.
        packages: Specs of the installer's kind; ``{version}`` becomes the range of the framework's versions, written as
            that installer writes it.
        versions: Versions of the framework that it gives.
        python: Versions of Python that it runs on.
        platforms: Conda names of platforms (``linux-64``) that it is for; empty for all.
        cuda: Versions of CUDA that it gives; empty for CPU builds.
        cuda_package: Spec that forces one CUDA version, e.g. ``cuda-version={cuda}``; empty if there is none.
        torch_backend: uv's ``--torch-backend``, with ``{cuda}`` as bare digits (``cu{cuda}``); empty for none.
        only_exact: Take it only when a CUDA version was asked for.
        capability: Compute capabilities that it has machine code for.
        channels: Conda channels that have it, where the usual ones do not.
        sees_cuda: Whether a CPU recipe still shows the machine's CUDA to the solver.
        guard: What proves the solution.
        note: A sentence to read before the build; empty for none.
    """

    variant: Variant
    installer: Installer
    packages: tuple[str, ...]
    versions: str = ""
    python: str = ""
    platforms: tuple[str, ...] = ()
    cuda: str = ""
    cuda_package: str = ""
    torch_backend: str = ""
    only_exact: bool = False
    capability: str = ""
    channels: tuple[str, ...] = ()
    sees_cuda: bool = False
    guard: Guard | None = None
    note: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Absence:
    """Why a framework has no recipe for something, and what to do instead.

    Attributes:
        variant: For this variant; ``auto`` for both.
        installer: For this installer; ``auto`` for both.
        reason: One sentence.
        cure: One sentence.
    """

    variant: Variant = Variant.AUTO
    installer: Installer = Installer.AUTO
    reason: str
    cure: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Framework:
    """An entry of the catalogue.

    Attributes:
        id: What a spec says, e.g. ``"tensorflow"``.
        title: What people call it.
        summary: One sentence on what it is for.
        package: Name of the package whose version is the framework's, in any of its recipes, in order of preference.
        import_name: Module to import; empty for none.
        logo: Stem of the logo's file.
        legacy: What a reader must know of an entry that upstream no longer cares for; empty for the living.
        links: Upstream's pages.
        companions: Packages added unless refused; the names are the same in conda and in PyPI.
        verification: Python source (3.6 or newer), run in a kernel where a dict ``report`` exists. As far as it comes
            it fills the keys ``framework_version`` (str), ``built_with_cuda`` (str or None), ``devices`` (list of
            str) and ``computation`` (str), and ``problem`` (str) when the framework says why it sees no GPU.
        benchmark: Id of the adapter in the bundled notebook.
        recipes: The ways to install it.
        absences: Why others are not there.
        source: File that it was read from; empty for the bundled ones.
    """

    id: str
    title: str
    summary: str
    package: tuple[str, ...] = ()
    import_name: str = ""
    logo: str = ""
    legacy: str = ""
    links: tuple[Link, ...] = ()
    companions: tuple[str, ...] = ("numpy", "pandas", "matplotlib")
    verification: str = ""
    benchmark: str = "numpy"
    recipes: tuple[Recipe, ...]
    absences: tuple[Absence, ...] = ()
    source: str = ""

    def variants(self) -> tuple[Variant, ...]:
        """The variants that it has a recipe for."""
        return tuple(sorted({recipe.variant for recipe in self.recipes}, reverse=True))

    def installers(self) -> tuple[Installer, ...]:
        """The installers that it has a recipe for."""
        return tuple(sorted({recipe.installer for recipe in self.recipes}))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU, as the driver describes it.

    Attributes:
        index: Index in the driver's order.
        uuid: ``GPU-…`` identifier, stable over reboots.
        name: Marketing name.
        memory_total: Bytes.
        compute_capability: ``"9.0"`` for Hopper, ….
    """

    index: int
    uuid: str
    name: str
    memory_total: int
    compute_capability: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hardware:
    """What this machine has.

    Attributes:
        driver: Version of the NVIDIA driver, ``None`` without one.
        cuda: Highest CUDA version that the driver supports, ``None`` without one.
        gpus: The GPUs.
        reason: Why there is no usable GPU, empty if there is one.
        notes: What overrules the driver's answer, one sentence each.
    """

    driver: str | None = None
    cuda: str | None = None
    gpus: tuple[Gpu, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()


def now() -> str:
    """The present time in the format of every model."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def to_json(value: Any) -> Any:
    """Turn models, enums, tuples and mappings of them into what :func:`json.dumps` takes."""
    kind = type(value)
    if value is None or kind in (str, int, float, bool):
        return value
    # Not msgspec's encoder: it leaves out the defaults of models that from_json() has made.
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields is not None:
        return {name: to_json(getattr(value, name)) for name in fields}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def from_json(model: type[T], data: Any, *, strict: bool = False) -> T:
    """Make a model of decoded JSON, checking every type.

    Args:
        model: The dataclass.
        data: What :func:`json.loads` gave.
        strict: Refuse keys that the model's top level does not have.

    Raises:
        InvalidInputError: Something is missing, of another type, or unknown.
    """
    # Imported here: prefix/ needs this module's classes where only the standard library is.
    import msgspec

    cure = "See openapi.json, or `jupyter gpu-kernels create --help`, for the fields."
    if strict and isinstance(data, dict):
        known = {field.name for field in dataclasses.fields(model)}  # type: ignore[arg-type]
        unknown = sorted(str(key) for key in data.keys() - known)
        if unknown:
            msg = f"Unknown field{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)[:200]}."
            raise InvalidInputError(msg, cure=cure)
    try:
        return msgspec.convert(data, type=model)
    except msgspec.ValidationError as error:
        msg = f"The data does not describe a {model.__name__}: {error}."
        raise InvalidInputError(msg, cure=cure) from error
