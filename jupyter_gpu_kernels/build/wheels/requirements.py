"""Requirements as people write them (PEP 508): checked before uv sees them."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ...errors import InvalidInputError


def checked(requirements: Sequence[str]) -> tuple[str, ...]:
    """Normalise requirements, one for each line of a file: nothing in them can be an option, a path or another file.

    Raises:
        InvalidInputError: One is malformed, or names a URL.
    """
    return tuple(dict.fromkeys(str(_parsed(text)) for text in requirements))


def names(requirements: Sequence[str]) -> set[str]:
    """The normalised names of packages that are asked for."""
    return {canonicalize_name(_parsed(text).name) for text in requirements}


def _parsed(text: str) -> Requirement:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        msg = f"{text[:100]!r} is no requirement of a Python package."
        raise InvalidInputError(msg, cure="Write it like numpy, numpy>=2 or jax[cuda12].", detail=str(error)) from error
    if requirement.url is not None:
        msg = f"{requirement.name} is asked for by a URL, which is not supported."
        raise InvalidInputError(msg, cure="Name a version that the package index has.")
    return requirement
