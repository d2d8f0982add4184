"""Names of new environments: whether one is free, and one that is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ..errors import ConflictError, InvalidNameError
from ..models import ErrorReport, Job, NameCheck, from_json
from .ledger import busy
from .workshop import Workshop

#: What suggested names end with, after the framework's nickname.
ENDING = "warp-speed"


def refuse_malformed(name: str) -> None:
    """Refuse what can be nobody's name.

    Raises:
        InvalidNameError: It cannot be a name.
    """
    # Imported here: the rules need a parser of requirements, which a server that only starts does not.
    from ..build.planning import validation

    validation.check_name(name)


def check(name: str, workshop: Workshop, jobs: Sequence[Job]) -> NameCheck:
    """Say whether an environment of that name could be created. Blocks on the disk, and changes nothing there.

    Args:
        name: The name.
        workshop: Knows the environments and kernels there are.
        jobs: The jobs of all processes, as a reader sees them.
    """
    try:
        refuse_malformed(name)
        workshop.check_free(name)
        for job in jobs:
            # Without an owner nobody works on it: it waits for a server, which then finds out what is there.
            if job.name.lower() == name.lower() and not job.state.final and job.owner is not None:
                raise busy(job)
    except (InvalidNameError, ConflictError) as error:
        return NameCheck(name=name, problem=from_json(ErrorReport, error.to_json()))
    return NameCheck(name=name)


def suggest(framework_id: str, workshop: Workshop, jobs: Sequence[Job]) -> NameCheck:
    """The first free name of ``tf-warp-speed``, ``tf-warp-speed-2``, …; blocks on the disk.

    Args:
        framework_id: For which framework.
        workshop: As for :func:`check`.
        jobs: Likewise.

    Raises:
        UnknownFrameworkError: The catalogue has no such framework.
    """
    framework = workshop.framework(framework_id)
    return first_free(f"{framework.nickname or framework.id}-{ENDING}", workshop, jobs)


def first_free(stem: str, workshop: Workshop, jobs: Sequence[Job]) -> NameCheck:
    """The first free name of a name, the same with ``-2``, …; blocks on the disk.

    Args:
        stem: The name.
        workshop: As for :func:`check`.
        jobs: Likewise.
    """
    candidates = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(found for found in (check(name, workshop, jobs) for name in candidates) if found.problem is None)
