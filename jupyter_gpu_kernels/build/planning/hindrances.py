"""Solving for conda, and what stands in the way where that fails: the driver, or the GPU, where it is one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

from packaging.version import Version

from ...errors import SolveError
from ...models import EnvironmentSpec, Framework, Recipe, Refusal, Variant
from ..conda.settings import CondaSolution
from . import choices, drivers, guarding
from .targets import Target

#: Solves the same request for a target, with builds of the framework whose build string holds a text.
Solve = Callable[[Target, str], Awaitable[CondaSolution]]


async def solved(
    framework: Framework, recipe: Recipe, spec: EnvironmentSpec, aim: Target, solve: Solve
) -> CondaSolution | Refusal:
    """Solve a request, or tell which driver or GPU makes that impossible.

    Conda sees to it that toolkit and framework go together: a framework that was built with CUDA 12.6 goes with all of
    12.x. Yet its own kernels know no GPU that CUDA 12.6 did not know, so that such a build is exchanged.

    Args:
        framework: The framework.
        recipe: The recipe that fits.
        spec: What was asked for.
        aim: What the result shall run on.
        solve: Solves.

    Raises:
        SolveError: No set of packages satisfies it, for another reason.
    """
    try:
        solution = await solve(aim, "")
    except SolveError as error:
        refusal = await _hindrance(framework, recipe, spec, aim, solve)
        if refusal is None:
            raise
        return dataclasses.replace(refusal, detail=error.detail)
    built = guarding.built_with(recipe, solution.packages)
    if built is None or all(drivers.first_cuda(item) <= Version(built) for item in aim.capabilities):
        return solution
    for build in drivers.builds(aim.capabilities, aim.cuda or "0"):
        try:
            return await solve(aim, build)
        except SolveError:
            continue
    version = spec.version or guarding.framework_version(framework, solution.packages)
    return _of_gpu(framework, framework.named(version), built, aim)


async def _hindrance(
    framework: Framework, recipe: Recipe, spec: EnvironmentSpec, aim: Target, solve: Solve
) -> Refusal | None:
    """Ask again as if there were a new driver, or any GPU; ``None`` if that changes nothing."""
    if aim.cuda is None or recipe.variant is not Variant.GPU:
        return None
    # The least of the drivers that would do is told.
    newer = [cuda for cuda in drivers.lasts() if drivers.major(cuda) > drivers.major(aim.cuda)]
    trials = [dataclasses.replace(aim, cuda=cuda) for cuda in newer]
    if aim.capabilities:
        trials += [dataclasses.replace(item, capabilities=()) for item in (aim, *trials)]
    for trial in trials:
        try:
            solution = await solve(trial, "")
        except SolveError:
            continue
        cuda = guarding.cuda_version(recipe, solution.packages)
        if cuda is None:
            return None
        version = spec.version or guarding.framework_version(framework, solution.packages)
        if trial.cuda != aim.cuda and not drivers.driver_runs(aim.cuda, cuda):
            return choices.driver_too_old(framework, framework.named(version), cuda, aim, spec.installer)
        if trial.capabilities != aim.capabilities:
            return _of_gpu(framework, framework.named(version), cuda, aim)
    return None


def _of_gpu(framework: Framework, title: str, cuda: str, aim: Target) -> Refusal:
    """The refusal of a GPU that the only builds there are do not know."""
    reason = f"{title} is to be had with CUDA {cuda}; {choices.have(aim)}, and {choices.needs(aim)}."
    if drivers.fits(Version(cuda), aim.capabilities):
        reason = f"{title} needs libraries that no longer run on such a GPU; {choices.have(aim)}."
    several = len(aim.capabilities) > 1 and not aim.named
    one = ", name the GPU that it shall be for (target GPU)" if several else ""
    return Refusal(reason=reason, cure=f"Choose another version, or none{one}{choices.or_cpu(framework)}.")
