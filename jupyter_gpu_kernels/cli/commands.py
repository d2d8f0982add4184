"""The commands: each asks the manager and answers with a model and with the same in words."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Awaitable, Callable

from ..errors import BrokenEnvironmentError, GpuKernelsError
from ..models import EnvironmentChange, ErrorReport, from_json
from ..serve.manager import GpuKernelsManager
from . import text
from .adopting import adopt, release
from .arguments import memory_of, placement_of, spec_of
from .channels import channels
from .copying import clone, rename
from .diagnosing import diagnose
from .exits import Exit, of_code
from .following import Answer, built, confirm, follow, outcome
from .gpus import gpus
from .packages import install, packages, uninstall, update
from .packing import pack
from .recipes import recipe
from .searching import search
from .sharing import export, import_


async def create(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Build, verify and register a kernel."""
    spec = spec_of(arguments)
    return await built(manager, arguments, manager.create(spec))


async def rebuild(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Build an environment anew."""
    return await built(manager, arguments, manager.rebuild(arguments.name))


async def plan(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Say what ``create`` would do."""
    found = await manager.plan(spec_of(arguments))
    return Answer(model=found, text=text.plan(found), exit_code=Exit.REFUSED if found.refusal else Exit.DONE)


async def list_environments(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """List the kernels."""
    found = await manager.environments()
    return Answer(model=found, text=text.environments(found))


async def show(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Show what is known of a kernel."""
    found = await manager.get(arguments.name)
    return Answer(model=found, text=text.manifest(found))


async def verify(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Look again what a kernel sees."""
    job = await follow(manager, arguments, manager.verify(arguments.name))
    return outcome(manager, job, text.verification(job.verification) if job.verification else "")


async def benchmark(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Run the benchmark in a kernel."""
    job = await follow(manager, arguments, manager.benchmark(arguments.name))
    return outcome(manager, job, text.benchmark(job.benchmark) if job.benchmark else "")


async def memory(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Change how a kernel takes the GPU's memory."""
    found = await manager.change(arguments.name, memory_of(arguments))
    preset = text.memory(found.memory, found.memory_fraction)
    return Answer(model=found, text=f"{found.name} has the memory preset {preset} when it is next started.\n")


async def placement(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Change which GPUs a kernel is given."""
    found = await manager.change(arguments.name, EnvironmentChange(placement=placement_of(arguments)))
    return Answer(model=found, text=f"{found.name}, when it is next started: {text.placement(found.placement)}.\n")


async def remove(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Remove a kernel, or all of them."""
    if not arguments.all:
        with contextlib.suppress(BrokenEnvironmentError):  # Which may be removed, too.
            await manager.get(arguments.name)
        return await _remove(manager, arguments, arguments.name)
    names = [environment.name for environment in await manager.environments()]
    if names:
        confirm(arguments, f"Remove these environments and their kernels: {', '.join(names)}?")
    sure = argparse.Namespace(**{**vars(arguments), "yes": True})
    answers = [await _tried(_remove(manager, sure, name)) for name in names]
    return Answer(
        model=[answer.model for answer in answers],
        text="".join(answer.text for answer in answers) or "There are no environments.\n",
        error="".join(answer.error for answer in answers if answer.error) or None,
        exit_code=max((answer.exit_code for answer in answers), default=Exit.DONE),
    )


async def frameworks(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """List the catalogue."""
    found = await manager.frameworks()
    return Answer(model=found, text=text.frameworks(found))


async def jobs(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """List the jobs of all processes."""
    found = await manager.jobs()
    return Answer(model=found, text=text.jobs(found))


COMMANDS: dict[str, Callable[[GpuKernelsManager, argparse.Namespace], Awaitable[Answer]]] = {
    "create": create,
    "plan": plan,
    "recipe": recipe,
    "list": list_environments,
    "show": show,
    "verify": verify,
    "rebuild": rebuild,
    "benchmark": benchmark,
    "packages": packages,
    "install": install,
    "uninstall": uninstall,
    "update": update,
    "pack": pack,
    "export": export,
    "import": import_,
    "clone": clone,
    "rename": rename,
    "adopt": adopt,
    "release": release,
    "memory": memory,
    "placement": placement,
    "remove": remove,
    "frameworks": frameworks,
    "channels": channels,
    "search": search,
    "gpus": gpus,
    "diagnose": diagnose,
    "jobs": jobs,
}


async def _remove(manager: GpuKernelsManager, arguments: argparse.Namespace, name: str) -> Answer:
    confirm(arguments, f"Remove the environment {name!r} and its kernel?")
    job = await follow(manager, arguments, manager.remove(name, stop_kernels=arguments.force))
    return outcome(manager, job, f"{name} is removed.\n")


async def _tried(removal: Awaitable[Answer]) -> Answer:
    """Remove one of several: what stands in its way does not protect the others."""
    try:
        return await removal
    except GpuKernelsError as refusal:
        report = from_json(ErrorReport, refusal.to_json())
        return Answer(model=report, error=text.error(report), exit_code=of_code(report.code))
