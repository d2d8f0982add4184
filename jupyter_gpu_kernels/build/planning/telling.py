"""What packages are that somebody else has chosen: a build for GPUs, and for which CUDA, or one for the processor."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from packaging.utils import NormalizedName, canonicalize_name

from ...models import Framework, Installer, PlannedPackage, Recipe, Variant
from ..wheels.exactly import torch_backend
from . import guarding
from .targets import Target


def told(
    framework: Framework, installer: Installer, packages: Sequence[PlannedPackage], aim: Target
) -> tuple[Recipe, str, tuple[str, ...]]:
    """What packages are.

    Args:
        framework: The framework.
        installer: Where they come from.
        packages: All of them.
        aim: What they shall run on.

    Returns:
        The recipe that they could have been made by, the reason for its variant, and what to read before the build.
    """
    for recipe in framework.recipes:
        promising = recipe.variant is Variant.GPU and recipe.installer is installer and recipe.guard is not None
        if not promising or guarding.check(framework, recipe, packages, driver_cuda=None, wish=None) is not None:
            continue
        reason = f"The packages hold a build of {framework.title} for GPUs."
        old = guarding.check(framework, recipe, packages, driver_cuda=aim.cuda, wish=None)
        warnings = (f"{old.reason} {old.cure}",) if old else ()
        if aim.cuda is None and aim.missing:
            warnings = (f"The packages hold a build for GPUs, and none can be used here. {aim.missing}",)
        return dataclasses.replace(recipe, note="", native=""), reason, warnings
    warnings = ()
    if aim.cuda is not None and Variant.GPU in framework.variants():
        warnings = (
            f"The packages hold a CPU build of {framework.title}, which leaves {aim.gpus or 'the GPUs'} unused. For a "
            f"build that uses it, create a kernel with {framework.title} instead.",
        )
    return plain(installer), "The packages hold no build for GPUs.", warnings


def plain(installer: Installer, requirements: Iterable[str] = ()) -> Recipe:
    """The recipe of those who name all packages themselves: nothing is added, and CUDA is there if the machine has it.

    Args:
        installer: Where they come from.
        requirements: What is asked for; a build of PyTorch that has an index of its own is looked for there.
    """
    return Recipe(
        variant=Variant.CPU,
        installer=installer,
        packages=(),
        sees_cuda=True,
        torch_backend=torch_backend(tuple(requirements)) or "",
    )


def framework_of(frameworks: Iterable[Framework], names: Iterable[str], asked: Iterable[str] = ()) -> str:
    """The framework whose packages these are, by its id; ``python`` for none.

    Args:
        frameworks: The catalogue.
        names: Names of all packages that are known.
        asked: Names of those that somebody asked for, where that is known.
    """
    known = {canonicalize_name(name) for name in names}
    wished = {canonicalize_name(name) for name in asked} or known
    living = [item for item in frameworks if item.package]
    found = [item for item in living if known & set(map(canonicalize_name, item.package))]
    found = [item for item in found if wished & set(map(canonicalize_name, item.package))] or found

    def rests_on(item: Framework) -> set[NormalizedName]:
        """What a framework's recipes name that is not itself: Keras rests on TensorFlow, which brings it along."""
        specs = [text for recipe in item.recipes for text in recipe.packages]
        names = {
            canonicalize_name(match[0]) for text in specs if (match := re.match(r"[A-Za-z0-9._-]*[A-Za-z0-9]", text))
        }
        return names - set(map(canonicalize_name, item.package))

    def below(item: Framework) -> bool:
        return any(other is not item and rests_on(item) & set(map(canonicalize_name, other.package)) for other in found)

    found = [item for item in found if not below(item)] or found
    found.sort(key=lambda item: bool(item.legacy))
    return found[0].id if found else "python"
