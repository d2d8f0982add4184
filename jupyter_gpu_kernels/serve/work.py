"""What jobs do: the long verbs of the workshop, and what they mean for running kernels."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Protocol

from ..errors import BrokenEnvironmentError, ConflictError, VerificationError
from ..models import Environment, EnvironmentSpec, Job, JobKind, Verification, VerificationOutcome
from .jobs import JobResult
from .kernels import ProcessKernels, RunningKernel, RunningKernels
from .live import LiveJob
from .workshop import Workshop


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

    async def work(self, job: Job, reporter: LiveJob) -> JobResult:
        """Do a job; called by the job runner."""
        workshop = self._tools.workshop
        if job.kind is JobKind.CREATE:
            return JobResult(verification=(await workshop.create(_spec(job), reporter=reporter)).verification)
        if job.kind is JobKind.REBUILD:
            before = frozenset(await self.running(job.name))
            manifest = await workshop.rebuild(job.name, reporter=reporter)
            self._outdated[manifest.kernel_name] = before
            return JobResult(verification=manifest.verification)
        if job.kind is JobKind.VERIFY:
            return JobResult(verification=_accepted(await workshop.verify(job.name, reporter=reporter)))
        if job.kind is JobKind.BENCHMARK:
            return JobResult(benchmark=await workshop.benchmark(job.name, reporter=reporter))
        # Whoever asked for the removal has agreed to it, or there were none.
        for kernel in await self.running(job.name):
            if await self._tools.kernels.stop(kernel.id):
                reporter.log(f"The kernel {kernel.id} was shut down.")
        await workshop.remove(job.name, reporter=reporter)
        return JobResult()

    async def recover_after(self, job: Job) -> JobResult | None:
        """Clean up after the death of whoever worked on a job; called by the job runner."""
        manifest = await self._tools.workshop.recover(job.name)
        if manifest is None:
            return JobResult() if job.kind is JobKind.REMOVE else None
        # A build that is younger than the wish for it is what was wished for.
        finished = job.kind in (JobKind.CREATE, JobKind.REBUILD) and manifest.created >= job.created
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


def _spec(job: Job) -> EnvironmentSpec:
    if job.spec is None:
        msg = "The record of the job does not say what was asked for."
        raise ConflictError(msg, cure="Ask for it again.")
    return job.spec


def _accepted(verification: Verification) -> Verification:
    if verification.outcome is VerificationOutcome.FAILED:
        cure = "Read the log of the job; rebuild the environment, or choose other versions."
        raise VerificationError(verification.sentence, cure=cure)
    return verification
