"""Environments as files: exported, and made of what others have exported."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ConflictError, InvalidInputError, NameTakenError
from ..models import (
    EnvironmentSpec,
    ExportedFile,
    FileFormat,
    ImportPlan,
    ImportRequest,
    Job,
    JobKind,
    Manifest,
    NameCheck,
    Plan,
    RecipePlan,
    from_json,
    to_json,
)
from ..prefix.files import replace_file
from . import contents, names
from .jobs import JobResult
from .live import LiveJob
from .means import Means
from .packing import Packing
from .work import spec_of

if TYPE_CHECKING:
    from ..build.files.exporting import Exporter
    from ..build.files.importing import Importer

#: Seconds after which a kept text that no job names is swept.
_FORGOTTEN = 900.0

#: A conda package to the build, and one of pip to the version.
_EXACT = re.compile(r"(?P<name>[\w.-]+)=[\w.!+-]+=[\w.+-]+")
_EXACT_PIP = re.compile(r"(?P<name>[\w.-]+)==[\w.!+-]+")


class Recipes(Protocol):
    """Plans what notebooks carry."""

    async def plan(self, data: Any, name: str | None = None) -> RecipePlan:
        """What would be built of it here."""


class Host(Means, Protocol):
    """What is needed of the manager."""

    listeners: list[Callable[[Job], None]]
    packing: Packing
    contents_root: Path | None

    @property
    def recipes(self) -> Recipes:
        """Knows what notebooks carry."""

    async def get(self, name: str) -> Manifest:
        """What was built under a name."""

    async def jobs(self) -> tuple[Job, ...]:
        """All jobs of all processes."""

    async def check_name(self, name: str) -> NameCheck:
        """Say whether an environment of that name could be created now."""


class Sharing:
    """Exports and imports.

    Args:
        host: The manager.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        host.work.deeds[JobKind.IMPORT] = self._import
        host.listeners.append(_tidy)

    async def export(
        self, name: str, kind: FileFormat = FileFormat.ENVIRONMENT_YML, platforms: Sequence[str] = ()
    ) -> ExportedFile:
        """Write an environment as a text.

        Args:
            name: Its name.
            kind: The format.
            platforms: Further platforms that a lock shall be for.

        Raises:
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: It is damaged.
            InvalidInputError: There is no such platform, or the format is not written.
            RefusedError: Such an environment cannot be written so.
            ChannelError: A lock needs an answer that does not come.
        """
        manifest = await self._host.get(name)

        def exporter() -> Exporter:
            # Imported here: a server that only starts exports nothing.
            from ..build.files.exporting import Exporter

            return Exporter(self._host.equipment)

        return await (await asyncio.to_thread(exporter)).export(manifest, kind, platforms)

    async def plan_import(self, request: ImportRequest) -> ImportPlan:
        """Say what would be built of a file; nothing is downloaded but metadata, and a refusal may be in the plan.

        Raises:
            InvalidInputError: The file is malformed, too large, or has what no imported file may have.
            NotFoundError: There is no such file.
            NameTakenError: The name that was asked for is taken.
            RefusedError: The file has nothing for this machine, or cannot become a kernel.
            SolveError: No set of packages satisfies what is asked for.
            ChannelError: A channel or index does not answer as it should.
        """
        request, kind = await asyncio.to_thread(self._loaded, request)
        if kind is FileFormat.RECIPE:
            found = await self._recipe(request)
            return ImportPlan(format=kind, exact=False, spec=found.spec, plan=found.plan)
        if kind is FileFormat.PACK:
            plan = (await self._host.packing.plan_import(request, await self._packed_name(request))).plan
            return ImportPlan(format=kind, exact=True, spec=plan.spec, plan=plan)
        importer = await asyncio.to_thread(self._importer)
        name = await self._name(request, importer)
        read = await asyncio.to_thread(importer.read, request, name)
        plan = (await importer.plan(read)).plan
        exact = read.exact is not None or _asks_exactly(read.spec, plan)
        return ImportPlan(format=kind, exact=exact, spec=plan.spec, plan=plan)

    async def import_(self, request: ImportRequest) -> Job:
        """Begin to build what a file says; raises as :meth:`plan_import`, as far as that is seen without solving.

        Raises:
            EnvironmentBusyError: Somebody is working on that name already.
        """
        file = request.path
        request, kind = await asyncio.to_thread(self._loaded, request)
        if kind is FileFormat.RECIPE:
            spec = (await self._recipe(request)).spec
        elif kind is FileFormat.PACK:
            spec = await self._host.packing.spec_of(request, await self._packed_name(request))
        else:
            importer = await asyncio.to_thread(self._importer)
            name = await self._name(request, importer)
            spec = (await asyncio.to_thread(importer.read, request, name)).spec
        await asyncio.to_thread(self._host.workshop.check_free, spec.name)
        await self.sweep()
        source = await asyncio.to_thread(self._keep, request)
        # What a large file asks for is in the file; the record of a job is read again and again.
        brief = replace(spec, packages=(), pip=()) if kind is not FileFormat.RECIPE else spec
        try:
            return await self._host.runner.submit(JobKind.IMPORT, spec.name, spec=brief, source=str(source), file=file)
        except BaseException:
            await asyncio.to_thread(source.unlink, missing_ok=True)
            raise

    async def sweep(self) -> None:
        """Remove what was kept for imports that never became jobs."""
        used = {Path(job.source).name for job in await self._host.jobs() if not job.state.final and job.source}
        await asyncio.to_thread(_sweep, self._directory(), used)

    async def _import(self, job: Job, reporter: LiveJob) -> JobResult:
        """Do an import; called by the job runner, perhaps in another process than the one that was asked."""
        request, kind = await asyncio.to_thread(_kept, Path(job.source))
        if kind is FileFormat.RECIPE:
            manifest = await self._host.workshop.create(spec_of(job), reporter=reporter)
        elif kind is FileFormat.PACK:
            manifest = await self._host.packing.import_(request, job.name, reporter=reporter)
        else:
            importer = await asyncio.to_thread(self._importer)
            read = await asyncio.to_thread(importer.read, request, job.name)
            manifest = await importer.build(read, reporter=reporter)
        return JobResult(verification=manifest.verification)

    async def _recipe(self, request: ImportRequest) -> RecipePlan:
        """What would be built of a recipe."""
        from ..build.files import recipe_json

        found = await self._host.recipes.plan(recipe_json.read(request.text), request.name)
        display_name = request.display_name or found.spec.display_name
        spec = replace(found.spec, display_name=display_name, verify=request.verify)
        return replace(found, spec=spec)

    def _importer(self) -> Importer:
        # Imported here: a server that only starts imports nothing.
        from ..build.files.importing import Importer

        return Importer(self._host.equipment)

    def _loaded(self, request: ImportRequest) -> tuple[ImportRequest, FileFormat]:
        """The request with the text of its file, and what that is. Blocks on the disk."""
        from ..build.files import formats, texts

        if bool(request.text) == bool(request.path):
            msg = "Either a text is given or the path of a file, and not both."
            raise InvalidInputError(msg, cure="Give one of the two.")
        if request.path and (pack := self._host.packing.found(request.path)) is not None:
            return replace(request, path=str(pack)), FileFormat.PACK
        if request.path:
            data = contents.read(self._host.contents_root, request.path, texts.LOCKED)
            file_name = request.file_name or request.path.rsplit("/", 1)[-1]
            request = replace(request, text=texts.decoded(data), path="", file_name=file_name)
        request = replace(request, text=texts.checked(request.text))
        return request, formats.recognise(request.text, request.file_name)

    async def _packed_name(self, request: ImportRequest) -> str:
        """The name that was asked for, or a free one like that of the kernel that was packed."""
        own = (await self._host.packing.spec_of(request)).name
        return await self._named(request, lambda: own)

    async def _name(self, request: ImportRequest, importer: Importer) -> str:
        """The name that was asked for, or a free one like the file's own."""
        return await self._named(request, lambda: importer.proposed_name(request))

    async def _named(self, request: ImportRequest, propose: Callable[[], str]) -> str:
        if request.name is None:
            proposed = await asyncio.to_thread(propose)
            jobs = await self._host.jobs()
            return (await asyncio.to_thread(names.first_free, proposed, self._host.workshop, jobs)).name
        names.refuse_malformed(request.name)
        checked = await self._host.check_name(request.name)
        if checked.problem is not None:
            raise NameTakenError(checked.problem.message, cure=checked.problem.cure)
        return request.name

    def _directory(self) -> Path:
        """Where requests are kept."""
        return Path(self._host.equipment.state_dir) / "imports"

    def _keep(self, request: ImportRequest) -> Path:
        """Keep a request until its job is over, for its user only. Blocks on the disk."""
        from ..build.disk.filesystem import explained

        directory = self._directory()
        with explained(f"The file cannot be kept in {directory}"):
            directory.mkdir(parents=True, exist_ok=True)
            path = directory / f"{secrets.token_hex(8)}.json"
            replace_file(path, json.dumps(to_json(request)).encode(), mode=0o600)
        return path


def _asks_exactly(spec: EnvironmentSpec, plan: Plan) -> bool:
    """Whether each package is asked for to the build, as our ``exact.yml`` does: then the solver has had no choice."""
    asked = [*map(_EXACT.fullmatch, spec.packages), *map(_EXACT_PIP.fullmatch, spec.pip)]
    names = {_plain(found["name"]) for found in asked if found}
    return bool(plan.packages) and all(_plain(package.name) in names for package in plan.packages)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _tidy(job: Job) -> None:
    """Remove what was kept for an import that is over; called with each snapshot of a job."""
    if job.kind is JobKind.IMPORT and job.state.final and job.source:
        with contextlib.suppress(OSError):
            Path(job.source).unlink(missing_ok=True)


def _sweep(directory: Path, used: set[str]) -> None:
    """Remove old files that nobody uses. Blocks on the disk."""
    for old in directory.glob("*.json"):
        with contextlib.suppress(OSError):
            if old.name not in used and time.time() - old.stat().st_mtime > _FORGOTTEN:
                old.unlink()


def _kept(source: Path) -> tuple[ImportRequest, FileFormat]:
    """What was kept for a job. Blocks on the disk.

    Raises:
        ConflictError: It is gone.
    """
    from ..build.files import formats

    try:
        request = from_json(ImportRequest, json.loads(source.read_bytes()))
    except (OSError, ValueError) as error:
        msg = "What was to be imported is no longer there."
        raise ConflictError(msg, cure="Import the file again.") from error
    if request.path:
        return request, FileFormat.PACK
    return request, formats.recognise(request.text, request.file_name)
