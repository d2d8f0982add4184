"""What all handlers share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import msgspec
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from ...errors import GpuKernelsError, InvalidInputError, TooLargeError
from ...models import ErrorReport, Job, from_json, to_json
from ..manager import GpuKernelsManager
from ..openapi import operations
from ..statuses import SERVER_ERRORS, UNFORESEEN, status_of

AUTH_RESOURCE = "gpu_kernels"

#: Everything of ours is below this, after the server's base URL.
NAMESPACE = "/jupyter-gpu-kernels"

#: Bytes of a request's body: a spec with a thousand packages has a tenth of that.
BODY_LIMIT = 256 * 1024

T = TypeVar("T")


@dataclass(frozen=True)
class Nothing:
    """The empty body of a request whose address says everything."""


class GpuKernelsHandler(APIHandler):
    """What all handlers share: access to the manager, JSON in, JSON out, and one shape of errors."""

    auth_resource = AUTH_RESOURCE

    #: Bytes that the body of a request may have.
    body_limit = BODY_LIMIT

    @property
    def manager(self) -> GpuKernelsManager:
        """The manager that the extension made."""
        return cast(GpuKernelsManager, self.settings["gpu_kernels_manager"])

    async def prepare(self) -> None:  # type: ignore[override]  # as jupyter_server's own handlers have it
        """Refuse long bodies; called by Tornado before every verb."""
        await super().prepare()
        if len(self.request.body) > self.body_limit:
            msg = f"The request is {len(self.request.body)} bytes long, more than {self.body_limit}."
            raise TooLargeError(msg, cure="Ask for fewer packages.")

    def body(self, model: type[T]) -> T:
        """The body of the request as a model.

        Raises:
            InvalidInputError: It is not JSON, or does not describe that model.
        """
        return from_json(model, self.data(), strict=True)

    def data(self) -> Any:
        """The body of the request, decoded.

        Raises:
            InvalidInputError: It is not JSON.
        """
        try:
            return msgspec.json.decode(self.request.body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            msg = f"The body of the request is not JSON: {error}."
            raise InvalidInputError(msg, cure="Send a JSON object; see openapi.json.") from error

    def flag(self, name: str) -> bool:
        """A boolean argument of the query.

        Raises:
            InvalidInputError: It is neither true nor false.
        """
        value = self.get_query_argument(name, "false").lower()
        if value not in ("true", "false", "1", "0", ""):
            msg = f"{name} must be true or false."
            raise InvalidInputError(msg, cure=f"Ask again with {name}=true, or without it.")
        return value in ("true", "1")

    def answer(self, model: Any) -> None:
        """Send a model, or several."""
        self.finish(msgspec.json.encode(to_json(model)))

    def accept(self, job: Job) -> None:
        """Send a job that has begun, and where to follow it."""
        self.set_status(202)
        self.set_header("Location", url_path_join(self.base_url, NAMESPACE, "jobs", job.id))
        self.answer(job)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send an error in the one shape; called by Tornado for whatever a verb raised."""
        error = kwargs["exc_info"][1] if kwargs.get("exc_info") else None
        report = SERVER_ERRORS.get(status_code, UNFORESEEN)
        if isinstance(error, GpuKernelsError):
            self.set_status(status_of(error))
            report = from_json(ErrorReport, error.to_json())
            # What was asked is told again, but no password that somebody wrote into it.
            report = replace(report, message=_redacted(report.message), detail=_redacted(report.detail))
        elif isinstance(error, web.HTTPError) and error.log_message and status_code < 500:
            report = replace(report, detail=error.log_message)
        if status_code == 405:
            self.set_header("Allow", ", ".join(verb.upper() for verb, _ in operations(type(self))))
        self.answer(report)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what was raised on purpose in one line, and all else in full; called by Tornado."""
        if isinstance(value, GpuKernelsError):
            self.log.info("%s %s: %s", self.request.method, self.request.path, _redacted(value.message))
        else:
            super().log_exception(typ, value, tb)


def _redacted(text: str) -> str:
    # Imported here: a server that only starts imports nothing of what builds.
    from ...build.tools.redaction import redact

    return redact(text)


class NowhereHandler(GpuKernelsHandler):
    """Addresses of our namespace where there is nothing."""

    async def prepare(self) -> None:  # type: ignore[override]  # as jupyter_server's own handlers have it
        """Refuse every verb, after those who may not ask at all."""
        await super().prepare()
        raise web.HTTPError(404)
