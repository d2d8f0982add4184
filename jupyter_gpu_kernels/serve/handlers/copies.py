"""Clones of environments, and new names for them."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import CloneRequest, Job, RenameRequest
from ..openapi import operation
from .base import GpuKernelsHandler


class CloneHandler(GpuKernelsHandler):
    """Copies of one environment."""

    @web.authenticated
    @authorized
    @operation(
        "Copy an environment, sharing its files; verify and register the copy.",
        body=CloneRequest,
        answer=Job,
        status=202,
    )
    async def post(self, name: str) -> None:
        """Begin to clone an environment."""
        self.accept(await self.manager.copies.clone(name, self.body(CloneRequest)))


class RenameHandler(GpuKernelsHandler):
    """The name of one environment."""

    @web.authenticated
    @authorized
    @operation(
        "Give an environment, and its kernel, another name.",
        body=RenameRequest,
        query=(("stop_kernels", bool, "Shut down kernels that run from it, instead of refusing."),),
        answer=Job,
        status=202,
    )
    async def post(self, name: str) -> None:
        """Begin to rename an environment."""
        wish = self.body(RenameRequest)
        self.accept(await self.manager.copies.rename(name, wish.name, stop_kernels=self.flag("stop_kernels")))
