"""Memory presets: variables that tell frameworks, before they are imported, how to take the GPU's memory.

By default TensorFlow takes nearly all of a GPU's memory when it first touches it, and JAX three quarters, whatever the
notebook then needs: a second kernel on the same GPU fails. Hence the presets, which must be set before the import.

========== ================================== ==============================================================
framework  ``grow``                           ``fraction``
========== ================================== ==============================================================
JAX        no preallocation                   takes that part at once and nothing more
PyTorch    grows anyway; joins its pieces     at most that part, from 2.10 on; before, as it grows by default
CuPy       grows anyway                       at most that part
TensorFlow grows                              grows: it has no variable for a limit
others     grow anyway                        grow: PaddlePaddle and MXNet have no variable for a limit
========== ================================== ==============================================================

In TensorFlow a limit is set in the notebook, before the GPU is used:
https://www.tensorflow.org/guide/gpu#limiting_gpu_memory_growth. PaddlePaddle's ``FLAGS_fraction_of_gpu_memory_to_use``
is the size of the first piece of an allocator that its wheels do not use
(https://paddlepaddle.org.cn/documentation/docs/en/guides/flags/memory_en.html), and no limit; MXNet's
``MXNET_GPU_MEM_POOL_RESERVE`` says when to give back what is cached (https://mxnet.apache.org/api/faq/env_var).
"""

from __future__ import annotations

import platform as system
import re
from collections.abc import Mapping

from ..models import MemoryPreset
from .layout import Layout

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

#: Other names of the same setting. JAX refuses the GPU where both of its two are set.
ALIASES = {
    "PYTORCH_CUDA_ALLOC_CONF": "PYTORCH_ALLOC_CONF",
    "XLA_CLIENT_MEM_FRACTION": "XLA_PYTHON_CLIENT_MEM_FRACTION",
    "XLA_PYTHON_CLIENT_MEM_FRACTION": "XLA_CLIENT_MEM_FRACTION",
}

#: First PyTorch that knows ``per_process_memory_fraction``; older ones refuse the GPU over it, as over any key that is
#: new to them: https://github.com/pytorch/pytorch/pull/161035
_TORCH_LIMIT = (2, 10)

#: First jaxlib that knows ``XLA_CLIENT_MEM_FRACTION``, and calls the old name deprecated.
_JAX_RENAMED = (0, 4, 33)


def memory_variables(
    preset: MemoryPreset,
    platform: str,
    release: str | None = None,
    *,
    fraction: float = 0.5,
    versions: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The variables of a preset.

    Args:
        preset: The preset.
        platform: As ``sys.platform`` says it.
        release: Release of the operating system's kernel, ``None`` for this one's.
        fraction: The part of the memory that one process may take, for ``fraction``; above 0, at most 1.
        versions: Versions of what is installed, as :func:`installed_versions` finds them.
    """
    if preset is MemoryPreset.FRACTION:
        return _limited(min(max(fraction, 0.01), 1.0), versions or {})
    if preset is MemoryPreset.DEFAULT:
        return {}
    variables = dict(_GROW)
    release = system.release() if release is None else release
    if not platform.startswith("linux") or "microsoft" in release.lower():
        # Not there on Windows, and in its Linux subsystem the first allocation may fail (pytorch/pytorch#192330).
        del variables["PYTORCH_CUDA_ALLOC_CONF"]
    return variables


def installed_versions(layout: Layout) -> dict[str, str]:
    """Versions of those packages in an environment whose settings have changed over time; nothing is imported."""
    found: dict[str, str] = {}
    for folder in layout.site_packages():
        for path in folder.glob("*-info"):
            match = re.fullmatch(r"(torch|jaxlib)-(\d[^-]*)(?:-py[\d.]+)?\.(?:dist|egg)-info", path.name)
            if match:
                found.setdefault(match[1], match[2])
    return found


def unset(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Those of some variables that nobody has set, under whichever name."""
    return {
        name: value for name, value in variables.items() if name not in environ and ALIASES.get(name) not in environ
    }


def _limited(fraction: float, versions: Mapping[str, str]) -> dict[str, str]:
    """The variables that limit each framework, where it has one."""
    renamed = _numbers(versions.get("jaxlib", "99")) >= _JAX_RENAMED
    variables = {
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        # https://docs.jax.dev/en/latest/201/gpu-memory.html
        "XLA_CLIENT_MEM_FRACTION" if renamed else "XLA_PYTHON_CLIENT_MEM_FRACTION": f"{fraction:g}",
        # https://docs.cupy.dev/en/stable/user_guide/memory.html#limiting-gpu-memory-usage
        "CUPY_GPU_MEMORY_LIMIT": f"{100 * fraction:g}%",
    }
    if _numbers(versions.get("torch", "0")) >= _TORCH_LIMIT:
        variables["PYTORCH_CUDA_ALLOC_CONF"] = f"per_process_memory_fraction:{fraction:g}"
    return variables


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers at the beginning of a version: ``(2, 10, 0)`` of ``2.10.0+cu128``."""
    return tuple(map(int, re.findall(r"\d+", re.split(r"[^\d.]", version)[0])))
