"""Whether the frameworks in an environment are the builds that were asked for, and are in nobody's way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from ...build.contents.census import Census, Package, census
from ...models import Environment, EnvironmentKind, Finding, Manifest, PlannedPackage, Variant
from ...prefix.layout import Layout
from ..check import note, problem, warning
from ..context import Context
from ..remedies import rebuild
from .builds import Build, builds, distribution_names

#: Packages, as patterns of names, that write into the same directory or cannot be used together, and what to keep.
_RIVALS = (
    ("TensorFlow", r"tensorflow(-cpu|-gpu|-intel|-rocm)?|tf-nightly(-cpu)?", "tensorflow[and-cuda]"),
    ("ONNX Runtime", r"onnxruntime(-gpu|-training|-directml|-openvino|-rocm)?", "onnxruntime-gpu"),
    ("PaddlePaddle", r"paddlepaddle(-gpu)?", "paddlepaddle-gpu"),
    ("CuPy", r"cupy(-cuda\d+x?|-rocm-\d-\d)?", "the one for this driver, as cupy-cuda12x[ctk]"),
    ("MXNet", r"mxnet(-cu\d+)?", "the one for the GPU"),
    ("JAX's CUDA plugin", r"jax-cuda\d+-plugin", "the one for this driver"),
    ("Faiss", r"faiss-(cpu|gpu)(-cu\d+)?", "the one for the GPU"),
)


def look_for_cpu_builds(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """A framework that computes on the CPU where a GPU was asked for, or is there."""
    packages = census(layout)
    manifest = context.manifest_of(environment.name)
    for build in builds(layout, packages, context.framework(environment.framework)):
        if build.cuda:
            continue
        own = build.is_of(environment.framework)
        evidence = (build.evidence, *_origin(build, manifest))
        if own and environment.variant is Variant.GPU:
            yield problem(
                f"{build.name} in it is a CPU build, although the environment was made for the GPU.",
                evidence=evidence,
                cure="Rebuild it: a later installation has replaced the GPU build.",
                remedy=rebuild(environment.name),
            )
        elif own and context.hardware.gpus and manifest is not None and manifest.spec.variant is Variant.AUTO:
            yield warning(
                f"{build.name} in it is a CPU build, as no GPU was known when it was built; this machine has "
                f"{context.hardware.gpus[0].name}.",
                evidence=(build.evidence, manifest.plan.variant_reason),
                cure="Rebuild it: the GPU build is taken now.",
                remedy=rebuild(environment.name),
            )
        elif not own and context.hardware.gpus:
            yield warning(
                f"{build.name}, which was added to it, is a CPU build; this machine has "
                f"{context.hardware.gpus[0].name}.",
                evidence=evidence,
                cure=f"Create an environment with the framework {build.title}, or install its GPU build.",
            )


def look_for_replacements(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """A framework that is not the one which was built and verified, though a build for the same hardware."""
    framework, manifest = context.framework(environment.framework), context.manifest_of(environment.name)
    if framework is None or manifest is None or not framework.package or not layout.site_packages():
        return
    packages = census(layout)
    planned = _planned(manifest, (*framework.package, *distribution_names(framework.id)))
    own = [build for build in builds(layout, packages, framework) if build.is_of(framework.id)]
    if planned is None or (environment.variant is Variant.GPU and any(not build.cuda for build in own)):
        return
    there = _installed_as(planned, packages)
    if there is None:
        yield problem(
            f"{framework.title} is not in it any more.",
            evidence=[f"Built: {_words(planned)}", "Now: nothing of that name"],
            cure="Rebuild it.",
            remedy=rebuild(environment.name),
        )
        return
    over = next((packages.python[name] for name in distribution_names(framework.id) if name in packages.python), None)
    if planned.build and over is not None and over.installer in ("pip", "uv"):
        yield warning(
            f"{framework.title} of conda was overwritten by {over.installer}: files of both may be mixed.",
            evidence=[f"Built: {_words(planned)}", f"Now: {over}, installed by {over.installer}"],
            cure="Rebuild it, and add Python packages with the environment's own list of packages instead.",
            remedy=rebuild(environment.name),
        )
    elif _other(planned, there):
        yield note(
            f"{framework.title} is another one than was built and verified.",
            evidence=[f"Built: {_words(planned)}", f"Now: {there}"],
            cure="If that was not meant, rebuild it; else verify it.",
            remedy=rebuild(environment.name),
        )


def look_for_rivals(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """Packages that overwrite each other."""
    packages = census(layout)
    for title, pattern, keep in _RIVALS:
        rivals = [package for name, package in packages.python.items() if re.fullmatch(pattern, name)]
        if len(rivals) > 1:
            names = " and ".join(sorted(package.name for package in rivals))
            yield warning(
                f"{names} are both in it; {title} is then what was installed last, often the CPU build.",
                evidence=[f"{package}: {package.metadata}" for package in rivals],
                cure=f"Uninstall them all (`pip uninstall`), then install one again: {keep}.",
                remedy=rebuild(environment.name) if layout.kind is EnvironmentKind.VIRTUALENV else None,
            )


def look_at_jax_plugin(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """JAX leaves its CUDA plugin alone, with a warning that few see, unless both have the same version.

    Source: ``check_plugin_version`` in ``jaxlib/plugin_support.py``.
    """
    packages = census(layout)
    jaxlib = packages.python.get("jaxlib")
    if jaxlib is None:
        return
    for name in sorted(packages.python):
        if re.fullmatch(r"jax-cuda\d+-(plugin|pjrt)", name) and _other_release(packages.python[name], jaxlib):
            yield problem(
                f"JAX computes on the CPU: {packages.python[name]} is not for jaxlib {jaxlib.version}.",
                evidence=[str(packages.python[name].metadata), str(jaxlib.metadata)],
                cure="Rebuild it, or install versions that belong together.",
                remedy=rebuild(environment.name),
            )
            return


def _planned(manifest: Manifest, names: tuple[str, ...]) -> PlannedPackage | None:
    """The framework's package in the plan."""
    return next((package for name in names for package in manifest.plan.packages if package.name == name), None)


def _installed_as(planned: PlannedPackage, packages: Census) -> Package | None:
    """What there is now under a planned package's name, as the same installer knows it."""
    return (packages.conda if planned.build else packages.python).get(planned.name)


def _other(planned: PlannedPackage, there: Package) -> bool:
    """Whether what is there is another version or build than was planned."""
    if planned.build:
        return (planned.version, planned.build) != (there.version, there.build)
    try:
        return Version(planned.version) != Version(there.version)
    except InvalidVersion:
        return planned.version != there.version


def _other_release(package: Package, other: Package) -> bool:
    """Whether the leading numbers of two versions differ."""
    releases = [re.match(r"\d+(?:\.\d+)*", item.version) for item in (package, other)]
    return len({match.group() for match in releases if match}) > 1


def _origin(build: Build, manifest: Manifest | None) -> Iterator[str]:
    """What was built instead, and who installed what is there."""
    if build.package.installer:
        yield f"{build.package} was installed by {build.package.installer}"
    names = (build.package.name, build.framework, *distribution_names(build.framework))
    planned = _planned(manifest, names) if manifest is not None else None
    if planned is not None:
        yield f"Built: {_words(planned)}"


def _words(planned: PlannedPackage) -> str:
    """Name, version and build."""
    return " ".join(filter(None, (planned.name, planned.version, planned.build)))
