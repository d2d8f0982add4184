"""What it costs to say what the GPUs are doing, with 20 kernels of three processes each on four of them.

The driver is the shipped fake: a real one adds its own time (some milliseconds), in the thread.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

import psutil
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server.services.sessions.sessionmanager import SessionManager

from jupyter_gpu_kernels.hardware.fake import FakeNvml
from jupyter_gpu_kernels.hardware.leases import current_leases
from jupyter_gpu_kernels.hardware.processes import nearest
from jupyter_gpu_kernels.models import to_json
from jupyter_gpu_kernels.serve.gpus.sampler import Sampler
from jupyter_gpu_kernels.serve.gpus.watch import GpuWatch
from jupyter_gpu_kernels.serve.kernels import ServerKernels

from .measure import Sample, show

KERNELS = 20
GPUS = 4
RUNS = 100

#: Each kernel is a process that starts so many others.
CHILDREN = 2
KERNEL = ["sh", "-c", "sleep 600 & sleep 600 & wait"]


def main() -> None:
    """Print what a look costs."""
    asyncio.run(_main())


async def _main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        os.environ["JUPYTER_RUNTIME_DIR"] = str(root / "runtime")
        spec = root / "kernels" / "still" / "kernel.json"
        spec.parent.mkdir(parents=True)
        spec.write_text(json.dumps({"argv": KERNEL, "display_name": "Still", "language": "none"}))
        specs = KernelSpecManager(kernel_dirs=[str(root / "kernels")], ensure_native_kernel=False)
        kernels = AsyncMappingKernelManager(
            kernel_spec_manager=specs, connection_dir=str(root), default_kernel_name="still", root_dir=str(root)
        )
        contents = AsyncLargeFileManager(root_dir=str(root))
        sessions = SessionManager(kernel_manager=kernels, contents_manager=contents)
        try:
            for number in range(KERNELS):
                name = f"{number}.ipynb"
                await sessions.create_session(path=name, name=name, type="notebook", kernel_name="still")
            await _measure(kernels, sessions)
        finally:
            await kernels.shutdown_all(now=True)
            sessions.close()


async def _measure(kernels: AsyncMappingKernelManager, sessions: SessionManager) -> None:
    """Look from a server with these kernels."""
    gpus = await asyncio.to_thread(_gpus, kernels)
    driver = json.dumps({"gpus": gpus})
    known = ServerKernels(kernels, sessions)
    looks = GpuWatch(Sampler(lambda: FakeNvml.described(driver)), known, current_leases, fresh=0)
    told = await looks.usage()
    assert len([share for share in told.shares if share.kernel_id]) == KERNELS, told
    found: dict[str, list[float]] = {"a look": [], "of that, on the loop": [], "its JSON": [], "a look again": []}
    for _ in range(RUNS):
        start = time.perf_counter()
        told = await looks.usage()
        found["a look"].append(time.perf_counter() - start)
        start = time.perf_counter()
        await known.all()
        found["of that, on the loop"].append(time.perf_counter() - start)
        start = time.perf_counter()
        json.dumps(to_json(told))
        found["its JSON"].append(time.perf_counter() - start)
    again = GpuWatch(Sampler(lambda: FakeNvml.described(driver)), known, current_leases, fresh=3600)
    await again.usage()
    for _ in range(RUNS):
        start = time.perf_counter()
        await again.usage()
        found["a look again"].append(time.perf_counter() - start)
    pids = [process["pid"] for gpu in gpus for process in gpu["processes"]]
    leaders = {kernels.get_kernel(kernel_id).provisioner.pid for kernel_id in kernels.list_kernel_ids()}
    start = time.perf_counter()
    assert all(nearest(pid, leaders) for pid in pids)
    took = (time.perf_counter() - start) / len(pids)
    await looks.close()
    await again.close()
    samples = [Sample(name, tuple(seconds)) for name, seconds in found.items()]
    note = (
        f"{len(pids)} processes of {KERNELS} kernels with sessions; {took * 1e6:.0f} µs to find the kernel of each\n"
        "again: by another browser within the same second, without any look"
    )
    show("Saying what the GPUs are doing, and for whom", samples, note=note)


def _gpus(kernels: AsyncMappingKernelManager) -> list[dict[str, list[dict[str, int]]]]:
    """GPUs on which every process of every kernel has memory."""
    gpus: list[dict[str, list[dict[str, int]]]] = [{"processes": []} for _ in range(GPUS)]
    for number, kernel_id in enumerate(kernels.list_kernel_ids()):
        leader = psutil.Process(kernels.get_kernel(kernel_id).provisioner.pid)
        # They start one after the other.
        while len(children := leader.children(recursive=True)) < CHILDREN:
            time.sleep(0.01)
        gpus[number % GPUS]["processes"] += [{"pid": each.pid, "memory": 2**30} for each in (leader, *children)]
    return gpus
