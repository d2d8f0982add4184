"""What jobs do: the long verbs of the workshop, and what they mean for running kernels."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from ..errors import BrokenEnvironmentError, ConflictError, KernelsRunningError, VerificationError
from ..models import Environment, EnvironmentSpec, Job, JobKind, Verification, VerificationOutcome
from .jobs import JobResult
from .kernels import ProcessKernels, RunningKernel, RunningKernels
from .live import LiveJob
from .workshop import Workshop

#: Does a job.
Deed = Callable[[Job, LiveJob], Awaitable[JobResult]]

#: Jobs that have reached their goal once their environment is there.
MAKING = frozenset({JobKind.CREATE, JobKind.REBUILD, JobKind.EDIT, JobKind.IMPORT, JobKind.CLONE})


@dataclass
class Exchange:
    """Whether an environment was exchanged after all; who finds that there was nothing to do takes it back."""

    done: bool = True


class Tools(Protocol):
    """What the work is done with; each is asked for anew, and made when that is done first."""

    @property
    def workshop(self) -> Workshop:
        """Builds environments."""

    @property
    def kernels(self) -> RunningKernels:
        """Knows the running kernels."""


class EnvironmentWork:
    """Does the jobs (see :class:`~.jobs.Worker`), and knows which kernels run from what they change.

    Args:
        tools: What it is done with.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        #: By kernel name: kernels that use what a rebuild has replaced.
        self._outdated: dict[str, frozenset[RunningKernel]] = {}
        #: What each kind of job does. Those above add theirs.
        self.deeds: dict[JobKind, Deed] = {
            JobKind.CREATE: self._create,
            JobKind.REBUILD: self._rebuild,
            JobKind.VERIFY: self._verify,
            JobKind.BENCHMARK: self._benchmark,
            JobKind.REMOVE: self._remove,
        }

        #: Kinds whose deeds find out themselves what somebody who died has left of them.
        self.repeated: set[JobKind] = set()
        #: What else tidies up, by the kind of job that was broken off; it is done again then.
        self.recoveries: dict[JobKind, Callable[[Job], Awaitable[None]]] = {}

    async def work(self, job: Job, reporter: LiveJob) -> JobResult:
        """Do a job; called by the job runner."""
        return await self.deeds[job.kind](job, reporter)

    async def _create(self, job: Job, reporter: LiveJob) -> JobResult:
        return JobResult(verification=(await self._tools.workshop.create(spec_of(job), reporter=reporter)).verification)

    async def _rebuild(self, job: Job, reporter: LiveJob) -> JobResult:
        async with self.replacing(job.name):
            manifest = await self._tools.workshop.rebuild(job.name, reporter=reporter)
        return JobResult(verification=manifest.verification)

    async def _verify(self, job: Job, reporter: LiveJob) -> JobResult:
        return JobResult(verification=_accepted(await self._tools.workshop.verify(job.name, reporter=reporter)))

    async def _benchmark(self, job: Job, reporter: LiveJob) -> JobResult:
        return JobResult(benchmark=await self._tools.workshop.benchmark(job.name, reporter=reporter))

    async def _remove(self, job: Job, reporter: LiveJob) -> JobResult:
        await self.stop_kernels(job.name, reporter)
        await self._tools.workshop.remove(job.name, reporter=reporter)
        return JobResult()

    async def stop_kernels(self, name: str, reporter: LiveJob) -> None:
        """Shut down the kernels of an environment that is about to go: whoever asked for that has agreed to it."""
        for kernel in await self.running(name):
            if await self._tools.kernels.stop(kernel.id):
                reporter.log(f"The kernel {kernel.id} was shut down.")

    async def check_idle(self, name: str, verb: str, *, stop_kernels: bool) -> None:
        """Refuse to take an environment away from kernels, unless they may be stopped.

        Args:
            name: The environment.
            verb: What shall be done to it, for the sentence.
            stop_kernels: Whether kernels that run from it may be shut down.

        Raises:
            NotFoundError: There is no such environment.
            KernelsRunningError: Kernels of it, or other processes from it, are running.
        """
        running = await self.running(name)
        if not running and not stop_kernels and await self.outsiders(name):
            msg = f"Something that was not started here runs from {name!r}: another server's kernel, or a terminal."
            cure = f"End it first, or ask again with stop_kernels=true to {verb} it anyway."
            raise KernelsRunningError(msg, cure=cure)
        if running and not stop_kernels:
            several = len(running) > 1
            msg = f"{len(running)} kernels of {name!r} are running." if several else f"A kernel of {name!r} is running."
            cure = "Shut them down first, or ask again with stop_kernels=true (--force on the command line)."
            raise KernelsRunningError(msg, cure=cure)

    @contextlib.asynccontextmanager
    async def replacing(self, name: str) -> AsyncIterator[Exchange]:
        """Exchange an environment for another build of it: what runs from the old one shall be started anew."""
        before = frozenset(await self.running(name))
        exchange = Exchange()
        yield exchange
        if exchange.done:
            self._outdated[name.lower()] = before

    async def recover_after(self, job: Job) -> JobResult | None:
        """Clean up after the death of whoever worked on a job; called by the job runner."""
        if job.kind in self.repeated:
            return None
        if job.kind in self.recoveries:
            await self.recoveries[job.kind](job)
        manifest = await self._tools.workshop.recover(job.name)
        if manifest is None:
            return JobResult() if job.kind is JobKind.REMOVE else None
        # A build that is younger than the wish for it is what was wished for.
        finished = job.kind in MAKING and manifest.created >= job.created
        return JobResult(verification=manifest.verification) if finished else None

    async def running(self, name: str) -> tuple[RunningKernel, ...]:
        """The running kernels of an environment, even of one whose manifest is damaged.

        Raises:
            NotFoundError: There is no such environment.
        """
        try:
            manifest = await asyncio.to_thread(lambda: self._tools.workshop.manifest(name))
        except BrokenEnvironmentError:
            return self._tools.kernels.of(name.lower(), "")
        return self._tools.kernels.of(manifest.kernel_name, manifest.prefix)

    async def outsiders(self, name: str) -> bool:
        """Whether any process of this user runs from an environment, whoever started it; raises as :meth:`running`."""
        try:
            manifest = await asyncio.to_thread(lambda: self._tools.workshop.manifest(name))
        except BrokenEnvironmentError:
            return False
        return bool(await asyncio.to_thread(ProcessKernels().of, manifest.kernel_name, manifest.prefix))

    def with_restarts(self, environment: Environment) -> Environment:
        """Say which running kernels still use what a rebuild has replaced."""
        outdated = self._outdated.get(environment.kernel_name)
        if not outdated:
            return environment
        still = outdated.intersection(self._tools.kernels.of(environment.kernel_name, environment.prefix))
        self._outdated[environment.kernel_name] = still
        return replace(environment, restart_needed=tuple(sorted(kernel.id for kernel in still)))


def spec_of(job: Job) -> EnvironmentSpec:
    """What a job was asked for.

    Raises:
        ConflictError: Its record does not say.
    """
    if job.spec is None:
        msg = "The record of the job does not say what was asked for."
        raise ConflictError(msg, cure="Ask for it again.")
    return job.spec


def _accepted(verification: Verification) -> Verification:
    if verification.outcome is VerificationOutcome.FAILED:
        cure = "Read the log of the job; rebuild the environment, or choose other versions."
        raise VerificationError(verification.sentence, cure=cure)
    return verification
