"""What can be added to a framework: which extras are asked for, and what the installers get for them."""

from __future__ import annotations

import dataclasses

from ...errors import InvalidInputError
from ...models import EnvironmentSpec, Extra, Framework, Installer, Recipe


def chosen(framework: Framework, spec: EnvironmentSpec) -> tuple[Extra, ...]:
    """The extras that a spec asks for, each once.

    Raises:
        InvalidInputError: The framework has no such extra.
    """
    known = {extra.id: extra for extra in framework.extras}
    for wish in spec.extras:
        if wish not in known:
            msg = f"{framework.title} has no extra {wish[:50]!r}."
            ids = ", ".join(known)
            raise InvalidInputError(msg, cure=f"Choose of: {ids}." if ids else "Ask for none: it has no extras.")
    return tuple(known[wish] for wish in dict.fromkeys(spec.extras))


def supplemented(framework: Framework, spec: EnvironmentSpec) -> Framework:
    """The framework whose recipes also give what extras need; what comes on top of conda packages is not among it."""
    extras = chosen(framework, spec) if spec.recipe else ()
    if not extras:
        return framework
    return dataclasses.replace(framework, recipes=tuple(_with(recipe, extras) for recipe in framework.recipes))


def on_top(framework: Framework, spec: EnvironmentSpec) -> tuple[str, ...]:
    """The requirements of a conda environment's pip stage: the extras' first, then those that were asked for."""
    extras = chosen(framework, spec) if spec.recipe else ()
    return tuple(dict.fromkeys((*(text for extra in extras for text in extra.pip), *spec.pip)))


def _with(recipe: Recipe, extras: tuple[Extra, ...]) -> Recipe:
    conda = recipe.installer is Installer.CONDA
    more = [text for extra in extras for text in (extra.packages if conda else (*extra.pip, *extra.wheels))]
    python = ",".join(filter(None, (recipe.python, *(extra.python for extra in extras))))
    return dataclasses.replace(recipe, packages=(*recipe.packages, *more), python=python)
