"""Which recipe of a framework fits what was asked for and what it shall run on; nothing is solved here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from ...models import EnvironmentSpec, Framework, Installer, Recipe, Refusal, Variant
from . import drivers
from .targets import OVERRIDDEN, OVERRIDE, Target

#: What the installers are called in sentences.
NAMES = {Installer.CONDA: "conda", Installer.PYPI: "PyPI"}


#: Less than any CUDA.
_NOTHING = Version("0")


@dataclass(frozen=True, kw_only=True)
class _Misfit:
    """Why a recipe does not fit; the one that came furthest, and lacks least, is told."""

    depth: int
    refusal: Refusal
    needed: Version = _NOTHING


def find(
    framework: Framework, spec: EnvironmentSpec, variant: Variant, installer: Installer, aim: Target
) -> Recipe | Refusal:
    """The first recipe that fits, or why none does.

    Args:
        framework: The framework.
        spec: What was asked for.
        variant: ``gpu`` or ``cpu``.
        installer: ``conda`` or ``pypi``.
        aim: What the result shall run on.
    """
    recipes = [item for item in framework.recipes if (item.variant, item.installer) == (variant, installer)]
    if not recipes:
        return _absent(framework, variant, installer)
    misfits = []
    for recipe in recipes:
        misfit = _misfit(framework, recipe, spec, aim)
        if misfit is None:
            return recipe
        misfits.append(misfit)
    furthest = max(item.depth for item in misfits)
    return min((item for item in misfits if item.depth == furthest), key=lambda item: item.needed).refusal


def served(framework: Framework, spec: EnvironmentSpec, variant: Variant, aim: Target) -> bool:
    """Whether there is a recipe, from whichever installer may be taken."""
    asked = Installer.CONDA if spec.channels else spec.installer
    installers = (Installer.CONDA, Installer.PYPI) if asked is Installer.AUTO else (asked,)
    return any(isinstance(find(framework, spec, variant, installer, aim), Recipe) for installer in installers)


def servable(framework: Framework, spec: EnvironmentSpec, variant: Variant, aim: Target) -> Target:
    """The same target with those of its GPUs that one build serves: all, or the newest and what goes with it.

    Who has put a new GPU beside an old one wants to use the new one. A GPU that was named is never left out.
    """
    if variant is not Variant.GPU or aim.named or served(framework, spec, variant, aim):
        return aim
    kept: tuple[str, ...] = ()
    for capability in sorted(aim.capabilities, key=Version, reverse=True):
        if served(framework, spec, variant, replace(aim, capabilities=(*kept, capability))):
            kept = (*kept, capability)
    if not kept:
        return aim
    which = "GPUs" if len(kept) > 1 else "GPU"
    return replace(aim, capabilities=kept, gpus=f"its {which} of compute capability {' and '.join(kept)}")


def overlaps(asked: str, allowed: str) -> bool:
    """Whether any version that begins as asked (``"2"``, ``"3.12"``) lies in a range."""
    specifier = SpecifierSet(allowed, prereleases=True)
    # The lowest and about the highest version that the beginning can mean, and the range's own ends between them.
    bounds = [item.version for item in specifier if item.version.startswith(f"{asked}.")]
    points = [asked, f"{Version(asked).base_version}.9999", *bounds]
    return any(point in specifier for point in points if not point.endswith("*"))


def _absent(framework: Framework, variant: Variant, installer: Installer) -> Refusal:
    """Why there is no recipe at all."""
    for absence in framework.absences:
        if absence.variant in (variant, Variant.AUTO) and absence.installer in (installer, Installer.AUTO):
            return Refusal(reason=absence.reason, cure=absence.cure)
    reason = f"The catalogue has no {variant.value} build of {framework.title} from {NAMES[installer]}."
    others = [f"{item.variant.value} from {NAMES[item.installer]}" for item in framework.recipes]
    return Refusal(reason=reason, cure=f"Choose one of: {', '.join(dict.fromkeys(others))}.")


def _misfit(framework: Framework, recipe: Recipe, spec: EnvironmentSpec, aim: Target) -> _Misfit | None:
    """Why a recipe does not fit, the plainest reason first."""
    title = f"{framework.title} for {'GPUs' if recipe.variant is Variant.GPU else 'the CPU'}"
    source = NAMES[recipe.installer]
    if recipe.platforms and aim.platform not in recipe.platforms:
        for absence in framework.absences:
            if absence.variant is recipe.variant and absence.installer is Installer.AUTO:
                return _Misfit(depth=0, refusal=Refusal(reason=absence.reason, cure=absence.cure))
        reason = f"There is no {title} for this platform ({aim.platform}) from {source}."
        return _Misfit(depth=0, refusal=Refusal(reason=reason, cure=_other_ways(recipe)))
    if spec.version and not overlaps(spec.version, recipe.versions):
        there = _range(recipe.versions)
        reason = f"Version {spec.version} of {title} is not to be had from {source}, which has those {there}."
        return _Misfit(depth=1, refusal=Refusal(reason=reason, cure="Choose a version in that range, or none."))
    if spec.python and not overlaps(spec.python, recipe.python):
        reason = f"{title} from {source} needs Python {_range(recipe.python)}; {spec.python} is asked for."
        return _Misfit(depth=2, refusal=Refusal(reason=reason, cure="Choose a Python in that range, or none."))
    if recipe.variant is Variant.GPU:
        return _cuda_misfit(framework, title, recipe, spec, aim)
    if spec.cuda and not recipe.sees_cuda:
        reason = f"CUDA {spec.cuda} is asked for, and {title} has none."
        return _Misfit(
            depth=3, refusal=Refusal(reason=reason, cure="Leave out the CUDA version, or take the gpu variant.")
        )
    return None


def _cuda_misfit(
    framework: Framework, title: str, recipe: Recipe, spec: EnvironmentSpec, aim: Target
) -> _Misfit | None:
    """Why a GPU recipe does not fit a CUDA version, a driver or a GPU."""
    source = NAMES[recipe.installer]
    if spec.cuda is None and recipe.only_exact:
        reason = f"{title} from {source} needs to know for which CUDA."
        return _Misfit(depth=3, refusal=Refusal(reason=reason, cure="Say which CUDA, e.g. 12.9."))
    if spec.cuda is not None and spec.cuda not in SpecifierSet(recipe.cuda):
        reason = f"{title} from {source} comes with CUDA {_range(recipe.cuda)}; {spec.cuda} is asked for."
        return _Misfit(depth=4, refusal=Refusal(reason=reason, cure="Choose a CUDA in that range, or none."))
    if aim.cuda is None:
        cure = (
            "If it is for another machine, name that one's CUDA (target CUDA, e.g. 12.9) or GPU (target GPU, e.g. "
            f"H100){or_cpu(framework)}."
        )
        return _Misfit(depth=5, refusal=Refusal(reason=f"{title} needs an NVIDIA driver. {aim.missing}", cure=cure))
    offered = [Version(spec.cuda)] if spec.cuda is not None else drivers.within(recipe.cuda)
    knowing = [version for version in offered if drivers.fits(version, aim.capabilities)]
    reason = ""
    if not all(item in SpecifierSet(recipe.capability) for item in aim.capabilities):
        wanted = _range(recipe.capability, decimals=True)
        reason = f"{title} from {source} runs on GPUs of compute capability {wanted}; {have(aim)}."
    elif not knowing:
        given = f"is asked for with CUDA {spec.cuda}" if spec.cuda else f"comes with CUDA {_range(recipe.cuda)}"
        reason = f"{title} from {source} {given}; {have(aim)}, and {needs(aim)}."
    if reason:
        return _Misfit(depth=6, refusal=Refusal(reason=reason, cure=_for_other_gpus(framework, recipe)))
    # A driver can be changed more easily than a GPU, so that this is told of two recipes.
    if not any(drivers.driver_runs(aim.cuda, str(version)) for version in knowing):
        refusal = driver_too_old(framework, title, str(knowing[0]), aim, spec.installer)
        return _Misfit(depth=7, refusal=refusal, needed=knowing[0])
    return None


def needs(aim: Target) -> str:
    """Which CUDA knows the GPUs of a target: ``such a GPU needs CUDA 12.8 or newer``."""
    first = max(map(drivers.first_cuda, aim.capabilities))
    last = min((end for item in aim.capabilities if (end := drivers.last_cuda(item))), default=None)
    if last is not None and first.major > last:
        return f"no CUDA knows all of these (from {first}, and up to {last})"
    if last is not None and len(aim.capabilities) > 1:
        # One may be too old for a CUDA, and another too new.
        return f"only CUDA {first} to {last}.x knows all of these"
    if last is not None:
        return f"the last CUDA that knows such a GPU is {last}"
    return f"such a GPU needs CUDA {first} or newer"


def have(aim: Target) -> str:
    """What GPUs a target has: ``this machine's GPU has 6.1``."""
    if aim.named:
        return f"{aim.gpus} is asked for"
    several = len(aim.capabilities) > 1
    return f"this machine's {'GPUs have' if several else 'GPU has'} {' and '.join(aim.capabilities)}"


def began(sentence: str) -> str:
    """A sentence with a capital letter at its beginning."""
    return f"{sentence[:1].upper()}{sentence[1:]}"


def or_cpu(framework: Framework) -> str:
    """The end of a cure, where the framework also runs without a GPU."""
    return ", or choose the cpu variant" if Variant.CPU in framework.variants() else ""


def driver_too_old(framework: Framework, title: str, needed: str, aim: Target, asked: Installer) -> Refusal:
    """The refusal of a driver that does not run a CUDA; it names the driver that would, and the CUDA that fits.

    Args:
        framework: The framework.
        title: What it is called, with its version if that is known.
        needed: CUDA that it needs.
        aim: What the result shall run on.
        asked: The installer that was asked for.
    """
    reason = (
        f"{title} needs CUDA {needed}, thus NVIDIA driver {drivers.minimum_driver(needed, aim.capabilities)} or newer; "
        f"{aim.driver} runs CUDA up to {aim.cuda}."
    )
    fitting = drivers.major(aim.cuda or "0")
    older = {
        item.installer
        for item in framework.recipes
        if item.variant is Variant.GPU and any(version.major == fitting for version in drivers.within(item.cuda))
    }
    # The driver of a login node is not that of the machine with the GPU.
    elsewhere = aim.named and aim.driver.startswith("this machine")
    ways = ["update the driver"]
    if aim.driver == OVERRIDDEN:
        ways = [f"unset {OVERRIDE}, if the driver runs more than that"]
    elif elsewhere:
        ways = ["name the highest CUDA that the machine runs that it is for (target CUDA)"]
    if older and (asked is Installer.AUTO or asked in older):
        ways.append(f"choose a version that is built for CUDA {fitting}")
    elif older:
        other = ", ".join(sorted(item.value for item in older))
        ways.append(f"choose the installer {other}, which has builds for CUDA {fitting}")
    if Variant.CPU in framework.variants():
        ways.append("choose the cpu variant")
    either = ", or ".join(filter(None, (", ".join(ways[:-1]), ways[-1])))
    return Refusal(reason=reason, cure=f"{began(either)}.")


def _range(specifiers: str, *, decimals: bool = False) -> str:
    """A range of versions in words: ``from 3.10, below 3.14``; with decimals ``from 7.0``, as GPUs are numbered."""
    words = {">=": "from", "<": "below", "<=": "up to", ">": "above", "==": "", "!=": "but not"}
    parts = sorted(SpecifierSet(specifiers), key=lambda item: Version(item.version.removesuffix(".*")))
    numbers = [
        (item.operator, f"{item.version}.0" if decimals and "." not in item.version else item.version) for item in parts
    ]
    return ", ".join(f"{words.get(operator, operator)} {number}".strip() for operator, number in numbers)


def _for_other_gpus(framework: Framework, recipe: Recipe) -> str:
    """What to do where a recipe knows none of this machine's GPUs."""
    others = [item for item in framework.recipes if item.variant is Variant.GPU and item != recipe]
    if others:
        return f"Choose another version or installer{or_cpu(framework)}."
    if Variant.CPU in framework.variants():
        return "Choose the cpu variant, or another framework."
    return "Choose another framework."


def _other_ways(recipe: Recipe) -> str:
    """What to try where a platform is not served."""
    other = "pypi" if recipe.installer is Installer.CONDA else "conda"
    more = ", or the cpu variant" if recipe.variant is Variant.GPU else ""
    return f"Try the installer {other}{more}."
