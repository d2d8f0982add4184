"""Kernelspecs that lead nowhere, or where nobody expects."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ...build.kernelspec.kernel_json import PROVISIONER
from ...build.kernelspec.registry import read
from ...build.kernelspec.scan import Kernelspec, kernelspecs, seen
from ...models import Environment, Finding, Remedy
from ...prefix.layout import Layout
from ...prefix.manifest import MANIFEST
from .. import remedies
from ..check import note, problem, warning
from ..context import Context

#: Who starts kernels on this machine; of others' programs nobody knows here where they are.
LOCAL = ("", "local-provisioner", PROVISIONER)


def dead_kernelspecs(context: Context) -> Iterator[Finding]:
    """Find kernels whose program or environment is gone."""
    for spec in kernelspecs(context.kernel_dirs):
        if _elsewhere(spec, context) or (spec.hidden_by and not spec.ours):
            continue
        file = spec.place / "kernel.json"
        ours = spec.environment
        if not spec.argv:
            said = f"The kernel {spec.name!r} cannot be read, so Jupyter does not offer it."
            yield warning(
                said,
                evidence=(f"{file} is no kernelspec",),
                cure="Mend that file, or remove the kernel.",
                subject=spec.name,
                remedy=_removal(spec),
            )
        elif ours is not None and seen(ours) is False:
            said = f"The environment of the kernel {spec.title!r} is gone."
            cure = "Remove the kernel, or create the environment again under its name."
            yield problem(
                said, evidence=(f"{file} is for {ours}", *_gone(ours)), cure=cure, subject=spec.name,
                remedy=_removal(spec, ask=False),
            )  # fmt: skip
        elif spec.provisioner in LOCAL and not _startable(spec, context.environ):
            first = spec.program(context.environ) or Path(spec.argv[0])
            said = f"The kernel {spec.title!r} cannot start: {_what(spec, first)}."
            facts = (f"{file} starts {spec.argv[0]}", *_gone(first))
            if ours is not None:
                anew = remedies.rebuild(ours.name) if _known(ours, context) else None
                yield problem(said, evidence=facts, cure="Rebuild the environment.", subject=spec.name, remedy=anew)
                continue
            cure = "Remove the kernel, unless its program is on a disk that is only not mounted now."
            yield warning(said, evidence=facts, cure=cure, subject=spec.name, remedy=_removal(spec))


def unregistered(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """Find an environment whose kernel Jupyter does not offer."""
    if environment.registered or not (layout.prefix / MANIFEST).is_file():
        return
    yield warning(
        f"The kernel of the environment {environment.name!r} is not registered, so Jupyter does not offer it.",
        evidence=(f"{environment.prefix} is there", f"no kernelspec {environment.kernel_name} is for it"),
        cure="Verify the environment: that puts its kernel back.",
        subject=environment.name,
        remedy=remedies.verify(environment.name),
    )


def same_titles(context: Context) -> Iterator[Finding]:
    """Find kernels that the Launcher shows under one name."""
    titles: defaultdict[str, list[Kernelspec]] = defaultdict(list)
    for spec in kernelspecs(context.kernel_dirs):
        if not spec.hidden_by and spec.argv:
            titles[spec.title].append(spec)
    for title, specs in titles.items():
        mine = [spec for spec in specs if spec.ours or spec.adopted]
        if len(specs) < 2 or not mine:
            continue
        names = " and ".join(repr(spec.name) for spec in specs)
        yield note(
            f"{len(specs)} kernels are shown as {title!r}: {names}.",
            evidence=[str(spec.place) for spec in specs],
            cure="Give one of them another display name.",
            subject=mine[0].name,
        )


def shadowed(context: Context) -> Iterator[Finding]:
    """Find kernels of ours that Jupyter does not take, because another one of the name comes first."""
    for spec in kernelspecs(context.kernel_dirs):
        if spec.hidden_by is None or not spec.ours or _elsewhere(spec, context):
            continue
        other = Kernelspec(place=spec.hidden_by, content=read(spec.hidden_by))
        if other.environment is not None and other.environment == spec.environment:
            continue
        yield warning(
            f"The GPU kernel {spec.name!r} is hidden by another kernel of that name, {other.title!r}.",
            evidence=(f"Jupyter takes {other.place}", f"and passes over {spec.place}"),
            cure="Remove the other kernel, or create this environment again under another name.",
            subject=spec.name,
            remedy=None if other.ours else _removal(other),
        )


def _elsewhere(spec: Kernelspec, context: Context) -> bool:
    """Whether a kernelspec is none of the environment that was asked for."""
    return bool(context.subject) and (spec.environment is None or spec.environment.name != context.subject)


def _startable(spec: Kernelspec, environ: Mapping[str, str]) -> bool:
    """Whether there is a program to start."""
    program = spec.program(environ)
    return program is not None and os.path.isfile(program) and os.access(program, os.X_OK)  # noqa: PTH113


def _what(spec: Kernelspec, program: Path) -> str:
    """What is wrong with a program, half a sentence."""
    if not program.is_absolute():
        return f"there is no program {spec.argv[0]} on the PATH"
    if seen(program) is not False:
        return f"{program} cannot be run"
    if os.path.islink(program):  # noqa: PTH114
        return f"{program} leads to {program.readlink()}, which is gone"
    return f"{program} is gone"


def _gone(path: Path) -> Iterator[str]:
    """How much of a path is left."""
    if path.is_absolute() and seen(path) is False:
        left = next((folder for folder in path.parents if seen(folder)), Path("/"))
        yield f"{left} is all of that path that is there"


def _known(prefix: Path, context: Context) -> bool:
    """Whether an environment can be rebuilt from its manifest."""
    return any(item.prefix == str(prefix) and not item.damaged for item in context.environments)


def _removal(spec: Kernelspec, *, ask: bool = True) -> Remedy | None:
    """The remedy that removes a kernelspec, where the user may."""
    if not os.access(spec.place.parent, os.W_OK):
        return None
    remedy = remedies.remove_kernelspec(spec.place)
    return remedy if ask else replace(remedy, question="")
