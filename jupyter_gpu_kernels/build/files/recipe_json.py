"""What notebooks carry (:class:`~jupyter_gpu_kernels.models.KernelRecipe`), as a file."""

from __future__ import annotations

import json
from typing import Any

from ...errors import InvalidInputError
from ...models import RECIPE_KEY, KernelRecipe, to_json
from . import texts


def write(recipe: KernelRecipe) -> str:
    """The text of a file."""
    return f"{json.dumps(to_json(recipe), indent=2, ensure_ascii=False)}\n"


def read(text: str) -> Any:
    """What is in a file, or in the metadata of a notebook, to be looked at with suspicion.

    Raises:
        InvalidInputError: It is no JSON, or a notebook without a recipe.
    """
    texts.measured(text, texts.LOCKED)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = "The file begins as JSON and is none."
        raise InvalidInputError(msg, cure="Give the recipe that was exported, as it was.") from error
    metadata = data.get("metadata") if isinstance(data, dict) and "nbformat" in data else None
    if metadata is None:
        return data
    if not isinstance(metadata, dict) or RECIPE_KEY not in metadata:
        msg = "The notebook does not say how its kernel is made."
        raise InvalidInputError(msg, cure="Ask whoever made it for one that was saved with its kernel.")
    return metadata[RECIPE_KEY]
