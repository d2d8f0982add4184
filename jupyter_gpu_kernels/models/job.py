"""Long operations."""

from __future__ import annotations

import dataclasses
import enum

from .benchmark import BenchmarkResult
from .packages import PackageEdit
from .plan import Plan
from .process import ProcessIdentity
from .progress import Progress, Stage
from .spec import EnvironmentSpec
from .verification import Verification


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
    EDIT = "edit"
    IMPORT = "import"
    CLONE = "clone"
    RENAME = "rename"
    PACK = "pack"
    ADOPT = "adopt"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ErrorReport:
    """An error as stored in a job; the JSON shape of every error."""

    code: str
    message: str
    cure: str
    detail: str = ""


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
        spec: What was asked for, for whatever builds.
        edit: What shall change, for ``edit``.
        source: What it is made of: the name of another environment, for ``clone`` and ``rename``; a file, for
            ``import``; the environment's directory, for ``adopt``. For ``pack``, the file that it writes, absolute.
        file: What it writes, for ``pack``, or is made of, for ``import`` unless a text was given: the file as whoever
            asked for it knows it, which is below the root of the server's contents for a browser.
        plan: The plan, once solved, without its packages.
        verification: What a verification found, once known.
        benchmark: What a benchmark found, once known.
        error: Why it failed, once it did.
        owner: The process that works on it.
        local: Whether that is the process that gives this answer, which can cancel it; never stored.
        attempts: How often it was started: more than 1 after a server died.
        created, started, finished: When, or empty.
    """

    id: str
    kind: JobKind
    name: str
    state: JobState = JobState.QUEUED
    stage: Stage | None = None
    revision: int = 0
    progress: Progress = Progress()  # noqa: RUF009  # it is frozen
    log: tuple[str, ...] = ()
    spec: EnvironmentSpec | None = None
    edit: PackageEdit | None = None
    source: str = ""
    file: str = ""
    plan: Plan | None = None
    verification: Verification | None = None
    benchmark: BenchmarkResult | None = None
    error: ErrorReport | None = None
    owner: ProcessIdentity | None = None
    local: bool = False
    attempts: int = 0
    created: str = ""
    started: str = ""
    finished: str = ""
