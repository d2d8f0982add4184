"""What stands in the way of a request that cannot be solved: the driver, or the GPU, where it is one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

from packaging.version import Version

from ...errors import SolveError
from ...models import EnvironmentSpec, Framework, Recipe, Refusal, Variant
from ..conda.settings import CondaSolution
from . import choices, drivers, guarding
from .targets import Target

Solve = Callable[[Target], Awaitable[CondaSolution]]


async def hindrance(
    framework: Framework, recipe: Recipe, spec: EnvironmentSpec, aim: Target, solve: Solve
) -> Refusal | None:
    """Ask again as if there were a new driver, or any GPU; ``None`` if that changes nothing.

    Args:
        framework: The framework.
        recipe: The recipe that cannot be solved.
        spec: What was asked for.
        aim: What the result shall run on.
        solve: Solves the same request for another target.
    """
    if aim.cuda is None or recipe.variant is not Variant.GPU:
        return None
    newest = str(drivers.KNOWN[-1])
    trials = [dataclasses.replace(aim, cuda=newest)]
    if aim.capabilities:
        trials += [dataclasses.replace(aim, capabilities=()), dataclasses.replace(aim, cuda=newest, capabilities=())]
    for trial in trials:
        try:
            solution = await solve(trial)
        except SolveError:
            continue
        cuda = guarding.cuda_version(recipe, solution.packages)
        if cuda is None:
            return None
        version = spec.version or guarding.framework_version(framework, solution.packages)
        if trial.cuda != aim.cuda and not drivers.driver_runs(aim.cuda, cuda):
            return choices.driver_too_old(framework, framework.named(version), cuda, aim)
        if trial.capabilities != aim.capabilities:
            return _of_gpu(framework, framework.named(version), cuda, aim)
    return None


def _of_gpu(framework: Framework, title: str, cuda: str, aim: Target) -> Refusal:
    """The refusal of a GPU that the only builds there are do not know."""
    reason = f"{title} is to be had with CUDA {cuda}; {choices.have(aim)}, and {choices.needs(aim)}."
    if drivers.fits(Version(cuda), aim.capabilities):
        reason = f"{title} needs libraries that no longer run on such a GPU; {choices.have(aim)}."
    return Refusal(reason=reason, cure=f"Choose another version, or none{choices.or_cpu(framework)}.")
