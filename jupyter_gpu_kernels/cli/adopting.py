"""The commands ``adopt`` and ``release``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..models import AdoptionRequest, ForeignEnvironment, JobState
from ..serve.manager import GpuKernelsManager
from . import text
from .following import Answer, follow, outcome

if TYPE_CHECKING:
    from ..build.adoption.handover import Released


async def adopt(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Adopt an environment, or list those that there are."""
    if arguments.prefix is None:
        if arguments.name or arguments.display_name or arguments.install_ipykernel:
            msg = "It is not said which environment to adopt."
            raise InvalidInputError(msg, cure="Add the environment's directory; without options they are listed.")
        found = await manager.foreign.environments()
        return Answer(model=found, text=_table(found))
    request = AdoptionRequest(
        prefix=os.path.abspath(os.path.expanduser(arguments.prefix)),  # noqa: PTH100, PTH111, ASYNC240
        name=arguments.name,
        display_name=arguments.display_name,
        install_ipykernel=arguments.install_ipykernel,
    )
    job = await follow(manager, arguments, manager.foreign.adopt(request))
    if job.state is not JobState.SUCCEEDED:
        return outcome(manager, job, "")
    seen = text.verification(job.verification) if job.verification else ""
    way_back = f"`jupyter gpu-kernels release {job.name}` gives it back as it was.\n"
    return outcome(manager, job, f"The kernel {job.name} is adopted.\n{seen}{way_back}")


async def release(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Give an adopted kernel back as it was."""
    subject = arguments.subject
    if os.sep in subject or subject.startswith((".", "~")):
        subject = os.path.abspath(os.path.expanduser(subject))  # noqa: PTH100, PTH111, ASYNC240
    done = await manager.foreign.release(subject)
    return Answer(model=[_plain(released) for released in done], text="".join(map(_said, done)))


def _table(found: Sequence[ForeignEnvironment]) -> str:
    """What could be adopted, and what is."""
    if not found:
        return "There are no environments that were made elsewhere.\n"
    head = ("NAME", "KIND", "PYTHON", "IPYKERNEL", "KERNEL", "STATE", "PREFIX")
    rows = [
        (
            item.name,
            item.kind.value,
            item.python or "-",
            item.ipykernel or "-",
            item.kernel_name or "-",
            _state(item),
            item.prefix,
        )
        for item in found
    ]
    remarks = "".join(f"{item.prefix}: {item.obstacle}\n" for item in found if item.obstacle)
    return text.columns([head, *rows]) + remarks


def _state(item: ForeignEnvironment) -> str:
    if item.adopted:
        return "adopted"
    if item.obstacle:
        return "see below"
    return "can be adopted" if item.ipykernel else "needs --install-ipykernel"


def _said(released: Released) -> str:
    lines = []
    if released.deleted is not None:
        lines.append(f"The kernelspec {released.deleted}, which was made for the adoption, is deleted.")
    if released.found is not None:
        lines.append(f"The kernel {Path(released.found).name} is started as before ({released.found}).")
    if released.removed:
        lines.append(f"Taken out of the environment: {', '.join(released.removed)}.")
    if released.left:
        lines.append(f"Left there, since somebody has changed them: {', '.join(released.left)}.")
    return "".join(f"{line}\n" for line in lines)


def _plain(released: Released) -> dict[str, object]:
    """As JSON has it."""
    return {
        "found": str(released.found) if released.found else None,
        "deleted": str(released.deleted) if released.deleted else None,
        "removed": list(released.removed),
        "left": list(released.left),
    }
