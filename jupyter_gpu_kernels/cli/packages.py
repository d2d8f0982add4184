"""The commands ``packages``, ``install``, ``uninstall`` and ``update``."""

from __future__ import annotations

import argparse

from ..errors import InvalidInputError
from ..models import EditPlan, InstalledPackage, JobState, PackageDifference, PackageEdit, PackageOrigin, Stage
from ..serve.manager import GpuKernelsManager
from . import text
from .exits import Exit
from .following import Answer, Deed, confirm, follow, outcome, verified

_CHANGE = Deed("A change", "change", "changed", "see what changes")

#: Why a package is there, for people.
_WHY = {
    PackageOrigin.ASKED: "asked for",
    PackageOrigin.FRAMEWORK: "framework",
    PackageOrigin.COMPANION: "companion",
    PackageOrigin.OUTSIDE: "added from outside",
    PackageOrigin.DEPENDENCY: "",
}


async def packages(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """List what is in an environment."""
    found = await manager.packages.list(arguments.name)
    return Answer(model=found, text=_table(found))


async def install(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Add packages, or have others versions of them."""
    if not arguments.install and not arguments.pip:
        msg = "No package is named."
        raise InvalidInputError(msg, cure="Name one after the environment, or with --pip.")
    return await _edit(manager, arguments, PackageEdit(install=tuple(arguments.install), pip=tuple(arguments.pip)))


async def uninstall(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Remove packages."""
    return await _edit(manager, arguments, PackageEdit(uninstall=tuple(arguments.uninstall)))


async def update(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Bring packages to their newest versions."""
    if bool(arguments.update) == arguments.update_all:
        msg = "Either packages are named, or all of them are meant."
        raise InvalidInputError(msg, cure="Name packages after the environment, or add --all.")
    edit = PackageEdit(update=tuple(arguments.update), update_all=arguments.update_all)
    return await _edit(manager, arguments, edit)


async def _edit(manager: GpuKernelsManager, arguments: argparse.Namespace, edit: PackageEdit) -> Answer:
    """Show what would change, ask, and change it."""
    preview = await manager.packages.plan(arguments.name, edit)
    if preview.plan.refusal is not None:
        refusal = preview.plan.refusal
        return Answer(
            model=preview, text=f"It cannot be changed: {refusal.reason}\n{refusal.cure}\n", exit_code=Exit.REFUSED
        )
    if arguments.dry_run:
        return Answer(model=preview, text=_preview(preview))
    if preview.differences:
        confirm(arguments, f"{_preview(preview)}\nChange the environment {arguments.name!r} so?", _CHANGE)
    job = await follow(manager, arguments, manager.packages.edit(arguments.name, edit))
    if job.state is not JobState.SUCCEEDED:
        return outcome(manager, job, "")
    if not preview.differences:
        return outcome(manager, job, f"Nothing had to change in {arguments.name}.\n{text.notes(preview.plan)}")
    said = f"{arguments.name} is changed. Kernels that run start with it when restarted.\n{verified(job)}"
    return outcome(manager, job, said)


def _table(found: tuple[InstalledPackage, ...]) -> str:
    rows = [("NAME", "VERSION", "BUILD", "SOURCE", "WHY", "SIZE")]
    rows += [
        (
            item.name,
            item.version,
            item.build,
            item.source,
            _WHY[item.origin],
            text.size(item.size) if item.size else "",
        )
        for item in found
    ]
    return text.columns(rows)


def _preview(preview: EditPlan) -> str:
    plan = preview.plan
    if not preview.differences:
        return f"Nothing would change in {plan.spec.name}.\n{text.notes(plan)}"
    download = sum(item.size for item in preview.differences)
    size = f"{text.size(download)} to download" if download else "nothing to download"
    rows = [("", "PACKAGE", "BEFORE", "AFTER", "DOWNLOAD"), *map(_row, preview.differences)]
    return f"{text.columns(rows)}{size}\n{text.notes(plan)}"


def _row(item: PackageDifference) -> tuple[str, str, str, str, str]:
    sign = "+" if item.before is None else "-" if item.after is None else ""
    name = f"{item.name} (wheel)" if item.stage is Stage.WHEELS else item.name
    return sign, name, item.before or "", item.after or "", text.size(item.size) if item.size else ""
