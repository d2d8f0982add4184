"""How a build tells of its progress, whoever listens."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ..models import Plan, Progress, Stage


class Reporter(Protocol):
    """Listens to a build. Every method is called on the event loop, must be quick and must not raise."""

    def stage(self, stage: Stage) -> None:
        """Called when a stage begins."""

    def progress(self, progress: Progress) -> None:
        """Called with the progress of the current stage, a few times a second."""

    def log(self, line: str) -> None:
        """Called with a line worth keeping; it holds no credentials."""


class BuildReporter(Reporter, Protocol):
    """A reporter that also hears the plan."""

    def plan(self, plan: Plan) -> None:
        """Called once, at the end of the solve stage."""


class SilentReporter:
    """Listens to nothing."""

    def stage(self, stage: Stage) -> None:
        """Ignore it."""

    def progress(self, progress: Progress) -> None:
        """Ignore it."""

    def log(self, line: str) -> None:
        """Ignore it."""


class RateMeter:
    """Turns a rising count of bytes into bytes per second over the last seconds.

    Args:
        window: Seconds looked back. Short enough to show a stall, long enough not to flicker.
        clock: Seconds that never go back.
    """

    def __init__(self, window: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = window
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque()

    def update(self, total: int) -> float:
        """Add the count so far.

        Args:
            total: Bytes since the beginning; a smaller count than before starts anew.

        Returns:
            Bytes per second over the window, 0.0 with the first sample.
        """
        now = self._clock()
        samples = self._samples
        if samples and total < samples[-1][1]:
            samples.clear()
        samples.append((now, total))
        # The last sample before the window stays, so that the whole window is looked at.
        while len(samples) > 2 and samples[1][0] <= now - self._window:
            samples.popleft()
        elapsed = now - samples[0][0]
        return (total - samples[0][1]) / elapsed if elapsed > 0 else 0.0
