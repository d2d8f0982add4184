"""Shutting down kernels that hold GPU memory and do nothing with it."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta, timezone

from ...hardware.memory import amount
from ...models import KernelShare
from ..kernels import RunningKernels
from .watch import GpuWatch


class Culler:
    """Shuts down this server's kernels that hold GPU memory and have long been idle.

    As the server's own culling (``MappingKernelManager.cull_idle_timeout``) has it, a kernel's idle time begins with
    its last message, and it is asked to end before it is made to. One that is busy is never shut down.

    Args:
        watch: Says which kernels hold GPU memory.
        kernels: The kernels of this server.
        idle: Seconds after which a kernel is shut down.
        connected: Whether kernels go that are open in a browser.
        log: Where each kernel that goes is named.
    """

    def __init__(
        self,
        watch: GpuWatch,
        kernels: RunningKernels,
        *,
        idle: float,
        connected: bool,
        log: logging.Logger | logging.LoggerAdapter[logging.Logger],
    ) -> None:
        self._watch = watch
        self._kernels = kernels
        self._idle = timedelta(seconds=idle)
        self._connected = connected
        self._log = log

    async def run(self, interval: float) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(interval)
            try:
                await self.cull()
            except Exception:
                self._log.exception("Kernels that hold GPU memory and are idle could not be looked for.")

    async def cull(self) -> tuple[str, ...]:
        """Look once.

        Returns:
            Ids of the kernels that were shut down.
        """
        # The driver is asked only if it can matter: that may wake a GPU.
        if not any(self._idle_for(kernel.id) for kernel in await self._kernels.all()):
            return ()
        holding: dict[str, list[KernelShare]] = {}
        for share in (await self._watch.usage()).shares:
            # Where memory is not told, a kernel may have been given a GPU and hold nothing.
            if share.here and share.memory:
                holding.setdefault(share.kernel_id, []).append(share)
        return tuple([kernel_id for kernel_id, held in holding.items() if await self._shut_down(kernel_id, held)])

    async def _shut_down(self, kernel_id: str, held: list[KernelShare]) -> bool:
        """Shut a kernel down, if it is still idle."""
        if not self._connected and await self._kernels.connections(kernel_id):
            return False
        # Asked last: its user may have come back in the meantime.
        idle = self._idle_for(kernel_id)
        if idle is None:
            return False
        memory = sum(share.memory or 0 for share in held)
        self._log.warning(
            "Shutting down the kernel of %s (%s): it holds %s of GPU memory and has been idle for %d seconds.",
            held[0].title,
            held[0].kernel_name,
            amount(memory),
            idle.total_seconds(),
        )
        return await self._kernels.stop(kernel_id, now=False)

    def _idle_for(self, kernel_id: str) -> timedelta | None:
        """For how long a kernel has been idle, if that is long enough."""
        since = self._kernels.idle_since(kernel_id)
        idle = datetime.now(timezone.utc) - since if since else timedelta.min
        return idle if idle >= self._idle else None
