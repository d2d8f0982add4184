"""Kernels that run now, as far as this process can know of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class RunningKernel:
    """A kernel that runs.

    Attributes:
        id: As the server names it.
        pid: Its process, which changes with a restart; ``None`` where it runs elsewhere.
    """

    id: str
    pid: int | None


class RunningKernels(Protocol):
    """Knows and stops running kernels."""

    def of(self, kernel_name: str, prefix: str) -> tuple[RunningKernel, ...]:
        """The running kernels that were started from a kernelspec, of an environment at ``prefix``."""

    async def stop(self, kernel_id: str) -> bool:
        """Shut a kernel down, and answer whether that was done."""


class ProcessKernels:
    """What a process without a server can know: whether anything runs from an environment. It stops nothing."""

    def of(self, kernel_name: str, prefix: str) -> tuple[RunningKernel, ...]:
        """One stand-in for all processes that run from the environment."""
        # Imported here: listing processes takes a library that a server need not load.
        from ..build.disk.occupancy import occupied

        return (RunningKernel("a process outside", None),) if prefix and occupied({Path(prefix)}) else ()

    async def stop(self, kernel_id: str) -> bool:
        """Leave it: what others started is theirs to stop."""
        return False


class ServerKernels:
    """The kernels of a Jupyter server.

    Args:
        kernel_manager: The server's mapping kernel manager.
    """

    def __init__(self, kernel_manager: Any) -> None:
        self._manager = kernel_manager

    def of(self, kernel_name: str, prefix: str) -> tuple[RunningKernel, ...]:
        """The server's kernels of that name; names of kernelspecs have no case."""
        found = []
        for kernel_id in self._manager.list_kernel_ids():
            kernel = self._manager.get_kernel(kernel_id)
            if str(kernel.kernel_name).lower() == kernel_name.lower():
                # Kernels behind a gateway have no provisioner, and remote ones no local process.
                provisioner = getattr(kernel, "provisioner", None)
                found.append(RunningKernel(kernel_id, getattr(provisioner, "pid", None)))
        return tuple(found)

    async def stop(self, kernel_id: str) -> bool:
        """Shut a kernel down, as its user would; one that is gone already is no error."""
        if kernel_id not in self._manager:
            return False
        await self._manager.shutdown_kernel(kernel_id, now=True)
        return True
