"""Planning a recipe for this machine: as like the original as can be had here, and what will not be as it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from ...errors import ChannelError, InvalidInputError, RefusedError, SolveError
from ...models import (
    Difference,
    EnvironmentSpec,
    Framework,
    Installer,
    KernelRecipe,
    Original,
    Plan,
    RecipePlan,
    Variant,
)
from ..contents.installed import digest
from .permission import Permitted
from .taking import portable

_INSTALLERS = {Installer.CONDA: "conda", Installer.PYPI: "PyPI"}


async def plan_recipe(
    recipe: KernelRecipe,
    permitted: Permitted,
    framework: Framework,
    ask: Callable[[EnvironmentSpec], Awaitable[Plan]],
    platform: str,
) -> RecipePlan:
    """Plan what comes nearest to the original here; each step asks for a little less.

    Args:
        recipe: What the notebook carries.
        permitted: What of its spec may be asked for, under the name that it shall have.
        framework: Its framework.
        ask: Answers what would be built.
        platform: Conda's name of this platform.

    Raises:
        RefusedError: It cannot be built from the channels that are known here.
        SolveError: No set of packages satisfies it, however little is asked for.
        ChannelError: A channel or index does not answer as it should.
    """
    refused: Plan | None = None
    unsolvable: SolveError | None = None
    for spec in steps(recipe, permitted.spec):
        try:
            plan = await ask(spec)
        except SolveError as error:
            refused, unsolvable = None, error
            continue
        except InvalidInputError:
            # A version that no person would write: conda has its own rules.
            continue
        except ChannelError:
            # The original's installer was this recipe's wish; its user's comes next.
            if spec.installer is permitted.spec.installer:
                raise
            continue
        if plan.refusal is None:
            differences = tuple(_differences(recipe, plan, framework, permitted.left_out, platform))
            return RecipePlan(spec=spec, plan=plan, differences=differences)
        refused, unsolvable = plan, None
    if permitted.left_out and (unsolvable or refused):
        raise _without(permitted.left_out, unsolvable, refused)
    if refused is not None:
        return RecipePlan(spec=refused.spec, plan=refused)
    if unsolvable is not None:
        raise unsolvable
    # Only a recipe whose every version is refused comes here.
    msg = f"No version of {framework.title} that this notebook asks for can be asked for here."
    raise RefusedError(msg, cure="Create a kernel yourself, with a version that is offered here.")


def steps(recipe: KernelRecipe, spec: EnvironmentSpec) -> list[EnvironmentSpec]:
    """What to ask for, one after the other, the likest first.

    Args:
        recipe: What the notebook carries.
        spec: What of its spec may be asked for.
    """
    original = recipe.original
    exact, python = original.framework_version, _beginning(original.python, 2)
    minor, major = _beginning(exact, 2), _beginning(exact, 1)
    versions = [(exact, python), (minor, python), (minor, spec.python), (spec.version, spec.python), (major, None)]
    wishes = [replace(spec, version=version, python=python) for version, python in versions]
    if spec.installer is Installer.AUTO and not spec.channels and original.installer is Installer.PYPI:
        # Builds differ more between conda and PyPI than between two versions.
        wishes = [*(replace(wish, installer=Installer.PYPI) for wish in wishes[:2]), *wishes]
    return list(dict.fromkeys(wishes))


def made_of(spec: EnvironmentSpec, recipe: KernelRecipe) -> bool:
    """Whether a spec is one that this recipe leads to, under whichever name.

    Args:
        spec: What an environment was built from.
        recipe: What a notebook carries; its channels are not looked at, since they depend on the machine.
    """

    def essence(asked: EnvironmentSpec) -> EnvironmentSpec:
        return replace(portable(asked), name=recipe.name, display_name=None, channels=())

    return essence(spec) in {essence(wish) for wish in steps(recipe, recipe.spec)}


def _differences(
    recipe: KernelRecipe, plan: Plan, framework: Framework, left_out: tuple[str, ...], platform: str
) -> Iterator[Difference]:
    """What will not be as it was, the weightiest first."""
    seen = tuple(_changes(recipe.original, plan, framework, left_out, platform))
    yield from seen
    # Where more differs, that other packages do goes without saying.
    if not seen and recipe.original.digest and digest(plan.packages) != recipe.original.digest:
        yield Difference(what="Other packages", before="as they were then", after="as they are now")


def _changes(
    original: Original, plan: Plan, framework: Framework, left_out: tuple[str, ...], platform: str
) -> Iterator[Difference]:
    yield from _differs("Built for", _build(original.variant, original.cuda), _build(plan.variant, plan.cuda))
    yield from _differs(framework.title, original.framework_version or "", plan.framework_version or "")
    # Patch releases of Python are all alike.
    yield from _differs("Python", _beginning(original.python, 2) or "", _beginning(plan.python, 2) or "")
    yield from _differs("Packages from", _INSTALLERS[original.installer], _INSTALLERS[plan.installer])
    yield from _differs("Platform", original.platform, platform)
    yield from _differs("Channels", ", ".join(left_out), "not used here" if left_out else "")


def _differs(what: str, before: str, after: str) -> Iterator[Difference]:
    if before != after:
        yield Difference(what=what, before=before, after=after)


def _build(variant: Variant, cuda: str | None) -> str:
    """For what something is built, in a word or two."""
    return f"CUDA {cuda}" if cuda else variant.value.upper()


def _beginning(version: str | None, parts: int) -> str | None:
    """The first numbers of a version: ``3.12`` of ``3.12.4``."""
    return ".".join(version.partition("+")[0].split(".")[:parts]) if version else None


def _without(left_out: tuple[str, ...], unsolvable: SolveError | None, refused: Plan | None) -> RefusedError:
    """The refusal of a recipe that cannot be had without its own channels."""
    names = ", ".join(left_out)
    several = "channels" if len(left_out) > 1 else "channel"
    them = "they are" if len(left_out) > 1 else "it is"
    msg = f"The notebook's kernel cannot be built without the {several} {names}, which this machine does not know."
    refusal = refused.refusal if refused else None
    why = unsolvable.message if unsolvable else refusal.reason if refusal else ""
    detail = unsolvable.detail if unsolvable else refusal.detail if refusal else ""
    cure = f"If you trust whoever {them} from, add the {several} to your conda configuration, and try again."
    return RefusedError(msg, cure=cure, detail=f"{why}\n{detail}".strip())
