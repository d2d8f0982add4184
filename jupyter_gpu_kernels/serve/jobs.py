"""Running long operations: queued, watched, cancelled, remembered, and taken up again after a death.

The runner knows neither what a job does nor who watches it: a :class:`Worker` does the work, listeners get snapshots.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..errors import ConflictError, GpuKernelsError, JobInterruptedError
from ..models import BenchmarkResult, ErrorReport, Job, JobKind, JobState, Verification, from_json, now
from .ledger import HEARTBEAT, RESUMED, Ledger, describe, interrupted, unforeseen
from .live import LiveJob

#: Starts of a job, after which it is given up: what killed the process three times will kill it again.
ATTEMPTS = 3

#: Jobs that wait for a free slot; the others are short, or free what a build would need.
SLOTTED = frozenset({JobKind.CREATE, JobKind.REBUILD, JobKind.EDIT, JobKind.IMPORT, JobKind.CLONE, JobKind.RENAME})


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What a job found out."""

    verification: Verification | None = None
    benchmark: BenchmarkResult | None = None
    file: str = ""


class Worker(Protocol):
    """Does what jobs ask for."""

    async def work(self, job: Job, reporter: LiveJob) -> JobResult:
        """Do the job; called by the runner. Cancelled, it must leave nothing behind before it raises."""

    async def recover_after(self, job: Job) -> JobResult | None:
        """Clean up after the death of whoever worked on the job; called by the runner before the job is done again.

        Returns:
            The result, if it turns out that the job had reached its goal.
        """


class JobRunner:
    """Runs jobs, one for each environment at a time.

    Args:
        ledger: Who works on what.
        worker: Does the work.
        limit: How many builds run at the same time; further ones are queued.
        listeners: Called on the event loop with each new snapshot.
    """

    def __init__(
        self, ledger: Ledger, worker: Worker, *, limit: int = 2, listeners: Sequence[Callable[[Job], None]] = ()
    ) -> None:
        self.ledger = ledger
        self.listeners = listeners
        self._worker = worker
        self._slots = asyncio.Semaphore(limit)
        self._live: dict[str, LiveJob] = {}
        # Those of finished jobs too, as long as they tidy up.
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._heart: asyncio.Task[None] | None = None
        self._log = logging.getLogger(__name__)

    @property
    def active(self) -> tuple[Job, ...]:
        """The unfinished jobs of this process."""
        return tuple(live.job for live in self._live.values() if not live.job.state.final)

    async def submit(self, kind: JobKind, name: str, **details: Any) -> Job:
        """Take a job in and begin it, or queue it; once this returns, it is on disk.

        Args:
            kind: What it does.
            name: To which environment.
            details: What else of a :class:`~jupyter_gpu_kernels.models.Job` says what was asked for, e.g. ``spec``.

        Raises:
            EnvironmentBusyError: Another job, of this process or of another, works on that environment.
            ConflictError: This process is about to end.
        """
        if self._closing:
            msg = "This process is about to end and takes no more jobs."
            raise ConflictError(msg, cure="Ask again once it has been started anew.")
        finished = {job_id for job_id, live in self._live.items() if live.job.state.final}
        job, abandoned = await asyncio.to_thread(self.ledger.admit, kind, name, details, finished)
        live = self._begin(job, recover=abandoned)
        # The task must have entered its `try` before anybody can cancel it.
        await asyncio.sleep(0)
        return _told(live)

    async def cancel(self, job_id: str) -> Job:
        """Cancel a job and wait until it has cleaned up.

        Raises:
            NotFoundError: There is no such job.
            ConflictError: It has finished, or belongs to another process.
        """
        live = self._live.get(job_id)
        job = live.job if live else await self.job(job_id)
        if job.state.final:
            msg = f"The job has finished already: {job.state.value}."
            raise ConflictError(msg, cure="Nothing needs to be cancelled.")
        if live is None or live.task is None:
            msg = f"The job belongs to {describe(job.owner)}, not to this one."
            raise ConflictError(msg, cure="Cancel it there.")
        if not live.cancelling:
            live.cancelling = True
            live.log("Cancelling.")
            live.task.cancel()
        await asyncio.wait({live.task})
        return live.job

    async def wait(self, job_id: str) -> Job:
        """Wait until a job of this process has finished and is on disk.

        Raises:
            NotFoundError: There is no such job.
        """
        live = self._live.get(job_id)
        if live is None or live.task is None:
            return await self.job(job_id)
        await asyncio.wait({live.task})
        return live.job

    async def jobs(self) -> tuple[Job, ...]:
        """All jobs of all processes, without their logs; the newest first."""
        merged = {job.id: job for job in await asyncio.to_thread(self.ledger.all)}
        merged |= {job_id: replace(_told(live), log=()) for job_id, live in self._live.items()}
        return tuple(sorted(merged.values(), key=lambda job: (job.created, job.id), reverse=True))

    async def job(self, job_id: str) -> Job:
        """One job, with the end of its log.

        Raises:
            NotFoundError: There is no such job.
        """
        live = self._live.get(job_id)
        return _told(live) if live is not None else await asyncio.to_thread(self.ledger.load, job_id)

    async def log(self, job_id: str) -> str:
        """The whole log of a job.

        Raises:
            NotFoundError: There is no such job.
        """
        live = self._live.get(job_id)
        if live is not None:
            await live.flush()
        return await asyncio.to_thread(self.ledger.records.log, job_id)

    async def resume(self) -> tuple[Job, ...]:
        """Take up the jobs whose process died; called once, when a server starts.

        Returns:
            The jobs taken up.
        """
        claimed = await asyncio.to_thread(self.ledger.claim, set(self._live))
        taken = [self._begin(job, recover=True).job for job in claimed]
        await asyncio.to_thread(self.ledger.records.prune)
        return tuple(taken)

    async def close(self, timeout: float = 4.0) -> None:
        """Stop all work, within some seconds. Builds and removals go back to the queue, for whoever starts next."""
        self._closing = True
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=timeout)
        for live in self._live.values():
            live.close()
        if self._heart is not None:
            self._heart.cancel()

    def _begin(self, job: Job, *, recover: bool) -> LiveJob:
        live = LiveJob(job, self.ledger.records, self._publish)
        self._live[job.id] = live
        live.task = asyncio.create_task(self._run(live, recover), name=f"gpu-kernels {job.kind.value} {job.name}")
        self._tasks.add(live.task)
        live.task.add_done_callback(self._tasks.discard)
        self._publish(job)
        if self._heart is None or self._heart.done():
            self._heart = asyncio.create_task(self._beat())
        return live

    async def _run(self, live: LiveJob, recover: bool) -> None:
        """Take one job from its queue to its end. Nothing is raised."""
        try:
            async with self._slot(live.job):
                started = {"started": now(), "owner": self.ledger.owner, "attempts": live.job.attempts + 1}
                live.change(state=JobState.RUNNING, stage=None, **started)
                await live.flush()
                result = await self._recovered(live) if recover else None
                if result is None:
                    result = await self._worker.work(live.job, live)
            outcome: dict[str, Any] = {"state": JobState.SUCCEEDED}
            outcome |= {"verification": result.verification, "benchmark": result.benchmark}
            outcome |= {"file": result.file} if result.file else {}
        except asyncio.CancelledError:
            outcome = {"state": JobState.CANCELLED} if live.cancelling else _stopped(live.job)
        except GpuKernelsError as error:
            outcome = {"state": JobState.FAILED, "error": from_json(ErrorReport, error.to_json())}
        except Exception as error:
            self._log.exception("Job %s failed in a way that nobody foresaw.", live.job.id)
            outcome = {"state": JobState.FAILED, "error": unforeseen(error)}
        if outcome["state"].final:
            outcome["finished"] = now()
        live.change(**outcome)
        await self._settle(live)

    async def _settle(self, live: LiveJob) -> None:
        """Write the last snapshot; from then on the record is enough. What cannot be written is kept in memory."""
        # Shielded: a second cancellation must not lose the record of the first.
        written = await asyncio.shield(asyncio.ensure_future(live.flush()))
        live.close()
        if written:
            self._live.pop(live.job.id, None)
        if not self._live and self._heart is not None:
            self._heart.cancel()
        if live.job.state.final and not self._closing:
            await asyncio.to_thread(self.ledger.records.prune)

    async def _recovered(self, live: LiveJob) -> JobResult | None:
        """Clean up after whoever died over the job."""
        live.log("The process that worked on this ended; cleaning up after it.")
        result = await self._worker.recover_after(live.job)
        if result is None and live.job.attempts > ATTEMPTS:
            msg = f"The job was started {ATTEMPTS} times, and each time the process that worked on it ended."
            cure = "Look for what ends it (memory, a disk quota, a time limit), then ask for the job again."
            raise JobInterruptedError(msg, cure=cure)
        return result

    @contextlib.asynccontextmanager
    async def _slot(self, job: Job) -> AsyncIterator[None]:
        """Wait until the job may run, and count it while it does."""
        async with self._slots if job.kind in SLOTTED else contextlib.nullcontext():
            yield

    async def _beat(self) -> None:
        """Show other hosts that the jobs of this process are being worked on."""
        while self._live:
            await asyncio.sleep(HEARTBEAT)
            await asyncio.to_thread(self.ledger.records.touch, tuple(self._live))

    def _publish(self, job: Job) -> None:
        for listener in self.listeners:
            try:
                listener(job)
            except Exception:
                self._log.exception("A listener to jobs failed.")


def _told(live: LiveJob) -> Job:
    """A job of this process as those who ask are told of it."""
    return replace(live.job, local=True)


def _stopped(job: Job) -> dict[str, Any]:
    """What an orderly end of this process makes of an unfinished job."""
    if job.kind in RESUMED:
        # Not the job's fault: this start does not count.
        return {"state": JobState.QUEUED, "stage": None, "attempts": max(0, job.attempts - 1)}
    return {"state": JobState.FAILED, "error": interrupted(job)}
