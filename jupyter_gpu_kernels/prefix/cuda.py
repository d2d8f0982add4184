"""An environment's own CUDA libraries: their names, their directories, and whose a mapped one is.

The layouts are those of NVIDIA's wheels for CUDA 11 to 13 (``nvidia/<component>/lib``, since 13 mostly
``nvidia/cu13/lib``; on Windows ``bin`` and ``bin/x86_64``) and of conda packages (``targets/<platform>/lib`` since 12,
flat in ``lib`` for 11; on Windows ``Library/bin``). The names are taken from the wheels' and packages' own file lists.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..models import EnvironmentKind, LibraryOrigin
from .layout import Layout
from .links import link_directory

#: Stems of the CUDA toolkit's and its companions' libraries, without ``lib`` and without a version.
_STEM = r"""
    accinj64|cuinj64 | cublas(?:Lt|Mp)?|nvblas | cudart | cudla | cudnn(?:_[a-z0-9_]*[a-z])? | cudss\w*?
  | cufft(?:w|Mp)? | cufile(?:_rdma)? | cupti | curand | cusolver(?:Mg|Mp)? | cusparse(?:Lt)?
  | custatevec | cutensor(?:Mg|Mp)? | cutensornet | cudensitymat | nccl(?:-net)?
  | npp(?:c|ial|icc|idei|if|ig|im|ist|isu|itc|s) | nvcomp(?:_\w+?)? | nvfatbin | nvgraph | nvimgcodec
  | nvinfer(?:_\w*?)? | nvonnxparser | nvparsers | nvjitlink | nvjpeg(?:2k)? | nvperf_(?:host|target)
  | nvrtc(?:-builtins)?(?:\.alt)? | nvshmem\w*? | nvtoolsext | nvtx3interop | nvvm
"""
_LINUX_LIBRARY = re.compile(rf"lib(?:{_STEM})(?:-[0-9a-f]{{8}})?\.so(?:\.\d+)*", re.VERBOSE | re.IGNORECASE)
_WINDOWS_LIBRARY = re.compile(rf"(?:{_STEM})(?:64)?(?:_[\d_]+)?\.dll", re.VERBOSE | re.IGNORECASE)

#: What the driver, and never an environment, brings.
_DRIVER_LIBRARY = re.compile(r"lib(?:cuda|cudadebugger|nvcuvid|nvoptix|nvidia-[\w-]+)\.so(?:\.\d+)*|nv(?:cuda|ml)\.dll")

_SHARED_LIBRARY = re.compile(r".+\.so(?:\.\d+)*|.+\.dll", re.IGNORECASE)


class DirectoryNature(enum.Enum):
    """What a directory on a library path is there for."""

    DRIVER = "driver"
    CUDA = "cuda"
    STUBS = "stubs"
    OTHER = "other"


def is_cuda_library(file_name: str) -> bool:
    """Whether a file is, by its name, a library of the CUDA toolkit or of its companions; the driver's are not."""
    return bool(_LINUX_LIBRARY.fullmatch(file_name) or _WINDOWS_LIBRARY.fullmatch(file_name))


def is_driver_library(file_name: str) -> bool:
    """Whether a file name is a library that comes with the NVIDIA driver."""
    return bool(_DRIVER_LIBRARY.fullmatch(file_name))


def classify_library(path: str | Path, prefix: Path) -> LibraryOrigin:
    """Say whose a mapped library is; links on both sides are followed."""
    if is_driver_library(Path(path).name):
        return LibraryOrigin.DRIVER
    inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(prefix))
    return LibraryOrigin.ENVIRONMENT if inside else LibraryOrigin.FOREIGN


def directory_nature(path: str | Path) -> DirectoryNature:
    """Say what a directory on a library path is there for.

    A directory with a driver's library counts as the driver's, whatever else it has: without it no GPU is found.
    One where less than half of the libraries are CUDA's (a whole ``lib`` with a ``libcudart``) is no CUDA directory.
    """
    if "stubs" in Path(path).parts:
        return DirectoryNature.STUBS
    names = [name for name in _names(path) if _SHARED_LIBRARY.fullmatch(name)]
    if any(is_driver_library(name) for name in names):
        return DirectoryNature.DRIVER
    cuda = sum(is_cuda_library(name) for name in names)
    return DirectoryNature.CUDA if cuda and 2 * cuda >= len(names) else DirectoryNature.OTHER


def cuda_directories(layout: Layout, links_root: Path, more_packages: Iterable[Path] = ()) -> tuple[Path, ...]:
    """Find the environment's own CUDA directories, in the order in which they are to be searched.

    ``<prefix>/lib`` is never among them (it would lend its ``libtinfo`` and ``libstdc++`` to every system program, see
    conda/conda#12917): the CUDA libraries in it are reached through a directory of links. Neither are stubs.

    Args:
        layout: The environment.
        links_root: Where directories of links are kept; one is made there if need be.
        more_packages: Further package directories that its Python searches (a user site).

    Raises:
        OSError: The directory of links could not be made.
    """
    if layout.platform == "darwin":
        return ()
    found: list[Path] = []
    if layout.kind is EnvironmentKind.CONDA:
        if layout.windows:
            library = layout.prefix / "Library" / "bin"
            found.extend(path for path in (library, library / "x64") if _holds_cuda(path))
        else:
            links = conda_links(layout)
            if links:
                found.append(link_directory(layout.prefix, links, links_root))
    found.extend(wheel_directories(layout, more_packages))
    return tuple(dict.fromkeys(found))


def conda_links(layout: Layout) -> dict[str, Path]:
    """The CUDA libraries of a conda prefix on Linux, by name; no stubs, nothing of the driver, no dangling links."""
    prefix = layout.prefix
    targets = prefix / "targets"
    folders = [prefix / "lib", *(targets / name / "lib" for name in sorted(_names(targets))), prefix / "nvvm" / "lib64"]
    links: dict[str, Path] = {}
    for folder in folders:
        for name in _names(folder):
            if name in links or not _LINUX_LIBRARY.fullmatch(name):
                continue
            real = Path(os.path.realpath(folder / name))
            if real.is_file() and "stubs" not in real.parts:
                links[name] = folder / name
    return dict(sorted(links.items()))


def wheel_directories(layout: Layout, more_packages: Iterable[Path] = ()) -> Iterator[Path]:
    """Find the directories that NVIDIA's wheels brought; ``nvidia`` may be split over several package directories."""
    for packages in (*package_directories(layout), *more_packages):
        for candidate in _candidates(packages, windows=layout.windows):
            if _holds_cuda(candidate):
                yield candidate


def package_directories(layout: Layout) -> list[Path]:
    """Every package directory that the environment's Python searches, the user site apart, in order."""
    found: list[Path] = []
    for packages in layout.site_packages():
        found.append(packages)
        found.extend(_added_by_path_files(packages))
    settings = layout.virtualenv_settings() if layout.kind is EnvironmentKind.VIRTUALENV else {}
    if settings.get("include-system-site-packages", "").lower() == "true" and "home" in settings:
        home = Path(settings["home"])
        root = home if layout.windows else home.parent
        # A base that is itself a conda prefix keeps its wheels in the same place as any other Python.
        found.extend(Layout(root, EnvironmentKind.VIRTUALENV, layout.platform).site_packages())
    return found


def _candidates(packages: Path, *, windows: bool) -> Iterator[Path]:
    """Directories in which a wheel may keep CUDA libraries."""
    components = packages / "nvidia"
    for name in sorted(_names(components)):
        component = components / name
        if windows:
            yield component / "bin"
            yield component / "bin" / "x86_64"
            yield component / "nvvm" / "bin"
        else:
            yield component / "lib"
            yield component / "nvvm" / "lib64"
    yield packages / "cusparselt" / ("bin" if windows else "lib")
    yield packages / "tensorrt_libs"


def _added_by_path_files(packages: Path) -> Iterator[Path]:
    """Directories that ``*.pth`` files add to the search path (the lines that are not code)."""
    for name in sorted(_names(packages)):
        if not name.endswith(".pth"):
            continue
        try:
            lines = (packages / name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in map(str.rstrip, lines):
            if line and not line.startswith(("#", "import ", "import\t")):
                folder = packages / line
                if folder.is_dir():
                    yield folder


def _holds_cuda(folder: Path) -> bool:
    """Whether a directory has CUDA libraries, and nothing that would hide the driver's."""
    names = _names(folder)
    return any(is_cuda_library(name) for name in names) and not any(is_driver_library(name) for name in names)


def _names(folder: str | Path) -> list[str]:
    """What is in a directory; nothing, if it cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []
