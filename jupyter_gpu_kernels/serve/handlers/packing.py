"""Packs of environments."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import Job, PackRequest
from ..openapi import operation
from .base import GpuKernelsHandler


class PackHandler(GpuKernelsHandler):
    """The pack of one environment."""

    @web.authenticated
    @authorized
    @operation(
        "Write an environment with all its packages into a file, for machines without a network.",
        body=PackRequest,
        answer=Job,
        status=202,
    )
    async def post(self, name: str) -> None:
        """Begin to pack an environment."""
        self.accept(await self.manager.packing.pack_into(name, self.body(PackRequest).path))
