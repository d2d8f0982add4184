"""Clones, and new names: an environment is copied, the copy verified, and then the original stays or goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from ...errors import BrokenEnvironmentError, GpuKernelsError, NameTakenError, NotFoundError
from ...models import EnvironmentKind, Manifest
from ...prefix.manifest import write_manifest
from .. import naming
from ..conda import neighbour
from ..disk.generations import Generations
from ..equipment import Equipment
from ..kernelspec import kernelspecs
from ..planning import validation
from ..planning.planner import Planned
from ..reporting import BuildReporter, Reporter
from ..tools.insistence import finish, insist
from .filling import copy_of


class Copies:
    """Makes environments of others; both are locked meanwhile.

    Args:
        equipment: What it is done with.
    """

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment

    def check_clone(self, name: str, new: str, display_name: str | None) -> None:
        """Refuse a clone that cannot be made. Blocks on the disk.

        Raises:
            InvalidInputError: A name is malformed.
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
            NameTakenError: The new name belongs to somebody else.
        """
        _check_names(new, display_name)
        self._equipment.inventory.manifest(name)
        naming.check_free(self._equipment, new)

    def check_rename(self, name: str, new: str) -> None:
        """Refuse a new name that cannot be given; raises as :meth:`check_clone`."""
        _check_names(new, None)
        old = self._equipment.inventory.manifest(name)
        if new == old.name:
            msg = f"The environment is named {new!r} already."
            raise NameTakenError(msg, cure="Choose another name.")
        self._check_free(new, old)

    async def clone(self, name: str, new: str, display_name: str | None, *, reporter: BuildReporter) -> Manifest:
        """Copy an environment, and verify and register the copy.

        Args:
            name: The original; it stays as it is.
            new: Name of the copy.
            display_name: What the Launcher shows, ``None`` for one that is made of the name.
            reporter: Hears how far it has come.

        Raises:
            NotFoundError: There is no such environment.
            EnvironmentBusyError: Somebody is working on one of the two.
            GpuKernelsError: Any of the tree; then nothing is left of the copy.
        """
        async with self._writing(name, new, "clone"):
            old = await asyncio.to_thread(self._equipment.inventory.manifest, name)
            await asyncio.to_thread(naming.make_free, self._equipment, new)
            return await self._copy(old, new, display_name, reporter)

    async def rename(
        self,
        name: str,
        new: str,
        *,
        since: str,
        reporter: BuildReporter,
        leaving: Callable[[], Awaitable[None]] | None = None,
    ) -> Manifest:
        """Give an environment another name: a copy under that name is verified, then the original goes.

        Interrupted at any point it may be asked for again: what was done is not done twice.

        Args:
            name: The original.
            new: The new name.
            since: When that was asked for; a copy that is younger is one of ours.
            reporter: Hears how far it has come.
            leaving: Called when all is ready, before the original goes.

        Raises:
            NotFoundError: There is no such environment.
            EnvironmentBusyError: Somebody is working on one of the two.
            GpuKernelsError: Any of the tree; then the original is as it was.
        """
        async with self._writing(name, new, "rename"):
            await finish(asyncio.to_thread(naming.tidy, self._equipment, new))
            made = await asyncio.to_thread(self._made, new, since)
            try:
                old = await asyncio.to_thread(self._equipment.inventory.manifest, name)
            except NotFoundError:
                if made is None:
                    raise
                await finish(asyncio.to_thread(self._equipment.construction.register, made))
                await finish(asyncio.to_thread(self._forget, name))
                return made
            if made is None:
                await asyncio.to_thread(self._check_free, new, old)
                await asyncio.to_thread(self._forget, new)
                made = await self._copy(old, new, old.spec.display_name, reporter, heir=True)
                # What was measured holds for the same files under another name, too.
                made = replace(made, benchmark=old.benchmark)
                await finish(asyncio.to_thread(write_manifest, Path(made.prefix), made))
            if leaving is not None:
                await leaving()
            # Begun, it is brought to its end: nobody wants both.
            await insist(asyncio.to_thread(self._replace, old, made, reporter))
            return made

    async def _copy(
        self, old: Manifest, new: str, display_name: str | None, reporter: BuildReporter, *, heir: bool = False
    ) -> Manifest:
        """Build the copy; the caller holds both locks."""
        spec = replace(old.spec, name=new, display_name=display_name)
        framework = self._equipment.planner.catalogue.get(spec.framework)
        plan = replace(old.plan, spec=spec, download_bytes=0, warnings=())

        async def planning() -> Planned:
            return Planned(plan=plan, framework=framework)

        reporter.log(f"Copying {old.prefix}; files are shared as long as nobody replaces them.")
        prefix = Path(old.prefix)
        fill = copy_of(prefix)
        return await self._equipment.construction.build(
            planning, reporter, fill=fill, succeeds=prefix if heir else None
        )

    @contextlib.asynccontextmanager
    async def _writing(self, name: str, new: str, purpose: str) -> AsyncIterator[None]:
        """Hold both locks; names that differ in case only have one."""
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._equipment.writing(name, purpose))
            if new.lower() != name.lower():
                await stack.enter_async_context(self._equipment.writing(new, purpose))
            yield

    def _check_free(self, new: str, old: Manifest) -> None:
        """Refuse a name that belongs to anybody but the environment that shall be renamed."""
        if new.lower() != old.name.lower():
            naming.check_free(self._equipment, new)
            return
        for place in naming.places(self._equipment, new):
            if place.exists() and not place.samefile(old.prefix):
                msg = f"The name {new!r} is taken by the environment {place}."
                raise NameTakenError(msg, cure="Choose another name, or remove that environment first.")
        kernelspecs.check_name_free(new, prefix=Path(old.prefix), gone=naming.places(self._equipment, new))

    def _forget(self, name: str) -> None:
        """Take away what others still know of an environment that is gone."""
        for prefix in naming.places(self._equipment, name):
            if not prefix.exists():
                kernelspecs.unregister(name, prefix=prefix)
                neighbour.forget(prefix)

    def _made(self, new: str, since: str) -> Manifest | None:
        """The copy, if it is there already."""
        try:
            manifest = self._equipment.inventory.manifest(new)
        except (NotFoundError, BrokenEnvironmentError):
            return None
        return manifest if manifest.name == new and manifest.created >= since else None

    def _replace(self, old: Manifest, made: Manifest, reporter: Reporter) -> None:
        """Let the original go, or else the copy: one of the two is left, and whole."""
        construction = self._equipment.construction
        source, target = Path(old.prefix), Path(made.prefix)
        if source.exists() and source.samefile(target):
            # Where case is of no consequence the copy has taken the original's place; only the name is as it was.
            with contextlib.suppress(OSError):
                source.rename(target)
            neighbour.forget(source)
            construction.register(made, succeeds=source)
            return
        # Once more where somebody died before it was done.
        construction.register(made, succeeds=source)
        generations = self._generations(old)
        try:
            trash = generations.trash(old.name)
        except GpuKernelsError:
            self._undo(old, made)
            raise
        kernelspecs.unregister(old.kernel_name, prefix=source)
        neighbour.forget(source)
        try:
            generations.discard(trash)
        except GpuKernelsError as error:
            reporter.log(f"Some files of {source} are deleted later: {error.message}")

    def _undo(self, old: Manifest, made: Manifest) -> None:
        """Take the copy away again."""
        target = Path(made.prefix)
        with contextlib.suppress(GpuKernelsError):
            if old.kernel_name == made.kernel_name:
                self._equipment.construction.register(old, succeeds=target)
            kernelspecs.unregister(made.kernel_name, prefix=target)
            neighbour.forget(target)
            generations = self._generations(made)
            generations.discard(generations.trash(made.name))

    def _generations(self, manifest: Manifest) -> Generations:
        """Where an environment is built."""
        places = self._equipment.generations
        parent = Path(manifest.prefix).parent
        return next((item for item in places.values() if item.envs_dir == parent), places[EnvironmentKind.CONDA])


def _check_names(new: str, display_name: str | None) -> None:
    validation.check_name(new)
    if display_name is not None:
        validation.check_display_name(display_name)
