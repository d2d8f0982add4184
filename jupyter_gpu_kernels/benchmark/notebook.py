"""The bundled CPU-versus-GPU notebook: reading it, giving it parameters and a kernel."""

from __future__ import annotations

import ast
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from ..errors import InvalidInputError

#: The notebook as it is shipped.
NOTEBOOK = Path(__file__).parent / "cpu-vs-gpu.ipynb"

#: Tags of the cell with the defaults and of the one that overrides them; papermill's, which thus can run it as well.
PARAMETERS = "parameters"
INJECTED = "injected-parameters"


def notebook() -> Any:
    """Read the bundled notebook.

    Returns:
        A fresh :class:`nbformat.NotebookNode`, which is also a ``dict``.
    """
    return nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]


def with_parameters(node: Any, parameters: Mapping[str, Any]) -> Any:
    """Add a cell that overrides parameters of the notebook.

    Args:
        node: As :func:`notebook` gives it; it is changed.
        parameters: Numbers and texts by name, e.g. ``{"RUNS": 10}``.

    Returns:
        The same node.

    Raises:
        InvalidInputError: The notebook has no such parameter, or the value is of another type than its default.
    """
    place, defaults = _parameters_of(node)
    lines = []
    for name, value in parameters.items():
        if name not in defaults:
            msg = f"The benchmark has no parameter {name!r}."
            raise InvalidInputError(msg, cure=f"Its parameters are {', '.join(defaults)}.")
        kind = type(defaults[name])
        if type(value) is not kind and not (kind is float and type(value) is int):
            msg = f"The benchmark's parameter {name} must be of type {kind.__name__}."
            raise InvalidInputError(msg, cure=f"Its default is {defaults[name]!r}.")
        lines.append(f"{name} = {value!r}")
    if lines:
        source, tags = "\n".join(lines), {"tags": [INJECTED]}
        cell = nbformat.v4.new_code_cell(source, metadata=tags)  # type: ignore[no-untyped-call]
        node.cells.insert(place + 1, cell)
    return node


def _parameters_of(node: Any) -> tuple[int, dict[str, Any]]:
    """Place and defaults of the parameters' cell."""
    place, cell = next((i, cell) for i, cell in enumerate(node.cells) if PARAMETERS in cell.metadata.get("tags", ()))
    defaults = {
        target.id: ast.literal_eval(statement.value)
        for statement in ast.parse(cell.source).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    return place, defaults


def for_kernel(node: Any, kernel_name: str, display_name: str) -> Any:
    """Make a notebook open with a kernel; it is changed and returned."""
    node.metadata["kernelspec"] = {"name": kernel_name, "display_name": display_name, "language": "python"}
    return node


def save(node: Any, path: Path) -> None:
    """Write a notebook in one step, in place of what is there."""
    # Not tempfile: its files are for their owner only, and a notebook is to be shared.
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex}.tmp")
    try:
        temporary.write_text(nbformat.writes(node), encoding="utf-8")  # type: ignore[no-untyped-call]
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
