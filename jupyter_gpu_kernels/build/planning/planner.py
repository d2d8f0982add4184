"""From what was asked for to exactly what would be built, or to the reason why not; nothing is downloaded here."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ...errors import ChannelError, RefusedError
from ...models import EnvironmentSpec, Hardware, Installer, PlannedPackage, Refusal, Variant
from ..conda.settings import ChannelAnswer, ChannelSettings, CondaRequest, CondaSolution
from ..wheels.settings import Hold, WheelsRequest, WheelsSolution
from . import extras, filling, telling, validation, ways
from .catalogue import Catalogue
from .cautions import disk_caution
from .hindrances import solved
from .preference import FROM_NOTHING, Preference, carrying
from .targets import Target, target
from .tasks import Planned as Planned
from .tasks import Task, refusing
from .ways import Way

#: Said where PyTorch's own index is out of reach.
CUDA_FOR_CPU = (
    "PyTorch's own index of CPU builds cannot be reached. The usual index is taken, whose builds also run on the CPU, "
    "but bring gigabytes of CUDA along. To avoid them, let PyTorch's index through; or, if your own index has a CPU "
    "build, ask for its version, such as 2.13.0+cpu."
)


#: Said where wheels cannot be hard-linked from their cache into an environment.
COPIED = (
    "The environments and uv's cache lie on different filesystems, so that every environment has its own copy of every "
    "file. To save time and room, put both on the same one: set UV_CACHE_DIR, or the trait virtualenvs_dir."
)


class CondaSolver(Protocol):
    """What planning needs of :class:`~jupyter_gpu_kernels.build.conda.engine.CondaEngine`."""

    async def probe(self, settings: ChannelSettings) -> tuple[ChannelAnswer, ...]:
        """Ask the channels whether they answer."""

    async def solve(self, request: CondaRequest) -> CondaSolution:
        """Find the packages."""


class WheelsSolver(Protocol):
    """What planning needs of :class:`~jupyter_gpu_kernels.build.wheels.engine.WheelsEngine`."""

    async def solve(self, request: WheelsRequest) -> WheelsSolution:
        """Find the packages."""

    async def solve_on_top(
        self,
        requirements: Sequence[str],
        packages: Sequence[PlannedPackage],
        python: str,
        *,
        allow_builds: bool = False,
        hold: Hold | None = None,
    ) -> WheelsSolution:
        """Find the wheels that go on top of conda packages."""


class Planner:
    """Plans environments.

    Args:
        catalogue: The frameworks.
        conda: The conda installer.
        wheels: The PyPI installer.
        hardware: Tells what this machine has.
        settings: Tells the channels for a spec; a RefusedError of it becomes a refusal. Called in a thread, as are
            the next one and the last, since all of them look at the disk.
        free_bytes: Tells how much room an installer's environments have, in bytes; ``None`` not to look.
        copies: Tells whether wheels must be copied from their cache, as between filesystems; ``None`` not to look.
        local_channels: Whether ``file:`` URLs may be asked for as channels.
        allow_builds: Whether wheels may be built from source code, which runs the package's set-up program.
        platform: Conda's name of the platform to plan for, empty for this one's.
        notices: Tells what is wrong with the configuration, one sentence each, for the plan's warnings.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        conda: CondaSolver,
        wheels: WheelsSolver,
        hardware: Callable[[], Awaitable[Hardware]],
        settings: Callable[[EnvironmentSpec], ChannelSettings],
        *,
        free_bytes: Callable[[Installer], int] | None = None,
        copies: Callable[[], Awaitable[bool]] | None = None,
        local_channels: bool = False,
        allow_builds: bool = False,
        platform: str = "",
        notices: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.catalogue = catalogue
        self._conda = conda
        self._wheels = wheels
        self._hardware = hardware
        self._settings = settings
        self._free_bytes = free_bytes
        self._copies = copies
        self._local_channels = local_channels
        self._allow_builds = allow_builds
        self._platform = platform
        self._notices = notices

    def check(self, spec: EnvironmentSpec) -> None:
        """Refuse what is malformed or not in the catalogue; nothing is asked of the network.

        Raises:
            InvalidInputError: What is wrong with it.
        """
        validation.check(spec, local_channels=self._local_channels)
        extras.chosen(self.catalogue.get(spec.framework), spec)

    async def plan(self, spec: EnvironmentSpec, preference: Preference = FROM_NOTHING) -> Planned:
        """Answer what would be built.

        Args:
            spec: What is asked for.
            preference: What the environment has that it takes the place of.

        Raises:
            InvalidInputError: The spec is malformed, or its framework unknown.
            SolveError: No set of packages satisfies it.
            ChannelError: A channel or index does not answer as it should.
        """
        planned = await self._plan(spec, preference)
        warnings = (*planned.plan.warnings, *preference.remarks, *await asyncio.to_thread(self._notices))
        return dataclasses.replace(planned, plan=dataclasses.replace(planned.plan, warnings=warnings))

    async def _plan(self, spec: EnvironmentSpec, preference: Preference) -> Planned:
        self.check(spec)
        framework = extras.supplemented(self.catalogue.get(spec.framework), spec)
        hardware = await self._hardware()
        aim = target(spec, hardware, self._platform)
        try:
            way = await ways.choose(framework, spec, aim, hardware, lambda: self._probe(spec))
            aim = way.aim
            validation.check_packages(
                spec.packages, way.installer, channels=spec.channels, most=validation.MAX_IMPORTED
            )
            if isinstance(way.recipe, Refusal):
                return refusing(spec, framework, way, aim, way.recipe)
            task = Task(spec=spec, framework=framework, hardware=hardware, aim=aim, way=way, recipe=way.recipe)
            if way.installer is Installer.CONDA:
                wish = dataclasses.replace(spec, channels=spec.channels or way.recipe.channels)
                settings = await asyncio.to_thread(self._settings, wish)
                return await self._weighed(await self._with_conda(task, settings, preference))
            return await self._weighed(await self._with_wheels(task, preference))
        except RefusedError as error:
            # An administrator does not allow one of the channels.
            variant = Variant.CPU if spec.variant is Variant.AUTO else spec.variant
            reason = "The channels come first."
            refusal = Refusal(reason=error.message, cure=error.cure, detail=error.detail)
            way = Way(
                variant=variant,
                variant_reason=reason,
                installer=Installer.CONDA,
                installer_reason=reason,
                recipe=refusal,
                aim=aim,
            )
            return refusing(spec, framework, way, aim, refusal)

    async def plan_given(
        self, spec: EnvironmentSpec, *, conda: CondaSolution | None = None, wheels: WheelsSolution | None = None
    ) -> Planned:
        """The plan of packages that are given to the byte; nothing is chosen, and nothing asked of the network.

        Args:
            spec: What they count as asked for.
            conda: Conda packages.
            wheels: Wheels, on top of those or alone.

        Raises:
            InvalidInputError: The spec is malformed, or its framework unknown.
        """
        self.check(spec)
        framework, hardware = self.catalogue.get(spec.framework), await self._hardware()
        aim = target(spec, hardware, self._platform)
        installer = Installer.PYPI if conda is None else Installer.CONDA
        packages = (*(conda.packages if conda else ()), *(wheels.packages if wheels else ()))
        way = ways.given(installer, aim)
        task = Task(
            spec=spec, framework=framework, hardware=hardware, aim=aim, way=way, recipe=telling.plain(installer)
        ).told(packages)
        python = next((item.version for item in packages if item.name == "python"), wheels.python if wheels else "")
        sources = dict.fromkeys(item.source for item in conda.packages) if conda else wheels.indexes if wheels else ()
        parts = [part for part in (conda, wheels) if part is not None]
        plan = task.plan(
            packages,
            python=python,
            channels=tuple(sources),
            download_bytes=sum(part.download_bytes for part in parts),
            disk_bytes=sum(part.disk_bytes for part in parts),
        )
        more = (*(text for part in parts for text in part.warnings), *await asyncio.to_thread(self._notices))
        plan = dataclasses.replace(plan, warnings=(*plan.warnings, *more))
        return await self._weighed(Planned(plan=plan, framework=framework, conda=conda, wheels=wheels))

    def elsewhere(self, platform: str) -> Planner:
        """The same planner for another platform, whose disk nobody knows."""
        other = copy.copy(self)
        other._platform, other._free_bytes, other._copies = platform, None, None
        return other

    async def channel_settings(self, spec: EnvironmentSpec) -> ChannelSettings:
        """How the channels of a spec are reached.

        Raises:
            RefusedError: An administrator does not allow one of them.
        """
        return await asyncio.to_thread(self._settings, spec)

    async def _probe(self, spec: EnvironmentSpec) -> tuple[ChannelAnswer, ...]:
        """Ask the channels for a spec whether they answer."""
        return await self._conda.probe(await asyncio.to_thread(self._settings, spec))

    async def _with_conda(self, task: Task, settings: ChannelSettings, preference: Preference) -> Planned:
        """Plan conda packages, and wheels on top."""
        spec = task.spec

        async def solve(aim: Target, build: str) -> CondaSolution:
            request = filling.conda_request(task.framework, task.recipe, spec, aim, settings, preference, build)
            return await self._conda.solve(request)

        try:
            solution = await solved(task.framework, task.recipe, spec, task.aim, solve)
        except ChannelError as error:
            raise _both(task, error) from error
        if isinstance(solution, Refusal):
            return task.refused(solution)
        if not spec.recipe:
            task = task.told(solution.packages)
        elif refusal := task.guarded(solution.packages):
            return task.refused(refusal)
        python = next((item.version for item in solution.packages if item.name == "python"), "")
        wheels = None
        hold, given_up = preference.on_top_of(solution.packages)
        if (on_top := extras.on_top(task.framework, spec)) or hold.kept:
            with carrying(hold):
                wheels = await self._wheels.solve_on_top(
                    on_top, solution.packages, python, allow_builds=self._allow_builds, hold=hold
                )
        plan = task.plan(
            (*solution.packages, *(wheels.packages if wheels else ())),
            python=python,
            channels=tuple(channel.name for channel in settings.resolved()),
            download_bytes=solution.download_bytes + (wheels.download_bytes if wheels else 0),
            disk_bytes=solution.disk_bytes + (wheels.disk_bytes if wheels else 0),
        )
        remarks = (*solution.warnings, *(wheels.warnings if wheels else ()), *given_up)
        plan = dataclasses.replace(plan, warnings=(*plan.warnings, *remarks))
        return Planned(plan=plan, framework=task.framework, conda=solution, wheels=wheels)

    async def _with_wheels(self, task: Task, preference: Preference) -> Planned:
        """Plan a virtual environment."""
        request = filling.wheels_request(
            task.framework, task.recipe, task.spec, task.aim, preference, allow_builds=self._allow_builds
        )
        remarks: tuple[str, ...] = ()
        try:
            try:
                with carrying(request.hold):
                    solution = await self._wheels.solve(request)
            except ChannelError:
                if request.torch_backend != "cpu":
                    raise
                # Many a mirror has the usual index alone. A CUDA build also computes on the CPU.
                solution = await self._wheels.solve(dataclasses.replace(request, torch_backend=None))
                remarks = (CUDA_FOR_CPU,)
        except ChannelError as error:
            raise _both(task, error) from error
        if not task.spec.recipe:
            task = task.told(solution.packages)
        elif refusal := task.guarded(solution.packages):
            return task.refused(refusal)
        plan = task.plan(
            solution.packages,
            python=solution.python,
            channels=solution.indexes,
            download_bytes=solution.download_bytes,
            disk_bytes=solution.disk_bytes,
        )
        if self._copies is not None and await self._copies():
            remarks = (*remarks, COPIED)
        plan = dataclasses.replace(plan, warnings=(*plan.warnings, *remarks, *solution.warnings))
        return Planned(plan=plan, framework=task.framework, wheels=solution)

    async def _weighed(self, planned: Planned) -> Planned:
        """The same, with a warning if the disk is too small for it."""
        plan = planned.plan
        if self._free_bytes is None or plan.refusal is not None:
            return planned
        free = await asyncio.to_thread(self._free_bytes, plan.installer)
        concerns = disk_caution(plan.download_bytes + plan.disk_bytes, free)
        return dataclasses.replace(planned, plan=dataclasses.replace(plan, warnings=(*plan.warnings, *concerns)))


def _both(task: Task, error: ChannelError) -> ChannelError:
    """What is wrong with the way that was taken, and why it was: the reader must know about both."""
    if task.spec.installer is not Installer.AUTO or task.spec.channels:
        return error
    msg = f"{task.way.installer_reason} {error.message}"
    mirror = " Or name a mirror of it as the channel." if task.way.installer is Installer.CONDA else ""
    return ChannelError(msg, cure=f"{error.cure}{mirror}", detail=error.detail)
