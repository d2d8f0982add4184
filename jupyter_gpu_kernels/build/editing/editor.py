"""Packages of environments: listed, and changed by building anew beside what is there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from ...errors import RefusedError
from ...models import (
    EditPlan,
    EnvironmentSpec,
    Framework,
    InstalledPackage,
    Manifest,
    PackageDifference,
    PackageEdit,
    Refusal,
    Variant,
)
from ...prefix.manifest import write_manifest
from ..contents.installed import Contents, contents, installed, listed
from ..equipment import Equipment
from ..planning.planner import Planned
from ..planning.preference import named
from ..reporting import BuildReporter
from ..tools.insistence import finish
from .differences import differences, sentence
from .wishes import Change, change, check, why_there


class _NothingToDoError(Exception):
    """What is there is what would be built."""


class Editor:
    """Changes which packages environments have.

    Args:
        equipment: What it is done with.
    """

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment

    def packages(self, name: str) -> tuple[InstalledPackage, ...]:
        """What is in an environment now. Blocks on the disk.

        Raises:
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
        """
        manifest = self._equipment.inventory.manifest(name)
        return installed(manifest, self._framework(manifest))

    def check(self, name: str, edit: PackageEdit) -> None:
        """Refuse what can be refused without asking the network. Blocks on the disk.

        Raises:
            InvalidInputError: The edit is malformed.
            RefusedError: Something shall be removed that has to stay, or is not there.
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
        """
        self._read(name, edit)

    async def plan(self, name: str, edit: PackageEdit) -> EditPlan:
        """Answer what an edit would do; nothing is downloaded but metadata, and a refusal is part of the plan.

        Raises:
            InvalidInputError: The edit is malformed.
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
            SolveError: No set of packages satisfies it.
            ChannelError: A channel or index does not answer as it should.
        """
        manifest = await asyncio.to_thread(self._equipment.inventory.manifest, name)
        try:
            manifest, found, wished = await asyncio.to_thread(self._read, name, edit)
        except RefusedError as error:
            refusal = Refusal(reason=error.message, cure=error.cure, detail=error.detail)
            empty = replace(manifest.plan, packages=(), download_bytes=0, disk_bytes=0, warnings=(), refusal=refusal)
            return EditPlan(plan=empty)
        planned, differing = await self._planned(manifest, found, wished)
        if planned.plan.refusal is not None:
            return EditPlan(plan=planned.plan)
        remarks = await asyncio.to_thread(_remarks, edit, wished, found, differing)
        plan = replace(planned.plan, spec=wished.spec, warnings=(*planned.plan.warnings, *remarks))
        return EditPlan(plan=plan, differences=differing)

    async def edit(self, name: str, edit: PackageEdit, *, reporter: BuildReporter) -> tuple[Manifest, bool]:
        """Build an environment with other packages, verify it and put it in the place of the old one.

        Where nothing would differ, nothing is built: only what was asked for is put on record.

        Returns:
            Its manifest, and whether anything was built.

        Raises:
            GpuKernelsError: Any of the tree; then the old environment is untouched.
            asyncio.CancelledError: Cancelled; likewise.
        """
        async with self._equipment.writing(name, "edit"):
            manifest, found, wished = await asyncio.to_thread(self._read, name, edit)

            async def planning() -> Planned:
                planned, differing = await self._planned(manifest, found, wished)
                if planned.plan.refusal is not None:
                    return planned
                remarks = await asyncio.to_thread(_remarks, edit, wished, found, differing)
                for line in (*map(sentence, differing), *remarks):
                    reporter.log(line)
                if not differing:
                    raise _NothingToDoError
                return planned

            try:
                # What was asked for, but for what only makes the new build like the old one.
                replaced = replace(manifest, spec=wished.spec)
                return await self._equipment.construction.build(planning, reporter, replaces=replaced), True
            except _NothingToDoError:
                reporter.log("The environment is as it was asked to be: nothing was built.")
                kept = replace(manifest, spec=wished.spec, plan=replace(manifest.plan, spec=wished.spec))
                await finish(asyncio.to_thread(write_manifest, Path(manifest.prefix), kept))
                return kept, False

    def _framework(self, manifest: Manifest) -> Framework:
        return self._equipment.planner.catalogue.get(manifest.spec.framework)

    def _read(self, name: str, edit: PackageEdit) -> tuple[Manifest, Contents, Change]:
        manifest = self._equipment.inventory.manifest(name)
        check(edit, manifest)
        found = contents(manifest)
        return manifest, found, change(manifest, found, self._framework(manifest), edit)

    async def _planned(
        self, manifest: Manifest, found: Contents, wished: Change
    ) -> tuple[Planned, tuple[PackageDifference, ...]]:
        """Solve anew; what is lost whatever is done is no difference by itself."""
        wanted = as_built(wished.spec, manifest, await asyncio.to_thread(self._has_driver))
        planned = await self._equipment.planner.plan(wanted, wished.preference)
        if planned.plan.refusal is not None:
            return planned, ()
        planned = replace(planned, plan=replace(planned.plan, variant_reason=manifest.plan.variant_reason))
        before = await asyncio.to_thread(listed, found, manifest)
        differing = differences(before, planned)
        if all(item.after is None and item.name in wished.lost for item in differing):
            return planned, ()
        return planned, differing

    def _has_driver(self) -> bool:
        return self._equipment.hardware().cuda is not None


def as_built(spec: EnvironmentSpec, manifest: Manifest, has_driver: bool) -> EnvironmentSpec:
    """A spec that leaves open no more than the edit does: an environment for GPUs stays one, wherever it is edited."""
    plan = manifest.plan
    spec = replace(spec, installer=plan.installer)
    if not spec.recipe:
        return spec
    spec = replace(spec, variant=plan.variant)
    if plan.variant is Variant.GPU and spec.target_cuda is None and not has_driver:
        spec = replace(spec, target_cuda=plan.target_cuda)
    return spec


def _remarks(
    edit: PackageEdit, wished: Change, found: Contents, differing: tuple[PackageDifference, ...]
) -> tuple[str, ...]:
    """What an edit does not do, though somebody might expect it. Blocks on the disk."""
    moved = {canonicalize_name(item.name) for item in differing}
    remarks = []
    for name in sorted(named(edit.uninstall) - moved):
        needed = why_there(name, found)
        remarks.append(f"{name} stays{f': {needed}' if needed else ''}.")
    wishes = {next(iter(named((text,)))): text for text in (*wished.spec.packages, *wished.spec.pip)}
    for name in sorted(named(edit.update) - moved):
        wish = wishes.get(name, name)
        asked = f", which is asked for as {wish}" if wish.lower() != name else ""
        remarks.append(f"There is no newer {name}{asked} that fits with the rest.")
    return tuple(remarks)
