"""Kernels that were not made here, and would be better off with the provisioner."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir

from ...build.adoption.handover import ORIGINAL, additions_of, lost, obstacle, target
from ...build.kernelspec.scan import Kernelspec, kernelspecs
from ...models import EnvironmentKind, Finding
from ...prefix.cuda import conda_links, is_cuda_library, package_directories, wheel_directories
from ...prefix.layout import CONDA_MARKER, Layout
from .. import remedies
from ..check import note, warning
from ..context import Context

#: What only builds for NVIDIA GPUs have in a package directory, by framework.
MARKERS: Mapping[str, tuple[str, ...]] = {
    "PyTorch": ("torch/lib/libtorch_cuda.so", "torch/lib/torch_cuda.dll"),
    "TensorFlow": ("tensorflow-*.dist-info", "tensorflow_gpu-*.dist-info"),
    "JAX": ("jax_cuda*_plugin", "jax_cuda*_pjrt"),
    "CuPy": ("cupy_cuda*.dist-info", "cupy-*.dist-info"),
    "PaddlePaddle": ("paddlepaddle_gpu-*.dist-info",),
}

#: The same for conda packages, whose CUDA builds say so.
PACKAGES: Mapping[str, str] = {
    "PyTorch": r"(pytorch|libtorch)-",
    "TensorFlow": r"tensorflow(-base)?-",
    "JAX": r"jaxlib-",
    "CuPy": r"cupy(-core)?-",
}


def look(context: Context) -> Iterator[Finding]:
    """Find plain Python kernels of environments with CUDA libraries or GPU frameworks of their own."""
    for spec in kernelspecs(context.kernel_dirs):
        if spec.hidden_by or spec.adopted or obstacle(spec):
            continue
        layout = spec.layout(context.environ)
        if layout is None:
            continue
        libraries, found = cuda_libraries(layout), frameworks(layout)
        if libraries or found:
            yield _offer(spec, layout, libraries, found, context)


def look_at_adopted(context: Context) -> Iterator[Finding]:
    """Find kernels that the provisioner starts though they were not made here: there is a way back."""
    for spec in kernelspecs(context.kernel_dirs):
        if spec.adopted and not spec.hidden_by and os.access(spec.place, os.W_OK):
            kept = spec.place / ORIGINAL
            yield note(
                f"The kernel {spec.title!r} was made elsewhere, and is started by the provisioner of GPU kernels.",
                evidence=(
                    f"{spec.place / 'kernel.json'}",
                    *([f"as it was it is kept in {kept}"] if kept.is_file() else []),
                ),
                cure="Nothing, or let it be started as before.",
                subject=spec.name,
                remedy=remedies.release_kernelspec(spec.place, deletes=lost(spec), removes=_added(spec)),
            )


def _added(spec: Kernelspec) -> tuple[str, ...]:
    """What the adoption has installed."""
    return tuple(addition.name for addition in additions_of(spec))


def _offer(
    spec: Kernelspec, layout: Layout, libraries: Mapping[str, Path], found: Iterable[str], context: Context
) -> Finding:
    """The finding for one kernel."""
    facts = [f"{spec.place / 'kernel.json'} starts {spec.argv[0]} as it is"]
    facts += [f"{name} for GPUs is installed in {layout.prefix}" for name in found]
    if libraries:
        folders = dict.fromkeys(str(path.parent) for path in libraries.values())
        facts.append(f"its own CUDA libraries are in {next(iter(folders))}" + (" and elsewhere" * (len(folders) > 1)))
    clash = next(clashes(libraries, context.environ), None)
    folder = target(spec.place, context.kernel_dirs)
    cure = "Let the provisioner start it: its environment stays as it is, and the kernel can be given back any time."
    if folder is None:
        cure = f"Ask whoever owns {spec.place}, or make a GPU kernel of your own."
    elif folder != spec.place.parent:
        cure += f" You may not change {spec.place}, so a copy in {folder} takes its place, for you alone."
    offer = remedies.adopt_kernelspec(spec.place) if folder else None
    if offer and folder == spec.place.parent and not _own(spec.place):
        # A kernelspec whose provisioner is missing vanishes.
        question = f"Let the provisioner start {spec.name} for all who use {spec.place}? Only Jupyters with "
        offer = replace(offer, question=f"{question}jupyter_gpu_kernels offer it then.")
    if clash:
        facts.append(f"LD_LIBRARY_PATH leads to {clash} before {libraries[clash.name]}")
        said = f"The kernel {spec.title!r} loads {clash.name} from {clash.parent}, and not its environment's own."
        return warning(said, evidence=facts, cure=cure, subject=spec.name, remedy=offer)
    said = f"The kernel {spec.title!r} uses the GPU, but is started without its environment's activation and libraries."
    return note(said, evidence=facts, cure=cure, subject=spec.name, remedy=offer)


def _own(place: Path) -> bool:
    """Whether a kernelspec is this user's, or this Jupyter's, alone."""
    return any(place.is_relative_to(folder) for folder in (jupyter_data_dir(), sys.prefix))


def cuda_libraries(layout: Layout) -> dict[str, Path]:
    """An environment's own CUDA libraries, by name."""
    found: dict[str, Path] = {}
    if layout.kind is EnvironmentKind.CONDA and not layout.windows:
        found.update(conda_links(layout))
    for folder in wheel_directories(layout):
        found.update({path.name: path for path in folder.iterdir() if is_cuda_library(path.name)})
    return found


def frameworks(layout: Layout) -> list[str]:
    """Frameworks of an environment that were built for NVIDIA GPUs; nothing is imported."""
    found = {
        name
        for folder in package_directories(layout)
        for name, patterns in MARKERS.items()
        # Conda packages have such metadata too, whatever they were built for.
        if layout.kind is EnvironmentKind.VIRTUALENV or not patterns[0].endswith(".dist-info")
        for pattern in patterns
        if next(folder.glob(pattern), None)
    }
    if layout.kind is EnvironmentKind.CONDA:
        records = [path.name for path in (layout.prefix / CONDA_MARKER).glob("*.json")]
        found |= {
            name
            for name, pattern in PACKAGES.items()
            if any(re.match(pattern + r"\d[^-]*-[^-]*(cuda|gpu)", record) for record in records)
        }
    return sorted(found)


def clashes(libraries: Mapping[str, Path], environ: Mapping[str, str]) -> Iterator[Path]:
    """Files of ``LD_LIBRARY_PATH`` that would be loaded in the place of an environment's own."""
    for folder in environ.get("LD_LIBRARY_PATH", "").split(os.pathsep):
        for name, own in libraries.items() if folder else ():
            other = Path(folder, name)
            if os.path.lexists(other) and os.path.realpath(other) != os.path.realpath(own):
                yield other
