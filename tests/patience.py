"""Waiting for what must happen: as long as a busy machine may need, and no longer than it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds after which it never will. Only a test that fails waits for so long.
PATIENCE = 90.0


async def eventually(condition: Callable[[], T]) -> T:
    """Wait on the event loop until a condition is met; answer with what it then is."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "It did not happen in time."
        await asyncio.sleep(0.01)
    return found


def wait_until(condition: Callable[[], T]) -> T:
    """Wait in this thread until a condition is met; answer with what it then is."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.01)
    return found
