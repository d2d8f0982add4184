"""Counting deaths soon after a start: a kernel that cannot start is not started for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

#: A death within so many seconds after the start is a quick one.
QUICK = 5.0

#: After so many quick deaths in a row the next start explains.
ENOUGH = 2


class QuickDeaths:
    """The quick deaths in a row of one kernel.

    Attributes:
        count: How many.
        status: Exit status of the last one, negative for a signal.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self.status = 0
        self._clock = clock
        self._born: float | None = None

    @property
    def enough(self) -> bool:
        """Whether it is time to explain instead of starting again."""
        return self.count >= ENOUGH

    @property
    def pending(self) -> bool:
        """Whether a process is young enough to die quickly."""
        return self._born is not None and self._clock() - self._born <= QUICK

    def born(self) -> None:
        """Note that a process was started."""
        self._born = self._clock()

    def stopped(self) -> None:
        """Note that somebody asks the process to end: what follows is no death of its own."""
        if self._born is not None and not self.pending:
            self.count = 0
        self._born = None

    def died(self, status: int) -> None:
        """Note that the process was found dead."""
        if self._born is None:
            return
        self.count = self.count + 1 if self.pending else 0
        self.status = status
        self._born = None

    def forget(self) -> None:
        """Begin anew."""
        self.count = 0
        self._born = None
