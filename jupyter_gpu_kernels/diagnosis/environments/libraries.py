"""Whether an environment has all of its CUDA libraries, whole, and of one version of CUDA."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ...build.contents.census import Census, Package, census
from ...models import Environment, EnvironmentKind, Finding, Manifest
from ...prefix.cuda import conda_links, is_cuda_library, wheel_directories
from ...prefix.layout import Layout
from ..amounts import and_more
from ..check import note, problem, warning
from ..context import Context
from ..remedies import rebuild
from .builds import Build, builds

#: Packages that bring CUDA libraries, by name: NVIDIA's wheels, and the packages of conda channels.
_BRINGS_CUDA = re.compile(
    r"nvidia-(?!ml-py|smi)[\w-]+|cuda-(?:cudart|cupti|nvrtc|nvtx|cccl|crt|nvcc|nvvm)[\w-]*|cuda-libraries|cudatoolkit|cudnn|nccl"
    r"|lib(?:cublas|cudnn|cufft|cufile|curand|cusolver|cusparse|cusparse_lt|npp|nvjitlink|nvjpeg|nvptxcompiler)[\w-]*"
)


def look_for_missing(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """Packages of CUDA libraries that are gone, and files of those that are there."""
    if not layout.site_packages():
        # It has lost more than that, see kernelspecs.remains.
        return
    packages = census(layout)
    gone = [*_gone(packages, context.manifest_of(environment.name)), *_needed(packages)]
    if gone:
        yield problem(
            f"A package of CUDA libraries that it needs is missing: {gone[0][0]}{and_more(len(dict(gone)))}.",
            evidence=[f"{name}: {reason}" for name, reason in gone],
            cure="Rebuild it.",
            remedy=rebuild(environment.name),
        )
    damaged = [line for package in _cuda_packages(packages) for line in _damage(package)]
    if damaged:
        yield problem(
            f"Files of its CUDA libraries are missing or cut short: {damaged[0]}{and_more(len(damaged))}.",
            evidence=damaged[:20],
            cure="Rebuild it.",
            remedy=rebuild(environment.name),
        )


def look_for_mixture(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """Several major versions of CUDA in one environment, of which some libraries go by the same name."""
    found = libraries(layout)
    majors: dict[str, Path] = {}
    for name, places in found.items():
        match = re.fullmatch(r"libcudart\.so\.(\d+)(?:\.0)?", name)
        if match:
            majors.setdefault(match[1], places[0])
    evidence = [f"CUDA {major}: {path}" for major, path in sorted(majors.items())]
    twice = {name: places for name, places in found.items() if len(places) > 1}
    evidence += [f"{name}: {' and '.join(map(str, places))}" for name, places in sorted(twice.items())]
    own = builds(layout, census(layout), context.framework(environment.framework))
    for build in own:
        major = build.cuda.partition(".")[0]
        if majors and major.isdigit() and major not in majors:
            yield problem(
                f"{build.name} is built for CUDA {major}, and the libraries in it are of CUDA {_list(majors)}.",
                evidence=[build.evidence, *evidence],
                cure="Rebuild it, or install a build for that CUDA.",
                remedy=rebuild(environment.name),
            )
    if twice:
        name = min(twice)
        others = f"; so it is with {len(twice) - 1} more" if len(twice) > 1 else ""
        yield warning(
            f"{name} is in it {len(twice[name])} times, and the first one loaded serves all{others}.",
            evidence=evidence,
            cure="Keep frameworks for different versions of CUDA in environments of their own.",
        )
    elif len(majors) > 1:
        yield note(
            f"It has libraries of CUDA {_list(majors)}; that works only as long as no two go by the same name.",
            evidence=evidence,
            cure="Keep frameworks for different versions of CUDA in environments of their own.",
        )


def look_at_cudnn(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """A cuDNN that is older than a framework was built with, or of another major version."""
    packages = census(layout)
    cudnn = [package for name, package in packages.python.items() if re.fullmatch(r"nvidia-cudnn-cu\d+", name)]
    cudnn += [packages.conda[name] for name in ("cudnn", "libcudnn") if name in packages.conda]
    for build in builds(layout, packages, context.framework(environment.framework)):
        for package in cudnn:
            wanted = _wanted_cudnn(build, package, packages)
            if wanted:
                yield problem(
                    f"{build.name} needs cuDNN {wanted}, and {package.version} is installed.",
                    evidence=[str(package.metadata), build.evidence],
                    cure="Rebuild it, or install that cuDNN.",
                    remedy=rebuild(environment.name),
                    link="https://docs.nvidia.com/deeplearning/cudnn/latest/",
                )


def libraries(layout: Layout) -> dict[str, tuple[Path, ...]]:
    """The CUDA libraries of an environment by name, each with the different files that there are of it."""
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    if layout.kind is EnvironmentKind.CONDA:
        for name, path in conda_links(layout).items():
            found[name][os.path.realpath(path)] = path
    for folder in wheel_directories(layout):
        for name in sorted(os.listdir(folder)):
            if is_cuda_library(name):
                found[name][os.path.realpath(folder / name)] = folder / name
    return {name: tuple(places.values()) for name, places in found.items()}


def _gone(packages: Census, manifest: Manifest | None) -> Iterator[tuple[str, str]]:
    """What was built into the environment, and is in it no more."""
    for planned in manifest.plan.packages if manifest is not None else ():
        there = packages.conda if planned.build else packages.python
        name = planned.name if planned.build else canonicalize_name(planned.name)
        if _BRINGS_CUDA.fullmatch(planned.name) and name not in there:
            yield planned.name, f"{planned.version} was built into it"


def _needed(packages: Census) -> Iterator[tuple[str, str]]:
    """What Python packages need in any case, and was never there or was uninstalled."""
    if packages.conda:
        # Python's names for what conda's packages need are not conda's.
        return
    for package in packages.python.values():
        if package.name.startswith(("torch", "tensorflow", "jax-cuda", "paddlepaddle", "cupy-", "nvidia-cu")):
            for requirement in package.requirements():
                name = canonicalize_name(requirement.name)
                if not name.startswith("nvidia-") or name in packages.python:
                    continue
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                    yield name, f"{package} needs it"


def _cuda_packages(packages: Census) -> Iterator[Package]:
    """The packages that bring CUDA libraries."""
    for kind in (packages.python, packages.conda):
        for name, package in kind.items():
            if _BRINGS_CUDA.fullmatch(name) and not (kind is packages.python and package.installer == "conda"):
                yield package


def _damage(package: Package) -> Iterator[str]:
    """The libraries of a package that are not as it brought them."""
    for file in package.files():
        if not re.search(r"\.so(?:\.\d+)*$|\.dll$", file.path.name):
            continue
        try:
            size = file.path.stat().st_size
        except FileNotFoundError:
            leads = f" (it leads to {os.readlink(file.path)})" if file.path.is_symlink() else ""  # noqa: PTH115
            yield f"{os.path.normpath(file.path)} is missing{leads}"
            continue
        except OSError as error:
            yield f"{os.path.normpath(file.path)} cannot be read: {error.strerror}"
            continue
        if file.size is not None and size < file.size:
            yield f"{os.path.normpath(file.path)} has {size} bytes of {file.size}"


def _wanted_cudnn(build: Build, cudnn: Package, packages: Census) -> str:
    """Which cuDNN a build needs, if what is installed is not that; else nothing."""
    try:
        version = Version(cudnn.version)
    except InvalidVersion:
        return ""
    if not cudnn.build:
        for holder in (build.package, *_plugins(build, packages)):
            for requirement in holder.requirements() if not holder.build else ():
                if canonicalize_name(requirement.name) == cudnn.name and not _serves(version, requirement.specifier):
                    return str(requirement.specifier)
    else:
        for spec in _specs(build, packages):
            name, _, rest = spec.partition(" ")
            if name == cudnn.name and not _serves(version, _conda_range(rest.partition(" ")[0])):
                return rest
    if build.cudnn and version.major != Version(build.cudnn).major:
        return build.cudnn
    return ""


def _plugins(build: Build, packages: Census) -> Iterator[Package]:
    """What of a framework knows its CUDA libraries, if it is not the framework's own package."""
    if build.framework == "jax":
        yield from (item for name, item in packages.python.items() if re.fullmatch(r"jax-cuda\d+-plugin", name))


def _specs(build: Build, packages: Census) -> Iterator[str]:
    """What conda's packages of a framework need."""
    for name in (build.package.name, build.framework, "libtorch", "tensorflow-base", "jaxlib"):
        if name in packages.conda:
            yield from packages.conda[name].depends()


def _serves(version: Version, wanted: SpecifierSet) -> bool:
    """Whether a cuDNN serves who wants another: any of that minor version does, and a newer one, whatever was pinned.

    Source: https://docs.nvidia.com/deeplearning/cudnn/latest/developer/forward-compatibility.html
    """
    least = [Version(item.version.removesuffix(".*")) for item in wanted if item.operator in (">=", "==", "~=", ">")]
    return version in wanted or any(bound.major == version.major and bound.minor <= version.minor for bound in least)


def _conda_range(text: str) -> SpecifierSet:
    """A conda range as one of Python's; any version, if it cannot be read as such."""
    try:
        return SpecifierSet(re.sub(r"\.?[a-z]+\d*(?=,|$)", "", text))
    except ValueError:
        return SpecifierSet()


def _list(majors: Mapping[str, object]) -> str:
    """Major versions in a sentence."""
    return " and ".join(sorted(majors))
