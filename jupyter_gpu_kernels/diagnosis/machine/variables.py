"""Variables of the server that its kernels inherit, or that other programs would."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ...models import Environment, Finding, MemoryPreset
from ...prefix.cuda import is_cuda_library, is_driver_library
from ...prefix.layout import Layout
from ...prefix.memory import installed_versions, memory_variables, unset
from ..check import note, problem, warning
from ..context import Context
from .surroundings import container, module_version, nvidia_gpus

_VARIABLES = "https://docs.nvidia.com/cuda/cuda-programming-guide/05-appendices/environment-variables.html"

#: Variables that make a framework take memory otherwise than it does, in all kernels, whatever their preset.
_MEMORY = (
    "TF_FORCE_GPU_ALLOW_GROWTH",
    "TF_GPU_ALLOCATOR",
    "XLA_PYTHON_CLIENT_PREALLOCATE",
    "XLA_PYTHON_CLIENT_MEM_FRACTION",
    "XLA_CLIENT_MEM_FRACTION",
    "XLA_PYTHON_CLIENT_ALLOCATOR",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_NO_CUDA_MEMORY_CACHING",
    "FLAGS_fraction_of_gpu_memory_to_use",
)

#: Variables for looking for errors, and what they cost.
_DEBUGGING = {
    "CUDA_LAUNCH_BLOCKING": "the CPU waits for each step of the GPU, which makes all kernels slower",
    "CUDA_CACHE_DISABLE": "code is compiled for the GPU anew at each start",
    "NVIDIA_TF32_OVERRIDE": "it changes how exactly the GPU computes, in all libraries and against their settings",
    "CUDA_MEMCHECK": "memory accesses are checked, which makes all kernels slower",
}

#: Variables that keep a framework from the GPU, and the values that do not.
_HIDING = {
    "JAX_PLATFORMS": re.compile(r"(?i)(.*,)?\s*(cuda|gpu)\b.*|\s*"),
    "JAX_PLATFORM_NAME": re.compile(r"(?i)\s*(cuda|gpu)?\s*"),
    "NUMBA_DISABLE_CUDA": re.compile(r"\s*0?\s*"),
}

_VERSION = re.compile(r"\d{1,2}(\.\d{1,2}){0,2}")


def hidden_in_container(context: Context) -> Iterator[Finding]:
    """A container that was told to have no GPU."""
    value = context.environ.get("NVIDIA_VISIBLE_DEVICES")
    if value is None or context.hardware.gpus or value.strip() not in ("", "void", "none"):
        return
    if not container(context) or not (nvidia_gpus(context) or module_version(context)):
        return
    yield problem(
        "This container was started without GPUs, though its host has some.",
        evidence=[f"NVIDIA_VISIBLE_DEVICES={value}"],
        cure="Start it with NVIDIA_VISIBLE_DEVICES=all, or ask for GPUs where it is run.",
        link="https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html",
    )


def cuda_override(context: Context) -> Iterator[Finding]:
    """A CUDA version that the solver is told to count on, whatever the driver runs."""
    value = context.environ.get("CONDA_OVERRIDE_CUDA")
    if value is None:
        return
    evidence = [f"CONDA_OVERRIDE_CUDA={value}", f"Driver: {context.hardware.driver or 'none'}"]
    cure = "Unset it where the server is started, unless environments are built here for another machine."
    if not value.strip():
        yield warning(
            "CONDA_OVERRIDE_CUDA is empty: builds for the CPU are chosen, whatever this machine has.",
            evidence=evidence,
            cure=cure,
        )
    elif not _VERSION.fullmatch(value.strip()):
        yield warning(
            "CONDA_OVERRIDE_CUDA is no version of CUDA; conda and other tools may choose builds that do not run here.",
            evidence=evidence,
            cure=cure,
        )
    else:
        yield note(
            f"CONDA_OVERRIDE_CUDA has builds chosen for CUDA {value.strip()}, whatever this machine's driver runs.",
            evidence=evidence,
            cure=cure,
        )


def of_python(context: Context) -> Iterator[Finding]:
    """A variable that would have a kernel's Python take another one's modules for its own."""
    value = context.environ.get("PYTHONHOME")
    if value:
        yield note(
            "PYTHONHOME is set, by which other kernels may not start, or take another Python's modules; kernels made "
            "here are started without.",
            evidence=[f"PYTHONHOME={value}"],
            cure="Unset it where the server is started.",
        )


def preloaded(context: Context) -> Iterator[Finding]:
    """Libraries that are forced upon every program, kernels too."""
    value = context.environ.get("LD_PRELOAD", "")
    for name in filter(None, re.split(r"[\s:]+", value)):
        path = Path(name)
        cuda = is_cuda_library(path.name) or is_driver_library(path.name)
        if path.is_absolute() and not path.exists():
            yield warning(
                "A library that is to be preloaded into every kernel does not exist.",
                evidence=[f"LD_PRELOAD={value}", f"Missing: {name}"],
                cure="Unset LD_PRELOAD where the server is started, or correct the path.",
            )
        elif cuda:
            yield problem(
                f"LD_PRELOAD forces {path.name} upon every kernel, in place of its environment's own.",
                evidence=[f"LD_PRELOAD={value}"],
                cure="Unset LD_PRELOAD where the server is started: kernels made here find their CUDA libraries.",
            )


def memory(context: Context) -> Iterator[Finding]:
    """Memory settings for all kernels, which presets do not change."""
    found = [name for name in _MEMORY if name in context.environ]
    if found:
        yield note(
            "How frameworks take the GPU's memory is set for all kernels.",
            evidence=[f"{name}={context.environ[name]}" for name in found],
            cure="Unset it where the server is started, and choose a memory preset for each kernel.",
            link="https://docs.jax.dev/en/latest/201/gpu-memory.html" if found[0].startswith("XLA") else "",
        )


def preset_overruled(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """A memory preset that the server's variables overrule."""
    if environment.memory is MemoryPreset.DEFAULT:
        return
    wanted = memory_variables(
        environment.memory,
        sys.platform,
        fraction=environment.memory_fraction,
        versions=installed_versions(layout),
    )
    effective = unset(wanted, context.environ)
    overruled = [name for name in wanted if name not in effective and context.environ.get(name) != wanted[name]]
    if overruled:
        yield warning(
            f"The memory preset of {environment.name}, {environment.memory.value}, is overruled by variables "
            "of the server.",
            evidence=[
                f"{name}={context.environ.get(name, 'set by another name')}; the preset has {wanted[name]}"
                for name in overruled
            ],
            cure="Unset them where the server is started.",
        )


def debugging(context: Context) -> Iterator[Finding]:
    """Settings for looking for errors that were left on."""
    for name, effect in _DEBUGGING.items():
        value = context.environ.get(name, "").strip()
        # The one of them for which 0 means something.
        if value and (value != "0" or name == "NVIDIA_TF32_OVERRIDE"):
            yield note(
                f"{name} is set for all kernels: {effect}.",
                evidence=[f"{name}={value}"],
                cure="Unset it where the server is started, and set it in the one notebook that needs it.",
                link=_VARIABLES,
            )


def hiding(context: Context) -> Iterator[Finding]:
    """Settings that keep a framework from the GPUs that are there."""
    if not context.hardware.gpus:
        return
    for name, harmless in _HIDING.items():
        value = context.environ.get(name)
        if value is not None and not harmless.fullmatch(value):
            framework = "Numba" if name.startswith("NUMBA") else "JAX"
            yield warning(
                f"{name} is set for all kernels, by which {framework} leaves this machine's GPU alone.",
                evidence=[f"{name}={value}"],
                cure="Unset it where the server is started.",
            )
