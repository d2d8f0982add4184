"""What notebooks carry of their kernels."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import KernelRecipe, RecipePlan, RecipeRequest
from ..openapi import operation
from .base import GpuKernelsHandler


class RecipeHandler(GpuKernelsHandler):
    """The recipe of one environment."""

    @web.authenticated
    @authorized
    @operation("Give what the notebooks of an environment's kernel carry of it.", answer=KernelRecipe)
    async def get(self, name: str) -> None:
        """Give the recipe."""
        self.answer(await self.manager.recipes.of(name))


class RecipePlansHandler(GpuKernelsHandler):
    """Dry runs of what notebooks carry."""

    @web.authenticated
    @authorized
    @operation("Say what would be built here of what a notebook carries.", body=RecipeRequest, answer=RecipePlan)
    async def post(self) -> None:
        """Plan a recipe; building it is creating an environment of the plan's spec."""
        wish = self.body(RecipeRequest)
        self.answer(await self.manager.recipes.plan(wish.recipe, wish.name))
