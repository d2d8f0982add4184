"""What a solution really is: whether the GPU build that was promised, and for which CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from ...models import Framework, PlannedPackage, Recipe, Refusal, Variant
from . import drivers

#: Packages whose own version is that of the CUDA toolkit, the surest first.
_TOOLKITS = ("cuda-version", "cudatoolkit", "nvidia-cuda-runtime", "nvidia-cuda-runtime-cu[0-9]*", "cuda-cudart")


def framework_version(framework: Framework, packages: Sequence[PlannedPackage]) -> str | None:
    """Version of the framework in a solution; ``None`` if it has none, as plain Python."""
    for name in framework.package:
        for package in packages:
            if package.name == name:
                return package.version
    return None


def cuda_version(recipe: Recipe, packages: Sequence[PlannedPackage]) -> str | None:
    """CUDA version of the toolkit in a solution, ``None`` for a CPU build.

    Asked in turn are conda's ``cuda-version`` and ``cudatoolkit``, NVIDIA's wheels, the local version of the guarded
    wheel (``2.7.1+cu128``), the guarded package's build string (``cuda129_…``), and what the recipe says.
    """
    if recipe.variant is not Variant.GPU and not recipe.sees_cuda:
        return None
    for name in _TOOLKITS:
        for package in _matching(name, packages):
            return _two(package.version)
    if recipe.guard is None:
        return None
    for package in _matching(recipe.guard.package, packages):
        for text in (package.version, package.build):
            found = re.search(r"(?:\+cu|cuda_?)(\d{2,3})(?!\d)", text)
            if found:
                return f"{found[1][:2]}.{found[1][2:] or '0'}"
    return recipe.guard.cuda or None


def built_with(recipe: Recipe, packages: Sequence[PlannedPackage]) -> str | None:
    """CUDA that a GPU build of conda was compiled with, as its build string says; ``None`` where it does not."""
    if recipe.variant is not Variant.GPU or recipe.guard is None:
        return None
    found = (re.search(r"cuda_?(\d{3})(?!\d)", package.build) for package in _matching(recipe.guard.package, packages))
    return next((f"{match[1][:2]}.{match[1][2:]}" for match in found if match), None)


def check(
    framework: Framework,
    recipe: Recipe,
    packages: Sequence[PlannedPackage],
    *,
    driver_cuda: str | None,
    wish: str | None,
) -> Refusal | None:
    """Why a solution is not what a GPU recipe promises; ``None`` if it is.

    Args:
        framework: The framework.
        recipe: The recipe that was solved.
        packages: The solution.
        driver_cuda: Highest CUDA of the driver that it shall run on.
        wish: CUDA version that was asked for.
    """
    if recipe.variant is not Variant.GPU or recipe.guard is None:
        return None
    guard = recipe.guard
    guarded = list(_matching(guard.package, packages))
    proven = [item for item in guarded if fnmatchcase(item.build, guard.build or "*") and "+cpu" not in item.version]
    cuda = cuda_version(recipe, packages)
    if not proven or cuda is None or (guard.needs and not any(_matching(guard.needs, packages))):
        answer = ", ".join(" ".join(filter(None, (item.name, item.version, item.build))) for item in guarded)
        reason = (
            f"The answer holds a CPU build of {framework.title} ({answer or 'none at all'}) instead of a GPU build."
        )
        cure = "Check the channels or indexes, leave out packages that ask for a CPU build, or take the cpu variant."
        return Refusal(reason=reason, cure=cure)
    if wish is not None and not f"{cuda}.".startswith(f"{wish}."):
        reason = f"{framework.title} was asked for with CUDA {wish}, and the answer has CUDA {cuda}."
        return Refusal(reason=reason, cure=f"Ask for CUDA {cuda}, for another version, or for none.")
    if driver_cuda is not None and not drivers.driver_runs(driver_cuda, cuda):
        reason = (
            f"{framework.named(framework_version(framework, packages))} comes with CUDA {cuda}, which needs "
            f"NVIDIA driver {drivers.minimum_driver(cuda)} or newer; the one it is for runs CUDA up to {driver_cuda}."
        )
        return Refusal(reason=reason, cure="Update the driver, or choose an older version of the framework.")
    return None


def _matching(pattern: str, packages: Iterable[PlannedPackage]) -> Iterable[PlannedPackage]:
    """The packages whose name a pattern matches."""
    return (package for package in packages if fnmatchcase(package.name, pattern))


def _two(version: str) -> str:
    """Major and minor version."""
    return ".".join([*version.split("."), "0"][:2])
