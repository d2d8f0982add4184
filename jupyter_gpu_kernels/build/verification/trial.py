"""A kernel started for a moment, to be asked something, and surely gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from queue import Empty
from typing import Any

import zmq.asyncio
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from ..tools.insistence import finish

#: How often a silent kernel is asked whether it still lives, in seconds.
PULSE = 0.25

#: What the explaining kernel of :mod:`jupyter_gpu_kernels.launch` calls itself; ipykernel says ``ipython``.
EXPLAINING = "jupyter_gpu_kernels"

#: Bytes kept of what the kernel's process writes to its standard streams.
TAIL = 64 * 1024


class KernelDiedError(Exception):
    """The kernel's process ended by itself.

    Attributes:
        returncode: Exit status, negative for a signal, ``None`` if unknown.
        output: The end of what its process wrote to its standard streams.
    """

    def __init__(self, returncode: int | None, output: str = "") -> None:
        super().__init__(f"the kernel ended with status {returncode}")
        self.returncode = returncode
        self.output = output

    @property
    def manner(self) -> str:
        """How it ended, to be put after *the kernel*."""
        if self.returncode is not None and self.returncode < 0:
            with contextlib.suppress(ValueError):
                return f"crashed ({signal.Signals(-self.returncode).name})"
        return "ended" if self.returncode is None else f"ended with exit status {self.returncode}"


class KernelSilentError(Exception):
    """The kernel lives, but did not answer in time."""


class KernelReplacedError(Exception):
    """The provisioner has started its explaining kernel instead; the text is the explanation.

    Attributes:
        code: The explanation's stable code.
    """

    def __init__(self, told: str, code: str = "") -> None:
        super().__init__(told)
        self.code = code


class OutputTail:
    """The last bytes of what is written to a pipe; anything more is drained and forgotten.

    A thread reads, since a pipe cannot be awaited on every platform, and since the writer must never block on us.

    Args:
        limit: Bytes kept.
    """

    def __init__(self, limit: int = TAIL) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._reading, self.writing = os.pipe()
        self._thread = threading.Thread(target=self._drain, name="kernel-output", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while chunk := os.read(self._reading, self._limit):
            self._kept += chunk
            del self._kept[: -self._limit]
        os.close(self._reading)

    def close_writing(self) -> None:
        """Give up our end, so that the thread ends with the last writer."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    async def settle(self, patience: float = 1.0) -> None:
        """Wait until all writers are gone, but not longer than ``patience`` seconds: a daemon may have inherited it."""
        await asyncio.to_thread(self._thread.join, patience)

    def text(self) -> str:
        """What was written last."""
        return bytes(self._kept).decode("utf-8", "replace")


class TrialKernel:
    """A running kernel, as :func:`trial_kernel` hands it out.

    Attributes:
        manager: Its manager.
        client: A connected client without heartbeat and standard input.
        output: What its process writes to its standard streams.
        private: A directory of its own, gone with it.
        info: The content of its ``kernel_info_reply``.
    """

    def __init__(self, manager: AsyncKernelManager, output: OutputTail, private: Path) -> None:
        self.manager = manager
        self.private = private
        self.client = manager.client(context=manager.context)
        self.output = output
        self.info: dict[str, Any] = {}

    async def receive(self, channel: Any, deadline: float) -> dict[str, Any]:
        """The next message of a channel.

        Args:
            channel: ``client.shell_channel`` or ``client.iopub_channel``.
            deadline: When to give up, on :func:`time.monotonic`'s clock.

        Raises:
            KernelDiedError: The process is gone and has left no message.
            KernelSilentError: The deadline has passed.
        """
        while True:
            wait = min(PULSE, deadline - time.monotonic())
            if wait <= 0:
                raise KernelSilentError
            ended = not await self.manager.is_alive()
            try:
                message: dict[str, Any] = await channel.get_msg(timeout=0.05 if ended else wait)
            except Empty:
                if ended:
                    await self.output.settle(0.2)
                    raise KernelDiedError(await self._returncode(), self.output.text()) from None
            else:
                return message

    async def ask(self, code: str, expressions: Mapping[str, str], deadline: float) -> dict[str, Any]:
        """Run code silently, without history and without input.

        Args:
            code: What to run.
            expressions: Expressions evaluated afterwards, by name.
            deadline: As for :meth:`receive`.

        Returns:
            The content of the ``execute_reply``.

        Raises:
            KernelDiedError: The process is gone.
            KernelSilentError: The deadline has passed.
        """
        request = self.client.execute(
            code, silent=True, store_history=False, user_expressions=dict(expressions), allow_stdin=False
        )
        while True:
            message = await self.receive(self.client.shell_channel, deadline)
            if message["parent_header"].get("msg_id") == request:
                return dict(message["content"])

    async def connect(self, deadline: float, *, iopub: bool) -> None:
        """Wait for the first answer, and with ``iopub`` also until its broadcasts arrive here."""
        # No heartbeat: its thread would be joined, on the event loop, at the end.
        self.client.start_channels(iopub=iopub, stdin=False, hb=False, control=False)
        while True:
            request = self.client.kernel_info()
            with contextlib.suppress(KernelSilentError):
                patience = min(deadline, time.monotonic() + 1.0) if iopub else deadline
                while True:
                    message = await self.receive(self.client.shell_channel, patience)
                    if message["parent_header"].get("msg_id") == request:
                        break
                self.info = dict(message["content"])
                if self.info.get("implementation") == EXPLAINING:
                    explanation = await self.ask("", {}, deadline)
                    raise KernelReplacedError(explanation.get("evalue", ""), explanation.get("ename", ""))
                if not iopub or await self._broadcasts_arrive(request, patience):
                    return
            if time.monotonic() >= deadline:
                raise KernelSilentError

    async def _broadcasts_arrive(self, request: str, deadline: float) -> bool:
        """Whether a request's ``idle`` reaches us; a subscription takes effect late."""
        try:
            while True:
                message = await self.receive(self.client.iopub_channel, deadline)
                ours = message["parent_header"].get("msg_id") == request
                if ours and message["content"].get("execution_state") == "idle":
                    return True
        except KernelSilentError:
            return False

    async def _returncode(self) -> int | None:
        provisioner = self.manager.provisioner
        return await provisioner.poll() if provisioner is not None else None


@contextlib.asynccontextmanager
async def trial_kernel(
    kernel_name: str,
    *,
    kernel_dirs: Sequence[Path] | None,
    working_dir: Path | None = None,
    deadline: float,
    iopub: bool = False,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[TrialKernel]:
    """Start a kernel through its real provisioner, and leave nothing of it, whatever happens.

    Its connection file lies in a private directory, which is also its working directory unless another is given:
    a ``torch.py`` lying about must not be what is imported. Without ``iopub`` its output is not received at all, so
    that a kernel which prints without end costs nothing.

    Args:
        kernel_name: As in ``kernel_dirs``.
        kernel_dirs: Where to look for the kernelspec; ``None`` for Jupyter's own directories.
        working_dir: Where the kernel runs.
        deadline: When to give up starting, on :func:`time.monotonic`'s clock.
        iopub: Whether to receive what it broadcasts.
        variables: Environment variables for it alone.

    Raises:
        jupyter_client.kernelspec.NoSuchKernel: There is no such kernelspec, or its provisioner is not installed.
        KernelDiedError: It ended before it answered.
        KernelSilentError: It did not answer in time.
        KernelReplacedError: Its environment is broken, as its provisioner says.
        OSError: Its interpreter cannot be started.
    """
    specs = KernelSpecManager(ensure_native_kernel=kernel_dirs is None)
    if kernel_dirs is not None:
        specs.kernel_dirs = [str(path) for path in kernel_dirs]
    specs.get_kernel_spec(kernel_name)
    private = Path(tempfile.mkdtemp(prefix="gpu-kernels-"))
    manager = AsyncKernelManager(
        kernel_name=kernel_name,
        kernel_spec_manager=specs,
        connection_file=str(private / "kernel.json"),
        # A context of our own: the manager's would linger, on the event loop, when it is closed.
        context=zmq.asyncio.Context(),
    )
    output = OutputTail()
    kernel: TrialKernel | None = None
    try:
        environ = {**os.environ, **(variables or {})}
        await _start(manager, output, str(working_dir or private), environ, deadline)
        kernel = TrialKernel(manager, output, private)
        await kernel.connect(deadline, iopub=iopub)
        yield kernel
    finally:
        await finish(_end(manager, kernel, output, private))


async def _start(
    manager: AsyncKernelManager, output: OutputTail, working_dir: str, environ: dict[str, str], deadline: float
) -> None:
    """Start the kernel's process; activation scripts may take their time, but not more than there is."""
    starting = asyncio.ensure_future(
        manager.start_kernel(cwd=working_dir, env=environ, stdout=output.writing, stderr=output.writing)
    )
    try:
        # Not wait_for: before Python 3.12 it forgets a cancellation that meets the end (python/cpython#86296).
        await asyncio.wait({starting}, timeout=max(0.1, deadline - time.monotonic()))
        if not starting.done():
            raise KernelSilentError
    finally:
        starting.cancel()
        await finish(_settled(starting))
        output.close_writing()
    starting.result()


async def _settled(task: asyncio.Future[Any]) -> None:
    """Wait until a task is done, whatever comes of it."""
    await asyncio.wait({task})
    if not task.cancelled():
        # Looked at, lest asyncio complains that nobody did.
        task.exception()


async def _end(manager: AsyncKernelManager, kernel: TrialKernel | None, output: OutputTail, private: Path) -> None:
    """Kill the kernel with its whole process group, and close everything."""
    output.close_writing()
    if kernel is not None:
        kernel.client.stop_channels()
    provisioner = manager.provisioner
    group = getattr(provisioner, "pgid", None)
    if provisioner is not None and provisioner.has_process:
        await provisioner.kill()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(provisioner.wait(), 10)
    if sys.platform != "win32" and isinstance(group, int) and group not in (0, 1, os.getpgrp()):
        # What the kernel has started outlives a leader that died by itself.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    with contextlib.suppress(Exception):
        await manager.cleanup_resources()
    manager.context.destroy(linger=0)
    await output.settle()
    await asyncio.to_thread(shutil.rmtree, private, ignore_errors=True)
