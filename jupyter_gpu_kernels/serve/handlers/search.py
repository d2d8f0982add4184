"""Packages that an environment could have."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...errors import InvalidInputError
from ...models import FoundPackage
from ..openapi import operation
from .base import GpuKernelsHandler

if TYPE_CHECKING:
    from ..search import Search

_ENVIRONMENT = ("environment", str, "Whose channels or package index are asked; the configured channels otherwise.")


class SearchHandler(GpuKernelsHandler):
    """What both have in common."""

    async def search(self) -> Search:
        """Who looks for packages."""
        # In a thread: it brings much that a server needs for nothing else.
        await asyncio.to_thread(importlib.import_module, "jupyter_gpu_kernels.serve.search")
        return self.manager.search


class FoundPackagesHandler(SearchHandler):
    """Names of packages, while somebody types."""

    @web.authenticated
    @authorized
    @operation(
        "Find packages by a part of their name, the best first; in a package index by their exact name alone.",
        query=(
            ("q", str, "What was typed."),
            _ENVIRONMENT,
            ("limit", int, "How many to give at most, 20 by default, never more than 100."),
        ),
        answer=list[FoundPackage],
    )
    async def get(self) -> None:
        """Find the packages."""
        limit = self.get_query_argument("limit", "20")
        if not limit.isascii() or not limit.isdigit() or len(limit) > 9:
            msg = "The limit must be a whole number."
            raise InvalidInputError(msg, cure="Ask again with limit=20, or without it.")
        text = self.get_query_argument("q", "", strip=False)
        environment = self.get_query_argument("environment", "") or None
        self.answer(await (await self.search()).names(text, environment, int(limit)))


class FoundPackageHandler(SearchHandler):
    """One package that somebody has found."""

    @web.authenticated
    @authorized
    @operation(
        "Give the versions of a package for this platform, the newest first.",
        query=(_ENVIRONMENT,),
        answer=FoundPackage,
    )
    async def get(self, package: str) -> None:
        """Give the package."""
        environment = self.get_query_argument("environment", "") or None
        self.answer(await (await self.search()).package(package, environment))
