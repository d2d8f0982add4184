"""The command ``recipe``: the kernel that a notebook carries."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError, NotFoundError, RefusedError
from ..models import RECIPE_KEY, RecipePlan
from ..serve.manager import GpuKernelsManager
from . import text
from .exits import Exit
from .following import Answer, built


async def recipe(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Say what a notebook's kernel would be here, or build it."""
    found = await manager.recipes.plan(_carried(Path(arguments.notebook)), arguments.name)
    refusal = found.plan.refusal
    if not arguments.build:
        return Answer(model=found, text=_planned(found), exit_code=Exit.REFUSED if refusal else Exit.DONE)
    if refusal is not None:
        raise RefusedError(refusal.reason, cure=refusal.cure, detail=refusal.detail)
    return await built(manager, arguments, manager.create(found.spec))


def _carried(path: Path) -> Any:
    """What a notebook carries of its kernel.

    Raises:
        NotFoundError: There is no such file, or it carries nothing.
        InvalidInputError: It is no notebook.
    """
    try:
        notebook = json.loads(path.read_bytes())
    except OSError as error:
        msg = f"The notebook {path} cannot be read: {error.strerror}."
        raise NotFoundError(msg, cure="Give the path of a notebook, such as story.ipynb.") from error
    except (ValueError, RecursionError) as error:
        msg = f"The file {path} is not a notebook."
        raise InvalidInputError(msg, cure="Give the path of a notebook, such as story.ipynb.") from error
    metadata = notebook.get("metadata") if isinstance(notebook, dict) else None
    if not isinstance(metadata, dict) or RECIPE_KEY not in metadata:
        msg = f"The notebook {path} carries no kernel."
        cure = "Open it with a GPU kernel in JupyterLab and save it there; or name what is needed with create."
        raise NotFoundError(msg, cure=cure)
    return metadata[RECIPE_KEY]


def _planned(found: RecipePlan) -> str:
    """A plan, after what will not be as it was."""
    if found.plan.refusal is not None:
        return text.plan(found.plan)
    rows = [(item.what, item.before or "-", item.after or "-") for item in found.differences]
    table = text.columns([("DIFFERENCE", "THERE", "HERE"), *rows]) if rows else "It will be as it was.\n"
    wanted = (*found.spec.packages, *found.spec.pip)
    asked = f"The notebook also wants: {', '.join(wanted)}.\n" if wanted else ""
    present = (
        f"There is a kernel here already that was made in the same way: {found.present}.\n" if found.present else ""
    )
    how = f"To build it as {found.spec.name}, add --build.\n"
    return f"{present}{table}{asked}{text.plan(found.plan)}{how}"
