"""The server extension."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Type, default

from ..models import Job
from .events import JobEvents
from .gpus.culling import Culler
from .handlers.routes import default_handlers
from .kernels import ServerKernels
from .manager import GpuKernelsManager

#: Seconds between two signs of activity while a job runs; hubs cull after minutes.
ACTIVITY_INTERVAL = 30.0

#: Seconds that stopping may take: a server waits for it before it cleans up its kernels.
STOP_LIMIT = 5.0


class GpuKernelsExtension(ExtensionApp):
    """Offers GPU kernels on a Jupyter server."""

    name = "jupyter_gpu_kernels"
    description = "Build, verify and start kernels that provably run on the GPU."

    manager_class: type[GpuKernelsManager] = Type(  # type: ignore[assignment]
        default_value=GpuKernelsManager, klass=GpuKernelsManager, help="The class of the manager."
    ).tag(config=True)

    manager: GpuKernelsManager
    _kernels: ServerKernels
    _watch: asyncio.Task[None] | None = None
    _culling: asyncio.Task[None] | None = None

    @default("config_file_name")
    def _default_config_file_name(self) -> str:
        # The command line reads the same file.
        return "jupyter_gpu_kernels_config"

    def initialize_settings(self) -> None:
        """Make the manager and register the event schema; called by the server before it listens."""
        server = self._server
        self._kernels = ServerKernels(server.kernel_manager, server.session_manager)
        self.manager = self.manager_class(parent=self, kernels=self._kernels)
        if server.root_dir:
            self.manager.contents_root = Path(server.root_dir)
        assert server.event_logger is not None
        self.manager.listeners += [JobEvents(server.event_logger), self._note_activity]
        self.settings["gpu_kernels_manager"] = self.manager

    def initialize_handlers(self) -> None:
        """Add the routes; called by the server before it listens."""
        self.handlers.extend(default_handlers)

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Take up what a dead server left, and begin to cull; called by the server once its loop runs."""
        self._begin_culling()
        taken = await self.manager.recover()
        for job in taken:
            self.log.info("Taking up the job %s again: %s %s.", job.id, job.kind.value, job.name)

    def current_activity(self) -> dict[str, Any] | None:
        """The running jobs; called by the server, which does not shut down while there are some."""
        return {job.id: job.kind.value for job in self.manager.active} or None

    async def stop_extension(self) -> None:
        """Stop all jobs in a few seconds; called by the server before it cleans up its kernels. Nothing is raised."""
        if self._culling is not None:
            self._culling.cancel()
        kernels = asyncio.create_task(self._kernels.hurry(STOP_LIMIT - 1))
        try:
            await asyncio.wait_for(self.manager.close(STOP_LIMIT - 1), STOP_LIMIT)
        except Exception:
            self.log.exception("The jobs of jupyter-gpu-kernels could not be stopped; the next start cleans up.")
        try:
            await kernels
        except Exception:
            self.log.exception("Kernels that wait for a GPU could not be told that the server ends.")
        # The first is begun anew by each snapshot of a job, the last ones included.
        watching = {task for task in (self._watch, self._culling) if task is not None}
        for task in watching:
            task.cancel()
        if watching:
            await asyncio.wait(watching, timeout=1)

    def _begin_culling(self) -> None:
        """Look for kernels that hold GPU memory and do nothing, if that was configured."""
        manager = self.manager
        if manager.cull_gpu_idle and self._culling is None:
            culler = Culler(
                manager.gpus,
                manager.kernels,
                idle=manager.cull_gpu_idle,
                connected=manager.cull_gpu_connected,
                log=self.log,
            )
            self._culling = asyncio.create_task(culler.run(manager.cull_gpu_interval))

    @property
    def _server(self) -> ServerApp:
        """The server; the extension is linked to it before anything else is called."""
        assert self.serverapp is not None
        return self.serverapp

    def _note_activity(self, job: Job) -> None:
        """Show that something goes on, else a hub stops this server in mid-build; called with each snapshot."""
        self._server.web_app.settings["gpu_kernels_last_activity"] = datetime.now(timezone.utc)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._show_activity())

    async def _show_activity(self) -> None:
        """Do the same through the silences of long stages."""
        while self.manager.active:
            self._server.web_app.settings["gpu_kernels_last_activity"] = datetime.now(timezone.utc)
            await asyncio.sleep(ACTIVITY_INTERVAL)
