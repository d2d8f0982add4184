"""Who works on what, across processes: decided over the records on disk, which all processes of a user share.

Everything here blocks on the file system: call it in a thread.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from ..errors import EnvironmentBusyError, JobInterruptedError
from ..models import ErrorReport, Job, JobKind, JobState, ProcessIdentity, now
from .records import JobRecords

#: Jobs that are taken up again after their process died; the others are cheap to ask for again.
RESUMED = frozenset(
    {
        JobKind.CREATE,
        JobKind.REBUILD,
        JobKind.REMOVE,
        JobKind.EDIT,
        JobKind.IMPORT,
        JobKind.CLONE,
        JobKind.RENAME,
        JobKind.ADOPT,
    }
)

#: Seconds without a sign of life after which a job on another host, whose processes nobody here can see, counts as
#: abandoned. Hosts that share a home may disagree on the time by minutes.
ABANDONED_AFTER = 900.0

#: Seconds between two signs of life.
HEARTBEAT = 60.0


class Ledger:
    """The records of all processes, seen from this one.

    Args:
        records: Where they are.
        owner: This process.
        alive: Whether another process still lives.
    """

    def __init__(
        self, records: JobRecords, *, owner: ProcessIdentity, alive: Callable[[ProcessIdentity], bool]
    ) -> None:
        self.records = records
        self.owner = owner
        self._alive = alive

    def admit(
        self, kind: JobKind, name: str, details: Mapping[str, Any], finished: Collection[str]
    ) -> tuple[Job, bool]:
        """Put a new job on record, if nobody works on its environment.

        Args:
            kind: What it does.
            name: To which environment.
            details: What was asked for, by the fields of a job.
            finished: Ids of jobs that have finished, but whose last record is still on its way to the disk.

        Returns:
            The job, and whether somebody worked on the environment before and died over it.

        Raises:
            EnvironmentBusyError: Another job, of this process or of another, works on that environment.
        """
        job = Job(id=_new_id(), kind=kind, name=name, **details, owner=self.owner, created=now(), revision=1)
        abandoned = False
        with self.records.claimed():
            for other in self.records.all():
                if other.state.final or other.id in finished or other.name.lower() != name.lower():
                    continue
                if self.worked_on(other):
                    raise busy(other)
                self.records.save(given_up(other))
                abandoned = True
            self.records.save(job)
        return job, abandoned

    def claim(self, own: Collection[str]) -> list[Job]:
        """Make the jobs of dead processes ours, and end those that are not worth it.

        Args:
            own: Ids of the jobs that this process works on.
        """
        claimed = []
        with self.records.claimed():
            for job in self.records.all():
                if job.id in own or job.state.final or self.worked_on(job):
                    continue
                if job.kind in RESUMED:
                    revision = job.revision + 1
                    job = replace(job, owner=self.owner, state=JobState.QUEUED, stage=None, revision=revision)
                    claimed.append(replace(job, log=self.records.tail(job.id)))
                else:
                    job = given_up(job)
                self.records.save(job)
        return claimed

    def all(self) -> tuple[Job, ...]:
        """All jobs as a reader should see them, without logs; the newest first."""
        return tuple(self._seen(job) for job in self.records.all())

    def load(self, job_id: str) -> Job:
        """One job as a reader should see it, with the end of its log.

        Raises:
            NotFoundError: There is no such job.
        """
        return self._seen(self.records.load(job_id))

    def worked_on(self, job: Job) -> bool:
        """Whether somebody still works on an unfinished job."""
        if job.owner is None:
            return False
        if job.owner.host != self.owner.host:
            return self.records.age(job.id) < ABANDONED_AFTER
        return self._alive(job.owner)

    def _seen(self, job: Job) -> Job:
        # A job whose process died has not been running since, whatever its record says.
        if job.state.final or self.worked_on(job):
            return job
        if job.kind in RESUMED:
            # It waits for the next server that starts; a final state would be taken back then.
            return replace(job, state=JobState.QUEUED, stage=None, owner=None)
        return replace(given_up(job), revision=job.revision, finished="")


def describe(owner: ProcessIdentity | None) -> str:
    """Name a process in a sentence."""
    return f"process {owner.pid} on {owner.host}" if owner else "another process"


def given_up(job: Job) -> Job:
    """The job as it ends when nobody takes it up again."""
    return replace(job, state=JobState.FAILED, error=interrupted(job), finished=now(), revision=job.revision + 1)


def interrupted(job: Job) -> ErrorReport:
    """Why a job ended that lost its process."""
    cure = {
        JobKind.CREATE: "Create it again; what was downloaded is kept.",
        JobKind.REBUILD: "Rebuild it again; until then the environment is as it was.",
        JobKind.REMOVE: "Remove it again.",
        JobKind.VERIFY: "Verify it again.",
        JobKind.BENCHMARK: "Run the benchmark again.",
        JobKind.EDIT: "Change its packages again; until then the environment is as it was.",
        JobKind.IMPORT: "Import it again; what was downloaded is kept.",
        JobKind.CLONE: "Clone it again.",
        JobKind.RENAME: "Rename it again.",
        JobKind.PACK: "Pack it again; what was downloaded is kept.",
        JobKind.ADOPT: "Adopt it again.",
    }[job.kind]
    message = f"The process that worked on the job ended before it had finished ({describe(job.owner)})."
    return ErrorReport(code=JobInterruptedError.code, message=message, cure=cure)


def unforeseen(error: Exception) -> ErrorReport:
    """What is said of an error that is none of ours."""
    return ErrorReport(
        code="internal",
        message=f"Something went wrong that nobody foresaw ({type(error).__name__}).",
        cure="Try again; if it happens again, report it with the log.",
        detail=str(error)[:2000],
    )


def busy(job: Job) -> EnvironmentBusyError:
    """What is said to whoever wants an environment that a job works on."""
    # Imported here: a server that only starts needs no locks.
    from ..build.disk.locks import DOINGS

    msg = f"The environment {job.name!r} is being {DOINGS[job.kind.value]} by {describe(job.owner)}."
    return EnvironmentBusyError(msg, cure="Wait until that is finished, or cancel it.")


def _new_id() -> str:
    """An identifier that sorts by time and is never used again."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(4)}"
