"""The standard channel: made once for an interpreter and the sources of this package, then taken from a directory.

The directory lies in the checkout (``.artifacts/tests``, unknown to git), so that a fresh clone makes its own.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from filelock import FileLock

from . import synthetic
from .archive import Link
from .builder import ChannelBuilder

#: What is asked of the package index; ipykernel brings its dependencies.
WHEELS = (
    "ipykernel",
    "numpy",
    "pip",
    "setuptools",
    "six",
    "nvidia-cuda-runtime==13.0.48",
    "nvidia-cuda-runtime-cu12==12.9.79",
)


#: Seconds after its last use that a channel of other sources is kept: another session may be using it.
KEPT = 24 * 3600


def standard_channel(store: Path) -> Path:
    """Directory of the standard channel, made in a store (half a minute) unless it is there already."""
    key = _digest(sys.version, sys.base_prefix, *WHEELS, *(path.read_text() for path in _sources()))
    directory = store / f"channel-{key}"
    store.mkdir(parents=True, exist_ok=True)
    with FileLock(store / "channel.lock"):
        if not directory.exists():
            unfinished = store / "channel-unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            _build(unfinished, _download(store))
            unfinished.rename(directory)
            _forget_old_ones(store)
    os.utime(directory)
    return directory


def standard_wheels(store: Path) -> Path:
    """Directory of the wheels that the standard channel is made of."""
    store.mkdir(parents=True, exist_ok=True)
    with FileLock(store / "channel.lock"):
        return _download(store)


def _forget_old_ones(store: Path) -> None:
    for directory in store.glob("channel-*"):
        if directory.is_dir() and time.time() - directory.stat().st_mtime > KEPT:
            shutil.rmtree(directory, ignore_errors=True)


def _sources() -> list[Path]:
    servers = {"__init__.py", "faults.py", "server.py"}
    return sorted(path for path in Path(__file__).parent.rglob("*.py") if path.name not in servers)


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _download(store: Path) -> Path:
    directory = store / f"wheels-{_digest(sys.version, *WHEELS)}"
    if not directory.exists():
        unfinished = store / "wheels-unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        arguments = ["download", "--quiet", "--only-binary", ":all:", "--dest", str(unfinished), *WHEELS]
        subprocess.run([*_pip(), *arguments], check=True, env={**os.environ, "PIP_CACHE_DIR": str(store / "pip")})
        unfinished.rename(directory)
    return directory


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    # An environment made by uv has no pip of its own.
    import uv

    return [uv.find_uv_bin(), "tool", "run", "--python", sys.executable, "pip"]


def _build(directory: Path, wheels: Path) -> None:
    with ChannelBuilder(directory) as channel:
        channel.add_interpreter()
        synthetic.add_all(channel)
        # The largest first: they are packed in parallel.
        for wheel in sorted(wheels.glob("*.whl"), key=lambda path: -path.stat().st_size):
            if wheel.name.startswith("nvidia_cuda_runtime"):
                _add_cudart(channel, wheel)
            else:
                channel.add_wheel(wheel)


def _add_cudart(channel: ChannelBuilder, wheel: Path) -> None:
    """Lay NVIDIA's runtime out as conda-forge does: files in ``targets/``, links in ``lib/``, in two packages.

    See https://github.com/conda-forge/cuda-cudart-feedstock/blob/main/recipe/build.sh.
    """
    version = wheel.name.split("-")[1]
    major, minor, _ = version.split(".")
    soname, real = f"libcudart.so.{major}", f"libcudart.so.{version}"
    with zipfile.ZipFile(wheel) as archive:
        (member,) = (name for name in archive.namelist() if name.endswith(f"/{soname}"))
        library = archive.read(member)
    targets = "targets/x86_64-linux/lib"
    channel.add_package(
        "cuda-cudart_linux-64",
        version,
        "h3f2d84a_0",
        noarch="generic",
        depends=[f"cuda-version >={major}.{minor},<{major}.{int(minor) + 1}.0a0"],
        files={f"{targets}/{real}": library, f"{targets}/{soname}": Link(real)},
    )
    channel.add_package(
        "cuda-cudart",
        version,
        "h5888daf_0",
        depends=[
            f"cuda-version >={major}.{minor},<{major}.{int(minor) + 1}.0a0",
            f"cuda-cudart_linux-64 {version} h3f2d84a_0",
        ],
        files={f"lib/{name}": Link(f"../{targets}/{name}") for name in (soname, real)},
    )
