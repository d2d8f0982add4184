"""What can be built here: frameworks, hardware, plans."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import EnvironmentSpec, Framework, Hardware, Plan
from ..openapi import operation
from .base import GpuKernelsHandler


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
