"""What can be built here: frameworks, plans."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import EnvironmentSpec, Framework, Plan
from ..openapi import operation
from .base import GpuKernelsHandler

SVG = "image/svg+xml"

#: Seconds for which a browser may keep a drawing; they change with a new version of this package only.
LOGO_AGE = 86400


class FrameworksHandler(GpuKernelsHandler):
    """The catalogue."""

    @web.authenticated
    @authorized
    @operation("List the frameworks that can be asked for.", answer=list[Framework])
    async def get(self) -> None:
        """List the frameworks."""
        self.answer(await self.manager.frameworks())


class LogoHandler(GpuKernelsHandler):
    """The drawing of one framework."""

    @property
    def content_security_policy(self) -> str:
        """Let the drawing style itself, and nothing more: opened as a page of its own it is as harmless as a PNG."""
        return f"{super().content_security_policy}; style-src 'unsafe-inline'; sandbox"

    @web.authenticated
    @authorized
    @operation("Give the drawing that kernels of a framework are shown with.", answer=str, media=SVG)
    async def get(self, framework_id: str) -> None:
        """Give the SVG."""
        drawing = await self.manager.logo(framework_id)
        self.set_header("Cache-Control", f"private, max-age={LOGO_AGE}")
        self.finish(drawing, set_content_type=SVG)


class PlansHandler(GpuKernelsHandler):
    """Dry runs."""

    @web.authenticated
    @authorized
    @operation("Say what would be built, or why it cannot be.", body=EnvironmentSpec, answer=Plan)
    async def post(self) -> None:
        """Plan an environment."""
        self.answer(await self.manager.plan(self.body(EnvironmentSpec)))
