"""The manager: every verb of the product, for the server and for the command line alike."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from traitlets import Any as AnyTrait
from traitlets import default

from ..models import (
    BenchmarkResult,
    Diagnosis,
    Environment,
    EnvironmentChange,
    EnvironmentSpec,
    Job,
    JobKind,
    Remedy,
)
from . import names
from .questions import Questions


class GpuKernelsManager(Questions):
    """Joins the workshop, which builds, and the job runner, which remembers.

    Here is what changes something, and the doctor; what can merely be asked is inherited. Long verbs answer at once
    with a job, and what is malformed is refused before there is one. Methods belong to one event loop.
    """

    doctoring = AnyTrait(help="Examines and cures.")

    @default("doctoring")
    def _default_doctoring(self) -> Any:
        from .doctoring import Doctoring

        return Doctoring(self, self)

    async def create(self, spec: EnvironmentSpec) -> Job:
        """Begin to build, verify and register an environment.

        Raises:
            InvalidInputError: What was asked for is malformed.
            NameTakenError: The name belongs to another environment or kernel.
            EnvironmentBusyError: Somebody is working on that name already.
        """
        spec = await self._checked(spec)
        await asyncio.to_thread(self.workshop.check_free, spec.name)
        return await self.runner.submit(JobKind.CREATE, spec.name, spec=spec)

    async def rebuild(self, name: str) -> Job:
        """Begin to build an environment anew.

        Raises:
            NotFoundError: There is no such environment.
            EnvironmentBusyError: Somebody is working on it already.
        """
        manifest = await self.get(name)
        return await self.runner.submit(JobKind.REBUILD, name, spec=manifest.spec)

    async def verify(self, name: str) -> Job:
        """Begin to verify an environment; raises as :meth:`rebuild`."""
        await self.get(name)
        return await self.runner.submit(JobKind.VERIFY, name)

    async def benchmark(self, name: str) -> Job:
        """Begin to run the benchmark in an environment's kernel; raises as :meth:`rebuild`."""
        await self.get(name)
        return await self.runner.submit(JobKind.BENCHMARK, name)

    async def remove(self, name: str, *, stop_kernels: bool = False) -> Job:
        """Begin to remove an environment, damaged ones too.

        Args:
            name: Its name.
            stop_kernels: Shut down kernels that run from it, instead of refusing.

        Raises:
            NotFoundError: There is no such environment.
            EnvironmentBusyError: Somebody is working on it already.
            KernelsRunningError: Kernels of it, or other processes from it, are running.
        """
        names.refuse_malformed(name)
        await self.work.check_idle(name, "remove", stop_kernels=stop_kernels)
        return await self.runner.submit(JobKind.REMOVE, name)

    async def change(self, name: str, change: EnvironmentChange) -> Environment:
        """Change what can be changed without building anything.

        Raises:
            InvalidInputError: It cannot be changed to that.
            NotFoundError: There is no such environment.
            EnvironmentBusyError: Somebody is working on it.
            BrokenEnvironmentError: Its manifest is damaged.
        """
        await self.get(name)
        return self.work.with_restarts(await self.workshop.change(name, change))

    async def keep_benchmark(self, name: str, data: Any) -> BenchmarkResult:
        """Keep what the notebook of :meth:`notebook` displayed when its user ran it.

        Raises:
            InvalidInputError: It is no such result, or cannot be true.
            NotFoundError: There is no such environment.
            EnvironmentBusyError: Somebody is working on it.
        """
        await self.get(name)
        return await self.workshop.keep_benchmark(name, data)

    async def cancel(self, job_id: str) -> Job:
        """Cancel a job and wait until nothing is left of it.

        Raises:
            NotFoundError: There is no such job.
            ConflictError: It has finished, or belongs to another process.
        """
        return await self.runner.cancel(job_id)

    async def diagnose(self, name: str = "") -> Diagnosis:
        """Look what is wrong with this machine and its kernels, or with one environment.

        Raises:
            NotFoundError: There is no such environment.
        """
        # In a thread: the checks bring much that a server needs for nothing else.
        return cast(Diagnosis, await (await asyncio.to_thread(lambda: self.doctoring)).diagnose(name))

    async def apply(self, remedy: Remedy) -> Diagnosis:
        """Apply a remedy, and look again.

        Raises:
            InvalidInputError: There is no such remedy.
            ConflictError: Nothing that is found now is cured by it, or it cannot be applied now.
        """
        await (await asyncio.to_thread(lambda: self.doctoring)).apply(remedy)
        return await self.diagnose()
