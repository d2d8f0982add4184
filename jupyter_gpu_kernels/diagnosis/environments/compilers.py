"""Whether XLA, the compiler in TensorFlow and JAX, finds the parts of the CUDA toolkit that it needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from packaging.version import InvalidVersion, Version

from ...build.contents.census import census
from ...models import Environment, Finding
from ...prefix.layout import Layout
from ...prefix.toolkit import LIBDEVICE, find_toolkit
from ..check import note, warning
from ..context import Context
from ..remedies import rebuild
from .builds import Build, builds

_FLAG = "--xla_gpu_cuda_data_dir="

#: Where XLA looks if nobody tells it.
_SYSTEM = "/usr/local/cuda"

_LINK = "https://github.com/tensorflow/tensorflow/issues/56927"


def look_for_tools(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """No libdevice, or no usable ptxas."""
    found = _with_xla(context, environment, layout)
    if not found:
        return
    build = found[0]
    if not find_toolkit(layout).libdevice and not context.path(f"{_SYSTEM}/{LIBDEVICE}").is_file():
        yield warning(
            f"{build.name} will fail to compile some operations: libdevice.10.bc is missing.",
            evidence=[build.evidence, f"There is no {LIBDEVICE} in it, nor in {_SYSTEM}"],
            cure=f"Rebuild it, or add the package {_package(build, layout)}.",
            remedy=rebuild(environment.name),
            link=_LINK,
        )
    there = [path for path in _ptxas(layout) if path.is_file()]
    lame = [path for path in there if not os.access(path, os.X_OK)]
    if lame:
        yield warning(
            f"{build.name} cannot compile with its own ptxas: {lame[0]} may not be executed.",
            evidence=[f"{path}: mode {path.stat().st_mode & 0o777:o}" for path in lame],
            cure="Rebuild it, or give the file back its permission (`chmod +x`).",
            remedy=rebuild(environment.name),
        )
    elif not there and _needs_ptxas(build) and not context.path(f"{_SYSTEM}/bin/ptxas").is_file():
        yield warning(
            f"{build.name} needs ptxas to compile for the GPU, and the environment has none.",
            evidence=[build.evidence, *(f"There is no {path}" for path in _ptxas(layout))],
            cure=f"Rebuild it, or add the package {_package(build, layout)}.",
            remedy=rebuild(environment.name),
            link=_LINK,
        )


def look_at_flags(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """``XLA_FLAGS`` that send XLA to another toolkit."""
    flags = context.environ.get("XLA_FLAGS", "")
    folders = [word[len(_FLAG) :] for word in flags.split() if word.startswith(_FLAG)]
    found = _with_xla(context, environment, layout)
    if not folders or not found:
        return
    folder = Path(folders[-1])
    if Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(layout.prefix)):
        return
    evidence = [f"XLA_FLAGS={flags}"]
    if find_toolkit(layout).libdevice:
        yield note(
            f"XLA_FLAGS sends {found[0].title} to the toolkit in {folder} instead of its own. "
            "Kernels started by Jupyter are safe: the provisioner takes that out.",
            evidence=evidence,
            cure=f"Take {_FLAG}{folder} out of XLA_FLAGS where the server, terminals or VS Code are started.",
        )
    elif not (folder / LIBDEVICE).is_file():
        yield warning(
            f"XLA_FLAGS sends {found[0].title} to {folder}, where there is no libdevice.",
            evidence=[*evidence, f"There is no {folder / LIBDEVICE}"],
            cure=f"Take {_FLAG}{folder} out of XLA_FLAGS where the server is started, then restart it.",
        )


def _with_xla(context: Context, environment: Environment, layout: Layout) -> list[Build]:
    """The GPU builds in it that have XLA."""
    found = builds(layout, census(layout), context.framework(environment.framework))
    return [build for build in found if build.cuda and build.framework in ("tensorflow", "jax")]


def _needs_ptxas(build: Build) -> bool:
    """Whether XLA calls ptxas: from TensorFlow 2.18 on, and in JAX, the same code is linked into it."""
    try:
        return build.framework == "tensorflow" and Version(build.package.version) < Version("2.18")
    except InvalidVersion:
        return False


def _ptxas(layout: Layout) -> list[Path]:
    """Where an environment may have ptxas."""
    wheels = [root / "nvidia" / name / "bin" for root in layout.site_packages() for name in ("cu13", "cuda_nvcc")]
    return [folder / "ptxas" for folder in (layout.bin, *wheels)]


def _package(build: Build, layout: Layout) -> str:
    """What brings them."""
    if layout.site_packages() and census(layout).conda:
        return "cuda-nvcc"
    return "nvidia-cuda-nvcc" if build.cuda.startswith("13") else f"nvidia-cuda-nvcc-cu{build.cuda.partition('.')[0]}"
