"""Names of new environments."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import EnvironmentSpec, NameCheck
from ..openapi import operation
from .base import GpuKernelsHandler


class NamesHandler(GpuKernelsHandler):
    """A name for whoever has none."""

    @web.authenticated
    @authorized
    @operation(
        "Suggest a free name for a kernel.",
        query=(("framework", str, "Id of the framework that it is for; plain Python otherwise."),),
        answer=NameCheck,
    )
    async def get(self) -> None:
        """Suggest a name."""
        framework = self.get_query_argument("framework", EnvironmentSpec.framework)
        self.answer(await self.manager.suggest_name(framework))


class NameHandler(GpuKernelsHandler):
    """A name that somebody has thought of."""

    @web.authenticated
    @authorized
    @operation("Say whether a new environment may have this name.", answer=NameCheck)
    async def get(self, name: str) -> None:
        """Check the name; that it cannot be one is an answer, and no error."""
        self.answer(await self.manager.check_name(name))
