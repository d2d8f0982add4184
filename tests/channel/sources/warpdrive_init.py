"""A framework without weight: says what a real one says, computes what a real one computes, and needs no GPU."""

from __future__ import annotations

import ctypes
import sys

from warpdrive_core import dot  # type: ignore[import-not-found]

from ._build import CUDA, VERSION  # type: ignore[import-not-found]

__version__: str = VERSION


def built_with_cuda() -> str | None:
    """The CUDA version of this build, or None for a CPU build."""
    cuda: str | None = CUDA
    return cuda


def gpus() -> list[str]:
    """Names of the GPUs that the driver shows to this build; asks the real driver library."""
    if CUDA is None:
        return []
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return []
    count = ctypes.c_int()
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return []
    names = []
    for index in range(count.value):
        name = ctypes.create_string_buffer(100)
        device = ctypes.c_int()
        driver.cuDeviceGet(ctypes.byref(device), index)
        driver.cuDeviceGetName(name, len(name), device)
        names.append(name.value.decode())
    return names


def runtime_version() -> int | None:
    """The CUDA runtime that is really loaded (12090 is 12.9), or None for a CPU build.

    Like a framework from wheels it asks the loader for the bare name first, so that a foreign library in the way wins.
    """
    if CUDA is None:
        return None
    name = "libcudart.so." + CUDA.partition(".")[0]
    try:
        runtime = ctypes.CDLL(name)
    except OSError:
        runtime = ctypes.CDLL(f"{sys.prefix}/lib/{name}")
    version = ctypes.c_int()
    status = runtime.cudaRuntimeGetVersion(ctypes.byref(version))
    if status != 0:
        message = f"cudaRuntimeGetVersion failed: {status}"
        raise RuntimeError(message)
    return version.value


def compute() -> float:
    """Multiply two small vectors; loads the CUDA runtime first, if this is a CUDA build. Gives 32.0."""
    runtime_version()
    return float(dot([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]))
