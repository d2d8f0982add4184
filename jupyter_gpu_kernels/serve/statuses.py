"""Errors as HTTP tells of them: the one place where an error becomes a status."""

from __future__ import annotations

from ..errors import (
    BrokenEnvironmentError,
    BuildError,
    ChannelError,
    ConflictError,
    GpuKernelsError,
    InvalidInputError,
    JobCancelledError,
    NotFoundError,
    RefusedError,
    TooLargeError,
)
from ..models import ErrorReport

#: The first class that fits counts.
STATUS: tuple[tuple[type[GpuKernelsError], int], ...] = (
    (TooLargeError, 413),
    (InvalidInputError, 400),
    (NotFoundError, 404),
    (ConflictError, 409),
    (BrokenEnvironmentError, 409),
    (JobCancelledError, 409),
    (RefusedError, 422),
    (BuildError, 422),
    (ChannelError, 502),
)

#: Errors that the server itself raises, in our shape.
SERVER_ERRORS = {
    400: ErrorReport(code="invalid_input", message="The request is malformed.", cure="See openapi.json."),
    403: ErrorReport(
        code="forbidden",
        message="You may not do this.",
        cure="Log in, reload the page, or ask whoever runs this server for access to GPU kernels.",
    ),
    404: ErrorReport(code="not_found", message="There is nothing here.", cure="See openapi.json for what there is."),
    405: ErrorReport(
        code="method_not_allowed", message="That cannot be done here.", cure="See openapi.json for what can be done."
    ),
}

UNFORESEEN = ErrorReport(
    code="internal",
    message="Something went wrong that nobody foresaw.",
    cure="Try again; if it happens again, report it with the server's log.",
)


def status_of(error: GpuKernelsError) -> int:
    """The status of an error; 500 for one that is nobody's fault but ours."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)
