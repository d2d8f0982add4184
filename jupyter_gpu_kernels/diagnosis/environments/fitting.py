"""Whether this machine's driver and GPUs run what an environment was built with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from ...build.contents.census import census
from ...build.planning import drivers
from ...models import Environment, Finding, Recipe
from ...prefix.layout import Layout
from ..check import NotApplicable, problem, warning
from ..context import Context
from ..remedies import rebuild
from .builds import Build, builds


def look_at_driver(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """A driver that is too old for a framework that was added later, or exchanged.

    What the environment was built for is compared in :func:`..machine.driver.too_old_for`.
    """
    hardware = context.hardware
    if hardware.driver is None or hardware.cuda is None:
        msg = "This machine has no NVIDIA driver that could be compared."
        raise NotApplicable(msg)
    built_for = (environment.cuda or "").partition(".")[0]
    for build in builds(layout, census(layout), context.framework(environment.framework)):
        major = build.cuda.partition(".")[0]
        if not major.isdigit() or major == built_for or drivers.driver_runs(hardware.cuda, build.cuda):
            continue
        needed = drivers.minimum_driver(build.cuda)
        yield problem(
            f"{build.name} in it is built with CUDA {build.cuda}, which needs NVIDIA driver {needed} or newer; "
            f"this machine's driver {hardware.driver} runs CUDA up to {hardware.cuda}.",
            evidence=[build.evidence, f"Driver: {hardware.driver}, CUDA {hardware.cuda}"],
            cure="Rebuild it: a later installation brought a build that does not fit."
            if build.is_of(environment.framework)
            else "Install a build for an older CUDA, or update the driver.",
            remedy=rebuild(environment.name) if build.is_of(environment.framework) else None,
            link="https://docs.nvidia.com/deploy/cuda-compatibility/",
        )


def look_at_gpus(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """A GPU that the build has no code for."""
    gpus = context.hardware.gpus
    if not gpus:
        msg = "This machine has no GPU that could be compared."
        raise NotApplicable(msg)
    found = builds(layout, census(layout), context.framework(environment.framework))
    recipe = _recipe(context, environment)
    for gpu in gpus:
        for build in found:
            allowed = recipe.capability if recipe and build.is_of(environment.framework) else ""
            why = _unfit(build, gpu.compute_capability, allowed)
            if why:
                yield problem(
                    f"{build.name} has no code for the {gpu.name} (compute capability "
                    f"{gpu.compute_capability}): {why}.",
                    evidence=[build.evidence, f"GPU {gpu.index}: {gpu.name}, {gpu.compute_capability}"],
                    cure="Rebuild it for this GPU; if a version was asked for, create it again with another one.",
                    remedy=rebuild(environment.name),
                )
            elif _compiles(build, gpu.compute_capability):
                yield warning(
                    f"{build.name} has no machine code for the {gpu.name} (compute capability "
                    f"{gpu.compute_capability}); the driver compiles it at first use, which may take half an hour.",
                    evidence=[build.evidence, f"Code for: {', '.join(build.architectures)}"],
                    cure="Be patient with the first computation, or choose a build for this GPU.",
                )


def runs_on(architectures: tuple[str, ...], capability: str) -> bool:
    """Whether a build has code that a GPU runs: machine code of its major version, or what the driver can compile.

    Source: https://docs.nvidia.com/cuda/cuda-c-programming-guide/#binary-compatibility
    """
    return _native(architectures, capability) or any(
        kind == "compute" and Version(number) <= Version(capability) for kind, number in _codes(architectures)
    )


def _native(architectures: tuple[str, ...], capability: str) -> bool:
    """Whether a build has machine code for a GPU.

    TensorFlow's ``compute_90`` stands for what the driver can compile and for the machine code of 9.0: see
    ``_compute_cuda_extra_copts`` in its ``third_party/gpus/cuda_configure.bzl``.
    """
    gpu = Version(capability)
    return any(Version(number).major == gpu.major and Version(number) <= gpu for _, number in _codes(architectures))


def _codes(architectures: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Kind and compute capability of each: ``("sm", "8.0")`` of ``sm_80``, ``("compute", "9.0")``."""
    for item in architectures:
        match = re.fullmatch(r"(sm|compute)_(\d+)(\d)[af]?", item)
        if match:
            yield match[1], f"{match[2]}.{match[3]}"


def _unfit(build: Build, capability: str, allowed: str) -> str:
    """Why a build does not run on a GPU; empty if it does, or if nothing is known."""
    if not build.cuda[:1].isdigit():
        return ""
    if build.architectures:
        return "" if runs_on(build.architectures, capability) else f"it has {', '.join(build.architectures)}"
    if allowed and capability not in SpecifierSet(allowed):
        return f"it is for those {allowed}"
    major = Version(build.cuda).major
    last = drivers.last_cuda(capability)
    if last is not None and major > last:
        return f"CUDA {last} is the last one that knows it, and it is built with CUDA {build.cuda}"
    first = drivers.first_cuda(capability)
    # Where only the major version is known, the newest of its minor versions is.
    if first > (Version(build.cuda) if "." in build.cuda else Version(f"{major}.99")):
        return f"CUDA {first} is the first one that knows it, and it is built with CUDA {build.cuda}"
    return ""


def _compiles(build: Build, capability: str) -> bool:
    """Whether only the driver can make the build run on a GPU."""
    return bool(build.architectures) and not _native(build.architectures, capability)


def _recipe(context: Context, environment: Environment) -> Recipe | None:
    """The recipe of the catalogue by which the environment seems to have been made."""
    framework = context.framework(environment.framework)
    for recipe in framework.recipes if framework else ():
        if (recipe.variant, recipe.installer) != (environment.variant, environment.installer):
            continue
        try:
            fits = _within(environment.framework_version, recipe.versions) and _within(environment.cuda, recipe.cuda)
        except InvalidVersion:
            continue
        if fits:
            return recipe
    return None


def _within(version: str | None, allowed: str) -> bool:
    """Whether a version lies in a range; an empty one takes any."""
    return not allowed or (version is not None and SpecifierSet(allowed).contains(Version(version), prereleases=True))
