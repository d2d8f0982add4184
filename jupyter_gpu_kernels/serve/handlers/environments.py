"""Environments, and what is done to one."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import BenchmarkResult, DiskUsage, Environment, EnvironmentChange, EnvironmentSpec, Job, Manifest
from ..openapi import operation
from .base import GpuKernelsHandler, Nothing


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
    @operation("Change what can be changed without building anything.", body=EnvironmentChange, answer=Environment)
    async def patch(self, name: str) -> None:
        """Change the environment."""
        self.answer(await self.manager.change(name, self.body(EnvironmentChange)))

    @web.authenticated
    @authorized
    @operation(
        "Unregister an environment's kernel and remove the environment.",
        query=(("stop_kernels", bool, "Shut down kernels that run from it, instead of refusing."),),
        answer=Job,
        status=202,
    )
    async def delete(self, name: str) -> None:
        """Begin to remove an environment."""
        self.accept(await self.manager.remove(name, stop_kernels=self.flag("stop_kernels")))


class SizeHandler(GpuKernelsHandler):
    """What one environment takes on disk."""

    @web.authenticated
    @authorized
    @operation("Measure what an environment takes on disk, and what its removal would free.", answer=DiskUsage)
    async def get(self, name: str) -> None:
        """Measure the environment."""
        self.answer(await self.manager.usage(name))


class NotebookHandler(GpuKernelsHandler):
    """The bundled notebook for one environment."""

    @web.authenticated
    @authorized
    @operation("Give the CPU-vs-GPU notebook, to be opened with the environment's kernel.", answer=dict[str, Any])
    async def get(self, name: str) -> None:
        """Give the notebook."""
        self.answer(await self.manager.notebook(name))


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

    @web.authenticated
    @authorized
    @operation(
        "Keep what the CPU-vs-GPU notebook displayed when somebody ran it in a kernel of the environment.",
        body=dict[str, Any],
        answer=BenchmarkResult,
    )
    async def put(self, name: str) -> None:
        """Keep a result; what the notebook displays has a media type, and no model, of its own."""
        self.answer(await self.manager.keep_benchmark(name, self.data()))


class RebuildHandler(GpuKernelsHandler):
    """Rebuilding of one environment."""

    @web.authenticated
    @authorized
    @operation("Build anew, then exchange.", body=Nothing, body_required=False, answer=Job, status=202)
    async def post(self, name: str) -> None:
        """Begin to rebuild an environment."""
        self.body(Nothing)
        self.accept(await self.manager.rebuild(name))
