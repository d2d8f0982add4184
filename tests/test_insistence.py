"""Work that is brought to its end, whoever cancels."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from patience import PATIENCE

from jupyter_gpu_kernels.build.tools.insistence import finish, insist


class Slow:
    """A blocking function that waits until it may end."""

    def __init__(self, result: Any = None) -> None:
        self.begun, self.go, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.result = result

    def __call__(self) -> Any:
        self.begun.set()
        self.go.wait(PATIENCE)
        self.ended.set()
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def cancelled_midway(way: Callable[..., Any], slow: Slow) -> asyncio.Task[Any]:
    async def wait() -> Any:
        return await way(asyncio.to_thread(slow))

    task = asyncio.create_task(wait())
    await asyncio.to_thread(slow.begun.wait, PATIENCE)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0.02)
    assert not task.done()
    slow.go.set()
    await asyncio.wait({task})
    assert slow.ended.is_set()
    return task


async def test_a_cancellation_is_told_after_the_end() -> None:
    task = await cancelled_midway(insist, Slow("done"))
    assert task.result() == ("done", True)


@pytest.mark.parametrize("result", ["done", ValueError("no")], ids=["good", "bad"])
async def test_a_cancellation_is_raised_after_the_end(result: Any) -> None:
    task = await cancelled_midway(finish, Slow(result))
    assert task.cancelled()


async def test_without_a_cancellation_the_result_counts() -> None:
    assert await finish(asyncio.sleep(0, "done")) == "done"
    assert await insist(asyncio.sleep(0, "done")) == ("done", False)
    slow = Slow(ValueError("no"))
    slow.go.set()
    with pytest.raises(ValueError, match="no"):
        await finish(asyncio.to_thread(slow))
