"""One answer for all who look at the GPUs at the same moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from ...hardware.nvml import Nvml, NvmlError
from ...models import GpuUsage, Lease, now
from ..kernels import RunningKernels
from .sampler import Sample, Sampler
from .shares import notes, shares

#: Seconds for which an answer is given again; panels ask every two seconds or so.
FRESH = 1.0


def open_watch(kernels: RunningKernels) -> GpuWatch:
    """The watch over this machine's GPUs; nothing is looked at before somebody asks.

    Args:
        kernels: Knows the kernels of this server.
    """

    # Imported where they are first needed, in a thread: a server that only starts looks at no process and no GPU.
    def open_nvml() -> Nvml:
        from ...hardware.probe import open_nvml

        return open_nvml()

    def leases() -> tuple[Lease, ...]:
        from ...hardware.leases import current_leases

        return current_leases()

    return GpuWatch(Sampler(open_nvml), kernels, leases)


class GpuWatch:
    """Says what the GPUs are doing and for whom; belongs to one event loop.

    Args:
        sampler: Asks the driver.
        kernels: Knows the kernels of this server.
        leases: Reads the leases of all servers of this user; called in a thread.
        fresh: Seconds for which an answer is given again.
    """

    def __init__(
        self,
        sampler: Sampler,
        kernels: RunningKernels,
        leases: Callable[[], Iterable[Lease]],
        *,
        fresh: float = FRESH,
    ) -> None:
        self._sampler = sampler
        self._kernels = kernels
        self._leases = leases
        self._fresh = fresh
        self._last: GpuUsage | None = None
        self._looked = 0.0
        self._looking: asyncio.Task[GpuUsage] | None = None

    async def usage(self) -> GpuUsage:
        """What the GPUs are doing now. Where the driver has no answer, that is a note and no error."""
        if self._last is not None and time.monotonic() - self._looked < self._fresh:
            return self._last
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        # Shielded: who goes away takes nothing from the others.
        return await asyncio.shield(self._looking)

    async def close(self) -> None:
        """Stop looking, within a second or so."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking}, timeout=1)
        await self._sampler.close()

    async def _look(self) -> GpuUsage:
        try:
            sample = await self._sampler.read()
        except NvmlError as error:
            sample = Sample((), (str(error),))
        usage = GpuUsage(taken=now(), readings=sample.readings, notes=sample.notes or notes(sample.readings))
        if sample.readings:
            kernels = await self._kernels.all()
            found = await asyncio.to_thread(lambda: shares(sample.readings, kernels, self._leases(), _nearest))
            usage = replace(usage, shares=found)
        self._last, self._looked = usage, time.monotonic()
        return usage


def _nearest(pid: int, among: Collection[int]) -> int | None:
    from ...hardware.processes import nearest

    return nearest(pid, among)
