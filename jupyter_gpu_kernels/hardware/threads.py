"""Threads for what may never answer: a driver that hangs, a file system that is gone."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def begin(function: Callable[[], T], *, late: Callable[[T], None] | None = None) -> asyncio.Future[T]:
    """Run a function in a thread of its own, which may be left to itself: cancel the future, or forget it.

    Such a thread holds nobody up, not even the end of the process, which would wait for the threads of a pool.

    Args:
        function: Blocks, perhaps for ever.
        late: Called on the loop with what comes when nobody waits any more.

    Returns:
        A future of the running loop, with what the function returns or raises.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def succeed(result: T) -> None:
        if not future.done():
            future.set_result(result)
        elif late is not None:
            late(result)

    def fail(error: Exception) -> None:
        if not future.done():
            future.set_exception(error)

    def run() -> None:
        try:
            result = function()
        except Exception as error:
            settle(fail, error)
        else:
            settle(succeed, result)

    def settle(report: Callable[..., None], outcome: object) -> None:
        # The loop may have been closed meanwhile.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(report, outcome)

    threading.Thread(target=run, name="gpu-kernels", daemon=True).start()
    return future


async def within(seconds: float, function: Callable[[], T]) -> T:
    """Run a function in a thread of its own, and wait for it for some seconds.

    Raises:
        asyncio.TimeoutError: It took longer, and is left to itself.
        Exception: What the function raised.
    """
    return await asyncio.wait_for(begin(function), seconds)
