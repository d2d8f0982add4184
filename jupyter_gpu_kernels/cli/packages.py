"""The commands ``packages``, ``install``, ``uninstall`` and ``update``."""

from __future__ import annotations

import argparse

from ..errors import InvalidInputError, JobCancelledError
from ..models import EditPlan, InstalledPackage, JobState, PackageDifference, PackageEdit, PackageOrigin, Stage
from ..serve.manager import GpuKernelsManager
from . import text
from .exits import Exit
from .following import Answer, agreed, follow, outcome, somebody_there

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
        return Answer(model=preview, text=f"{refusal.reason}\n{refusal.cure}\n", exit_code=Exit.REFUSED)
    if arguments.dry_run:
        return Answer(model=preview, text=_preview(preview))
    if preview.differences:
        _confirm(arguments, _preview(preview))
    job = await follow(manager, arguments, manager.packages.edit(arguments.name, edit))
    if job.state is not JobState.SUCCEEDED:
        return outcome(manager, job, "")
    if not preview.differences:
        return outcome(manager, job, _preview(preview))
    found = text.verification(job.verification) if job.verification else "It was not verified.\n"
    return outcome(
        manager, job, f"{arguments.name} is changed. Kernels that run start with it when restarted.\n{found}"
    )


def _confirm(arguments: argparse.Namespace, preview: str) -> None:
    """Show what would change, and ask whether to go on.

    Raises:
        InvalidInputError: There is nobody to ask.
        JobCancelledError: The answer was no.
    """
    if arguments.yes:
        return
    if not somebody_there():
        msg = "A change has to be confirmed, and nobody can be asked: this is not a terminal."
        raise InvalidInputError(
            msg, cure="Add --yes to change it without being asked, or --dry-run to see what changes."
        )
    if not agreed(f"{preview}\nChange the environment {arguments.name!r} so?"):
        msg = "Nothing was changed."
        raise JobCancelledError(msg, cure="Answer y, or add --yes, to change it.")


def _table(found: tuple[InstalledPackage, ...]) -> str:
    rows = [("Name", "Version", "Build", "Source", "Why", "Size")]
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
        return f"Nothing would change.\n{text.notes(plan)}"
    download = sum(item.size for item in preview.differences)
    size = f"{text.size(download)} to download" if download else "nothing to download"
    rows = [("", "Package", "Before", "After", "Download"), *map(_row, preview.differences)]
    return f"{text.columns(rows)}{size}\n{text.notes(plan)}"


def _row(item: PackageDifference) -> tuple[str, str, str, str, str]:
    sign = "+" if item.before is None else "-" if item.after is None else ""
    name = f"{item.name} (wheel)" if item.stage is Stage.WHEELS else item.name
    return sign, name, item.before or "", item.after or "", text.size(item.size) if item.size else ""
