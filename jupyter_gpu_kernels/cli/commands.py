"""The commands: each asks the manager and answers with a model and with the same in words."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..errors import BrokenEnvironmentError, GpuKernelsError, InvalidInputError, JobCancelledError
from ..models import EnvironmentChange, ErrorReport, Job, JobState, MemoryPreset, from_json
from ..serve.manager import GpuKernelsManager
from . import text
from .arguments import spec_of
from .exits import Exit, of_code, of_job
from .interruption import Interruption
from .progress import watch


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command found.

    Attributes:
        model: For ``--json``.
        text: For people, on stdout.
        error: For people, on stderr.
        exit_code: How the program ends.
    """

    model: Any
    text: str = ""
    error: str | None = None
    exit_code: int = Exit.DONE


async def create(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Build, verify and register a kernel."""
    spec = spec_of(arguments)
    return await _build(manager, arguments, manager.create(spec))


async def rebuild(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Build an environment anew."""
    return await _build(manager, arguments, manager.rebuild(arguments.name))


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
    job = await _follow(manager, arguments, manager.verify(arguments.name))
    return _answer(manager, job, text.verification(job.verification) if job.verification else "")


async def benchmark(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Run the benchmark in a kernel."""
    job = await _follow(manager, arguments, manager.benchmark(arguments.name))
    return _answer(manager, job, text.benchmark(job.benchmark) if job.benchmark else "")


async def rename(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Change what the Launcher shows for a kernel."""
    found = await manager.change(arguments.name, EnvironmentChange(display_name=arguments.display_name))
    return Answer(model=found, text=f"{found.name} is now shown as {found.display_name}.\n")


async def memory(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Change how a kernel takes the GPU's memory."""
    found = await manager.change(arguments.name, EnvironmentChange(memory=MemoryPreset(arguments.memory)))
    preset = found.memory.value
    return Answer(model=found, text=f"{found.name} has the memory preset {preset} when it is next started.\n")


async def remove(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Remove a kernel, or all of them."""
    if not arguments.all:
        with contextlib.suppress(BrokenEnvironmentError):  # Which may be removed, too.
            await manager.get(arguments.name)
        return await _remove(manager, arguments, arguments.name)
    names = [environment.name for environment in await manager.environments()]
    if names:
        _confirm(arguments, f"Remove these environments and their kernels: {', '.join(names)}?")
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


async def gpus(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Describe this machine."""
    found = await manager.hardware()
    return Answer(model=found, text=text.hardware(found))


async def jobs(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """List the jobs of all processes."""
    found = await manager.jobs()
    return Answer(model=found, text=text.jobs(found))


COMMANDS: dict[str, Callable[[GpuKernelsManager, argparse.Namespace], Awaitable[Answer]]] = {
    "create": create,
    "plan": plan,
    "list": list_environments,
    "show": show,
    "verify": verify,
    "rebuild": rebuild,
    "benchmark": benchmark,
    "rename": rename,
    "memory": memory,
    "remove": remove,
    "frameworks": frameworks,
    "gpus": gpus,
    "jobs": jobs,
}


async def _build(manager: GpuKernelsManager, arguments: argparse.Namespace, asked: Awaitable[Job]) -> Answer:
    """Follow a build to its end."""
    job = await _follow(manager, arguments, asked)
    if job.state is not JobState.SUCCEEDED:
        return _answer(manager, job, "")
    manifest = await manager.get(job.name)
    found = text.verification(job.verification) if job.verification else "It was not verified.\n"
    return _answer(manager, job, f"{manifest.display_name} is ready.\n{found}")


async def _remove(manager: GpuKernelsManager, arguments: argparse.Namespace, name: str) -> Answer:
    _confirm(arguments, f"Remove the environment {name!r} and its kernel?")
    job = await _follow(manager, arguments, manager.remove(name, stop_kernels=arguments.force))
    return _answer(manager, job, f"{name} is removed.\n")


async def _tried(removal: Awaitable[Answer]) -> Answer:
    """Remove one of several: what stands in its way does not protect the others."""
    try:
        return await removal
    except GpuKernelsError as refusal:
        report = from_json(ErrorReport, refusal.to_json())
        return Answer(model=report, error=text.error(report), exit_code=of_code(report.code))


def _confirm(arguments: argparse.Namespace, question: str) -> None:
    """Ask whether to go on.

    Raises:
        InvalidInputError: There is nobody to ask.
        JobCancelledError: The answer was no.
    """
    if arguments.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        msg = "A removal has to be confirmed, and nobody can be asked: this is not a terminal."
        raise InvalidInputError(msg, cure="Add --yes to remove without being asked.")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        msg = "Nothing was removed."
        raise JobCancelledError(msg, cure="Answer y, or add --yes, to remove it.")


async def _follow(manager: GpuKernelsManager, arguments: argparse.Namespace, asked: Awaitable[Job]) -> Job:
    """Begin a job, show it, and wait for its end; cancel it when interrupted."""
    watcher = watch(sys.stderr, quiet=arguments.json)
    manager.listeners.append(watcher)
    try:
        # From before there is a job, so that none is left behind by an early Ctrl-C.
        with Interruption() as interruption:
            job = await asked
            finished = asyncio.ensure_future(manager.runner.wait(job.id))
            interrupted = asyncio.ensure_future(interruption.event.wait())
            await asyncio.wait({finished, interrupted}, return_when=asyncio.FIRST_COMPLETED)
            if not finished.done():
                sys.stderr.write("Cancelling; what was half-made is being removed ...\n")
                await manager.cancel(job.id)
            interrupted.cancel()
            return await finished
    finally:
        manager.listeners.remove(watcher)
        watcher.close()


def _answer(manager: GpuKernelsManager, job: Job, good: str) -> Answer:
    """What to say of a finished job."""
    if job.state is JobState.SUCCEEDED:
        return Answer(model=job, text=good)
    if job.state is JobState.CANCELLED or job.error is None:
        return Answer(model=job, error="Cancelled.\n", exit_code=of_job(job))
    log = manager.runner.ledger.records.log_path(job.id)
    return Answer(
        model=job,
        error=f"{text.error(job.error)}{text.details(job.error)}The whole log: {log}\n",
        exit_code=of_job(job),
    )
