"""Packages outside of an environment that Python would take before the environment's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ...build.contents.census import census, python_packages
from ...models import Environment, Finding
from ...prefix.cuda import package_directories
from ...prefix.layout import Layout
from ..amounts import and_more
from ..check import note, warning
from ..context import Context

#: What is told first where much is shadowed.
_WEIGHTY = ("torch", "tensorflow", "jax", "jaxlib", "numpy", "keras", "cupy", "protobuf", "scipy", "pandas")

#: How many packages are told one by one.
_TOLD = 10


def look_at_user_site(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """Packages in the user's own directory (``pip install --user``) that the environment has, too.

    A virtual environment does not look there, unless it was made to see the system's packages.
    """
    folder = layout.user_site(context.environ)
    if folder is None:
        return
    own = census(layout).python
    both = sorted(
        ((package, own[package.name]) for package in python_packages(folder) if package.name in own),
        key=lambda pair: (_WEIGHTY.index(pair[0].name) if pair[0].name in _WEIGHTY else len(_WEIGHTY), pair[0].name),
    )
    if not both:
        return
    evidence = [f"{theirs} in {folder}, {ours.version} in the environment" for theirs, ours in both[:_TOLD]]
    first = f"{both[0][0]}{and_more(len(both))}"
    manifest = context.manifest_of(environment.name)
    if manifest is not None and manifest.launch.user_site:
        yield warning(
            f"Its kernels take packages of your user directory before its own: {first}.",
            evidence=[*evidence, "Its launch policy says `user_site`."],
            cure=f"Uninstall them there (`pip uninstall`, or remove {folder}), or create it again without `user_site`.",
        )
    elif not context.environ.get("PYTHONNOUSERSITE"):
        yield note(
            f"Packages of your user directory shadow its own wherever the provisioner does not start it: {first}. "
            "Kernels started by Jupyter are safe: PYTHONNOUSERSITE keeps them out.",
            evidence=evidence,
            cure=f"For terminals and VS Code set PYTHONNOUSERSITE=1, or remove what is in {folder}.",
        )


def look_at_python_path(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """Packages in a directory of the server's ``PYTHONPATH`` that the environment has, too."""
    own = {name for folder in package_directories(layout) for name in _modules(folder)}
    for entry in filter(None, context.environ.get("PYTHONPATH", "").split(os.pathsep)):
        if Path(entry).resolve() in {folder.resolve() for folder in package_directories(layout)}:
            continue
        both = sorted(own.intersection(_modules(Path(entry))))
        if both:
            weighty = [name for name in _WEIGHTY if name in both] or both
            yield note(
                f"PYTHONPATH brings {weighty[0]}{and_more(len(both))} from {entry} before its own. "
                "Kernels started by Jupyter are safe: the provisioner drops PYTHONPATH.",
                evidence=[f"PYTHONPATH={context.environ['PYTHONPATH']}", f"In {entry}: {', '.join(both[:_TOLD])}"],
                cure="Unset PYTHONPATH where the server, terminals or VS Code are started.",
            )


def _modules(folder: Path) -> Iterator[str]:
    """The modules that can be imported from a directory."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for path in entries:
        if path.suffix == ".py" or ".cpython-" in path.name or path.name.endswith(".abi3.so"):
            yield path.name.partition(".")[0]
        elif (path / "__init__.py").is_file():
            yield path.name
