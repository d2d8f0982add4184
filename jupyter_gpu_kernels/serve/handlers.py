"""The REST interface: authenticate, authorize, parse, call, answer. Routes are at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from ..errors import GpuKernelsError, InvalidInputError, TooLargeError
from ..models import (
    Environment,
    EnvironmentSpec,
    ErrorReport,
    Framework,
    Hardware,
    Job,
    Manifest,
    Plan,
    from_json,
    to_json,
)
from .manager import GpuKernelsManager
from .openapi import document, operation, operations
from .statuses import SERVER_ERRORS, UNFORESEEN, status_of

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

    @property
    def manager(self) -> GpuKernelsManager:
        """The manager that the extension made."""
        return cast(GpuKernelsManager, self.settings["gpu_kernels_manager"])

    async def prepare(self) -> None:  # type: ignore[override]  # as jupyter_server's own handlers have it
        """Refuse long bodies; called by Tornado before every verb."""
        await super().prepare()
        if len(self.request.body) > BODY_LIMIT:
            msg = f"The request is {len(self.request.body)} bytes long, more than {BODY_LIMIT}."
            raise TooLargeError(msg, cure="Ask for fewer packages.")

    def body(self, model: type[T]) -> T:
        """The body of the request as a model.

        Raises:
            InvalidInputError: It is not JSON, or does not describe that model.
        """
        try:
            data = msgspec.json.decode(self.request.body or b"{}")
        except (msgspec.DecodeError, RecursionError) as error:
            msg = f"The body of the request is not JSON: {error}."
            raise InvalidInputError(msg, cure="Send a JSON object; see openapi.json.") from error
        return from_json(model, data, strict=True)

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
        elif isinstance(error, web.HTTPError) and error.log_message and status_code < 500:
            report = replace(report, detail=error.log_message)
        if status_code == 405:
            self.set_header("Allow", ", ".join(verb.upper() for verb, _ in operations(type(self))))
        self.answer(report)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what was raised on purpose in one line, and all else in full; called by Tornado."""
        if isinstance(value, GpuKernelsError):
            self.log.info("%s %s: %s", self.request.method, self.request.path, value.message)
        else:
            super().log_exception(typ, value, tb)


class FrameworksHandler(GpuKernelsHandler):
    """The catalogue."""

    @web.authenticated
    @authorized
    @operation("List the frameworks that can be asked for.", answer=list[Framework])
    async def get(self) -> None:
        """List the frameworks."""
        self.answer(await self.manager.frameworks())


class GpusHandler(GpuKernelsHandler):
    """The machine."""

    @web.authenticated
    @authorized
    @operation("Describe this machine's GPUs and driver.", answer=Hardware)
    async def get(self) -> None:
        """Describe the hardware."""
        self.answer(await self.manager.hardware())


class PlansHandler(GpuKernelsHandler):
    """Dry runs."""

    @web.authenticated
    @authorized
    @operation("Say what would be built, or why it cannot be.", body=EnvironmentSpec, answer=Plan)
    async def post(self) -> None:
        """Plan an environment."""
        self.answer(await self.manager.plan(self.body(EnvironmentSpec)))


class EnvironmentsHandler(GpuKernelsHandler):
    """All environments."""

    @web.authenticated
    @authorized
    @operation("List the environments.", answer=list[Environment])
    async def get(self) -> None:
        """List the environments."""
        self.answer(await self.manager.environments())

    @web.authenticated
    @authorized
    @operation("Build, verify and register an environment.", body=EnvironmentSpec, answer=Job, status=202)
    async def post(self) -> None:
        """Begin to create an environment."""
        self.accept(await self.manager.create(self.body(EnvironmentSpec)))


class EnvironmentHandler(GpuKernelsHandler):
    """One environment."""

    @web.authenticated
    @authorized
    @operation("Give an environment's manifest.", answer=Manifest)
    async def get(self, name: str) -> None:
        """Give the manifest."""
        self.answer(await self.manager.get(name))

    @web.authenticated
    @authorized
    @operation(
        "Unregister an environment's kernel and remove the environment.",
        query=(("stop_kernels", "Shut down kernels that run from it, instead of refusing."),),
        answer=Job,
        status=202,
    )
    async def delete(self, name: str) -> None:
        """Begin to remove an environment."""
        self.accept(await self.manager.remove(name, stop_kernels=self.flag("stop_kernels")))


class VerifyHandler(GpuKernelsHandler):
    """Verification of one environment."""

    @web.authenticated
    @authorized
    @operation("Verify an environment in a real kernel.", body=Nothing, body_required=False, answer=Job, status=202)
    async def post(self, name: str) -> None:
        """Begin a verification."""
        self.body(Nothing)
        self.accept(await self.manager.verify(name))


class BenchmarkHandler(GpuKernelsHandler):
    """Benchmark of one environment."""

    @web.authenticated
    @authorized
    @operation("Run the CPU-vs-GPU notebook in a kernel.", body=Nothing, body_required=False, answer=Job, status=202)
    async def post(self, name: str) -> None:
        """Begin a benchmark."""
        self.body(Nothing)
        self.accept(await self.manager.benchmark(name))


class RebuildHandler(GpuKernelsHandler):
    """Rebuilding of one environment."""

    @web.authenticated
    @authorized
    @operation("Build anew, then exchange.", body=Nothing, body_required=False, answer=Job, status=202)
    async def post(self, name: str) -> None:
        """Begin to rebuild an environment."""
        self.body(Nothing)
        self.accept(await self.manager.rebuild(name))


class JobsHandler(GpuKernelsHandler):
    """All jobs."""

    @web.authenticated
    @authorized
    @operation("List the jobs of all processes, the newest first, without their logs.", answer=list[Job])
    async def get(self) -> None:
        """List the jobs."""
        self.answer(await self.manager.jobs())


class JobHandler(GpuKernelsHandler):
    """One job."""

    @web.authenticated
    @authorized
    @operation("Tell how far a job has come, or how it ended.", answer=Job)
    async def get(self, job_id: str) -> None:
        """Give a snapshot of the job."""
        self.answer(await self.manager.job(job_id))

    @web.authenticated
    @authorized
    @operation("Cancel a job; the answer comes once nothing is left of it.", answer=Job)
    async def delete(self, job_id: str) -> None:
        """Cancel the job."""
        self.answer(await self.manager.cancel(job_id))


class JobLogHandler(GpuKernelsHandler):
    """The log of one job."""

    @web.authenticated
    @authorized
    @operation("Give the whole log of a job.", answer=str)
    async def get(self, job_id: str) -> None:
        """Give the log as text."""
        self.finish(await self.manager.job_log(job_id), set_content_type="text/plain; charset=UTF-8")


class OpenApiHandler(GpuKernelsHandler):
    """The description of all this."""

    @web.authenticated
    @authorized
    @operation("Give this document.", answer=dict[str, Any])
    async def get(self) -> None:
        """Give the OpenAPI document."""
        self.answer(document(ROUTES, url_path_join(self.base_url, NAMESPACE)))


class NowhereHandler(GpuKernelsHandler):
    """Addresses of our namespace where there is nothing."""

    async def prepare(self) -> None:  # type: ignore[override]  # as jupyter_server's own handlers have it
        """Refuse every verb, after those who may not ask at all."""
        await super().prepare()
        raise web.HTTPError(404)


#: Path templates below the namespace, and who answers there.
ROUTES: tuple[tuple[str, type[GpuKernelsHandler]], ...] = (
    ("/frameworks", FrameworksHandler),
    ("/gpus", GpusHandler),
    ("/plans", PlansHandler),
    ("/environments", EnvironmentsHandler),
    ("/environments/{name}", EnvironmentHandler),
    ("/environments/{name}/verify", VerifyHandler),
    ("/environments/{name}/benchmark", BenchmarkHandler),
    ("/environments/{name}/rebuild", RebuildHandler),
    ("/jobs", JobsHandler),
    ("/jobs/{id}", JobHandler),
    ("/jobs/{id}/log", JobLogHandler),
    ("/openapi.json", OpenApiHandler),
)

#: What the extension registers: regular expressions after the server's base URL.
default_handlers: list[tuple[str, type[GpuKernelsHandler]]] = [
    *((re.sub(r"{\w+}", "([^/]+)", f"{NAMESPACE}{path}".replace(".", r"\.")), handler) for path, handler in ROUTES),
    (f"{NAMESPACE}(?:/.*)?", NowhereHandler),
]
