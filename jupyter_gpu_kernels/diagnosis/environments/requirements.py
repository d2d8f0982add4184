"""Whether what was installed after the build left a framework with what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ...build.contents.census import Census, Package, census
from ...models import Environment, Finding, Manifest
from ...prefix.layout import Layout
from ..check import problem
from ..context import Context
from ..remedies import rebuild
from .builds import builds, distribution_names

#: The first versions that work with NumPy 2: https://github.com/numpy/numpy/issues/26191
_NUMPY_2 = {
    "torch": "2.3",
    "tensorflow": "2.18",
    "tensorflow-cpu": "2.18",
    "jaxlib": "0.4.26",
    "onnxruntime": "1.19",
    "onnxruntime-gpu": "1.19",
    "scipy": "1.13",
    "pandas": "2.2.2",
    "matplotlib": "3.8.4",
    "scikit-learn": "1.4.2",
    "h5py": "3.11",
}


def look_for_conflicts(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """What a framework or ipykernel needs, and what a later installation has taken away or exchanged.

    What is as it was planned is left alone, whatever the metadata say: it was solved, and verified.
    """
    manifest, packages = context.manifest_of(environment.name), census(layout)
    if manifest is None:
        return
    planned = {canonicalize_name(package.name): package.version for package in manifest.plan.packages}
    told = set()
    for package in _roots(context, environment, layout, packages):
        for requirement in package.requirements():
            name = canonicalize_name(requirement.name)
            there = packages.python.get(name)
            if name.startswith("nvidia-") or name in told or name not in planned or _same(there, planned[name]):
                continue
            if requirement.marker is not None and not requirement.marker.evaluate(_marked(layout)):
                continue
            if there is None:
                told.add(name)
                yield problem(
                    f"{package.name} {package.version} needs {name}, which was uninstalled.",
                    evidence=[f"Built: {name} {planned[name]}", str(package.metadata)],
                    cure="Rebuild it, or install that package again.",
                    remedy=rebuild(environment.name),
                )
            elif not requirement.specifier.contains(there.version, prereleases=True):
                told.add(name)
                yield problem(
                    f"{package.name} {package.version} needs {name} {requirement.specifier}, and a later installation "
                    f"brought {there.version}.",
                    evidence=[f"Built: {name} {planned[name]}", str(there.metadata)],
                    cure="Rebuild it, or install a version that both can use.",
                    remedy=rebuild(environment.name),
                )


def look_at_numpy(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """NumPy 2 beside what was compiled for NumPy 1."""
    packages = census(layout)
    numpy = packages.find("numpy")
    if numpy is None or not re.match(r"[2-9]\.|\d\d", numpy.version):
        return
    old = [packages.python[name] for name, first in _NUMPY_2.items() if _before(packages.python.get(name), first)]
    if old:
        others = f" and {len(old) - 1} more were" if len(old) > 1 else " was"
        yield problem(
            f"{old[0]}{others} compiled for NumPy 1, and NumPy {numpy.version} is installed.",
            evidence=[f"{package.name} works with NumPy 2 from {_NUMPY_2[package.name]} on" for package in old],
            cure="Rebuild it with `numpy<2` among its packages, or with newer versions of those.",
            remedy=rebuild(environment.name) if _was_older(context, environment) else None,
            link="https://github.com/numpy/numpy/issues/26191",
        )


def _roots(context: Context, environment: Environment, layout: Layout, packages: Census) -> Iterator[Package]:
    """The packages whose needs count: the frameworks, and ipykernel."""
    names = [build.package.name for build in builds(layout, packages, context.framework(environment.framework))]
    for name in dict.fromkeys((*names, *distribution_names(environment.framework), "ipykernel")):
        if name in packages.python:
            yield packages.python[name]


def _same(there: Package | None, planned: str) -> bool:
    """Whether a package is as it was planned."""
    if there is None:
        return False
    try:
        return Version(there.version) == Version(planned)
    except InvalidVersion:
        return there.version == planned


def _before(package: Package | None, first: str) -> bool:
    """Whether a package is there in a version before the first that works."""
    try:
        return package is not None and Version(package.version).release < Version(first).release
    except InvalidVersion:
        return False


def _marked(layout: Layout) -> dict[str, str]:
    """What conditions of requirements are to be read with: the environment's Python, no extra."""
    version = layout.python_version()
    known = {"python_version": ".".join(version.split(".")[:2]), "python_full_version": version} if version else {}
    return {**known, "extra": ""}


def _was_older(context: Context, environment: Environment) -> bool:
    """Whether the environment was built with NumPy 1, so that a rebuild brings it back."""
    manifest: Manifest | None = context.manifest_of(environment.name)
    planned = manifest.plan.packages if manifest is not None else ()
    return any(package.name == "numpy" and package.version.startswith("1.") for package in planned)
