"""The manager: every verb of the product, for the server and for the command line alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from traitlets import Any as AnyTrait
from traitlets import default

from ..errors import KernelsRunningError, NotFoundError, UnknownFrameworkError
from ..models import (
    BenchmarkResult,
    Diagnosis,
    DiskUsage,
    Environment,
    EnvironmentChange,
    EnvironmentSpec,
    Framework,
    GpuUsage,
    Hardware,
    Installer,
    Job,
    JobKind,
    Manifest,
    NameCheck,
    Plan,
    Remedy,
)
from . import names
from .gpus.watch import GpuWatch, open_watch
from .jobs import JobRunner
from .kernels import ProcessKernels, RunningKernels
from .ledger import Ledger
from .records import JobRecords
from .settings import Settings
from .work import EnvironmentWork
from .workshop import Workshop


class GpuKernelsManager(Settings):
    """Joins the workshop, which builds, and the job runner, which remembers.

    Long verbs answer at once with a job; what is malformed is refused before there is one.
    Methods belong to one event loop.
    """

    workshop: Workshop = AnyTrait(help="Builds environments.")  # type: ignore[assignment]
    runner: JobRunner = AnyTrait(help="Runs the jobs.")  # type: ignore[assignment]
    kernels: RunningKernels = AnyTrait(help="Knows the running kernels.")  # type: ignore[assignment]
    doctoring = AnyTrait(help="Examines and cures.")
    gpus: GpuWatch = AnyTrait(help="Watches the GPUs.")  # type: ignore[assignment]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        #: Called on the loop with each new snapshot of a job of this process.
        self.listeners: list[Callable[[Job], None]] = []
        self.work = EnvironmentWork(self)

    @default("workshop")
    def _default_workshop(self) -> Workshop:
        # Imported here: a server that only starts needs no solver and no verification.
        from .wiring import open_workshop

        return open_workshop(self)

    @default("runner")
    def _default_runner(self) -> JobRunner:
        from ..hardware.processes import alive, identity

        records = JobRecords(Path(self.state_dir) / "jobs", keep=self.kept_jobs, days=self.kept_days)
        ledger = Ledger(records, owner=identity(), alive=alive)
        return JobRunner(ledger, self.work, limit=self.simultaneous_builds, listeners=self.listeners)

    @default("doctoring")
    def _default_doctoring(self) -> Any:
        from .doctoring import Doctoring

        return Doctoring(self, self)

    @default("kernels")
    def _default_kernels(self) -> RunningKernels:
        return ProcessKernels()

    @default("gpus")
    def _default_gpus(self) -> GpuWatch:
        return open_watch(self.kernels)

    # What there is.

    async def frameworks(self) -> tuple[Framework, ...]:
        """The catalogue."""
        return await asyncio.to_thread(lambda: self.workshop.frameworks())

    async def logo(self, framework_id: str) -> bytes:
        """The drawing, an SVG, that kernels of a framework are shown with.

        Raises:
            NotFoundError: The catalogue has no such framework.
        """
        try:
            return await asyncio.to_thread(lambda: self.workshop.logo(framework_id))
        except UnknownFrameworkError as error:
            raise NotFoundError(error.message, cure=error.cure) from error

    async def hardware(self) -> Hardware:
        """What this machine has."""
        return await asyncio.to_thread(lambda: self.workshop.hardware())

    async def gpu_usage(self) -> GpuUsage:
        """What the GPUs are doing now, and which kernel has what of them; cheap to ask often."""
        return await self.gpus.usage()

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

    async def environments(self) -> tuple[Environment, ...]:
        """All environments, by name."""
        found = await asyncio.to_thread(lambda: self.workshop.environments())
        return tuple(self.work.with_restarts(environment) for environment in found)

    async def get(self, name: str) -> Manifest:
        """What was built under a name.

        Raises:
            InvalidNameError: It cannot be a name.
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
        """
        _check_name(name)
        return await asyncio.to_thread(lambda: self.workshop.manifest(name))

    async def usage(self, name: str) -> DiskUsage:
        """Measure what an environment takes on disk now, a damaged one too.

        Raises:
            NotFoundError: There is no such environment.
        """
        _check_name(name)
        return await asyncio.to_thread(lambda: self.workshop.usage(name))

    async def check_name(self, name: str) -> NameCheck:
        """Say whether :meth:`create` would take a name now."""
        jobs = await self.runner.jobs()
        return await asyncio.to_thread(lambda: names.check(name, self.workshop, jobs))

    async def suggest_name(self, framework_id: str) -> NameCheck:
        """Suggest a name that :meth:`create` would take now.

        Raises:
            UnknownFrameworkError: The catalogue has no such framework.
        """
        jobs = await self.runner.jobs()
        return await asyncio.to_thread(lambda: names.suggest(framework_id, self.workshop, jobs))

    # What can be done.

    async def plan(self, spec: EnvironmentSpec) -> Plan:
        """Answer what would be built; a refusal is part of the plan.

        Whether the name is free is asked by :meth:`create` alone: plans are made before a name is settled.

        Raises:
            InvalidInputError: What was asked for is malformed.
            SolveError: No set of packages satisfies it.
            ChannelError: A channel or index does not answer as it should.
        """
        checked = await self._checked(spec)
        return await self.workshop.plan(checked)

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
        _check_name(name)
        running = await self.work.running(name)
        if not running and not stop_kernels and await self.work.outsiders(name):
            msg = f"Something that was not started here runs from {name!r}: another server's kernel, or a terminal."
            cure = "End it first, or ask again with stop_kernels=true to remove it anyway."
            raise KernelsRunningError(msg, cure=cure)
        if running and not stop_kernels:
            several = len(running) > 1
            msg = f"{len(running)} kernels of {name!r} are running." if several else f"A kernel of {name!r} is running."
            cure = "Shut them down first, or ask again with stop_kernels=true (--force on the command line)."
            raise KernelsRunningError(msg, cure=cure)
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

    async def notebook(self, name: str) -> dict[str, Any]:
        """The bundled CPU-vs-GPU notebook, as nbformat has it, to be opened with an environment's kernel.

        Raises:
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
        """
        manifest = await self.get(name)

        def make() -> dict[str, Any]:
            # Imported here, in the thread: it brings the notebook format's validator, which takes half a second.
            from ..benchmark.notebook import for_kernel, notebook

            return dict(for_kernel(notebook(), manifest.kernel_name, manifest.display_name))

        return await asyncio.to_thread(make)

    async def keep_benchmark(self, name: str, data: Any) -> BenchmarkResult:
        """Keep what that notebook displayed when its user ran it.

        Raises:
            InvalidInputError: It is no such result, or cannot be true.
            NotFoundError: There is no such environment.
            EnvironmentBusyError: Somebody is working on it.
        """
        await self.get(name)
        return await self.workshop.keep_benchmark(name, data)

    # Jobs.

    @property
    def active(self) -> tuple[Job, ...]:
        """The unfinished jobs of this process."""
        return self.runner.active if self.trait_has_value("runner") else ()

    async def jobs(self) -> tuple[Job, ...]:
        """All jobs of all processes, the newest first, without logs."""
        return await self.runner.jobs()

    async def job(self, job_id: str) -> Job:
        """One job, with the end of its log.

        Raises:
            NotFoundError: There is no such job.
        """
        return await self.runner.job(job_id)

    async def job_log(self, job_id: str) -> str:
        """The whole log of a job.

        Raises:
            NotFoundError: There is no such job.
        """
        return await self.runner.log(job_id)

    async def cancel(self, job_id: str) -> Job:
        """Cancel a job and wait until nothing is left of it.

        Raises:
            NotFoundError: There is no such job.
            ConflictError: It has finished, or belongs to another process.
        """
        return await self.runner.cancel(job_id)

    async def recover(self) -> tuple[Job, ...]:
        """Take up what a dead process left; called once, when a server starts."""
        taken = await self.runner.resume()
        await asyncio.to_thread(lambda: self.workshop.sweep())
        return taken

    async def close(self, timeout: float = 4.0) -> None:
        """Stop all jobs, and looking at the GPUs, within some seconds."""
        closing = [self.gpus.close()] if self.trait_has_value("gpus") else []
        if self.trait_has_value("runner"):
            closing.append(self.runner.close(timeout))
        await asyncio.gather(*closing)

    async def _checked(self, spec: EnvironmentSpec) -> EnvironmentSpec:
        """A spec with the configured default, if it is well-formed."""
        if spec.installer is Installer.AUTO and not spec.channels:
            spec = replace(spec, installer=Installer(self.default_installer))
        # In a thread: whoever asks first has the workshop made, which reads the catalogue and ``.condarc``.
        await asyncio.to_thread(lambda: self.workshop.check(spec))
        return spec


def _check_name(name: str) -> None:
    # Imported here: the rules need a parser of requirements, which a server that only starts does not.
    from ..build.planning import validation

    validation.check_name(name)
