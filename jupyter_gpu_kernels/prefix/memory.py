"""Memory presets: variables that tell frameworks, before they are imported, how to take the GPU's memory."""

from __future__ import annotations

import platform as system
from collections.abc import Mapping

from ..models import MemoryPreset

#: What makes a framework take memory as it needs it, so that several kernels can share a GPU. PaddlePaddle's wheels
#: (``FLAGS_allocator_strategy``) and CuPy do so anyway.
_GROW = {
    # https://www.tensorflow.org/guide/gpu#limiting_gpu_memory_growth
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    # https://docs.jax.dev/en/latest/201/gpu-memory.html
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    # PyTorch takes what it needs anyway; this lets it join the pieces: https://docs.pytorch.org/docs/stable/notes/cuda.html
    # The new name PYTORCH_ALLOC_CONF is unknown before 2.9, and ignored for CUDA in 2.9 (pytorch/pytorch#183387); the
    # old one works in all versions, though some of them complain of it.
    "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
}

#: Other names of the same setting.
_ALIASES = {"PYTORCH_CUDA_ALLOC_CONF": "PYTORCH_ALLOC_CONF"}


def memory_variables(preset: MemoryPreset, platform: str, release: str | None = None) -> dict[str, str]:
    """The variables of a preset.

    Args:
        preset: The preset.
        platform: As ``sys.platform`` says it.
        release: Release of the operating system's kernel, ``None`` for this one's.
    """
    if preset is MemoryPreset.DEFAULT:
        return {}
    variables = dict(_GROW)
    release = system.release() if release is None else release
    if not platform.startswith("linux") or "microsoft" in release.lower():
        # Not there on Windows, and in its Linux subsystem the first allocation may fail (pytorch/pytorch#192330).
        del variables["PYTORCH_CUDA_ALLOC_CONF"]
    return variables


def unset(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Those of some variables that nobody has set, under whichever name."""
    return {
        name: value for name, value in variables.items() if name not in environ and _ALIASES.get(name) not in environ
    }
