"""The OpenAPI document, made of the models and of what each handler says of its verbs; nothing is written twice."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .._version import __version__
from ..models import ErrorReport

Method = TypeVar("Method", bound=Callable[..., Any])

#: The verbs that a handler may implement.
VERBS = ("get", "post", "put", "patch", "delete")

#: What JSON Schema calls types of query arguments.
_TYPES = {bool: "boolean", str: "string", int: "integer"}

#: Where the operation of a method is kept.
_ATTRIBUTE = "gpu_kernels_operation"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a verb of a handler takes and gives.

    Attributes:
        summary: One sentence.
        answer: Type of the JSON in the answer; ``str`` for text, ``None`` for an answer that is empty.
        media: Media type of an answer that is text.
        body: Type of the JSON in the request, if it takes some.
        body_required: Whether it must be there.
        status: Status of the answer.
        query: Arguments of the query: name, type, and what it means.
    """

    summary: str
    answer: Any
    media: str = "text/plain"
    body: Any = None
    body_required: bool = True
    status: int = 200
    query: tuple[tuple[str, type, str], ...] = ()


def operation(summary: str, **fields: Any) -> Callable[[Method], Method]:
    """Say what a verb does, next to it; takes the fields of :class:`Operation`."""

    def mark(method: Method) -> Method:
        setattr(method, _ATTRIBUTE, Operation(summary=summary, **fields))
        return method

    return mark


def operations(handler: type) -> Iterator[tuple[str, Operation]]:
    """The verbs that a handler describes."""
    for verb in VERBS:
        found = getattr(getattr(handler, verb, None), _ATTRIBUTE, None)
        if found is not None:
            yield verb, found


def document(routes: Sequence[tuple[str, type]], server_url: str) -> dict[str, Any]:
    """Make the document.

    Args:
        routes: Path templates (``/environments/{name}``) and their handlers.
        server_url: What the paths are relative to.
    """
    # Imported here: only whoever asks for the document needs it.
    import msgspec

    described = [(path, verb, what) for path, handler in routes for verb, what in operations(handler)]
    models = [ErrorReport, *(kind for _, _, what in described for kind in (what.answer, what.body) if kind is not None)]
    schemas, components = msgspec.json.schema_components(models, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(map(repr, models), schemas, strict=True))
    for component in components.values():
        if "description" in component:
            component["description"] = inspect.cleandoc(component["description"])
    paths: dict[str, dict[str, Any]] = {}
    for path, verb, what in described:
        paths.setdefault(path, {})[verb] = _described(path, verb, what, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter-gpu-kernels",
            "version": __version__,
            "description": "Kernels that provably run on the GPU: frameworks, environments, plans and jobs.",
        },
        "servers": [{"url": server_url}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token …`, as for the rest of the Jupyter server.",
                }
            },
        },
    }


def _described(path: str, verb: str, what: Operation, schema_of: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "description": meaning, "schema": {"type": _TYPES[kind]}}
        for name, kind, meaning in what.query
    ]
    kind = what.media if what.answer is str else "application/json"
    good: dict[str, Any] = {"description": "As asked."}
    if what.answer is not None:
        good["content"] = {kind: {"schema": schema_of[repr(what.answer)]}}
    if what.status == 202:
        good["description"] = "The job has begun, or waits for others."
        good["headers"] = {"Location": {"description": "Address of the job.", "schema": {"type": "string"}}}
    error = {"content": {"application/json": {"schema": schema_of[repr(ErrorReport)]}}}
    entry: dict[str, Any] = {
        "operationId": "_".join([verb, *re.findall(r"\w+", path)]),
        "summary": what.summary,
        "parameters": parameters,
        "responses": {
            str(what.status): good,
            "4XX": {"description": "The caller's fault, or the state of things.", **error},
            "5XX": {"description": "Ours, or that of a channel.", **error},
        },
    }
    if what.body is not None:
        content = {"application/json": {"schema": schema_of[repr(what.body)]}}
        entry["requestBody"] = {"required": what.body_required, "content": content}
    return entry
