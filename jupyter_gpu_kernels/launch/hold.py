"""A provisioner's hold on the GPUs of its kernel: taken before a start, kept over restarts, let go at the end.

Nothing is imported for it, and nothing asked, where a glance shows that there is no GPU.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from logging import Logger, LoggerAdapter
from typing import TYPE_CHECKING, Any

from ..errors import NoGpuFreeError
from ..hardware.glance import glance
from ..hardware.threads import begin
from ..models import GpuPolicy, Placement

if TYPE_CHECKING:
    from .leases import Given, Leases

#: Seconds between two tries of a kernel that waits for a GPU.
TRY_AGAIN = 1.0

#: Seconds that one try may take. A driver that has to wake many GPUs takes ten or more; a broken one never answers.
PATIENCE = 20.0


class ShutDownError(RuntimeError):
    """A kernel was stopped for good before it was started: nobody would stop it again."""


class GpuHold:
    """The GPUs of one kernel.

    Args:
        log: The provisioner's.
        hurried: Tells whether nothing may be waited for any more.
    """

    def __init__(self, log: Logger | LoggerAdapter[Any], hurried: Callable[[], bool] = lambda: False) -> None:
        self._log = log
        self._hurried = hurried
        self._leases: Leases | None = None
        self._kernel_id = ""
        self._seen_dead = False
        self._over = False

    async def take(
        self, placement: Placement, environ: Mapping[str, str], *, kernel_id: str, kernel_name: str, title: str
    ) -> Mapping[str, str]:
        """Take GPUs, waiting for them if the placement says so; answer with the variables that tell the kernel.

        Args:
            placement: What the kernel wants.
            environ: Its variables so far.
            kernel_id: As its server names it.
            kernel_name: Name of its kernelspec.
            title: The notebook it is started for, if known.

        Raises:
            NoGpuFreeError: Others have all that it may have.
            RefusedError: There never will be what it wants.
            ShutDownError: The kernel was stopped for good while it waited.
        """
        self._kernel_id = kernel_id
        self._over = False
        deadline = time.monotonic() + placement.wait
        told = ""
        while True:
            try:
                given = await self._tried(placement, dict(environ), kernel_name, title)
                break
            except NoGpuFreeError as error:
                if time.monotonic() >= deadline and not self._over:
                    raise
                if error.message != told:
                    told = error.message
                    self._log.info("The kernel waits for up to %g s. %s", placement.wait, told)
                await asyncio.sleep(min(TRY_AGAIN, max(0.0, deadline - time.monotonic())))
                if self._hurried() and not self._over:
                    raise
        if self._over:
            await self._aside(self._let_go)
            msg = "The kernel was shut down before it was started."
            raise ShutDownError(msg)
        if given is None or given.lease is None:
            # What it had before a restart, it has no more.
            await self.stopped()
        elif not given.noted:
            self._leases = None
        if given is None:
            return {}
        for warning in given.warnings:
            self._log.warning("%s", warning)
        return given.variables

    async def started(self, pid: int) -> None:
        """Tie the GPUs to the kernel's process."""
        if self._leases is not None:
            self._seen_dead = False
            await self._aside(self._note, self._leases.records.started, pid)

    def died(self) -> None:
        """Note that the kernel was seen dead; it may be started again. Nobody waits for this."""
        if self._leases is not None and not self._seen_dead:
            self._seen_dead = True
            # There are no threads any more at the end of a process, and what comes next there tells it, too.
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().run_in_executor(None, self._note, self._leases.records.died)

    async def stopped(self) -> None:
        """Let the GPUs go, as soon as the kernel's processes are gone; wait for none any more."""
        self._over = True
        if self._leases is not None:
            leases, self._leases = self._leases, None
            await self._aside(self._note, leases.records.release)

    async def _aside(self, function: Callable[..., None], *arguments: Any) -> None:
        """Run what blocks in a thread; here where there are none any more, as when `jupyter run` stops its kernel."""
        try:
            running = asyncio.get_running_loop().run_in_executor(None, function, *arguments)
        except RuntimeError:
            function(*arguments)
        else:
            await running

    def _let_go(self) -> None:
        """Let go of what was taken for nobody."""
        from .leases import Leases

        self._note(Leases().records.release)

    def _note(self, note: Callable[..., None], *arguments: int) -> None:
        """Note something about the kernel."""
        try:
            note(self._kernel_id, *arguments)
        except OSError as error:
            self._log.warning("Which GPU the kernel has cannot be noted down: %s.", error)

    async def _tried(
        self, placement: Placement, environ: Mapping[str, str], kernel_name: str, title: str
    ) -> Given | None:
        """Try, for some time only: what a driver does not answer to stops no kernel.

        A thread that waited in a pool would keep other kernels from starting, and one in which the driver hangs would
        keep this process from ending. It is left to itself, and takes nothing any more.
        """
        loop = asyncio.get_running_loop()
        given_up = threading.Event()

        def taken_too_late(given: Given | None) -> None:
            # At the very moment in which it was given up.
            if given is not None and given.lease is not None:
                loop.run_in_executor(None, self._let_go)

        tried = begin(
            lambda: self._try(placement, environ, kernel_name, title, lambda: not given_up.is_set()),
            late=taken_too_late,
        )
        deadline = time.monotonic() + PATIENCE
        try:
            while not tried.done() and not self._over and not self._hurried():
                left = deadline - time.monotonic()
                if left <= 0:
                    self._log.warning(
                        "The kernel starts on whatever GPU it finds: the NVIDIA driver has not answered for %.0f "
                        "seconds; if nvidia-smi hangs too, the machine needs a reboot.",
                        PATIENCE,
                    )
                    break
                await asyncio.wait({tried}, timeout=min(TRY_AGAIN, left))
            return tried.result() if tried.done() else None
        finally:
            given_up.set()
            tried.cancel()

    def _try(
        self,
        placement: Placement,
        environ: Mapping[str, str],
        kernel_name: str,
        title: str,
        wanted: Callable[[], bool],
    ) -> Given | None:
        """Take GPUs, if there are any."""
        seen = glance(environ)
        if seen.count == 0:
            if placement.policy not in (GpuPolicy.AUTO, GpuPolicy.ALL):
                self._log.warning("The kernel starts without a GPU, as it sees none here.")
            return None
        # Here, not above: where there is no GPU, a kernel's start is not made slower by this.
        from .leases import Applicant, Leases

        # From before the try: what an abandoned one has taken is let go, too.
        self._leases = self._leases or Leases()
        applicant = Applicant(kernel_id=self._kernel_id, kernel_name=kernel_name, title=title)
        return self._leases.take(placement, applicant, environ, seen, wanted)
