"""The commands ``export`` and ``import``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from ..errors import InstallError, InvalidInputError, NotFoundError
from ..models import FileFormat, ImportPlan, ImportRequest
from ..serve.manager import GpuKernelsManager
from . import text
from .exits import Exit
from .following import Answer, Deed, built, confirm

_IMPORT = Deed("An import", "import", "imported", "see the plan")


async def export(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Write an environment as a text."""
    kind = FileFormat(arguments.format)
    found = await manager.sharing.export(arguments.name, kind, tuple(arguments.platform))
    warnings = "".join(f"Warning: {warning}\n" for warning in found.warnings)
    if not arguments.output:
        return Answer(model=found, text=found.text, error=warnings or None)
    try:
        await asyncio.to_thread(Path(arguments.output).write_text, found.text, encoding="utf-8")
    except OSError as error:
        msg = f"{arguments.output} cannot be written: {error.strerror}."
        raise InstallError(msg, cure="Name a file in a directory where you may write.") from error
    return Answer(model=found, text=f"{arguments.name} is written to {arguments.output}.\n", error=warnings or None)


async def import_(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Build what a file says."""
    request = await asyncio.to_thread(_request, arguments)
    if arguments.dry_run or not arguments.yes:
        planned = await manager.sharing.plan_import(request)
        if arguments.dry_run or planned.plan.refusal is not None:
            refused = planned.plan.refusal is not None
            return Answer(model=planned, text=_plan(planned), exit_code=Exit.REFUSED if refused else Exit.DONE)
        # Beside the result, which is for programs.
        confirm(arguments, f"{_plan(planned)}Build the environment {planned.spec.name!r} of this file?", _IMPORT)
    return await built(manager, arguments, manager.sharing.import_(request))


def _request(arguments: argparse.Namespace) -> ImportRequest:
    """What shall be made of which file."""
    details = {"name": arguments.name, "display_name": arguments.display_name, "verify": arguments.verify}
    file = arguments.file
    if "://" in file:
        msg = "Files are not fetched from addresses."
        raise InvalidInputError(msg, cure="Download the file, look at it, and import it then.")
    if file != "-":
        path = Path(file).expanduser()
        if not path.exists():
            msg = f"There is no file {file}."
            raise NotFoundError(msg, cure="Check its name.")
        return ImportRequest(path=str(path.absolute()), **details)
    if sys.stdin.isatty() and not arguments.yes:
        msg = "The file shall come from stdin, which is a terminal."
        raise InvalidInputError(msg, cure="Name a file, or write: import - --yes < FILE.")
    return ImportRequest(text=sys.stdin.read(), **details)


def _plan(planned: ImportPlan) -> str:
    """A plan in words."""
    exact = "exactly the packages that it names" if planned.exact else "packages that are chosen for this machine"
    return f"The file is of the format {planned.format.value}: {exact}.\n{text.plan(planned.plan)}"
