"""Kernels that provably run on the GPU, for Jupyter."""

from __future__ import annotations

from typing import Any

from ._version import __version__

__all__ = ["__version__"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell jupyter_server where the extension is; called by its extension manager."""
    # Imported here, so that starting a kernel does not import a server.
    from .serve.app import GpuKernelsExtension

    return [{"module": "jupyter_gpu_kernels.serve.app", "app": GpuKernelsExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the panel is; called by its builder."""
    return [{"src": "labextension", "dest": "jupyter-gpu-kernels"}]
