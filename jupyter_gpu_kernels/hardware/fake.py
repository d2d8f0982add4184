"""A driver that is not there, for tests and for trying out what another machine would be offered.

Set ``JUPYTER_GPU_KERNELS_FAKE_NVML`` to a JSON object, or to the absolute path of a file that holds one, e.g.
``{"driver": "570.86.15", "cuda": "12.8", "gpus": [{"name": "NVIDIA H200", "compute_capability": "9.0"}]}``, or
``{"error": "NVML_ERROR_LIB_RM_VERSION_MISMATCH"}``. Kernels still see the real machine.
"""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import InvalidInputError
from ..models import Gpu, from_json
from .nvml import REASONS, NvmlError

VARIABLE = "JUPYTER_GPU_KERNELS_FAKE_NVML"


class FakeNvml:
    """Answers as told.

    Args:
        driver: Version of the driver.
        cuda: Highest CUDA version that it supports.
        gpus: The GPUs.
        error: Name of an NVML return code that :meth:`open` fails with, or a sentence; empty for none.
    """

    def __init__(
        self, *, driver: str = "580.65.06", cuda: str = "13.0", gpus: tuple[Gpu, ...] = (), error: str = ""
    ) -> None:
        self._driver = driver
        self._cuda = cuda
        self._gpus = gpus
        self._error = error

    @classmethod
    def described(cls, text: str) -> FakeNvml:
        """The fake that a JSON object, or the file that holds it, describes.

        Raises:
            NvmlError: It describes none.
        """
        try:
            data = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
            gpus = tuple(_gpu(index, entry) for index, entry in enumerate(data.pop("gpus", ())))
            return cls(gpus=gpus, **data)
        except (OSError, ValueError, TypeError, AttributeError, InvalidInputError) as error:
            msg = f"{VARIABLE} does not describe a driver: {getattr(error, 'message', error)}"
            raise NvmlError(msg) from error

    def open(self) -> None:
        """Fail, if told so."""
        if self._error:
            raise NvmlError(REASONS.get(self._error, self._error))

    def close(self) -> None:
        """Do nothing."""

    def driver_version(self) -> str:
        """Version of the driver, as told."""
        return self._driver

    def cuda_version(self) -> str:
        """CUDA version of the driver, as told."""
        return self._cuda

    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs, as told."""
        return self._gpus


def _gpu(index: int, entry: dict[str, object]) -> Gpu:
    """One GPU, with what is not said made up."""
    return from_json(
        Gpu,
        {
            "index": index,
            "uuid": f"GPU-00000000-0000-0000-0000-{index:012d}",
            "name": "Fake GPU",
            "memory_total": 16 * 1024**3,
            "compute_capability": "8.6",
            **entry,
        },
        strict=True,
    )
