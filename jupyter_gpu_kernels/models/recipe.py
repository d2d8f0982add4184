"""What a notebook carries of its kernel."""

from __future__ import annotations

import dataclasses
from typing import Any

from .plan import Plan
from .spec import EnvironmentSpec, Installer, Variant

#: Key of a notebook's metadata under which its recipe is.
RECIPE_KEY = "jupyter_gpu_kernels"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Original:
    """What a recipe was taken from.

    Attributes:
        platform: Conda's name of its platform, e.g. ``"linux-64"``.
        installer: Where its packages came from (never ``auto``).
        variant: For which hardware it was built (never ``auto``).
        python: Exact Python version.
        framework_version: Exact version of the framework, ``None`` for plain Python.
        cuda: CUDA version, ``None`` for a CPU build.
        digest: SHA-256 of its packages, in hexadecimal; the same digest means the same packages.
    """

    platform: str
    installer: Installer
    variant: Variant
    python: str
    framework_version: str | None = None
    cuda: str | None = None
    digest: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class KernelRecipe:
    """How a kernel is made again, on a machine that may be quite another.

    Attributes:
        schema_version: Version of this shape; readers refuse a newer one.
        name: Name of the environment.
        display_name: What the Launcher showed.
        spec: What was asked for, without what only meant the original's machine: passwords, GPUs by identifier.
        original: What it was taken from.
    """

    schema_version: int = 1
    name: str
    display_name: str
    spec: EnvironmentSpec
    original: Original


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecipeRequest:
    """What shall be planned of a recipe.

    Attributes:
        recipe: What a notebook has under :data:`RECIPE_KEY`, whatever that is.
        name: Name of the environment; ``None`` for the recipe's own, or one like it where that is taken.
    """

    recipe: Any
    name: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """What will not be as it was: ``what`` in a word or two, and the same before and after, for people."""

    what: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecipePlan:
    """What would be built here of a recipe.

    Attributes:
        spec: What to ask for, to build just that.
        plan: What the solver answered for this machine.
        differences: What differs from the original, the weightiest first; empty if nothing does.
        present: Name of an environment here that was made of this recipe already, empty if there is none.
    """

    spec: EnvironmentSpec
    plan: Plan
    differences: tuple[Difference, ...] = ()
    present: str = ""
