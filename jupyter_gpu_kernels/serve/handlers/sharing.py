"""Environments as files."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...errors import InvalidInputError
from ...models import ExportedFile, FileFormat, ImportPlan, ImportRequest, Job
from ..openapi import operation
from .base import GpuKernelsHandler

#: Bytes of a request that brings a file: locks for several platforms have megabytes, and as JSON some more.
FILE_LIMIT = 12 * 1024 * 1024


class ExportHandler(GpuKernelsHandler):
    """One environment as a text."""

    @web.authenticated
    @authorized
    @operation(
        "Write an environment as a text.",
        query=(
            ("format", str, "One of FileFormat; environment.yml otherwise."),
            ("platforms", str, "Further platforms of a lock, with commas between."),
        ),
        answer=ExportedFile,
    )
    async def get(self, name: str) -> None:
        """Export the environment."""
        wished = self.get_query_argument("format", FileFormat.ENVIRONMENT_YML.value)
        try:
            kind = FileFormat(wished)
        except ValueError:
            msg = f"There is no format {wished[:50]!r}."
            raise InvalidInputError(msg, cure=f"Choose of: {', '.join(item.value for item in FileFormat)}.") from None
        platforms = [item.strip() for item in self.get_query_argument("platforms", "").split(",") if item.strip()]
        self.answer(await self.manager.sharing.export(name, kind, platforms))


class ImportPlansHandler(GpuKernelsHandler):
    """Dry runs of files."""

    body_limit = FILE_LIMIT

    @web.authenticated
    @authorized
    @operation("Say what would be built of a file.", body=ImportRequest, answer=ImportPlan)
    async def post(self) -> None:
        """Plan an import."""
        self.answer(await self.manager.sharing.plan_import(self.body(ImportRequest)))


class ImportsHandler(GpuKernelsHandler):
    """Files that environments are made of."""

    body_limit = FILE_LIMIT

    @web.authenticated
    @authorized
    @operation("Build, verify and register what a file says.", body=ImportRequest, answer=Job, status=202)
    async def post(self) -> None:
        """Begin an import."""
        self.accept(await self.manager.sharing.import_(self.body(ImportRequest)))
