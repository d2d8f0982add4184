"""A driver that is not there, for tests and for trying out what another machine would be offered.

Set ``JUPYTER_GPU_KERNELS_FAKE_NVML`` to a JSON object, or to the absolute path of a file that holds one, e.g.
``{"driver": "570.86.15", "cuda": "12.8", "gpus": [{"name": "NVIDIA H200", "compute_capability": "9.0"}]}``, or
``{"error": "NVML_ERROR_LIB_RM_VERSION_MISMATCH"}``. A file is read again for each answer. Kernels still see the real
machine.

A GPU has the fields of :class:`~jupyter_gpu_kernels.models.Gpu`, and it or each of its ``instances`` has those of
:class:`~jupyter_gpu_kernels.models.GpuReading`: ``utilization``, ``memory_used`` and ``processes``, a list of
``{"pid": 1234, "memory": 1073741824}``, or null where none can be had. What is not said is made up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError
from ..models import Gpu, GpuReading, from_json
from .nvml import REASONS, NvmlError

VARIABLE = "JUPYTER_GPU_KERNELS_FAKE_NVML"

MEMORY = 16 * 1024**3
READ = ("utilization", "memory_used", "processes")

#: Of CUDA, and compute capabilities.
_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")


class FakeNvml:
    """Answers as told.

    Args:
        driver: Version of the driver.
        cuda: Highest CUDA version that it supports.
        gpus: The GPUs.
        readings: What they are doing; ``None`` for nothing.
        error: Name of an NVML return code that :meth:`open` fails with, or a sentence; empty for none.
        notes: What the answers leave out.
    """

    def __init__(
        self,
        *,
        driver: str = "580.65.06",
        cuda: str = "13.0",
        gpus: tuple[Gpu, ...] = (),
        readings: tuple[GpuReading, ...] | None = None,
        error: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        self._driver = driver
        self._cuda = cuda
        self._gpus = gpus
        self._readings = tuple(_idle(gpus)) if readings is None else readings
        self._error = error
        self._notes = notes

    @classmethod
    def described(cls, text: str) -> FakeNvml:
        """The fake that a JSON object, or the file that holds it, describes.

        Raises:
            NvmlError: It describes none.
        """
        if text.lstrip().startswith("{"):
            return cls(**_described(text))
        return _FakeFromFile(Path(text))

    def open(self) -> None:
        """Fail, if told so."""
        if self._error:
            raise NvmlError(REASONS.get(self._error, self._error), self._error if self._error in REASONS else "")

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

    def readings(self) -> tuple[GpuReading, ...]:
        """What they are doing, as told."""
        return self._readings

    def notes(self) -> tuple[str, ...]:
        """What the answers leave out, as told."""
        return self._notes


class _FakeFromFile(FakeNvml):
    """Answers as a file tells at that moment."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read()

    def _read(self) -> None:
        try:
            text = self._file.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            msg = f"{VARIABLE} names a file that cannot be read: {error}"
            raise NvmlError(msg) from error
        super().__init__(**_described(text))

    def open(self) -> None:
        """Fail, if the file says so."""
        self._read()
        super().open()

    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs that the file tells of."""
        self._read()
        return super().gpus()

    def readings(self) -> tuple[GpuReading, ...]:
        """What they are doing, as the file tells."""
        self._read()
        return super().readings()


def _described(text: str) -> dict[str, Any]:
    """The arguments that a JSON object gives."""
    try:
        data = dict(json.loads(text))
        pairs = [_gpu(index, dict(entry)) for index, entry in enumerate(data.pop("gpus", ()))]
        data["notes"] = tuple(data.get("notes", ()))
        for version in (data.get("cuda", "0.0"), *(gpu.compute_capability for gpu, _ in pairs)):
            if not isinstance(version, str) or not _VERSION.fullmatch(version):
                msg = f'{version!r} is no version of two numbers, such as "12.8".'
                raise ValueError(msg)
        if unknown := sorted(data.keys() - {"driver", "cuda", "error", "notes"}):
            msg = f"it has no field {unknown[0]!r}."
            raise ValueError(msg)
    except (ValueError, TypeError, AttributeError, InvalidInputError) as error:
        msg = f"{VARIABLE} does not describe a driver: {getattr(error, 'message', error)}"
        raise NvmlError(msg) from error
    readings = tuple(reading for _, found in pairs for reading in found)
    return {**data, "gpus": tuple(gpu for gpu, _ in pairs), "readings": readings}


def _gpu(index: int, entry: dict[str, Any]) -> tuple[Gpu, list[GpuReading]]:
    """One GPU, with what is not said made up, and what it is doing."""
    own = {key: entry.pop(key) for key in READ if key in entry}
    parts = [dict(part) for part in entry.pop("instances", ())]
    read = [{key: part.pop(key) for key in READ if key in part} for part in parts]
    instances = [
        {
            "uuid": f"MIG-00000000-0000-0000-{index:04d}-{place:012d}",
            "profile": "1g.8gb",
            "memory_total": MEMORY,
            **part,
        }
        for place, part in enumerate(parts)
    ]
    defaults = {
        "index": index,
        "uuid": f"GPU-00000000-0000-0000-0000-{index:012d}",
        "name": "Fake GPU",
        "memory_total": MEMORY,
        "compute_capability": "8.6",
        "mig": bool(instances),
    }
    gpu = from_json(Gpu, {**defaults, **entry, "instances": instances}, strict=True)
    if not gpu.mig:
        return gpu, [_reading(gpu.uuid, gpu.memory_total, {"utilization": 0, **own})]
    pairs = zip(gpu.instances, read, strict=True)
    return gpu, [_reading(part.uuid, part.memory_total, {"utilization": None, **doing}) for part, doing in pairs]


def _idle(gpus: tuple[Gpu, ...]) -> list[GpuReading]:
    """Readings of GPUs that do nothing."""
    whole = [_reading(gpu.uuid, gpu.memory_total, {"utilization": 0}) for gpu in gpus if not gpu.mig]
    parts = [part for gpu in gpus if gpu.mig for part in gpu.instances]
    return [*whole, *(_reading(part.uuid, part.memory_total, {"utilization": None}) for part in parts)]


def _reading(uuid: str, memory_total: int, doing: Mapping[str, Any]) -> GpuReading:
    defaults = {"uuid": uuid, "memory_total": memory_total, "memory_used": 0, "processes": []}
    return from_json(GpuReading, {**defaults, **doing}, strict=True)
