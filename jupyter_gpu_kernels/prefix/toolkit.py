"""What of the CUDA toolkit, beyond libraries to load, an environment has: its compiler and libdevice."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ..models import EnvironmentKind
from .layout import Layout

#: Where XLA looks for its bitcode library, below the directory that ``--xla_gpu_cuda_data_dir`` names.
LIBDEVICE = Path("nvvm", "libdevice", "libdevice.10.bc")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Toolkit:
    """The toolkit of an environment.

    Attributes:
        home: What ``CUDA_HOME`` should be: the directory whose ``bin`` has ``nvcc``; ``None`` without a compiler.
        libdevice: Whether the environment has libdevice at all.
        data_dir: What XLA must be told; ``None`` where there is no XLA, no libdevice, or where XLA finds it by itself.
    """

    home: Path | None = None
    libdevice: bool = False
    data_dir: Path | None = None


def find_toolkit(layout: Layout) -> Toolkit:
    """Look for the toolkit; a few file tests, nothing is run.

    TensorFlow's and JAX's wheels find libdevice in NVIDIA's wheels by themselves; in a conda prefix they may not
    (conda-forge/tensorflow-feedstock#296, #420).
    """
    nvcc = "nvcc.exe" if layout.windows else "nvcc"
    packages = layout.site_packages()
    wheels = [root / "nvidia" / name for root in packages for name in ("cu13", "cuda_nvcc")]
    roots: list[Path] = []
    if layout.kind is EnvironmentKind.CONDA:
        top = layout.prefix / "Library" if layout.windows else layout.prefix
        roots = [top, *sorted((layout.prefix / "targets").glob("*"))]
    home = next((root for root in (*roots[:1], *wheels) if (root / "bin" / nvcc).is_file()), None)
    in_wheels = any((root / LIBDEVICE).is_file() for root in wheels)
    in_prefix = next((root for root in roots if (root / LIBDEVICE).is_file()), None)
    xla = any((root / name).is_dir() for root in packages for name in ("tensorflow", "jaxlib"))
    return Toolkit(
        home=home,
        libdevice=in_wheels or in_prefix is not None,
        data_dir=in_prefix if xla and not in_wheels else None,
    )
