"""What the NVIDIA driver says, through its management library NVML.

The only importer of pynvml, and only when asked: it takes 60 ms, which neither the start of a server nor that of a
kernel can spare.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Protocol

from ..models import Gpu


class NvmlError(Exception):
    """NVML has no answer; the text is a sentence for people."""


class Nvml(Protocol):
    """What this package asks of NVML; :class:`~jupyter_gpu_kernels.hardware.fake.FakeNvml` answers too."""

    def open(self) -> None:
        """Begin; raises NvmlError where there is no usable driver."""

    def close(self) -> None:
        """End; never raises."""

    def driver_version(self) -> str:
        """Version of the driver, e.g. ``570.86.15``."""

    def cuda_version(self) -> str:
        """Highest CUDA version that the driver supports, e.g. ``12.8``."""

    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs that answer."""


#: Names of NVML's return codes to what they mean for the person at the machine:
#: https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceEnumvs.html
REASONS = {
    "NVML_ERROR_LIBRARY_NOT_FOUND": "No NVIDIA driver is installed here (its library libnvidia-ml was not found).",
    "NVML_ERROR_DRIVER_NOT_LOADED": (
        "The NVIDIA driver is installed but not loaded: the machine may have no NVIDIA GPU, or needs a reboot."
    ),
    "NVML_ERROR_LIB_RM_VERSION_MISMATCH": (
        "The NVIDIA driver's library and its kernel module are of different versions, as after an update: reboot."
    ),
    "NVML_ERROR_NO_PERMISSION": "This user may not talk to the NVIDIA driver: ask for access to /dev/nvidia*.",
    "NVML_ERROR_GPU_IS_LOST": "A GPU has fallen off the bus: reboot the machine.",
    "NVML_ERROR_FUNCTION_NOT_FOUND": "The NVIDIA driver is too old to be asked: install a newer one.",
}


class DriverNvml:
    """NVML of this machine's driver."""

    def __init__(self) -> None:
        self._library: ModuleType | None = None

    def open(self) -> None:
        """Load NVML and connect to the driver."""
        # Imported here for its cost, see above.
        import pynvml

        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            raise NvmlError(_reason(pynvml, error)) from error
        self._library = pynvml

    def close(self) -> None:
        """Disconnect."""
        library, self._library = self._library, None
        if library is not None:
            try:
                library.nvmlShutdown()
            except library.NVMLError:
                return

    def driver_version(self) -> str:
        """Version of the driver."""
        return _text(self._call("nvmlSystemGetDriverVersion"))

    def cuda_version(self) -> str:
        """Highest CUDA version that the driver supports."""
        number = int(self._call("nvmlSystemGetCudaDriverVersion_v2"))
        # 12040 is 12.4: https://docs.nvidia.com/deploy/nvml-api/group__nvmlSystemQueries.html
        return f"{number // 1000}.{number % 1000 // 10}"

    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs that answer; one that is lost does not hide the others."""
        found: list[Gpu] = []
        failure: NvmlError | None = None
        for index in range(int(self._call("nvmlDeviceGetCount"))):
            try:
                found.append(self._gpu(index))
            except NvmlError as error:
                failure = error
        if failure is not None and not found:
            raise failure
        return tuple(found)

    def _gpu(self, index: int) -> Gpu:
        handle = self._call("nvmlDeviceGetHandleByIndex", index)
        major, minor = self._call("nvmlDeviceGetCudaComputeCapability", handle)
        return Gpu(
            index=index,
            uuid=_text(self._call("nvmlDeviceGetUUID", handle)),
            name=_text(self._call("nvmlDeviceGetName", handle)),
            memory_total=int(self._call("nvmlDeviceGetMemoryInfo", handle).total),
            compute_capability=f"{major}.{minor}",
        )

    def _call(self, function: str, *arguments: Any) -> Any:
        """Call NVML, with its errors in words."""
        if self._library is None:
            msg = "NVML is not open."
            raise NvmlError(msg)
        try:
            return getattr(self._library, function)(*arguments)
        except self._library.NVMLError as error:
            raise NvmlError(_reason(self._library, error)) from error


def _reason(library: ModuleType, error: Exception) -> str:
    """The sentence for one of NVML's errors."""
    code = getattr(error, "value", None)
    for name, sentence in REASONS.items():
        if code == getattr(library, name, object()):
            return sentence
    return f"The NVIDIA driver does not answer: {error}."


def _text(value: str | bytes) -> str:
    """Text; some versions of the binding give bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value
