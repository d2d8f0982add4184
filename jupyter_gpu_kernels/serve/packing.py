"""Packs: environments with all their packages, written into one file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import NotFoundError, RefusedError
from ..models import EnvironmentSpec, ImportRequest, Job, JobKind, Manifest
from . import contents, names
from .jobs import JobResult
from .live import LiveJob
from .means import Means

if TYPE_CHECKING:
    from ..build.packing.opening import Opener
    from ..build.planning.planner import Planned
    from ..build.reporting import BuildReporter


#: Seconds for which archives are kept that were fetched for a pack that somebody did not live to write.
_KEPT = 86400.0


class Shipper(Means, Protocol):
    """What packs are made with."""

    contents_root: Path | None


class Packing:
    """Begins to pack environments, and does it.

    Args:
        parts: What it is done with; nothing of it is made before it is needed.
    """

    def __init__(self, parts: Shipper) -> None:
        self._parts = parts
        parts.work.deeds[JobKind.PACK] = self._pack

    async def pack_into(self, name: str, path: str) -> Job:
        """Begin to pack an environment into a directory that a browser sees; the job's file is as a browser knows it.

        Args:
            name: The environment.
            path: The directory, below the root of the server's contents; empty for the root.

        Raises:
            InvalidInputError: The path leads out of there.
            NotFoundError: There is no such directory.
            RefusedError: The server's files are not on a disk of this machine.
            GpuKernelsError: As for :meth:`pack`.
        """
        root = self._parts.contents_root
        if root is None:
            msg = "The files that this server shows are not on a disk of this machine."
            raise RefusedError(msg, cure="Pack it on the command line: jupyter gpu-kernels pack.")
        root = await asyncio.to_thread(root.resolve)
        clean = path.strip("/")
        directory = await asyncio.to_thread(contents.below, root, clean) if clean else root
        if not await asyncio.to_thread(os.path.isdir, directory):
            msg = f"There is no directory {path[:100]!r}."
            raise NotFoundError(msg, cure="Choose a directory of the file browser, or make one there.")
        return await self.pack(name, directory, within=root)

    async def pack(self, name: str, target: Path | None = None, *, within: Path | None = None) -> Job:
        """Begin to pack an environment.

        Args:
            name: The environment.
            target: The file, or a directory for it; ``None`` for the working directory.
            within: Directory that the job's file is named relative to, ``None`` for none.

        Raises:
            NotFoundError: There is no such environment, or no such directory.
            ConflictError: There is such a file already.
            EnvironmentBusyError: Somebody is working on it.
        """
        # Imported here: a server that only starts packs nothing.
        from ..build.packing.packer import check_target, file_name

        names.refuse_malformed(name)
        manifest = await asyncio.to_thread(lambda: self._parts.workshop.manifest(name))
        place = (target or Path()).expanduser().absolute()
        try:
            file = place / file_name(manifest.name) if await asyncio.to_thread(place.is_dir) else place
            await asyncio.to_thread(check_target, file)
        except OSError as error:
            msg = f"No pack can be written to {place}: {error.strerror}."
            raise NotFoundError(msg, cure="Name another place.") from error
        shown = file.relative_to(within).as_posix() if within else str(file)
        return await self._parts.runner.submit(JobKind.PACK, name, source=str(file), file=shown)

    def found(self, path: str) -> Path | None:
        """The pack at a path, ``None`` if there is something else. Blocks on the disk.

        Args:
            path: As for :func:`.contents.below`.

        Raises:
            InvalidInputError: The path leads out of what the server shows.
        """
        from ..build.packing.tape import is_pack

        file = contents.below(self._parts.contents_root, path)
        return file if is_pack(file) else None

    def sweep(self) -> None:
        """Remove archives that were fetched for packs which nobody has written since. Blocks on the disk."""
        for directory in (self._parts.equipment.cache_dir / "archives").glob("*"):
            with contextlib.suppress(OSError):
                newest = max(place.stat().st_mtime for place in (directory, *directory.rglob("*")))
                if time.time() - newest > _KEPT:
                    shutil.rmtree(directory)

    async def spec_of(self, request: ImportRequest, name: str | None = None) -> EnvironmentSpec:
        """What a pack counts as asked for, by another name if one is given; raises as :meth:`plan_import`."""
        spec = await (await asyncio.to_thread(self._opener)).spec(Path(request.path))
        spec = replace(spec, name=name or spec.name, display_name=request.display_name, verify=request.verify)
        await asyncio.to_thread(lambda: self._parts.workshop.check(spec))
        return spec

    async def plan_import(self, request: ImportRequest, name: str) -> Planned:
        """Say what would be built of a pack.

        Raises:
            InvalidInputError: It is damaged.
            RefusedError: It is for another platform, needs another Python, or comes from channels that may not be used.
        """
        opener = await asyncio.to_thread(self._opener)
        return await opener.plan(Path(request.path), await self.spec_of(request, name))

    async def import_(self, request: ImportRequest, name: str, *, reporter: BuildReporter) -> Manifest:
        """Build, verify and register what is in a pack.

        Raises:
            GpuKernelsError: Any of the tree; then nothing but cached packages is left.
        """
        opener = await asyncio.to_thread(self._opener)
        return await opener.build(Path(request.path), await self.spec_of(request, name), reporter=reporter)

    def _opener(self) -> Opener:
        # Imported here: a server that only starts opens no pack.
        from ..build.packing.opening import Opener

        return Opener(self._parts.equipment)

    async def _pack(self, job: Job, reporter: LiveJob) -> JobResult:
        from ..build.packing.packer import Packer

        equipment = await asyncio.to_thread(lambda: self._parts.equipment)
        await Packer(equipment).pack(job.name, Path(job.source), reporter=reporter)
        return JobResult(file=job.file)
