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
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    return task.result(), cancelled
