"""What the NVIDIA driver says, through its management library NVML.

The only importer of pynvml, and only when asked: it takes 60 ms, which neither the start of a server nor that of a
kernel can spare.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Protocol

from ..models import Gpu, GpuReading


class NvmlError(Exception):
    """NVML has no answer; the text is a sentence for people.

    Attributes:
        code: Name of NVML's return code, empty for what is none.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


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

    def readings(self) -> tuple[GpuReading, ...]:
        """What they are doing: one for each whole GPU, one for each instance of a split one."""

    def notes(self) -> tuple[str, ...]:
        """What the last answer leaves out, one sentence each."""


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


class Library:
    """The binding, and the driver behind it."""

    def __init__(self) -> None:
        self._binding: ModuleType | None = None

    def open(self) -> None:
        """Load NVML and connect to the driver.

        Raises:
            NvmlError: There is no usable driver.
        """
        # Imported here for its cost, see above.
        import pynvml

        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            raise _explained(pynvml, error) from error
        self._binding = pynvml

    def close(self) -> None:
        """Disconnect."""
        binding, self._binding = self._binding, None
        if binding is not None:
            try:
                binding.nvmlShutdown()
            except binding.NVMLError:
                return

    def call(self, function: str, *arguments: Any) -> Any:
        """Call NVML.

        Args:
            function: What to call, without the ``nvml`` before it.
            arguments: What with.

        Raises:
            NvmlError: It answers with an error, or with what cannot be read, or is not open.
        """
        binding = self._binding
        if binding is None:
            msg = "NVML is not open."
            raise NvmlError(msg, "NVML_ERROR_UNINITIALIZED")
        try:
            return getattr(binding, f"nvml{function}")(*arguments)
        except binding.NVMLError as error:
            raise _explained(binding, error) from error
        except (AttributeError, UnicodeDecodeError) as error:
            # A binding older than the function; text that is none, as some drivers give under WSL.
            msg = f"The NVIDIA driver's answer cannot be read: {error}."
            raise NvmlError(msg) from error


def _explained(library: ModuleType, error: Exception) -> NvmlError:
    """One of NVML's errors, in words."""
    number = getattr(error, "value", None)
    names = (name for name in dir(library) if name.startswith("NVML_ERROR_") and getattr(library, name) == number)
    code = next(names, "")
    return NvmlError(REASONS.get(code, f"The NVIDIA driver does not answer: {error}."), code)
