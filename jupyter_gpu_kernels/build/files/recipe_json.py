"""What notebooks carry (:class:`~jupyter_gpu_kernels.models.KernelRecipe`), as a file."""

from __future__ import annotations

import json
from typing import Any

from ...errors import InvalidInputError
from ...models import KernelRecipe, to_json
from . import texts


def write(recipe: KernelRecipe) -> str:
    """The text of a file."""
    return f"{json.dumps(to_json(recipe), indent=2, ensure_ascii=False)}\n"


def read(text: str) -> Any:
    """What is in a file, to be looked at with suspicion.

    Raises:
        InvalidInputError: It is no JSON.
    """
    texts.measured(text, texts.HANDWRITTEN)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = "The file begins as JSON and is none."
        raise InvalidInputError(msg, cure="Give the recipe that was exported, as it was.") from error
