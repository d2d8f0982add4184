"""What is known of an environment before it is solved, and the plan of what the solver answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ...models import EnvironmentSpec, Framework, Hardware, Plan, PlannedPackage, Recipe, Refusal
from ..conda.settings import CondaSolution
from ..wheels.settings import WheelsSolution
from . import guarding, telling
from .cautions import cautions
from .reasons import cuda_reason
from .targets import Target
from .ways import Way


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
class Task:
    """All that is known before the solve.

    Attributes:
        spec: What was asked for.
        framework: The framework.
        hardware: What this machine has.
        aim: What the result shall run on.
        way: How it is made, and why so.
        recipe: What is asked for.
        as_told: Whether somebody else has chosen the packages.
    """

    spec: EnvironmentSpec
    framework: Framework
    hardware: Hardware
    aim: Target
    way: Way
    recipe: Recipe
    as_told: bool = False

    def guarded(self, packages: Sequence[PlannedPackage]) -> Refusal | None:
        """Why a solution is not what was promised."""
        return guarding.check(self.framework, self.recipe, packages, driver_cuda=self.aim.cuda, wish=self.spec.cuda)

    def plan(self, packages: Sequence[PlannedPackage], **more: object) -> Plan:
        """The plan of a solution."""
        cuda = guarding.cuda_version(self.recipe, packages)
        version = guarding.framework_version(self.framework, packages)
        concerns = cautions(self.framework, self.spec, self.aim, self.recipe, self.hardware, cuda)
        return dataclasses.replace(
            outline(self.spec, self.way, self.aim),
            framework_version=version,
            cuda=cuda,
            cuda_reason=self._cuda_reason(version, cuda),
            packages=tuple(sorted(packages, key=lambda item: item.name)),
            warnings=(*self.way.warnings, *concerns),
            **more,  # type: ignore[arg-type]
        )

    def refused(self, refusal: Refusal) -> Planned:
        """The plan that is a refusal."""
        return refusing(self.spec, self.framework, self.way, self.aim, refusal)

    def told(self, packages: Sequence[PlannedPackage]) -> Task:
        """The same, with what the packages are, where nothing was chosen but left to whoever has named them."""
        recipe, reason, warnings = telling.told(self.framework, self.way.installer, packages, self.aim)
        way = dataclasses.replace(
            self.way,
            recipe=recipe,
            variant=recipe.variant,
            variant_reason=reason,
            warnings=(*self.way.warnings, *warnings),
        )
        return dataclasses.replace(self, way=way, recipe=recipe, as_told=True)

    def _cuda_reason(self, version: str | None, cuda: str | None) -> str:
        if self.as_told:
            return f"CUDA {cuda}: that of the packages that are asked for." if cuda else ""
        return cuda_reason(self.framework, self.recipe, self.spec, self.aim, version, cuda)


def outline(spec: EnvironmentSpec, way: Way, aim: Target) -> Plan:
    """What is known of a plan without a solution."""
    return Plan(
        spec=spec,
        installer=way.installer,
        installer_reason=way.installer_reason,
        variant=way.variant,
        variant_reason=way.variant_reason,
        target_cuda=aim.cuda,
    )


def refusing(spec: EnvironmentSpec, framework: Framework, way: Way, aim: Target, refusal: Refusal) -> Planned:
    """The plan that is a refusal."""
    concerns = (framework.legacy,) if framework.legacy else ()
    return Planned(
        plan=dataclasses.replace(outline(spec, way, aim), refusal=refusal, warnings=concerns), framework=framework
    )
