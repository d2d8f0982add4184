"""What commands share: asking before something is lost, following a job, and what to say in the end."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInputError, JobCancelledError
from ..models import Job, JobState
from ..serve.manager import GpuKernelsManager
from . import text
from .exits import Exit, of_job
from .interruption import Interruption
from .progress import watch


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command found.

    Attributes:
        model: For ``--json``; ``None`` if all was written already.
        text: For people, on stdout.
        error: For people, on stderr.
        exit_code: How the program ends.
    """

    model: Any
    text: str = ""
    error: str | None = None
    exit_code: int = Exit.DONE


@dataclass(frozen=True)
class Deed:
    """What has to be confirmed, in words.

    Attributes:
        noun: With its article: ``"A removal"``.
        verb: ``"remove"``.
        past: ``"removed"``.
        rehearsal: What ``--dry-run`` is good for, if the command has it: ``"see the plan"``.
    """

    noun: str
    verb: str
    past: str
    rehearsal: str = ""


REMOVAL = Deed("A removal", "remove", "removed")


def confirm(arguments: argparse.Namespace, question: str, deed: Deed = REMOVAL) -> None:
    """Ask whether to go on.

    Raises:
        InvalidInputError: There is nobody to ask.
        JobCancelledError: The answer was no.
    """
    if arguments.yes:
        return
    if not somebody_there():
        msg = f"{deed.noun} has to be confirmed, and nobody can be asked: this is not a terminal."
        rehearsal = f", or --dry-run to {deed.rehearsal}" if deed.rehearsal else ""
        raise InvalidInputError(msg, cure=f"Add --yes to {deed.verb} it without being asked{rehearsal}.")
    if not agreed(question):
        msg = f"Nothing was {deed.past}."
        raise JobCancelledError(msg, cure=f"Answer y, or add --yes, to {deed.verb} it.")


def somebody_there() -> bool:
    """Whether there is somebody who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str) -> bool:
    """Ask a question, and answer whether it was answered with yes."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


async def follow(manager: GpuKernelsManager, arguments: argparse.Namespace, asked: Awaitable[Job]) -> Job:
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


async def built(manager: GpuKernelsManager, arguments: argparse.Namespace, asked: Awaitable[Job]) -> Answer:
    """Follow the job that makes an environment, and say what its kernel does."""
    job = await follow(manager, arguments, asked)
    if job.state is not JobState.SUCCEEDED:
        return outcome(manager, job, "")
    manifest = await manager.get(job.name)
    return outcome(manager, job, f"{manifest.display_name} is ready.\n{verified(job)}")


def verified(job: Job) -> str:
    """What a job's verification came to."""
    return text.verification(job.verification) if job.verification else "It was not verified.\n"


def outcome(manager: GpuKernelsManager, job: Job, good: str) -> Answer:
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
