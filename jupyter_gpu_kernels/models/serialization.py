"""JSON in and out."""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime, timezone
from typing import Any, TypeVar

from ..errors import InvalidInputError

T = TypeVar("T")


def now() -> str:
    """The present time in the format of every model."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def to_json(value: Any) -> Any:
    """Turn models, enums, tuples and mappings of them into what :func:`json.dumps` takes."""
    kind = type(value)
    if value is None or kind in (str, int, float, bool):
        return value
    # Not msgspec's encoder: it leaves out the defaults of models that from_json() has made.
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields is not None:
        return {name: to_json(getattr(value, name)) for name in fields}
    if isinstance(value, enum.Enum):
        return value.value
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
        strict: Refuse keys that the model's top level does not have.

    Raises:
        InvalidInputError: Something is missing, of another type, or unknown.
    """
    # Imported here: prefix/ needs this module's classes where only the standard library is.
    import msgspec

    cure = "See openapi.json, or `jupyter gpu-kernels create --help`, for the fields."
    if strict and isinstance(data, dict):
        known = {field.name for field in dataclasses.fields(model)}  # type: ignore[arg-type]
        unknown = sorted(str(key) for key in data.keys() - known)
        if unknown:
            msg = f"Unknown field{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)[:200]}."
            raise InvalidInputError(msg, cure=cure)
    try:
        return msgspec.convert(data, type=model)
    except msgspec.ValidationError as error:
        msg = f"The data does not describe a {model.__name__}: {error}."
        raise InvalidInputError(msg, cure=cure) from error
