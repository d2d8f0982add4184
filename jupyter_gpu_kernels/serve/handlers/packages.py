"""The packages of one environment."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import EditPlan, InstalledPackage, Job, PackageEdit
from ..openapi import operation
from .base import GpuKernelsHandler


class PackagesHandler(GpuKernelsHandler):
    """The packages of one environment."""

    @web.authenticated
    @authorized
    @operation("List what is in an environment now, and why.", answer=tuple[InstalledPackage, ...])
    async def get(self, name: str) -> None:
        """List the packages."""
        self.answer(await self.manager.packages.list(name))

    @web.authenticated
    @authorized
    @operation(
        "Add, remove or update packages: all of it, or nothing.",
        body=PackageEdit,
        answer=Job,
        status=202,
    )
    async def post(self, name: str) -> None:
        """Begin to change the packages."""
        self.accept(await self.manager.packages.edit(name, self.body(PackageEdit)))


class PackagePlansHandler(GpuKernelsHandler):
    """Previews of what would become of the packages of one environment."""

    @web.authenticated
    @authorized
    @operation("Say what an edit would change; nothing is changed.", body=PackageEdit, answer=EditPlan)
    async def post(self, name: str) -> None:
        """Preview an edit."""
        self.answer(await self.manager.packages.plan(name, self.body(PackageEdit)))
