"""The packages of environments: what there is, what an edit would change, and the edit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..errors import ConflictError
from ..models import EditPlan, InstalledPackage, Job, JobKind, PackageEdit
from . import names
from .jobs import JobResult
from .live import LiveJob
from .means import Means

if TYPE_CHECKING:
    from ..build.editing.editor import Editor


class EnvironmentPackages:
    """Lists packages, previews edits, and does them.

    Args:
        parts: What it is done with; nothing of it is made before it is needed.
    """

    def __init__(self, parts: Means) -> None:
        self._parts = parts
        parts.work.deeds[JobKind.EDIT] = self._edit

    async def list(self, name: str) -> tuple[InstalledPackage, ...]:
        """What is in an environment now.

        Raises:
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
        """
        names.refuse_malformed(name)
        return await asyncio.to_thread(lambda: self._editor().packages(name))

    async def plan(self, name: str, edit: PackageEdit) -> EditPlan:
        """What an edit would change; a refusal is part of the answer.

        Raises:
            InvalidInputError: The edit is malformed.
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
            SolveError: No set of packages satisfies it.
            ChannelError: A channel or index does not answer as it should.
        """
        names.refuse_malformed(name)
        editor = await asyncio.to_thread(self._editor)
        return await editor.plan(name, edit)

    async def edit(self, name: str, edit: PackageEdit) -> Job:
        """Begin to build an environment with other packages.

        Raises:
            InvalidInputError: The edit is malformed.
            RefusedError: Something shall be removed that has to stay, or is not there.
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
            EnvironmentBusyError: Somebody is working on it already.
        """
        names.refuse_malformed(name)
        await asyncio.to_thread(lambda: self._editor().check(name, edit))
        return await self._parts.runner.submit(JobKind.EDIT, name, edit=edit)

    async def _edit(self, job: Job, reporter: LiveJob) -> JobResult:
        if job.edit is None:
            msg = "The record of the job does not say what shall change."
            raise ConflictError(msg, cure="Ask for it again.")
        editor = await asyncio.to_thread(self._editor)
        async with self._parts.work.replacing(job.name) as exchange:
            manifest, exchange.done = await editor.edit(job.name, job.edit, reporter=reporter)
        return JobResult(verification=manifest.verification)

    def _editor(self) -> Editor:
        # Imported here: a server that only starts changes nothing.
        from ..build.editing.editor import Editor

        return Editor(self._parts.equipment)
