"""From what was asked for to exactly what would be built, or to the reason why not; nothing is downloaded here."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ...errors import ChannelError, RefusedError
from ...models import EnvironmentSpec, Framework, Hardware, Installer, Plan, PlannedPackage, Recipe, Refusal, Variant
from ..conda.settings import ChannelAnswer, ChannelSettings, CondaRequest, CondaSolution
from ..wheels.settings import WheelsRequest, WheelsSolution
from . import filling, guarding, validation, ways
from .catalogue import Catalogue
from .cautions import cautions, disk_caution
from .hindrances import solved
from .reasons import cuda_reason
from .targets import Target, target
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
    ) -> WheelsSolution:
        """Find the wheels that go on top of conda packages."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan with what carries it out.

    Attributes:
        plan: The plan; a refusal is in it.
        framework: The framework.
        conda: What the conda installer installs, ``None`` with the PyPI installer and in a refusal.
        wheels: What uv installs, on top of conda or alone; ``None`` if there is nothing for it to do.
    """

    plan: Plan
    framework: Framework
    conda: CondaSolution | None = None
    wheels: WheelsSolution | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Task:
    """All that is known before the solve."""

    spec: EnvironmentSpec
    framework: Framework
    hardware: Hardware
    aim: Target
    way: Way
    recipe: Recipe

    def guarded(self, packages: Sequence[PlannedPackage]) -> Refusal | None:
        """Why a solution is not what was promised."""
        return guarding.check(self.framework, self.recipe, packages, driver_cuda=self.aim.cuda, wish=self.spec.cuda)

    def plan(self, packages: Sequence[PlannedPackage], **more: object) -> Plan:
        """The plan of a solution."""
        cuda = guarding.cuda_version(self.recipe, packages)
        version = guarding.framework_version(self.framework, packages)
        concerns = cautions(self.framework, self.spec, self.aim, self.recipe, self.hardware, cuda)
        return dataclasses.replace(
            _outline(self.spec, self.way, self.aim),
            framework_version=version,
            cuda=cuda,
            cuda_reason=cuda_reason(self.framework, self.recipe, self.spec, self.aim, version, cuda),
            packages=tuple(sorted(packages, key=lambda item: item.name)),
            warnings=(*self.way.warnings, *concerns),
            **more,  # type: ignore[arg-type]
        )

    def refused(self, refusal: Refusal) -> Planned:
        """The plan that is a refusal."""
        return _refused(self.spec, self.framework, self.way, self.aim, refusal)


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
        self.catalogue.get(spec.framework)

    async def plan(self, spec: EnvironmentSpec, keep: tuple[str, ...] = ()) -> Planned:
        """Answer what would be built.

        Args:
            spec: What is asked for.
            keep: Match specs of what was added from outside to the environment that is rebuilt.

        Raises:
            InvalidInputError: The spec is malformed, or its framework unknown.
            SolveError: No set of packages satisfies it.
            ChannelError: A channel or index does not answer as it should.
        """
        planned = await self._plan(spec, keep)
        warnings = (*planned.plan.warnings, *await asyncio.to_thread(self._notices))
        return dataclasses.replace(planned, plan=dataclasses.replace(planned.plan, warnings=warnings))

    async def _plan(self, spec: EnvironmentSpec, keep: tuple[str, ...]) -> Planned:
        self.check(spec)
        framework = self.catalogue.get(spec.framework)
        hardware = await self._hardware()
        aim = target(spec, hardware, self._platform)
        try:
            way = await ways.choose(framework, spec, aim, hardware, lambda: self._probe(spec))
            aim = way.aim
            validation.check_packages(spec.packages, way.installer, channels=spec.channels)
            if isinstance(way.recipe, Refusal):
                return _refused(spec, framework, way, aim, way.recipe)
            task = _Task(spec=spec, framework=framework, hardware=hardware, aim=aim, way=way, recipe=way.recipe)
            if way.installer is Installer.CONDA:
                wish = dataclasses.replace(spec, channels=spec.channels or way.recipe.channels)
                settings = await asyncio.to_thread(self._settings, wish)
                return await self._weighed(await self._with_conda(task, settings, keep))
            return await self._weighed(await self._with_wheels(task))
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
            return _refused(spec, framework, way, aim, refusal)

    async def _probe(self, spec: EnvironmentSpec) -> tuple[ChannelAnswer, ...]:
        """Ask the channels for a spec whether they answer."""
        return await self._conda.probe(await asyncio.to_thread(self._settings, spec))

    async def _with_conda(self, task: _Task, settings: ChannelSettings, keep: tuple[str, ...]) -> Planned:
        """Plan conda packages, and wheels on top."""
        spec = task.spec

        async def solve(aim: Target, build: str) -> CondaSolution:
            request = filling.conda_request(task.framework, task.recipe, spec, aim, settings, keep, build)
            return await self._conda.solve(request)

        try:
            solution = await solved(task.framework, task.recipe, spec, task.aim, solve)
        except ChannelError as error:
            raise _both(task, error) from error
        if isinstance(solution, Refusal):
            return task.refused(solution)
        if refusal := task.guarded(solution.packages):
            return task.refused(refusal)
        python = next((item.version for item in solution.packages if item.name == "python"), "")
        wheels = None
        if spec.pip:
            wheels = await self._wheels.solve_on_top(
                spec.pip, solution.packages, python, allow_builds=self._allow_builds
            )
        plan = task.plan(
            (*solution.packages, *(wheels.packages if wheels else ())),
            python=python,
            channels=tuple(channel.name for channel in settings.resolved()),
            download_bytes=solution.download_bytes + (wheels.download_bytes if wheels else 0),
            disk_bytes=solution.disk_bytes + (wheels.disk_bytes if wheels else 0),
        )
        plan = dataclasses.replace(plan, warnings=(*plan.warnings, *(wheels.warnings if wheels else ())))
        return Planned(plan=plan, framework=task.framework, conda=solution, wheels=wheels)

    async def _with_wheels(self, task: _Task) -> Planned:
        """Plan a virtual environment."""
        request = filling.wheels_request(
            task.framework, task.recipe, task.spec, task.aim, allow_builds=self._allow_builds
        )
        remarks: tuple[str, ...] = ()
        try:
            try:
                solution = await self._wheels.solve(request)
            except ChannelError:
                if request.torch_backend != "cpu":
                    raise
                # Many a mirror has the usual index alone. A CUDA build also computes on the CPU.
                solution = await self._wheels.solve(dataclasses.replace(request, torch_backend=None))
                remarks = (CUDA_FOR_CPU,)
        except ChannelError as error:
            raise _both(task, error) from error
        if refusal := task.guarded(solution.packages):
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


def _both(task: _Task, error: ChannelError) -> ChannelError:
    """What is wrong with the way that was taken, and why it was: the reader must know about both."""
    if task.spec.installer is not Installer.AUTO or task.spec.channels:
        return error
    msg = f"{task.way.installer_reason} {error.message}"
    mirror = " Or name a mirror of it as the channel." if task.way.installer is Installer.CONDA else ""
    return ChannelError(msg, cure=f"{error.cure}{mirror}", detail=error.detail)


def _outline(spec: EnvironmentSpec, way: Way, aim: Target) -> Plan:
    """What is known of a plan without a solution."""
    return Plan(
        spec=spec,
        installer=way.installer,
        installer_reason=way.installer_reason,
        variant=way.variant,
        variant_reason=way.variant_reason,
        target_cuda=aim.cuda,
    )


def _refused(spec: EnvironmentSpec, framework: Framework, way: Way, aim: Target, refusal: Refusal) -> Planned:
    """The plan that is a refusal."""
    concerns = (framework.legacy,) if framework.legacy else ()
    return Planned(
        plan=dataclasses.replace(_outline(spec, way, aim), refusal=refusal, warnings=concerns), framework=framework
    )
