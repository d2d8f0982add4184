"""What the frameworks in an environment were built with, read from their own files; nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...build.contents.census import Census, Package
from ...models import Framework
from ...prefix.cuda import package_directories
from ...prefix.layout import Layout

#: Catalogue ids of frameworks that are known here under another's name.
_KNOWN_AS = {"keras": "tensorflow", "tensorflow1": "tensorflow"}


@dataclass(frozen=True, kw_only=True)
class Build:
    """A framework as it was built.

    Attributes:
        framework: Catalogue id.
        title: What people call it.
        package: What brought it.
        cuda: CUDA version that it was built with, or its major version alone; empty for a CPU build.
        cudnn: cuDNN version that it was built with, or its major version alone; empty if it does not tell.
        architectures: GPUs that it has code for, ``sm_80`` or ``compute_90``; empty if it does not tell.
        evidence: What shows it.
    """

    framework: str
    title: str
    package: Package
    cuda: str
    cudnn: str = ""
    architectures: tuple[str, ...] = ()
    evidence: str = ""

    @property
    def name(self) -> str:
        """Framework and version."""
        return f"{self.title} {self.package.version}"

    def is_of(self, framework_id: str) -> bool:
        """Whether it is what an environment of that framework is made for."""
        return self.framework == _KNOWN_AS.get(framework_id, framework_id)


def builds(layout: Layout, packages: Census, framework: Framework | None = None) -> tuple[Build, ...]:
    """The frameworks of an environment that tell what they were built with.

    Args:
        layout: The environment.
        packages: Its packages.
        framework: What it was made for.
    """
    readers = (_torch, _tensorflow, _jax, _paddle, _cupy)
    found = [build for reader in readers for build in reader(layout, packages)]
    if framework is not None and not any(build.is_of(framework.id) for build in found):
        found.extend(_by_build_string(framework, packages))
    return tuple(found)


def distribution_names(framework_id: str) -> tuple[str, ...]:
    """Under which names Python knows a framework."""
    names = {
        "pytorch": ("torch",),
        "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-gpu"),
        "jax": ("jax", "jaxlib"),
        "paddlepaddle": ("paddlepaddle-gpu", "paddlepaddle"),
    }
    return names.get(_KNOWN_AS.get(framework_id, framework_id), ())


def _torch(layout: Layout, packages: Census) -> Iterator[Build]:
    """PyTorch: ``torch/version.py`` has a line ``cuda: Optional[str] = '12.6'``, or ``None``."""
    package = packages.find("torch", "pytorch")
    path, text = _source(layout, "torch/version.py")
    match = re.search(r"^cuda\b[^=\n]*=\s*(?:'([\d.]+)'|\"([\d.]+)\"|None)", text, re.MULTILINE)
    hip = re.search(r"^hip\b[^=\n]*=\s*['\"]", text, re.MULTILINE)
    if package is not None and match is not None and not hip:
        cuda = match[1] or match[2] or ""
        evidence = f"{path}: {match[0].strip()}"
        yield Build(framework="pytorch", title="PyTorch", package=package, cuda=cuda, evidence=evidence)


def _tensorflow(layout: Layout, packages: Census) -> Iterator[Build]:
    """TensorFlow: ``tensorflow.sysconfig.get_build_info()`` hands out a literal of this file."""
    package = packages.find("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-base")
    path, text = _source(layout, "tensorflow/python/platform/build_info.py")
    told = _pairs(text)
    if package is None or "is_cuda_build" not in told or told.get("is_rocm_build"):
        return
    gpu = bool(told["is_cuda_build"])
    architectures = told.get("cuda_compute_capabilities")
    yield Build(
        framework="tensorflow",
        title="TensorFlow",
        package=package,
        cuda=str(told.get("cuda_version") or "unknown") if gpu else "",
        cudnn=str(told.get("cudnn_version") or "") if gpu else "",
        architectures=tuple(map(str, architectures)) if gpu and isinstance(architectures, list) else (),
        evidence=f"{path}: is_cuda_build is {gpu}",
    )


def _jax(layout: Layout, packages: Census) -> Iterator[Build]:
    """JAX: conda's build string of jaxlib; of wheels, the plugin for a CUDA of one major version."""
    package = packages.find("jax", "jaxlib")
    if package is None or packages.find("jaxlib") is None:
        return
    record = packages.conda.get("jaxlib")
    plugins = [name for name in packages.python if re.fullmatch(r"jax-cuda\d+-plugin", name)]
    cuda, evidence = "", "There is no jax-cuda12-plugin or jax-cuda13-plugin."
    if plugins:
        cuda = re.sub(r"\D", "", plugins[-1])
        evidence = str(packages.python[plugins[-1]])
    elif record is not None:
        cuda, evidence = _cuda_of_build(record.build) or "", str(record)
    yield Build(framework="jax", title="JAX", package=package, cuda=cuda, evidence=evidence)


def _paddle(layout: Layout, packages: Census) -> Iterator[Build]:
    """PaddlePaddle: ``paddle/version/__init__.py`` has a line ``cuda_version = '11.8'``, or ``'False'``."""
    package = packages.find("paddlepaddle-gpu", "paddlepaddle")
    path, text = _source(layout, "paddle/version/__init__.py")
    match = re.search(r"^cuda_version\s*=\s*['\"]([\d.]+|False)['\"]", text, re.MULTILINE)
    if package is not None and match is not None:
        cuda = "" if match[1] == "False" else match[1]
        evidence = f"{path}: {match[0]}"
        yield Build(framework="paddlepaddle", title="PaddlePaddle", package=package, cuda=cuda, evidence=evidence)


def _cupy(layout: Layout, packages: Census) -> Iterator[Build]:
    """CuPy: the wheel's name ends with the CUDA that it is for; there are no CPU builds."""
    for name, package in packages.python.items():
        match = re.fullmatch(r"cupy-cuda(\d{2})(\d?)x?", name)
        if match:
            cuda = ".".join(filter(None, match.groups()))
            yield Build(framework="cupy", title="CuPy", package=package, cuda=cuda, evidence=str(package))


def _by_build_string(framework: Framework, packages: Census) -> Iterator[Build]:
    """Any framework of conda's, where its build string says for what it is: ``cuda129_…`` or ``cpu_…``."""
    for name in framework.package:
        record = packages.conda.get(name)
        cuda = _cuda_of_build(record.build) if record is not None else None
        if record is not None and cuda is not None:
            title = framework.named(record.version).removesuffix(record.version).rstrip()
            yield Build(framework=framework.id, title=title, package=record, cuda=cuda, evidence=str(record))
            return


def _cuda_of_build(build: str) -> str | None:
    """The CUDA of a conda build string, empty for a CPU build; ``None`` if it does not tell."""
    match = re.search(r"cuda_?(\d{2})(\d?)", build)
    if match:
        return ".".join(filter(None, match.groups()))
    return "" if re.search(r"(?:^|_)cpu", build) else None


def _source(layout: Layout, name: str) -> tuple[Path, str]:
    """A file of a package, and what it holds; nothing, if there is none."""
    for folder in package_directories(layout):
        try:
            return folder / name, (folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return Path(name), ""


def _pairs(text: str) -> dict[str, object]:
    """The pairs of a literal in a source: ``('cuda_version', '12.5.1')`` or ``"cuda_version": "12.5.1"``."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, object] = {}
    for node in ast.walk(tree):
        pairs: Iterable[tuple[ast.expr | None, ast.expr]] = ()
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
            pairs = [(node.elts[0], node.elts[1])]
        for key, value in pairs:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                try:
                    found[key.value] = ast.literal_eval(value)
                except ValueError:
                    continue
    return found
