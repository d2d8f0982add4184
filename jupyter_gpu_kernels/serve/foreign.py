"""Environments that were made elsewhere: found, adopted, released."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import GpuKernelsError
from ..models import AdoptionRequest, EnvironmentSpec, ForeignEnvironment, Job, JobKind, Stage, Verification
from .jobs import JobResult
from .live import LiveJob
from .means import Means
from .work import spec_of

if TYPE_CHECKING:
    from ..build.adoption import adoption
    from ..build.adoption.handover import Released


class Adopter(Means, Protocol):
    """What adoptions are done with."""

    verify_timeout: float
    conda_envs_dir: str


class ForeignEnvironments:
    """Finds environments that were made elsewhere, and adopts and releases them.

    Args:
        parts: What it is done with; nothing of it is made before it is needed.
    """

    def __init__(self, parts: Adopter) -> None:
        self._parts = parts
        parts.work.deeds[JobKind.ADOPT] = self._adopt
        parts.work.recoveries[JobKind.ADOPT] = self._recover

    async def environments(self) -> tuple[ForeignEnvironment, ...]:
        """The environments of this machine that were made elsewhere, in order of name."""
        return await asyncio.to_thread(lambda: self._adoption().environments())

    async def adopt(self, request: AdoptionRequest) -> Job:
        """Begin to adopt an environment.

        Raises:
            InvalidInputError: The name is malformed.
            NotFoundError: There is no such environment.
            RefusedError: It cannot be adopted.
            NameTakenError: The name belongs to another kernel.
            EnvironmentBusyError: Somebody is working on that name already.
        """
        free = self._parts.workshop.check_free

        def checked(name: str) -> None:
            from ..build.planning import validation

            validation.check_name(name)
            free(name)

        def check() -> str:
            from ..build.planning import validation

            if request.display_name is not None:
                validation.check_display_name(request.display_name)
            return self._adoption().kernel_name(request, checked)

        name = await asyncio.to_thread(check)
        wanted = ("ipykernel",) if request.install_ipykernel else ()
        spec = EnvironmentSpec(name=name, display_name=request.display_name, packages=wanted, recipe=False)
        return await self._parts.runner.submit(JobKind.ADOPT, name, source=request.prefix, spec=spec)

    async def release(self, subject: str) -> tuple[Released, ...]:
        """Give what was adopted back as it was.

        Args:
            subject: The environment's directory, or the kernel's name.

        Raises:
            NotFoundError: Nothing of that name is adopted.
            EnvironmentBusyError: Somebody is working on it.
            InstallError: Something cannot be written.
        """
        adoption = await asyncio.to_thread(self._adoption)
        names = await asyncio.to_thread(adoption.names, subject)
        async with self._parts.equipment.writing(names[0], "release"):
            return await asyncio.to_thread(adoption.release, subject)

    async def _adopt(self, job: Job, reporter: LiveJob) -> JobResult:
        spec = spec_of(job)
        request = AdoptionRequest(
            prefix=job.source,
            name=job.name,
            display_name=spec.display_name,
            install_ipykernel=bool(spec.packages),
        )
        adoption = await asyncio.to_thread(self._adoption)
        async with self._parts.equipment.writing(job.name, job.kind.value):
            place = await adoption.adopt(request, job.name, reporter)
            return JobResult(verification=await self._look(place, Path(job.source), reporter))

    async def _recover(self, job: Job) -> None:
        """Leave of an adoption that was broken off what was there before, or an adopted kernel."""
        # Imported here: a server that only starts adopts nothing.
        from ..build.reporting import SilentReporter

        adoption = await asyncio.to_thread(self._adoption)
        async with self._parts.equipment.writing(job.name, "recover"):
            await adoption.recover(Path(job.source), SilentReporter())

    async def _look(self, place: Path, prefix: Path, reporter: LiveJob) -> Verification | None:
        """Start the kernel, and say what it sees; whatever that is, the kernel is adopted."""
        from ..build.adoption.framework import framework_of
        from ..build.verification.verification import verify

        reporter.stage(Stage.VERIFY)
        equipment = self._parts.equipment
        framework = await asyncio.to_thread(framework_of, prefix, tuple(equipment.planner.catalogue))
        reason = (await asyncio.to_thread(equipment.hardware)).reason
        try:
            found = await verify(
                kernel_dir=place.parent,
                kernel_name=place.name,
                framework=framework,
                expect_gpu=bool(framework.import_name) and not reason,
                prefix=prefix,
                timeout=self._parts.verify_timeout,
                reporter=reporter,
                hardware_reason=reason,
            )
        except GpuKernelsError as error:
            reporter.log(f"The kernel could not be tried: {error.message}")
            return None
        return found

    def _adoption(self) -> adoption.Adoption:
        # Imported here: a server that only starts adopts nothing.
        from ..build.adoption.adoption import Adoption
        from ..build.conda.condarc import read_condarc

        return Adoption(
            lambda: (Path(self._parts.conda_envs_dir), *read_condarc().envs_dirs, Path.home() / ".conda" / "envs"),
            self._parts.equipment.state_dir / "additions",
        )
