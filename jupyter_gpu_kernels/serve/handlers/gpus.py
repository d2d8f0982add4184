"""The machine: its GPUs, and who has them."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import GpuUsage, Hardware
from ..openapi import operation
from .base import GpuKernelsHandler


class GpusHandler(GpuKernelsHandler):
    """What there is."""

    @web.authenticated
    @authorized
    @operation("Describe this machine's GPUs and driver.", answer=Hardware)
    async def get(self) -> None:
        """Describe the hardware."""
        self.answer(await self.manager.hardware())


class GpuUsageHandler(GpuKernelsHandler):
    """What it is doing."""

    # An open panel asks all the time: a server that nobody uses must not look used, or a hub never culls it.
    _track_activity = False

    @web.authenticated
    @authorized
    @operation("Say what the GPUs are doing now, and which kernel has what of them.", answer=GpuUsage)
    async def get(self) -> None:
        """Read the GPUs; readers that ask at the same time share one reading."""
        self.answer(await self.manager.gpu_usage())
