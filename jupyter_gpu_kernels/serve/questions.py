"""What can be asked. Nothing here changes anything, however often it is asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import default

from ..errors import NotFoundError, UnknownFrameworkError
from ..models import (
    DiskUsage,
    Environment,
    EnvironmentSpec,
    Framework,
    GpuUsage,
    Hardware,
    Installer,
    Job,
    Manifest,
    NameCheck,
    Plan,
)
from . import names
from .parts import Parts
from .recipes import Recipes


class Questions(Parts):
    """Answers what there is, and what would be."""

    recipes: Recipes = AnyTrait(help="Gives recipes to notebooks, and plans theirs.")  # type: ignore[assignment]

    @default("recipes")
    def _default_recipes(self) -> Recipes:
        return Recipes(self)

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
        names.refuse_malformed(name)
        return await asyncio.to_thread(lambda: self.workshop.manifest(name))

    async def usage(self, name: str) -> DiskUsage:
        """Measure what an environment takes on disk now, a damaged one too.

        Raises:
            NotFoundError: There is no such environment.
        """
        names.refuse_malformed(name)
        return await asyncio.to_thread(lambda: self.workshop.usage(name))

    async def check_name(self, name: str) -> NameCheck:
        """Say whether an environment of that name could be created now."""
        jobs = await self.runner.jobs()
        return await asyncio.to_thread(lambda: names.check(name, self.workshop, jobs))

    async def suggest_name(self, framework_id: str) -> NameCheck:
        """Suggest a name under which an environment could be created now.

        Raises:
            UnknownFrameworkError: The catalogue has no such framework.
        """
        jobs = await self.runner.jobs()
        return await asyncio.to_thread(lambda: names.suggest(framework_id, self.workshop, jobs))

    async def plan(self, spec: EnvironmentSpec) -> Plan:
        """Answer what would be built; a refusal is part of the plan.

        Whether the name is free is asked at the creation alone: plans are made before a name is settled.

        Raises:
            InvalidInputError: What was asked for is malformed.
            SolveError: No set of packages satisfies it.
            ChannelError: A channel or index does not answer as it should.
        """
        checked = await self._checked(spec)
        return await self.workshop.plan(checked)

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

    async def _checked(self, spec: EnvironmentSpec) -> EnvironmentSpec:
        """A spec with the configured default, if it is well-formed."""
        if spec.installer is Installer.AUTO and not spec.channels:
            spec = replace(spec, installer=Installer(self.default_installer))
        # In a thread: whoever asks first has the workshop made, which reads the catalogue and ``.condarc``.
        await asyncio.to_thread(lambda: self.workshop.check(spec))
        return spec
