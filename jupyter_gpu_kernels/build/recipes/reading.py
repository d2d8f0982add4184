"""From what a notebook carries to a recipe. Anybody can write into a notebook: nothing of it is taken on trust."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...errors import InvalidInputError, TooLargeError
from ...models import EnvironmentSpec, Installer, KernelRecipe, Original, Variant, from_json
from ..planning import validation
from .taking import portable

#: Bytes of a recipe as JSON; one with a hundred packages has a tenth of that.
MAX_BYTES = 64 * 1024

#: The last shape that is understood here.
SCHEMA_VERSION = 1

_PLATFORM = re.compile(r"[a-z]{2,16}-[a-z0-9_]{1,16}")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+!_-]{0,39}")
_DIGEST = re.compile(r"[0-9a-f]{64}|")

_CURE = "Create a kernel yourself, or ask whoever made the notebook for one that was saved with its kernel."


def read_recipe(data: Any, check: Callable[[EnvironmentSpec], None]) -> KernelRecipe:
    """Read what a notebook carries.

    What only meant the original's machine is left out here once more, whoever wrote it.

    Args:
        data: Decoded JSON.
        check: Refuses a spec that is malformed or not in the catalogue, as it is done for any request.

    Raises:
        InvalidInputError: It is no recipe, or asks for what nobody may ask for; the sentence says what.
        TooLargeError: It is longer than any recipe.
    """
    _check_size(data)
    version = data.get("schema_version", SCHEMA_VERSION) if isinstance(data, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        msg = "A newer version of jupyter-gpu-kernels wrote into this notebook how its kernel is made."
        raise InvalidInputError(msg, cure="Update jupyter-gpu-kernels here, or create a kernel yourself.")
    try:
        recipe = from_json(KernelRecipe, data, strict=True)
    except InvalidInputError as error:
        msg = f"What this notebook says of its kernel cannot be read. {error.message}"
        raise InvalidInputError(msg, cure=_CURE) from error
    try:
        validation.check_name(recipe.name)
        validation.check_display_name(recipe.display_name)
        spec = replace(recipe.spec, name=recipe.name)
        check(spec)
        _check_original(recipe.original)
    except InvalidInputError as error:
        msg = f"What this notebook asks for cannot be built here: {_begun(error.message)}"
        raise type(error)(msg, cure=_CURE, detail=error.detail) from error
    return replace(recipe, spec=portable(spec))


def _check_size(data: Any) -> None:
    """Refuse what is too long, or nested too deep, to be a recipe."""
    try:
        size = len(json.dumps(data))
    except (RecursionError, TypeError, ValueError):
        size = MAX_BYTES + 1
    if size > MAX_BYTES:
        msg = "What this notebook says of its kernel is longer than any recipe."
        raise TooLargeError(msg, cure=_CURE)


def _check_original(original: Original) -> None:
    """Refuse an original that cannot have been: what it says is shown, and its versions are asked for."""
    versions = (original.python, original.framework_version, original.cuda)
    good = (
        _PLATFORM.fullmatch(original.platform)
        and original.installer is not Installer.AUTO
        and original.variant is not Variant.AUTO
        and all(_VERSION.fullmatch(version) for version in versions if version is not None)
        and _DIGEST.fullmatch(original.digest)
    )
    if not good:
        msg = "it tells of an environment that cannot have been."
        raise InvalidInputError(msg, cure=_CURE)


def _begun(sentence: str) -> str:
    """A sentence as the second half of another; names and quoted texts stay as they are."""
    first, _, rest = sentence.partition(" ")
    return f"{first.lower()} {rest}" if first in ("The", "There", "Channels", "An", "A") else sentence
