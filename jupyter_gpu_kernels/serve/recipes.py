"""What notebooks carry of their kernels: given to them, and planned anew where they are opened."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import GpuKernelsError, NameTakenError
from ..models import (
    Environment,
    EnvironmentSpec,
    Job,
    KernelRecipe,
    Manifest,
    NameCheck,
    Plan,
    RecipePlan,
)
from . import names
from .workshop import Workshop

if TYPE_CHECKING:
    from ..build.conda.settings import ChannelSettings
    from ..build.equipment import Equipment


class Host(Protocol):
    """Who is asked, and how it is configured."""

    @property
    def equipment(self) -> Equipment:
        """What environments are made with."""

    @property
    def workshop(self) -> Workshop:
        """Knows the environments."""

    @property
    def channels(self) -> Sequence[str]:
        """The channels that are configured here, before those of conda."""

    async def get(self, name: str) -> Manifest:
        """What was built under a name."""

    async def plan(self, spec: EnvironmentSpec) -> Plan:
        """Answer what would be built."""

    async def jobs(self) -> tuple[Job, ...]:
        """All jobs of all processes."""

    async def check_name(self, name: str) -> NameCheck:
        """Say whether an environment of that name could be created now."""


class Recipes:
    """Gives recipes to notebooks, and plans those that they bring.

    Args:
        host: Who is asked.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def of(self, name: str) -> KernelRecipe:
        """The recipe of an environment, for the notebooks that use its kernel.

        Raises:
            InvalidNameError: It cannot be a name.
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: It is damaged.
        """
        manifest = await self._host.get(name)
        return await asyncio.to_thread(_taken, manifest)

    async def plan(self, data: Any, name: str | None = None) -> RecipePlan:
        """Plan what a notebook carries for this machine; nothing is built, and nothing but metadata downloaded.

        Args:
            data: What the notebook has under its key, decoded.
            name: Name of the environment; ``None`` for the recipe's own, or one like it where that is taken.

        Raises:
            InvalidInputError: It is no recipe, or asks for what nobody may ask for.
            NameTakenError: The name is taken.
            RefusedError: It cannot be built from the channels that are known here.
            SolveError: No set of packages satisfies it.
            ChannelError: A channel or index does not answer as it should.
        """
        # Imported here: a server that only starts needs no solver.
        from ..build.planning.targets import platform_name
        from ..build.recipes.permission import permitted
        from ..build.recipes.planning import plan_recipe

        host = self._host
        recipe = await self.read(data)
        asked = EnvironmentSpec(**{**vars(recipe.spec), "name": await self._name(recipe, name)})
        allowed = permitted(asked, await asyncio.to_thread(self._configured))
        framework = await asyncio.to_thread(host.workshop.framework, asked.framework)
        found = await plan_recipe(recipe, allowed, framework, host.plan, platform_name())
        present = await asyncio.to_thread(self._present, recipe)
        return RecipePlan(spec=found.spec, plan=found.plan, differences=found.differences, present=present)

    async def read(self, data: Any) -> KernelRecipe:
        """Read what a notebook carries.

        Raises:
            InvalidInputError: It is no recipe, or asks for what nobody may ask for.
        """

        def read() -> KernelRecipe:
            from ..build.recipes.reading import read_recipe

            return read_recipe(data, self._host.workshop.check)

        return await asyncio.to_thread(read)

    async def _name(self, recipe: KernelRecipe, name: str | None) -> str:
        """A name that an environment can have now."""
        if name is None:
            jobs = await self._host.jobs()
            return (await asyncio.to_thread(names.first_free, recipe.name[:60], self._host.workshop, jobs)).name
        checked = await self._host.check_name(name)
        if checked.problem is not None:
            names.refuse_malformed(name)
            raise NameTakenError(checked.problem.message, cure=checked.problem.cure)
        return name

    def _configured(self) -> ChannelSettings:
        """The channels that are known here. Blocks on the disk."""
        from ..build.conda.condarc import read_condarc

        return read_condarc().settings_for(tuple(self._host.channels))

    def _present(self, recipe: KernelRecipe) -> str:
        """The environment here that was made of a recipe, or has the very same packages. Blocks on the disk."""
        from ..build.recipes.planning import made_of

        original = recipe.original
        for environment in self._host.workshop.environments():
            if environment.damaged or not environment.registered or not _alike(environment, recipe):
                continue
            try:
                manifest = self._host.workshop.manifest(environment.name)
                same = _taken(manifest).original.digest == original.digest
            except GpuKernelsError:
                continue
            if same or made_of(manifest.spec, recipe):
                return environment.name
        return ""


def _alike(environment: Environment, recipe: KernelRecipe) -> bool:
    """Whether it is worth to look closer: the same framework, in the same version but for the patch release."""

    def minor(version: str | None) -> list[str]:
        return (version or "").split(".")[:2]

    version = environment.framework_version or environment.python
    before = recipe.original.framework_version or recipe.original.python
    return environment.framework == recipe.spec.framework and minor(version) == minor(before)


def _taken(manifest: Manifest) -> KernelRecipe:
    """The recipe of an environment. Blocks on the disk."""
    from ..build.contents.installed import contents
    from ..build.planning.targets import platform_name
    from ..build.recipes.taking import recipe_of

    return recipe_of(manifest, contents(manifest), platform_name())
