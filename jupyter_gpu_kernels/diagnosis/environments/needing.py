"""Which CUDA libraries frameworks are linked to, and where the system's own loader finds them for a kernel.

The loader is asked to tell and to run nothing: ``LD_TRACE_LOADED_OBJECTS``, which ``ldd`` uses, see ld.so(8). What it
would load beside the environment's own Python is found by all of its rules, the search paths of that Python included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...models import Environment, Finding, LibraryOrigin
from ...prefix.cuda import classify_library, is_cuda_library, package_directories
from ...prefix.layout import Layout
from ..amounts import and_more
from ..check import NotApplicable, problem, warning
from ..context import Context
from .asking import ask, kernel_variables

#: What of a framework is linked to CUDA libraries, and what to do where they are missing.
_LINKED = (
    (
        "PyTorch",
        "torch/lib/libtorch_cuda.so",
        "Rebuild it, or install PyTorch with all that it requires.",
    ),
    (
        "ONNX Runtime",
        "onnxruntime/capi/libonnxruntime_providers_cuda.so",
        "Install `onnxruntime-gpu[cuda,cudnn]`, whose extras bring them.",
    ),
    ("CuPy", "cupy_backends/cuda/libs/cublas.*.so", "Install it with its extra `[ctk]`, which brings them."),
    ("MXNet", "mxnet/libmxnet.so", "Rebuild it."),
)

#: A line of the loader's answer: ``libcudart.so.12 => /…/libcudart.so.12 (0x00007f…)``, or ``=> not found``.
_FOUND = re.compile(r"\s*(\S+) => (?:(not found)|(/.*?) \(0x[0-9a-f]+\))\s*")


@dataclass(frozen=True, kw_only=True)
class Need:
    """A CUDA library that a framework is linked to, and the file that it gets; empty for none."""

    name: str
    path: str


def look(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """Libraries that a framework needs and that are nowhere, or only outside of the environment."""
    if not layout.platform.startswith("linux"):
        msg = "Only the loader of Linux can be asked."
        raise NotApplicable(msg)
    linked = [(title, path, cure) for title, pattern, cure in _LINKED for path in _matching(layout, pattern)]
    environ = kernel_variables(context, environment, layout) if linked else {}
    for title, path, cure in linked:
        needs = trace(layout, path, environ)
        if title == "CuPy":
            needs = tuple(need if need.path else _of_toolkit(need, context, environ) for need in needs)
        missing = [need for need in needs if not need.path]
        foreign = [
            need for need in needs if need.path and classify_library(need.path, layout.prefix) is LibraryOrigin.FOREIGN
        ]
        evidence = [f"{path} is linked to {need.name}: {need.path or 'not found'}" for need in (*missing, *foreign)]
        if missing:
            yield problem(
                f"{title} needs {missing[0].name}{and_more(len(missing))}, which its kernels do not find, so that it "
                "cannot use the GPU.",
                evidence=evidence,
                cure=cure,
            )
        elif foreign:
            yield warning(
                f"{title} uses {foreign[0].name} from {Path(foreign[0].path).parent}{and_more(len(foreign))}, as the "
                "environment has none of its own; that works until the machine's CUDA changes.",
                evidence=evidence,
                cure=cure,
            )


def trace(layout: Layout, library: Path, environ: Mapping[str, str]) -> tuple[Need, ...]:
    """The CUDA libraries that a library gets, in a process of the environment's Python.

    Raises:
        NotApplicable: The loader cannot be asked.
    """
    if re.search(r"[\s:]", str(library)):
        msg = f"The loader cannot be asked about a path with spaces or colons: {library}."
        raise NotApplicable(msg)
    asked = {**environ, "LD_TRACE_LOADED_OBJECTS": "1", "LD_PRELOAD": str(library)}
    answer = ask(layout, [], "", [], asked)
    if str(library) not in answer.out:
        msg = f"The loader tells nothing of {library}: {answer.last_line}."
        raise NotApplicable(msg)
    lines = [match for match in map(_FOUND.fullmatch, answer.out.splitlines()) if match]
    return tuple(Need(name=line[1], path=line[3] or "") for line in lines if is_cuda_library(line[1]))


def _of_toolkit(need: Need, context: Context, environ: Mapping[str, str]) -> Need:
    """Where cuda-pathfinder, which CuPy asks before it is linked, finds a library of the machine's toolkit."""
    for root in (environ.get("CUDA_PATH"), environ.get("CUDA_HOME"), str(context.path("/usr/local/cuda"))):
        for folder in ("lib64", "lib"):
            if root and Path(root, folder, need.name).is_file():
                return Need(name=need.name, path=str(Path(root, folder, need.name)))
    return need


def _matching(layout: Layout, pattern: str) -> list[Path]:
    """The first file of a package that a pattern matches, if there is one."""
    found = (path for folder in package_directories(layout) for path in sorted(folder.glob(pattern)))
    return [path for path in found if path.is_file()][:1]
