"""Long work with files in a thread: it tells how far it has come, and stops when nobody wants it any more."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable

from ...models import Progress
from ..reporting import RateMeter, Reporter

#: Is called with what is done, in bytes, and what is at work.
Tell = Callable[[int, str], None]

#: Seconds between two words of progress.
INTERVAL = 0.1


def bytes_to(reporter: Reporter, total: int) -> Tell:
    """Tell a reporter of bytes of a total, how fast they come, and of which file they are."""
    meter = RateMeter()

    def tell(done: int, path: str) -> None:
        rate, detail = meter.update(done), path.rsplit("/", 1)[-1]
        reporter.progress(Progress(bytes_done=done, bytes_total=total, bytes_per_second=rate, detail=detail))

    return tell


class StoppedError(Exception):
    """Nobody wants it any more."""


async def told(work: Callable[[Tell], None], tell: Tell) -> None:
    """Do some work in a thread; when this returns or raises, the thread is at its end.

    Args:
        work: Calls its argument often, which may raise.
        tell: Is told on the event loop, a few times a second.

    Raises:
        asyncio.CancelledError: We were cancelled, and the work has been stopped; or it was at its end just then.
    """
    loop, stop, last = asyncio.get_running_loop(), threading.Event(), 0.0
    latest: tuple[int, str] | None = None

    def pass_on(done: int, what: str) -> None:
        nonlocal last, latest
        if stop.is_set():
            raise StoppedError
        latest = (done, what)
        if time.monotonic() - last >= INTERVAL:
            last = time.monotonic()
            loop.call_soon_threadsafe(tell, done, what)

    task = asyncio.ensure_future(asyncio.to_thread(work, pass_on))
    try:
        await asyncio.shield(task)
        if latest is not None:
            tell(*latest)
    except asyncio.CancelledError:
        stop.set()
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        # Looked at, lest asyncio complains that nobody did.
        task.exception()
        raise
