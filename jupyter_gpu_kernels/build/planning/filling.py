"""Recipes filled in: what the installers are asked for."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

from ...models import EnvironmentSpec, Framework, Recipe, Variant
from ..conda.settings import ChannelSettings, CondaRequest
from ..wheels.settings import WheelsRequest
from . import drivers
from .preference import Preference
from .targets import Target

#: In every environment: the kernel itself. pip comes along so that ``%pip install`` means this environment.
_ESSENTIALS = ("ipykernel", "pip")


def conda_request(
    framework: Framework,
    recipe: Recipe,
    spec: EnvironmentSpec,
    aim: Target,
    settings: ChannelSettings,
    preference: Preference,
    build: str = "",
) -> CondaRequest:
    """What the conda installer is asked for.

    Args:
        framework: The framework.
        recipe: The recipe that fits.
        spec: What was asked for.
        aim: What the result shall run on.
        settings: Where to look.
        preference: What the environment has that it takes the place of.
        build: What the build strings of CUDA builds must hold, e.g. ``cuda129``; empty for any of them.
    """
    # What stands first gets its newest version: a new framework matters more than a new Python, and both more than the
    # companions. With Python first, the newest Python was answered with a PyTorch of two versions ago.
    version = _joined(_prefix(spec.version), recipe.versions) or "*"
    specs = [text.replace("{version}", version) for text in recipe.packages]
    specs = [text.replace("build='*cuda*'", f"build='*{build}*'") for text in specs] if build else specs
    specs += _cuda_specs(recipe, spec, aim)
    specs += recipe.before_turing if drivers.before_turing(aim.capabilities) else ()
    python = _joined(_prefix(spec.python), recipe.python)
    specs += [f"python {python}" if python else "python", *_ESSENTIALS, *spec.packages]
    specs += framework.companions if spec.companions and spec.recipe else ()
    return CondaRequest(
        specs=tuple(dict.fromkeys(specs)),
        settings=settings,
        # A CPU build is asked for as one, and its neighbours shall not bring CUDA either.
        cuda=aim.cuda if recipe.variant is Variant.GPU or recipe.sees_cuda else None,
        platform=aim.platform,
        keep=preference.keep,
        hold=preference.hold,
        firm=preference.firm,
    )


def wheels_request(
    framework: Framework,
    recipe: Recipe,
    spec: EnvironmentSpec,
    aim: Target,
    preference: Preference,
    *,
    allow_builds: bool = False,
) -> WheelsRequest:
    """What the PyPI installer is asked for; arguments as those of :func:`conda_request`."""
    requirements = [_ESSENTIALS[0], *(framework.companions if spec.companions and spec.recipe else ())]
    version = _joined(f"=={_prefix(spec.version)}" if spec.version else "", recipe.versions)
    requirements += [text.replace("{version}", version) for text in recipe.packages]
    requirements += recipe.before_turing if drivers.before_turing(aim.capabilities) else ()
    backend = recipe.torch_backend
    if spec.cuda and recipe.variant is Variant.GPU:
        requirements += [recipe.cuda_package.replace("{cuda}", spec.cuda)] if recipe.cuda_package else []
        backend = backend.replace("{cuda}", spec.cuda.replace(".", ""))
    return WheelsRequest(
        requirements=tuple(dict.fromkeys((*requirements, *spec.packages, *spec.pip))),
        python=spec.python or preference.python,
        python_range=recipe.python,
        torch_backend=backend or None,
        allow_builds=allow_builds,
        hold=preference.wheels,
    )


def _cuda_specs(recipe: Recipe, spec: EnvironmentSpec, aim: Target) -> Iterable[str]:
    """The specs that keep CUDA to what was asked for, or to what the GPUs know."""
    if spec.cuda and (recipe.variant is Variant.GPU or recipe.sees_cuda):
        yield (recipe.cuda_package or "cuda-version={cuda}").replace("{cuda}", spec.cuda)
    elif recipe.cuda_package.startswith("cuda-version"):
        # Conda knows the driver (__cuda), and not which GPUs a toolkit still compiles for, or already.
        oldest = max((drivers.first_cuda(item) for item in aim.capabilities), default=Version("0"))
        newest = min((last for item in aim.capabilities if (last := drivers.last_cuda(item))), default=None)
        lower = f">={oldest}" if oldest >= Version("11.8") else ""
        upper = f"<{newest + 1}" if newest is not None else ""
        if lower or upper:
            yield f"cuda-version {_joined(lower, upper)}"


def _prefix(version: str | None) -> str:
    """Any version that begins so: ``2.19.*``. A pre-release means itself."""
    if not version:
        return ""
    parsed = Version(version)
    return f"{version}.*" if parsed.base_version == version else version


def _joined(*ranges: str) -> str:
    """Both ranges at once."""
    return ",".join(item for item in ranges if item)
