"""JSON in and out."""

from __future__ import annotations

import dataclasses
import enum
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, TypeVar

from ..errors import InvalidInputError

T = TypeVar("T")

# What msgspec finds out about a class when it first meets it is seen by other threads before it is complete, and they
# crash on it. No conversion waits longer for this: each holds the interpreter's own lock.
_ONE_AT_A_TIME = threading.Lock()

#: Types of what JSON has as it is.
_PLAIN = frozenset({str, int, float, bool, type(None)})


def now() -> str:
    """The present time in the format of every model."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def to_json(value: Any) -> Any:
    """Turn models, enums, tuples and mappings of them into what :func:`json.dumps` takes."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, enum.Enum):
        return value.value
    # Not msgspec's encoder: it leaves out the defaults of models that from_json() has made.
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields is not None:
        # Most values are plain: asked here, the listing of a hundred environments takes half of the time.
        values = [(name, getattr(value, name)) for name in fields]
        return {name: item if type(item) in _PLAIN else to_json(item) for name, item in values}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def from_json(model: type[T], data: Any, *, strict: bool = False) -> T:
    """Make a model of decoded JSON, checking every type.

    Args:
        model: The dataclass.
        data: What :func:`json.loads` gave.
        strict: Refuse keys that the model, or a model inside it, does not have.

    Raises:
        InvalidInputError: Something is missing, of another type, or unknown.
    """
    import msgspec

    cure = "See openapi.json, or `jupyter gpu-kernels create --help`, for the fields."
    try:
        made = convert(model, data)
    except msgspec.ValidationError as error:
        # A field that is missing may be there under a name that is wrong.
        unknown = sorted(_strange(data, model, "")) if strict else []
        if not unknown:
            article = "an" if model.__name__[0] in "AEIOU" else "a"
            msg = f"The data does not describe {article} {model.__name__}: {error}."
            raise InvalidInputError(msg, cure=cure) from error
    else:
        unknown = sorted(_unknown(data, made, "")) if strict else []
    if unknown:
        msg = f"Unknown field{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)[:200]}."
        raise InvalidInputError(msg, cure=cure)
    return made


def _strange(data: Any, model: Any, path: str) -> Iterator[str]:
    """The keys of an object that a model, or what was made of it, does not have."""
    if isinstance(data, dict):
        known = {field.name for field in dataclasses.fields(model)}
        yield from (f"{path}{key}" for key in data if key not in known)


def _unknown(data: Any, made: Any, path: str) -> Iterator[str]:
    """The keys of decoded JSON, with where they stand, that went into nothing of what was made of it."""
    if dataclasses.is_dataclass(made):
        yield from _strange(data, made, path)
        for field in dataclasses.fields(made):
            if field.name in data:
                yield from _unknown(data[field.name], getattr(made, field.name), f"{path}{field.name}.")
    elif isinstance(made, tuple):
        for item, part in zip(data, made, strict=True):
            yield from _unknown(item, part, path)


def convert(model: type[T], data: Any) -> T:
    """Make a model of decoded JSON or TOML, with msgspec's own errors; any thread may call it.

    Raises:
        msgspec.ValidationError: It does not describe one.
    """
    # Imported here: prefix/ needs this module's classes where only the standard library is.
    import msgspec

    with _ONE_AT_A_TIME:
        return msgspec.convert(data, type=model)
