"""Waiting for something that blocks, for some time only."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def within(seconds: float, function: Callable[[], T]) -> T:
    """Run a function in a thread of its own, and wait for it for some seconds.

    The thread is left to itself after that: a file system that does not answer holds nobody up, not even the end of
    the process, which would wait for the threads of a pool.

    Raises:
        asyncio.TimeoutError: It took longer.
        Exception: What the function raised.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = function()
        except Exception as error:
            failure = error
        # The loop may have been closed meanwhile.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="gpu-kernels-check", daemon=True).start()
    return await asyncio.wait_for(future, seconds)
