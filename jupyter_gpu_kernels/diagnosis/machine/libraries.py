"""What the server's ``LD_LIBRARY_PATH`` would have programs load."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ...models import Finding
from ...prefix.cuda import DirectoryNature, directory_nature, is_cuda_library
from ..check import note, problem, warning
from ..context import Context
from .surroundings import WSL_LIBRARY, libraries, library_version, module_version, shown

#: What ``cuInit`` of a library answers that is only there to be linked against:
#: https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__TYPES.html (CUDA_ERROR_STUB_LIBRARY)
_STUB = 34

#: Asks a library for that; nothing else is imported, and whatever it prints or breaks stays in its own process.
_PROBE = "import ctypes, os, sys; os._exit(ctypes.CDLL(sys.argv[1]).cuInit(0) & 127)"

#: Seconds that this may take.
PATIENCE = 8.0

#: Libraries of a directory that are named as evidence.
_SHOWN = 4


def stub(context: Context) -> Iterator[Finding]:
    """A library that has the name of the driver's, and nothing in it."""
    for folder in _library_path(context):
        library = folder / "libcuda.so.1"
        if not library.is_file() or str(library) == WSL_LIBRARY or not _is_stub(library):
            continue
        if directory_nature(folder) is DirectoryNature.STUBS:
            yield note(
                "LD_LIBRARY_PATH names a stand-in for the driver's library, with which no GPU is found; "
                "kernels made here are started without it.",
                evidence=[f"{library}: cuInit answers {_STUB}, CUDA_ERROR_STUB_LIBRARY"],
                cure=f"Take {folder} out of LD_LIBRARY_PATH, for the sake of terminals and other kernels.",
            )
        else:
            yield problem(
                "LD_LIBRARY_PATH names a stand-in for the driver's library: no GPU is found with it.",
                evidence=[f"{library}: cuInit answers {_STUB}, CUDA_ERROR_STUB_LIBRARY"],
                cure=f"Take {folder} out of LD_LIBRARY_PATH and start the server anew.",
            )


def several_drivers(context: Context) -> Iterator[Finding]:
    """The driver's libraries in several versions, of which one at most fits the kernel module."""
    found: dict[str, Path] = {}
    for folder in _library_path(context):
        # Forward compatibility: a newer driver's libraries, put there on purpose.
        if "compat" not in folder.parts:
            for path in sorted(folder.glob("libcuda.so.[0-9]*.[0-9]*")):
                found.setdefault(library_version(path), path)
    first = next(iter(found), "")
    for path in libraries(context, "libcuda"):
        found.setdefault(library_version(path), path)
    module = context.hardware.driver or module_version(context)
    if len(found) < 2:
        return
    evidence = [f"libcuda {version}: {shown(context, path)}" for version, path in found.items()]
    evidence += [f"Kernel module: {module}"] if module else []
    cure = "Remove the libraries whose version is not the kernel module's, or take them out of LD_LIBRARY_PATH."
    if first and module and first != module:
        yield problem(
            f"LD_LIBRARY_PATH names libraries of driver {first}, but driver {module} is loaded.",
            evidence=evidence,
            cure=cure,
        )
    else:
        yield warning(
            "The NVIDIA driver's libraries are there in several versions: which one a program finds depends on its "
            "search path.",
            evidence=evidence,
            cure=cure,
        )


def foreign_cuda(context: Context) -> Iterator[Finding]:
    """CUDA libraries of no environment that every other program would load first."""
    folders = [folder for folder in _library_path(context) if directory_nature(folder) is DirectoryNature.CUDA]
    if not folders:
        return
    yield note(
        "LD_LIBRARY_PATH names CUDA libraries that are no environment's; kernels made here load their "
        "own all the same.",
        evidence=[f"{folder}: {_names(folder)}" for folder in folders],
        cure="Start the server without them, for the sake of kernels that were not made here, or have those adopted.",
    )


def relative_path(context: Context) -> Iterator[Finding]:
    """A library path with a component that means the working directory."""
    value = context.environ.get("LD_LIBRARY_PATH", "")
    if value and any(not Path(folder).is_absolute() for folder in value.split(":")):
        yield note(
            "LD_LIBRARY_PATH has an empty or relative component, by which programs load libraries from "
            "the directory that they work in; kernels made here are started without empty ones.",
            evidence=[f"LD_LIBRARY_PATH={value}"],
            cure="Take it out where the variable is set: a colon at either end, or two in a row.",
        )


def _library_path(context: Context) -> list[Path]:
    """The directories of the server's library path that are there for this user, each once.

    Relative ones lead elsewhere in each kernel; see :func:`relative_path`.
    """
    folders = [folder for folder in context.environ.get("LD_LIBRARY_PATH", "").split(":") if folder.startswith("/")]
    return [Path(folder) for folder in dict.fromkeys(folders) if os.access(folder, os.R_OK | os.X_OK)]


def _is_stub(library: Path) -> bool:
    """Whether a library says that it is none, asked in a process of its own."""
    command = [sys.executable, "-I", "-S", "-c", _PROBE, str(library)]
    environ = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    try:
        ended = subprocess.run(
            command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == _STUB


def _names(folder: Path) -> str:
    """Some of a directory's CUDA libraries, by the names that programs ask for."""
    try:
        names = sorted(name for name in os.listdir(folder) if is_cuda_library(name))
    except OSError:
        names = []
    return ", ".join([*names[:_SHOWN], *(["…"] if len(names) > _SHOWN else [])])
