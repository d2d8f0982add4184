"""A stand-in for a conda environment that does not exist yet, so that wheels on top can be planned before it does.

It is a virtual environment with nothing in it but the names and versions of the planned packages. Constraints alone
would not do: conda has versions that no index has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ...models import PlannedPackage

#: conda packages whose Python distribution has another name. Seen in conda-forge's recipes; only packages that other
#: projects depend on matter: what is missing here is found out, if late, when the real environment is asked.
NAMES = {
    "brotli-python": "brotli",
    "cuda-bindings": "cuda-bindings",
    "cupy-core": "cupy",
    "dask-core": "dask",
    "distributed-core": "distributed",
    "faiss": "faiss-cpu",
    "importlib_metadata": "importlib-metadata",
    "keras-core": "keras-core",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python",
    "py-lightgbm": "lightgbm",
    "py-opencv": "opencv-python",
    "py-xgboost": "xgboost",
    "pyqt": "pyqt5",
    "pytables": "tables",
    "python-fastjsonschema": "fastjsonschema",
    "python-flatbuffers": "flatbuffers",
    "python-graphviz": "graphviz",
    "python-tzdata": "tzdata",
    "pytorch": "torch",
    "seaborn-base": "seaborn",
    "tensorflow-base": "tensorflow",
}

#: conda packages that are no Python distribution, whatever their build says.
NOT_PYTHON = frozenset(
    {"_python_abi3_support", "cpython", "pypy", "python", "python-gil", "python-freethreading", "python_abi"}
    | {"pytorch-cpu", "pytorch-gpu", "tensorflow-cpu", "tensorflow-gpu", "cuda-version", "cuda-toolkit"}
)

#: Build strings of what is built for one Python, or in Python only: ``py312h…``, ``pyhd8ed1ab_0``, ``py_0``,
#: ``cuda126_generic_py312_h…``; and of everything that is not: a hash of the build alone, ``h59595ed_0``.
PYTHON_BUILD = re.compile(r"(?:^|_|\d)py(?:\d{2,3}|h|_)")
OTHER_BUILD = re.compile(r"(?:^|_)h[0-9a-f]{7}_\d+$")


def python_distributions(packages: Iterable[PlannedPackage]) -> dict[str, str]:
    """Versions by name of the Python distributions that conda packages will bring, as far as their names tell."""
    found: dict[str, str] = {}
    for package in packages:
        plain = package.name.lower()
        if plain in NOT_PYTHON or plain.startswith("_"):
            continue
        if OTHER_BUILD.search(package.build) and not PYTHON_BUILD.search(package.build):
            continue
        try:
            Version(package.version)
        except InvalidVersion:
            # No Python distribution can have it.
            continue
        found[canonicalize_name(NAMES.get(plain, plain))] = package.version
    return found


def fill(site_packages: Path, distributions: dict[str, str]) -> None:
    """Put the names and versions of distributions into a directory, as an installer would leave them."""
    for name, version in distributions.items():
        info = site_packages / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
        (info / "INSTALLER").write_text("conda\n", "utf-8")
        (info / "RECORD").write_text("", "utf-8")
