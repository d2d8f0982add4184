"""Awaiting what must not be left half-done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def insist(work: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    """Await something to its end even if we are cancelled meanwhile.

    Returns:
        Its result, and whether we were cancelled: the caller raises that when everything is in order.
    """
    task = asyncio.ensure_future(work)
    cancelled = await _ended(task)
    return task.result(), cancelled


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """Await something to its end even if we are cancelled meanwhile, and be cancelled only then.

    Raises:
        asyncio.CancelledError: We were cancelled, whatever has come of the work.
    """
    task = asyncio.ensure_future(work)
    if await _ended(task):
        if not task.cancelled():
            # Looked at, lest asyncio complains that nobody did.
            task.exception()
        raise asyncio.CancelledError
    return task.result()


async def _ended(task: asyncio.Future[Any]) -> bool:
    """Wait until a task is done; whether we were cancelled meanwhile."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    return cancelled
