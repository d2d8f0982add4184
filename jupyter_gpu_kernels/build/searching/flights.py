"""One fetch for all who ask the same at once, and its answer kept for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from ...errors import GpuKernelsError

T = TypeVar("T")

#: Seconds for which a failure is the answer to everybody: who types goes on typing, and must not ask at each letter.
PAUSE = 10.0


class Flights(Generic[T]):
    """Fetches under way, and what the last ones brought.

    Args:
        kept: Seconds for which an answer is good; 0 for only those who wait for it.
        most: How many answers are kept.
    """

    def __init__(self, kept: float, most: int = 200) -> None:
        self._kept = kept
        self._most = most
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}
        self._answers: dict[Hashable, tuple[float, T]] = {}
        self._failures: dict[Hashable, tuple[float, GpuKernelsError]] = {}

    async def ask(self, key: Hashable, fetch: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Answer what is known, or wait for it with all others.

        A fetch goes on even if nobody waits any more: the next one to ask wants it, too.

        Raises:
            GpuKernelsError: What the fetch raised, now or a moment ago.
        """
        now = time.monotonic()
        then, answer = self._answers.get(key, (float("-inf"), None))
        if now - then < self._kept:
            return answer  # type: ignore[return-value]  # what is not there is too old
        if (error := self._recent_failure(key)) is not None:
            # A fresh one: what has been raised carries the way that it took.
            raise type(error)(error.message, cure=error.cure, detail=error.detail)
        return await asyncio.shield(self._begin(key, fetch))

    def renew(self, key: Hashable, fetch: Callable[[], Coroutine[Any, Any, T]]) -> None:
        """Begin a fetch that nobody waits for, unless there is one, or one has just failed."""
        if self._recent_failure(key) is None:
            self._begin(key, fetch)

    def _recent_failure(self, key: Hashable) -> GpuKernelsError | None:
        failed, error = self._failures.get(key, (float("-inf"), None))
        return error if time.monotonic() - failed < PAUSE else None

    def _begin(self, key: Hashable, fetch: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """The fetch for a key, begun now unless it is under way."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.ensure_future(fetch())
            task.add_done_callback(lambda done: self._landed(key, done))
        return task

    async def close(self) -> None:
        """End all fetches."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _landed(self, key: Hashable, task: asyncio.Task[T]) -> None:
        del self._under_way[key]
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._failures.pop(key, None)
            if self._kept:
                self._keep(self._answers, key, task.result())
        elif isinstance(error, GpuKernelsError):
            self._keep(self._failures, key, error)

    def _keep(self, where: dict[Hashable, tuple[float, Any]], key: Hashable, outcome: object) -> None:
        """Remember an outcome, and forget the oldest."""
        where.pop(key, None)
        where[key] = (time.monotonic(), outcome)
        while len(where) > self._most:
            del where[next(iter(where))]
