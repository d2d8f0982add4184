"""Ctrl-C, and its relatives, while a job runs: the job is cancelled and cleaned up after, then the program ends."""

from __future__ import annotations

import asyncio
import signal
from types import FrameType, TracebackType
from typing import Any

#: Ctrl-C, a polite kill, and a terminal that was closed (which Windows does not have).
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interruption:
    """Turns the first such signal into an event; a second one does what it always did."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        for number in SIGNALS:
            # Not loop.add_signal_handler: Windows has none.
            self._before[number] = signal.signal(number, self._interrupted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self.event.set)
        for other, before in self._before.items():
            signal.signal(other, before)
