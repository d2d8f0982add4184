"""Fifty kernels on four GPUs, of two servers: restarts, deaths, and the end of a server; nobody loses a GPU."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
import tiny_kernels
from patience import eventually
from tiny_kernels import TinyKernel, start_tiny_kernels, write_tiny_kernels

from jupyter_gpu_kernels.hardware.leases import current_leases
from jupyter_gpu_kernels.launch import deaths
from jupyter_gpu_kernels.models import Lease

GPUS = {"gpus": [{"name": "NVIDIA H200"} for _ in range(4)]}


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_GPU_KERNELS_FAKE_NVML", json.dumps(GPUS))
    return write_tiny_kernels(tmp_path / "kernels", tmp_path / "environment", auto=None)


@pytest.fixture
def other_server(kernels: Path) -> Iterator[Callable[[int], subprocess.Popen[str]]]:
    """Start servers of their own; whatever they leave is killed in the end."""
    servers: list[subprocess.Popen[str]] = []

    def start(count: int) -> subprocess.Popen[str]:
        words = [sys.executable, tiny_kernels.__file__, str(kernels), "auto", str(count)]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.kill()
        server.communicate()


def leases() -> dict[str, Lease]:
    return {lease.kernel_id: lease for lease in current_leases()}


def balance(found: dict[str, Lease]) -> list[int]:
    return sorted(Counter(device for lease in found.values() for device in lease.devices).values())


async def test_fifty_kernels_share_four_gpus_and_lose_none(
    kernels: Path, other_server: Callable[[int], subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Here kernels die because they are killed, not because they cannot start.
    monkeypatch.setattr(deaths, "QUICK", -1.0)
    server = other_server(20)
    theirs: dict[str, int] = {}
    async with contextlib.AsyncExitStack() as stack:
        ours = await start(stack, kernels, 30)
        stack.callback(lambda: kill(theirs.values()))
        assert server.stdout is not None
        theirs.update(json.loads(await asyncio.to_thread(server.stdout.readline)))
        found = leases()
        assert balance(found) == [12, 12, 13, 13]
        assert found.keys() == {kernel.id for kernel in ours} | theirs.keys()
        for kernel in ours:
            seen = await eventually(kernel.seen)
            assert seen.devices == found[kernel.id].devices

        await storm(ours, found, server)

        staying = ours[:20]
        after = leases()
        # The other server is dead, its kernels are not.
        assert after.keys() == {kernel.id for kernel in staying} | theirs.keys()
        assert all(after[kernel_id].devices == found[kernel_id].devices for kernel_id in after)
        assert {kernel_id: after[kernel_id].kernel.pid for kernel_id in theirs} == theirs  # type: ignore[union-attr]
        for kernel in staying:
            seen = await eventually(kernel.seen)
            lease = after[kernel.id]
            assert lease.devices == seen.devices
            assert lease.kernel is not None
            assert lease.kernel.pid == kernel.pid
        kill(theirs.values())
        # Once they are gone, too, nothing is kept for them.
        await eventually(lambda: leases().keys() == {kernel.id for kernel in staying})
        await start(stack, kernels, 30)
        assert balance(leases()) == [12, 12, 13, 13]
    await eventually(lambda: leases() == {})


async def start(stack: contextlib.AsyncExitStack, kernels: Path, count: int) -> list[TinyKernel]:
    """Start kernels at once, to be stopped at once in the end."""
    started = await start_tiny_kernels(kernels, "auto", count)

    async def stop() -> None:
        await asyncio.gather(*(kernel.stop() for kernel in started))

    stack.push_async_callback(stop)
    return started


async def storm(ours: list[TinyKernel], found: dict[str, Lease], server: subprocess.Popen[str]) -> None:
    """Restart and kill most kernels a few times, stop the last ten, and kill the other server in the middle."""
    chance = random.Random(4)

    async def shaken(kernel: TinyKernel) -> None:
        for _ in range(3):
            await asyncio.sleep(chance.random() / 2)
            await chance.choice([kernel.restart, kernel.crash])()
            assert leases()[kernel.id].devices == found[kernel.id].devices

    async def ended() -> None:
        await asyncio.sleep(0.7)
        server.kill()
        await asyncio.to_thread(server.wait)

    await asyncio.gather(*map(shaken, ours[:20]), *(kernel.stop() for kernel in ours[20:]), ended())


def kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
