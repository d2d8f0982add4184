"""Where packages come from."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import ChannelsReport, MirrorChoice
from ..openapi import operation
from .base import GpuKernelsHandler


class ChannelsHandler(GpuKernelsHandler):
    """Channels, indexes and mirrors."""

    @web.authenticated
    @authorized
    @operation(
        "Say which channels, indexes and settings are in force, and who says so.",
        answer=ChannelsReport,
        query=(("measure", bool, "Ask all of them, and all mirrors, how good they are; takes some seconds."),),
    )
    async def get(self) -> None:
        """Report."""
        measured = self.flag("measure")
        # In a thread: what reads the configuration is brought in by whoever asks first.
        network = await asyncio.to_thread(lambda: self.manager.network)
        self.answer(await network.channels(measured=measured))

    @web.authenticated
    @authorized
    @operation(
        "Switch to a mirror, or with null to none that was chosen here.", body=MirrorChoice, answer=ChannelsReport
    )
    async def put(self) -> None:
        """Switch."""
        wish = self.body(MirrorChoice)
        network = await asyncio.to_thread(lambda: self.manager.network)
        self.answer(await network.use(wish))
