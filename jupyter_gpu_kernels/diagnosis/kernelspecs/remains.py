"""Environments that are broken or half-deleted, and what dead builds have left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ...build.disk.generations import Generations
from ...build.disk.usage import measure
from ...models import Environment, Finding
from ...prefix.layout import CONDA_MARKER, VIRTUALENV_MARKER, Layout
from .. import remedies
from ..amounts import size
from ..check import note, problem
from ..context import Context


def damaged(context: Context) -> Iterator[Finding]:
    """Find environments whose manifest cannot be read."""
    for environment in context.environments:
        if environment.damaged:
            yield problem(
                f"Nothing is known of the environment {environment.name!r}: its manifest cannot be read.",
                evidence=(f"{environment.prefix} is there",),
                cure="Remove it and create it again; its packages stay in the cache.",
                subject=environment.name,
                remedy=remedies.remove_environment(environment.name),
            )


def half_deleted(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """Find an environment that has lost what every environment has."""
    missing = []
    if not any((layout.prefix / marker).exists() for marker in (CONDA_MARKER, VIRTUALENV_MARKER)):
        missing.append(f"neither {CONDA_MARKER} nor {VIRTUALENV_MARKER} is in {layout.prefix}")
    if not os.access(layout.python, os.X_OK):
        dangling = layout.python.is_symlink() and not layout.python.exists()
        where = f"leads to {layout.python.readlink()}, which is gone" if dangling else "is missing or cannot be run"
        missing.append(f"its Python, {layout.python}, {where}")
    if not layout.site_packages():
        missing.append(f"{layout.prefix} has no directory of Python packages")
    if missing:
        yield problem(
            f"Parts of the environment {environment.name!r} are gone.",
            evidence=missing,
            cure="Rebuild it: its manifest tells what was in it.",
            remedy=remedies.rebuild(environment.name),
        )


def leftovers(context: Context) -> Iterator[Finding]:
    """Find what dead builds have left, and old generations that nobody uses any more."""
    for folder in dict.fromkeys((context.practice.conda_envs_dir, context.practice.virtualenvs_dir)):
        left = Generations(folder).abandoned()
        if not left:
            continue
        freed = sum(measure(path).freed_bytes for path in left)
        yield note(
            f"Builds that were broken off, or replaced since, have left {size(freed)} in {folder}.",
            evidence=[str(path) for path in left],
            cure="They go with the next build, or when the server starts the next time.",
            remedy=remedies.sweep(folder),
        )
