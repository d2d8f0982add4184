"""Why a plan has its CUDA, in one sentence."""

from __future__ import annotations

from ...models import EnvironmentSpec, Framework, Recipe, Variant
from . import drivers
from .targets import Target


def cuda_reason(
    framework: Framework, recipe: Recipe, spec: EnvironmentSpec, aim: Target, version: str | None, cuda: str | None
) -> str:
    """Explain the CUDA of a solution; empty where it has none, or nothing is known of what it shall run on.

    Args:
        framework: The framework.
        recipe: The recipe taken.
        spec: What was asked for.
        aim: What the result shall run on.
        version: Version of the framework.
        cuda: CUDA of the result.
    """
    if cuda is None or aim.cuda is None:
        return ""
    who = [f"{aim.driver} (CUDA {aim.cuda}, and with it any {drivers.major(aim.cuda)}.x)"] if aim.driver else []
    who += [aim.gpus] if aim.gpus else []
    run = "runs" if len(who) == 1 else "run"
    subject = " and ".join(who)
    condition = "" if aim.driver else f", given NVIDIA driver {drivers.minimum_driver(cuda, aim.capabilities)} or newer"
    if spec.cuda:
        return f"CUDA {cuda}: as asked for; {subject} {run} it{condition}."
    if recipe.variant is not Variant.GPU:
        return f"CUDA {cuda}: what the added packages bring for {subject}{condition}."
    return (
        f"CUDA {cuda}: the newest that {framework.named(version)} comes with here and that {subject} {run}{condition}."
    )
