"""Examining, and carrying out the cures that an examination offers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ..build.adoption import handover
from ..build.kernelspec import removal
from ..build.kernelspec.removal import kernel_directories
from ..diagnosis import remedies
from ..diagnosis.check import Check
from ..diagnosis.checks import CHECKS
from ..diagnosis.context import Context, Practice
from ..diagnosis.disk import cache
from ..diagnosis.doctor import Doctor
from ..diagnosis.machine import orphans
from ..errors import ConflictError, GpuKernelsError, InvalidInputError, NotFoundError
from ..hardware.nvml import NvmlError
from ..hardware.probe import open_nvml
from ..models import Diagnosis, Environment, GpuReading, Installer, Job, Manifest, Remedy
from .settings import Settings
from .workshop import Workshop


class Patient(Protocol):
    """What is examined, and what long cures are asked of."""

    @property
    def workshop(self) -> Workshop:
        """Knows the environments."""

    async def rebuild(self, name: str) -> Job:
        """Begin to build an environment anew."""

    async def verify(self, name: str) -> Job:
        """Begin to verify an environment."""

    async def remove(self, name: str) -> Job:
        """Begin to remove an environment."""


class Doctoring:
    """Examines, and cures.

    Args:
        patient: What is examined.
        settings: How this installation is configured.
        checks: What is looked at.
    """

    def __init__(self, patient: Patient, settings: Settings, checks: Sequence[Check] = CHECKS) -> None:
        self._patient = patient
        self._settings = settings
        self._checks = tuple(checks)
        #: By subject: examinations that go on.
        self._examinations: dict[str, asyncio.Task[Diagnosis]] = {}
        self._jobs: dict[str, Callable[[str], Awaitable[Job]]] = {
            remedies.REBUILD: patient.rebuild,
            remedies.VERIFY: patient.verify,
            remedies.REMOVE_ENVIRONMENT: patient.remove,
        }
        self._deeds: dict[str, Callable[[str], object]] = {
            remedies.REMOVE_KERNELSPEC: lambda subject: removal.remove(Path(subject)),
            remedies.ADOPT_KERNELSPEC: lambda subject: handover.adopt(Path(subject)),
            remedies.RELEASE_KERNELSPEC: lambda subject: handover.release(Path(subject)),
            remedies.END_PROCESS: orphans.end,
            remedies.CLEAN_CACHE: lambda subject: cache.clean(Path(subject)),
            remedies.SWEEP: lambda _: patient.workshop.sweep(),
        }

    async def diagnose(self, name: str = "") -> Diagnosis:
        """Make all checks; those who ask while it goes on get the same answer.

        Args:
            name: The environment to look at besides the machine, empty for all.

        Raises:
            NotFoundError: There is no such environment.
        """
        going_on = self._examinations.get(name)
        if going_on is None or going_on.get_loop() is not asyncio.get_running_loop():
            going_on = asyncio.ensure_future(self._diagnose(name))
            self._examinations[name] = going_on
            going_on.add_done_callback(lambda _: self._examinations.pop(name, None))
        # Shielded: one who goes away takes nothing from the others.
        return await asyncio.shield(going_on)

    async def apply(self, remedy: Remedy) -> Job | None:
        """Do what a remedy says, if an examination offers it now.

        Returns:
            The job that does it, ``None`` if it is done.

        Raises:
            InvalidInputError: There is no such remedy.
            ConflictError: Nothing that is found now is cured by it, or it cannot be done now.
            GpuKernelsError: It failed.
        """
        if remedy.id not in self._jobs and remedy.id not in self._deeds:
            msg = f"There is no remedy {remedy.id[:40]!r}."
            raise InvalidInputError(msg, cure=f"The remedies are: {', '.join([*self._jobs, *self._deeds])}.")
        if not await self._offered(remedy):
            msg = f"Nothing that is found now is cured by {remedy.id} of {remedy.subject[:200]!r}."
            raise ConflictError(msg, cure="Diagnose again: it may have been cured meanwhile.")
        if remedy.id in self._jobs:
            return await self._jobs[remedy.id](remedy.subject)
        await asyncio.to_thread(self._deeds[remedy.id], remedy.subject)
        return None

    async def _offered(self, remedy: Remedy) -> bool:
        """Whether a check that is made now offers a remedy: nobody else's word is taken for it."""
        checks = [check for check in self._checks if remedy.id in check.remedies]
        context = await asyncio.to_thread(self._context, "")
        if remedy.id in self._jobs:
            asked = tuple(item for item in context.environments if item.name == remedy.subject)
            context = replace(context, environments=asked)
        found = (await Doctor(checks).examine(context)).findings
        offered = [finding.remedy for finding in found if finding.remedy is not None]
        return any((item.id, item.subject) == (remedy.id, remedy.subject) for item in offered)

    async def _diagnose(self, name: str) -> Diagnosis:
        return await Doctor(self._checks).examine(await asyncio.to_thread(self._context, name))

    def _context(self, name: str) -> Context:
        """All that is asked once. Blocks on the disk and on the driver."""
        workshop, settings = self._patient.workshop, self._settings
        environments = workshop.environments()
        if name:
            environments = _named(environments, name)
        return Context(
            hardware=workshop.hardware(),
            readings=_readings(),
            environ=dict(os.environ),
            environments=environments,
            manifest_of=self._manifest,
            kernel_dirs=kernel_directories(),
            practice=Practice(
                conda_envs_dir=Path(settings.conda_envs_dir),
                virtualenvs_dir=Path(settings.virtualenvs_dir),
                state_dir=Path(settings.state_dir),
                cache_dir=Path(settings.cache_dir),
                channels=tuple(settings.channels),
                default_installer=Installer(settings.default_installer),
                python_downloads=settings.python_downloads,
                shared_package_caches=tuple(map(Path, settings.shared_package_caches)),
            ),
            frameworks=workshop.frameworks(),
            subject=name,
        )

    def _manifest(self, name: str) -> Manifest | None:
        try:
            return self._patient.workshop.manifest(name)
        except GpuKernelsError:
            return None


def _named(environments: tuple[Environment, ...], name: str) -> tuple[Environment, ...]:
    """The environment of a name."""
    found = tuple(environment for environment in environments if environment.name == name)
    if not found:
        msg = f"There is no environment named {name[:200]!r}."
        raise NotFoundError(msg, cure="`jupyter gpu-kernels list` shows what there is.")
    return found


def _readings() -> tuple[GpuReading, ...]:
    """What the GPUs are doing now; nothing where the driver does not answer."""
    try:
        nvml = open_nvml()
        nvml.open()
        try:
            return nvml.readings()
        finally:
            nvml.close()
    except NvmlError:
        return ()
