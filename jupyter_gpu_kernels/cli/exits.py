"""Exit codes, so that a script can tell what happened without reading sentences."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from ..errors import (
    ConflictError,
    GpuKernelsError,
    InvalidInputError,
    JobCancelledError,
    NotFoundError,
    RefusedError,
)
from ..models import Job, JobState


class Exit(enum.IntEnum):
    """The exit codes; 130 is what shells give a program that Ctrl-C has ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    CONFLICT = 5
    CANCELLED = 130


def of_code(code: str) -> Exit:
    """The exit code of an error's stable code."""
    kinds = {
        InvalidInputError: Exit.USAGE,
        RefusedError: Exit.REFUSED,
        NotFoundError: Exit.NOT_FOUND,
        ConflictError: Exit.CONFLICT,
        JobCancelledError: Exit.CANCELLED,
    }
    codes = {kind.code: exit_code for base, exit_code in kinds.items() for kind in _family(base)}
    return codes.get(code, Exit.FAILED)


def of_job(job: Job) -> Exit:
    """The exit code of a finished job."""
    if job.state is JobState.SUCCEEDED:
        return Exit.DONE
    if job.state is JobState.CANCELLED:
        return Exit.CANCELLED
    return of_code(job.error.code) if job.error else Exit.FAILED


def _family(kind: type[GpuKernelsError]) -> Iterator[type[GpuKernelsError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)
