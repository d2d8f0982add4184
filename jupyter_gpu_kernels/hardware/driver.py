"""Asking the NVIDIA driver about its GPUs, with what it does not tell left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from ..models import ComputeMode, Gpu, GpuProcess, GpuReading, MigInstance
from .nvml import Library, NvmlError
from .surroundings import CONTAINER_NOTE, WSL_NOTE, Surroundings

T = TypeVar("T")

#: What one thing about a GPU is not told for, where the rest is.
FIELD_REASONS = {
    "NVML_ERROR_NOT_SUPPORTED": "the driver does not tell it",
    "NVML_ERROR_FUNCTION_NOT_FOUND": "the driver is too old to tell it",
    "NVML_ERROR_NO_PERMISSION": "this user may not ask for it",
}

#: After which of NVML's return codes a GPU need not be asked anything else.
GONE = {"NVML_ERROR_GPU_IS_LOST", "NVML_ERROR_UNINITIALIZED", "NVML_ERROR_RESET_REQUIRED"}

#: NVML's compute modes: nvmlComputeMode_t.
MODES = {1: ComputeMode.EXCLUSIVE, 2: ComputeMode.PROHIBITED, 3: ComputeMode.EXCLUSIVE}

#: How often a list of processes is asked for while it grows between NVML's two calls.
TRIES = 5

#: ``nvmlMemory_v2_t`` of 40 bytes, version 2, as that function wants to be told.
MEMORY_VERSION = 40 | 2 << 24


class DriverNvml:
    """NVML of this machine's driver.

    Args:
        surroundings: Where this process runs.
    """

    def __init__(self, surroundings: Surroundings | None = None) -> None:
        self._library = Library()
        self._surroundings = surroundings or Surroundings()
        self._notes: dict[str, None] = {}

    def open(self) -> None:
        """Load NVML and connect to the driver."""
        self._library.open()

    def close(self) -> None:
        """Disconnect."""
        self._library.close()

    def driver_version(self) -> str:
        """Version of the driver."""
        return self._text("SystemGetDriverVersion")

    def cuda_version(self) -> str:
        """Highest CUDA version that the driver supports."""
        number = int(self._library.call("SystemGetCudaDriverVersion_v2"))
        # 12040 is 12.4: https://docs.nvidia.com/deploy/nvml-api/group__nvmlSystemQueries.html
        return f"{number // 1000}.{number % 1000 // 10}"

    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs that answer; one that is lost does not hide the others."""
        return tuple(self._each(self._gpu))

    def readings(self) -> tuple[GpuReading, ...]:
        """What the GPUs that answer are doing; what the driver does not tell is ``None``, and noted."""
        return tuple(reading for readings in self._each(self._readings) for reading in readings)

    def notes(self) -> tuple[str, ...]:
        """What the last answer leaves out."""
        return tuple(self._notes)

    def _each(self, ask: Callable[[int, Any], T]) -> list[T]:
        """Ask all GPUs; raises NvmlError if none answers."""
        self._notes = {}
        found: list[T] = []
        failure: NvmlError | None = None
        for index in range(int(self._library.call("DeviceGetCount"))):
            try:
                found.append(ask(index, self._library.call("DeviceGetHandleByIndex", index)))
            except NvmlError as error:
                failure = error
                self._note(f"GPU {index} is left out. {error}")
        if failure is not None and not found:
            raise failure
        return found

    def _gpu(self, index: int, handle: Any) -> Gpu:
        label = f"GPU {index}"
        major, minor = self._library.call("DeviceGetCudaComputeCapability", handle)
        # Without notes: who only asks which GPUs there are can do without these; under WSL there is no compute mode.
        name = self._field(label, "", self._text, "DeviceGetName", handle)
        memory = self._field(label, "", self._memory, handle)
        mode = self._field(label, "", self._library.call, "DeviceGetComputeMode", handle)
        split = self._split(handle)
        return Gpu(
            index=index,
            uuid=self._text("DeviceGetUUID", handle),
            name=name or "NVIDIA GPU",
            memory_total=int(memory.total) if memory else 0,
            compute_capability=f"{major}.{minor}",
            compute_mode=MODES.get(mode or 0, ComputeMode.DEFAULT),
            mig=split,
            instances=tuple(self._instance(label, part) for part in self._parts(handle)) if split else (),
        )

    def _instance(self, label: str, part: Any) -> MigInstance:
        memory = self._field(label, "", self._memory, part)
        attributes = self._field(label, "", self._library.call, "DeviceGetAttributes_v2", part)
        # "NVIDIA A100-SXM4-40GB MIG 1g.5gb": https://docs.nvidia.com/datacenter/tesla/mig-user-guide/
        name = self._field(label, "", self._text, "DeviceGetName", part) or ""
        _, _, profile = name.rpartition(" MIG ")
        return MigInstance(
            uuid=self._text("DeviceGetUUID", part),
            profile=profile or (_profile(attributes) if attributes else "MIG"),
            memory_total=int(memory.total) if memory else int(attributes.memorySizeMB) << 20 if attributes else 0,
        )

    def _split(self, handle: Any) -> bool:
        """Whether a GPU is split now; most cannot be."""
        mode = self._field("", "", self._library.call, "DeviceGetMigMode", handle)
        return mode is not None and int(mode[0]) == 1

    def _parts(self, handle: Any) -> list[Any]:
        """Handles of a split GPU's instances; places that nobody has are passed over."""
        places = self._field("", "", self._library.call, "DeviceGetMaxMigDeviceCount", handle) or 0
        asked = [
            self._field("", "", self._library.call, "DeviceGetMigDeviceHandleByIndex", handle, place)
            for place in range(places)
        ]
        return [part for part in asked if part is not None]

    def _readings(self, index: int, handle: Any) -> list[GpuReading]:
        if self._split(handle):
            return [self._reading(f"an instance of GPU {index}", part, whole=False) for part in self._parts(handle)]
        return [self._reading(f"GPU {index}", handle, whole=True)]

    def _reading(self, label: str, handle: Any, *, whole: bool) -> GpuReading:
        memory = self._field(label, "memory", self._memory, handle)
        rates = None
        if whole:  # NVML has none for instances.
            rates = self._field(label, "utilisation", self._library.call, "DeviceGetUtilizationRates", handle)
        return GpuReading(
            uuid=self._text("DeviceGetUUID", handle),
            utilization=int(rates.gpu) if rates else None,
            memory_used=int(memory.used) if memory else None,
            memory_total=int(memory.total) if memory else 0,
            processes=self._processes(label, handle),
        )

    def _memory(self, handle: Any) -> Any:
        """Bytes; the second version leaves what the driver keeps for itself out of those used."""
        try:
            return self._library.call("DeviceGetMemoryInfo", handle, MEMORY_VERSION)
        except NvmlError as error:
            if error.code in GONE:
                raise
            return self._library.call("DeviceGetMemoryInfo", handle)

    def _processes(self, label: str, handle: Any) -> tuple[GpuProcess, ...] | None:
        """Who has memory of a GPU; a process that both computes and draws is listed twice by NVML."""
        if self._surroundings.wsl:
            self._note(WSL_NOTE)
            return None
        listed = self._field(label, "list of processes", self._listed, "Compute", handle)
        if listed is None:
            return None
        entries = [(entry, False) for entry in listed]
        for kind in ("MPSCompute", "Graphics"):
            more = self._field(label, "", self._listed, kind, handle) or []
            entries += [(entry, kind == "Graphics") for entry in more]
        found: dict[int, GpuProcess] = {}
        for entry, graphics in entries:
            key = int(entry.pid) or -len(found) - 1
            known = found.get(key)
            # Whoever is listed has some; in a container 0 stands for what the driver did not find.
            memory = entry.usedGpuMemory or None
            if known is None:
                pid = self._surroundings.pid_here(int(entry.pid))
                found[key] = GpuProcess(pid=pid, memory=memory, graphics=graphics)
            elif (known.memory or 0) < (memory or 0):
                found[key] = replace(known, memory=memory)
        if self._surroundings.contained and any(None in (each.pid, each.memory) for each in found.values()):
            self._note(CONTAINER_NOTE)
        return tuple(found.values())

    def _listed(self, kind: str, handle: Any) -> list[Any]:
        """NVML's list of one kind, by the newest function that the driver has."""
        for _ in range(TRIES):
            try:
                return list(self._library.call(f"DeviceGet{kind}RunningProcesses_v3", handle))
            except NvmlError as error:
                if error.code == "NVML_ERROR_FUNCTION_NOT_FOUND":
                    return list(self._library.call(f"DeviceGet{kind}RunningProcesses_v2", handle))
                if error.code != "NVML_ERROR_INSUFFICIENT_SIZE":
                    raise
        return []

    def _field(self, label: str, what: str, ask: Callable[..., T], *arguments: Any) -> T | None:
        """One thing about a GPU, ``None`` if it is not told; noted if it has a name. A lost GPU is an NvmlError."""
        try:
            return ask(*arguments)
        except NvmlError as error:
            if error.code in GONE:
                raise
            if what:
                reason = FIELD_REASONS.get(error.code, f"the driver answers {error.code or 'nothing readable'}")
                self._note(f"The {what} of {label} is not known: {reason}.")
            return None

    def _text(self, function: str, *arguments: Any) -> str:
        """Text; some versions of the binding give bytes."""
        value: str | bytes = self._library.call(function, *arguments)
        return value.decode(errors="replace") if isinstance(value, bytes) else value

    def _note(self, sentence: str) -> None:
        self._notes[sentence] = None


def _profile(attributes: Any) -> str:
    """What NVML's names call an instance, from its size."""
    parts, share = int(attributes.gpuInstanceSliceCount), int(attributes.computeInstanceSliceCount)
    compute = f"{share}c." if share and share != parts else ""
    return f"{compute}{parts}g.{round(attributes.memorySizeMB / 1024)}gb"
