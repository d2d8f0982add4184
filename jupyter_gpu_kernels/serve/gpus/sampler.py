"""Asking the driver again and again, in one thread that there is only while somebody asks."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ...hardware.nvml import Nvml, NvmlError
from ...models import GpuReading

#: Seconds without a question after which the driver is let go; an open driver keeps a GPU from falling asleep.
LINGER = 10.0

#: Seconds that the driver may take. One that has to wake its GPUs takes two or three; a broken one never answers.
PATIENCE = 5.0


@dataclass(frozen=True)
class Sample:
    """What the driver has said.

    Attributes:
        readings: What the GPUs are doing.
        notes: What that leaves out, one sentence each.
    """

    readings: tuple[GpuReading, ...]
    notes: tuple[str, ...] = ()


#: An answer in the thread's words: a sample, or why there is none.
Answer = Sample | Exception


class Sampler:
    """Reads the GPUs in a thread of its own; ask it on one event loop only.

    There is never more than that one thread, whatever the driver does: while it does not answer, nobody asks again.

    Args:
        open_nvml: Makes the driver's interface; called in the thread.
        linger: Seconds without a question after which the driver is closed and the thread ends.
        patience: Seconds that the driver may take for one answer.
    """

    def __init__(self, open_nvml: Callable[[], Nvml], *, linger: float = LINGER, patience: float = PATIENCE) -> None:
        self._open_nvml = open_nvml
        self._linger = linger
        self._patience = patience
        self._guard = threading.Lock()
        #: Questions of the thread, each the way back; ``None`` ends it. No queue, no thread.
        self._questions: queue.SimpleQueue[Callable[[Answer], None] | None] | None = None
        self._thread: threading.Thread | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._asked = 0.0

    async def read(self) -> Sample:
        """What the GPUs are doing now; whoever asks while the driver is being asked gets the same answer.

        Raises:
            NvmlError: There is no usable driver, or it does not answer in time.
        """
        asked = self._answer
        if asked is None or asked.done():
            asked = self._answer = self._ask()
        # Not cancelled with one of those who wait for it.
        await asyncio.wait({asked}, timeout=max(0.0, self._asked + self._patience - time.monotonic()))
        if not asked.done():
            msg = (
                f"The NVIDIA driver has not answered for {time.monotonic() - self._asked:.0f} seconds: "
                "if nvidia-smi hangs too, the machine needs a reboot."
            )
            raise NvmlError(msg)
        answer = asked.result()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self, timeout: float = 1.0) -> None:
        """Let the driver go, within some seconds; a thread in which it hangs ends with the process."""
        with self._guard:
            questions, thread = self._questions, self._thread
            self._questions = None
        self._answer = None
        if questions is not None and thread is not None:
            questions.put(None)
            await asyncio.to_thread(thread.join, timeout)

    def _ask(self) -> asyncio.Future[Answer]:
        """Put a question to the thread, and see to it that there is one."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()

        def settle(answer: Answer) -> None:
            if not answered.done():
                answered.set_result(answer)

        def deliver(answer: Answer) -> None:
            # A loop that was closed meanwhile has nobody who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, answer)

        self._asked = time.monotonic()
        with self._guard:
            if self._questions is None:
                self._questions = queue.SimpleQueue()
                # A daemon: the process must end even where the driver does not answer.
                self._thread = threading.Thread(
                    target=self._serve, args=(self._questions,), name="gpu-kernels sampler", daemon=True
                )
                self._thread.start()
            self._questions.put(deliver)
        return answered

    def _serve(self, questions: queue.SimpleQueue[Callable[[Answer], None] | None]) -> None:
        """Answer until nobody has asked for a while; runs in the thread."""
        nvml: Nvml | None = None
        while True:
            try:
                deliver = questions.get(timeout=self._linger)
            except queue.Empty:
                # Closed before the place is given up: the next thread must not find this one hanging there.
                if nvml is not None:
                    nvml.close()
                    nvml = None
                with self._guard:
                    if questions.empty():
                        if self._questions is questions:
                            self._questions = None
                        return
                continue
            if deliver is None:
                break
            answer: Answer
            try:
                if nvml is None:
                    opened = self._open_nvml()
                    opened.open()
                    nvml = opened
                answer = Sample(nvml.readings(), nvml.notes())
            except Exception as error:
                # What failed may have come back by the next question: a driver is reloaded, a GPU is reset.
                if nvml is not None:
                    nvml.close()
                    nvml = None
                answer = error
            deliver(answer)
        if nvml is not None:
            nvml.close()
