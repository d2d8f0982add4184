"""Environments that were made elsewhere."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import AdoptionRequest, ForeignEnvironment, Job
from ..openapi import operation
from .base import GpuKernelsHandler


class ForeignHandler(GpuKernelsHandler):
    """All environments that were made elsewhere."""

    @web.authenticated
    @authorized
    @operation("List the environments of this machine that were made elsewhere.", answer=list[ForeignEnvironment])
    async def get(self) -> None:
        """List the environments."""
        self.answer(await self.manager.foreign.environments())

    @web.authenticated
    @authorized
    @operation(
        "Let an environment's kernel be started as ours are; the environment stays as it is.",
        body=AdoptionRequest,
        answer=Job,
        status=202,
    )
    async def post(self) -> None:
        """Begin to adopt an environment."""
        self.accept(await self.manager.foreign.adopt(self.body(AdoptionRequest)))

    @web.authenticated
    @authorized
    @operation(
        "Give what was adopted back as it was.",
        query=(("prefix", str, "Directory of the environment."),),
        answer=None,
        status=204,
    )
    async def delete(self) -> None:
        """Release an environment."""
        await self.manager.foreign.release(self.get_query_argument("prefix", ""))
        self.set_status(204)
        self.finish()
