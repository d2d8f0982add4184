"""Clones of environments, and new names for them."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from ..models import CloneRequest, EnvironmentSpec, Job, JobKind
from . import names
from .jobs import JobResult
from .live import LiveJob
from .means import Means

if TYPE_CHECKING:
    from ..build.copying import copies


class EnvironmentCopies:
    """Begins to copy environments, and does it.

    Args:
        parts: What it is done with; nothing of it is made before it is needed.
    """

    def __init__(self, parts: Means) -> None:
        self._parts = parts
        parts.work.deeds[JobKind.CLONE] = self._clone
        parts.work.deeds[JobKind.RENAME] = self._rename
        # A rename that is taken up again finds out itself how far it had come.
        parts.work.repeated.add(JobKind.RENAME)

    async def clone(self, name: str, request: CloneRequest) -> Job:
        """Begin to clone an environment.

        Raises:
            InvalidInputError: A name is malformed.
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
            NameTakenError: The new name belongs to another environment or kernel.
            EnvironmentBusyError: Somebody is working on that name already.
        """
        names.refuse_malformed(name)
        await asyncio.to_thread(lambda: self._copies().check_clone(name, request.name, request.display_name))
        spec = EnvironmentSpec(name=request.name, display_name=request.display_name)
        return await self._parts.runner.submit(JobKind.CLONE, request.name, source=name, spec=spec)

    async def rename(self, name: str, new: str, *, stop_kernels: bool = False) -> Job:
        """Begin to give an environment another name.

        Args:
            name: Its name.
            new: The new one.
            stop_kernels: Shut down kernels that run from it, instead of refusing.

        Raises:
            KernelsRunningError: Kernels of it, or other processes from it, are running.
            GpuKernelsError: As for :meth:`clone`.
        """
        names.refuse_malformed(name)
        await asyncio.to_thread(lambda: self._copies().check_rename(name, new))
        await self._parts.work.check_idle(name, "rename", stop_kernels=stop_kernels)
        return await self._parts.runner.submit(JobKind.RENAME, new, source=name)

    async def _clone(self, job: Job, reporter: LiveJob) -> JobResult:
        display_name = job.spec.display_name if job.spec else None
        copies = await asyncio.to_thread(self._copies)
        manifest = await copies.clone(job.source, job.name, display_name, reporter=reporter)
        return JobResult(verification=manifest.verification)

    async def _rename(self, job: Job, reporter: LiveJob) -> JobResult:
        async def leaving() -> None:
            await self._parts.work.stop_kernels(job.source, reporter)

        copies = await asyncio.to_thread(self._copies)
        manifest = await copies.rename(job.source, job.name, since=job.created, reporter=reporter, leaving=leaving)
        folder = self._parts.equipment.state_dir / "benchmarks"
        await asyncio.to_thread(_move, folder / job.source, folder / job.name)
        reporter.log(
            f"Notebooks that were made with the kernel {job.source.lower()} find it again by their recipe; "
            f"those without one ask for a kernel once."
        )
        return JobResult(verification=manifest.verification)

    def _copies(self) -> copies.Copies:
        # Imported here: a server that only starts copies nothing.
        from ..build.copying.copies import Copies

        return Copies(self._parts.equipment)


def _move(source: Path, target: Path) -> None:
    """Let executed notebooks follow their environment, if there are any."""
    with contextlib.suppress(OSError):
        source.rename(target)
