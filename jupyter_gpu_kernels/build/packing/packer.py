"""Writes packs: every archive of an environment is fetched anew, as rattler and uv keep only what they unpacked."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import ConflictError, DownloadError, GpuKernelsError, InstallError, NotFoundError, RefusedError
from ...models import EnvironmentKind, Manifest, Stage
from ...prefix.layout import Layout
from ..conda import neighbour
from ..conda.settings import ChannelSettings
from ..contents.installed import Contents, contents
from ..contents.pins import read_pins
from ..equipment import Equipment
from ..planning.targets import platform_name
from ..recipes.taking import recipe_of
from ..reporting import Reporter
from ..tools.insistence import insist
from ..tools.redaction import uncover
from . import gathering, stopping
from .gathering import Part
from .label import SUFFIX, Label
from .tape import write_pack


class Packer:
    """Packs environments.

    Args:
        equipment: What it is done with.
    """

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment
        self._platform = platform_name()

    async def pack(self, name: str, target: Path, *, reporter: Reporter) -> Path:
        """Write an environment with all its packages into one file, which is there when it is whole, and not before.

        Args:
            name: The environment.
            target: The file.
            reporter: Hears the progress, in bytes.

        Raises:
            NotFoundError: There is no such environment, or no directory for the file.
            ConflictError: There is such a file already.
            RefusedError: Something in the environment cannot be packed.
            DownloadError: An archive can no longer be fetched.
            InstallError: The file cannot be written.
        """
        check_target(target)
        async with self._equipment.writing(name, "pack"):
            manifest = await asyncio.to_thread(self._equipment.inventory.manifest, name)
            found = await asyncio.to_thread(contents, manifest)
            conda, wheels = await self._parts(manifest, found)
            parts = (*conda, *wheels)
            directory = self._equipment.cache_dir / "archives" / name.lower()
            try:
                await self._fetch(manifest, conda, wheels, directory, reporter)
                lock = await self._lock(found, wheels)
                await self._write(manifest, found, parts, lock, directory, target, reporter)
            except OSError as error:
                msg = f"The pack could not be written: {error.strerror or error}."
                raise InstallError(msg, cure="Make room there, or name another place.", detail=str(error)) from error
            # What has been fetched is kept until then, so that whoever tries again need not fetch it again.
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
        reporter.log(f"The pack is {target}.")
        return target

    async def _parts(self, manifest: Manifest, found: Contents) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
        """The archives: conda packages, and wheels."""
        wanted = gathering.requirements(found.distributions)
        settings = await self._settings(manifest)
        conda = await asyncio.to_thread(gathering.conda_parts, found.records, settings)
        if not wanted:
            return conda, ()
        layout = Layout.of_prefix(Path(manifest.prefix))
        python = layout.python_version() or manifest.plan.python
        try:
            located = await self._equipment.wheels.locate(wanted, interpreter=str(layout.python), python=python)
        except GpuKernelsError as error:
            raise _gone(manifest.name, error) from error
        pins = await asyncio.to_thread(read_pins, Path(manifest.prefix))
        return conda, gathering.wheel_parts(located, pins.lines)

    async def _settings(self, manifest: Manifest) -> ChannelSettings:
        """How the environment's channels are reached."""
        if manifest.kind is not EnvironmentKind.CONDA:
            return ChannelSettings(channels=())
        spec = replace(manifest.spec, channels=manifest.spec.channels or manifest.plan.channels)
        return await self._equipment.planner.channel_settings(spec)

    async def _fetch(
        self,
        manifest: Manifest,
        conda: Sequence[Part],
        wheels: Sequence[Part],
        directory: Path,
        reporter: Reporter,
    ) -> None:
        """Fetch what does not lie on this machine."""
        groups = [
            (await self._settings(manifest), conda),
            (ChannelSettings(channels=(), proxies=await self._equipment.wheels.proxies()), wheels),
        ]
        for settings, parts in groups:
            missing = [part.archive for part in parts if part.here is None]
            for archive in missing:
                if not archive.digest:
                    reporter.log(f"Nobody says what {archive.name} must hash to: it is packed as it comes.")
            if not missing:
                continue
            try:
                await self._equipment.conda.fetch(missing, directory, settings, reporter)
            except DownloadError as error:
                raise _gone(manifest.name, error) from error

    async def _lock(self, found: Contents, wheels: Sequence[Part]) -> str:
        """The lock of exactly these packages."""

        def entry(part: Part) -> Mapping[str, Any]:
            archive = part.archive
            name, version = archive.file.rsplit("/", 1)[-1].split("-")[:2]
            fragment = f"#{archive.algorithm}={archive.digest}" if archive.digest else ""
            url = f"{uncover(archive.url)}{fragment}" if part.here is None else f"./{archive.file}"
            return {"name": name, "version": version, "url": url}

        return await self._equipment.conda.lock(
            [
                {
                    "platform": self._platform,
                    "records": [str(record.path) for record in found.records],
                    "wheels": [entry(part) for part in wheels],
                }
            ]
        )

    async def _write(
        self,
        manifest: Manifest,
        found: Contents,
        parts: Sequence[Part],
        lock: str,
        directory: Path,
        target: Path,
        reporter: Reporter,
    ) -> None:
        """Write the pack, in a thread that stops when it is no longer wanted."""
        files = await asyncio.to_thread(lambda: tuple(part.packed(directory) for part in parts))
        prefix = Path(manifest.prefix)
        conda = manifest.kind is EnvironmentKind.CONDA
        label = Label(
            platform=self._platform,
            kind=manifest.kind,
            python=Layout.of_prefix(prefix).python_version() or manifest.plan.python,
            recipe=recipe_of(manifest, found, self._platform),
            specs=await asyncio.to_thread(neighbour.asked_specs, prefix) if conda else (),
            requirements=tuple(item.name for item in found.distributions if item.requested),
            files=files,
        )
        sources = {part.archive.file: part.source(directory) for part in parts}
        reporter.stage(Stage.LINK)
        try:
            await stopping.told(
                lambda tell: write_pack(target, label, lock, sources.__getitem__, tell),
                stopping.bytes_to(reporter, label.size),
            )
        except asyncio.CancelledError:
            # One that was whole already is none that anybody still wants.
            await insist(asyncio.to_thread(target.unlink, missing_ok=True))
            raise


def file_name(name: str) -> str:
    """What the pack of an environment is called."""
    return f"{name}-{platform_name()}{SUFFIX}"


def check_target(target: Path) -> None:
    """Refuse a place where no pack can be written. Blocks on the disk, not for long.

    Raises:
        NotFoundError: There is no such directory.
        ConflictError: There is such a file already.
    """
    if not target.parent.is_dir():
        msg = f"There is no directory {target.parent}."
        raise NotFoundError(msg, cure="Make it first, or name another one.")
    if target.exists():
        msg = f"There is a file {target} already."
        raise ConflictError(msg, cure="Remove it first, or name another one.")


def _gone(name: str, error: GpuKernelsError) -> GpuKernelsError:
    """What is said where packages are no longer to be had: a channel or an index is gone, or has thrown them away."""
    if isinstance(error, RefusedError):
        return error
    msg = f"{name} cannot be packed, since a package of it cannot be fetched again. {error.message}"
    cure = f"{error.cure} If it is gone for good, rebuild the environment from a channel that still has its packages."
    return DownloadError(msg, cure=cure, detail=error.detail)
