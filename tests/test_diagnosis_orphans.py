"""Memory of GPUs that is held by what kernels left behind: real processes, and a driver that names them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from doctoring import look, make_context
from patience import wait_until
from scripted import ScriptedManager

from jupyter_gpu_kernels.diagnosis.checks import MACHINE
from jupyter_gpu_kernels.diagnosis.context import Context
from jupyter_gpu_kernels.diagnosis.machine import orphans
from jupyter_gpu_kernels.errors import ConflictError, InvalidInputError
from jupyter_gpu_kernels.hardware.fake import VARIABLE
from jupyter_gpu_kernels.models import Finding, GpuProcess, GpuReading, Severity
from jupyter_gpu_kernels.serve.doctoring import Doctoring

#: A kernel that has started a worker, whose id it tells.
KERNEL = """\
import subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)  # a worker"])
print(worker.pid, flush=True)
time.sleep(600)
"""

#: A server that starts a kernel, tells its id, and is gone.
SERVER = """\
import os, subprocess, sys
environ = {**os.environ, "JPY_PARENT_PID": str(os.getpid())}
command = [sys.executable, "-c", "import time; time.sleep(600)  # a kernel"]
kernel = subprocess.Popen(command, env=environ, start_new_session=True, stdout=subprocess.DEVNULL)
print(kernel.pid, flush=True)
"""


@pytest.fixture
def started() -> Iterator[list[int]]:
    """Ids of processes to be ended after the test."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)


def start_kernel(started: list[int], **environ: str) -> tuple[subprocess.Popen[str], int]:
    """A kernel of this process, and the id of its worker."""
    variables = {**os.environ, "JPY_PARENT_PID": str(os.getpid()), **environ}
    kernel = subprocess.Popen(
        [sys.executable, "-c", KERNEL], env=variables, start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    started.append(kernel.pid)
    assert kernel.stdout is not None
    worker = int(kernel.stdout.readline())
    kernel.stdout.close()
    started.append(worker)
    # Until its program has begun, it has no variables.
    wait_until(lambda: "JPY_PARENT_PID" in psutil.Process(worker).environ())
    return kernel, worker


def holding(root: Path, *pids: int | None) -> Context:
    processes = tuple(GpuProcess(pid=pid, memory=3 * 2**30) for pid in pids)
    reading = GpuReading(uuid="GPU-7", utilization=0, memory_used=1, memory_total=2, processes=processes)
    unlisted = GpuReading(uuid="GPU-8", utilization=0, memory_used=1, memory_total=2, processes=None)
    return make_context(root, readings=(reading, unlisted))


def found_in(context: Context) -> tuple[Finding, ...]:
    return look("gpu-memory-orphans", context)


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_worker_that_outlives_its_kernel_is_told_and_can_be_ended(tmp_path: Path, started: list[int]) -> None:
    kernel, worker = start_kernel(started, JPY_SESSION_NAME="/home/me/train.ipynb")
    context = holding(tmp_path, kernel.pid, worker, None)
    assert found_in(context) == ()
    kernel.kill()
    kernel.wait()
    (found,) = found_in(context)
    assert found.severity is Severity.WARNING
    assert found.sentence == "A process that a kernel left behind has memory on a GPU: 3.0 GiB on GPU-7."
    assert found.evidence[0].startswith(f"Process {worker}: ")
    assert "a worker" in found.evidence[0]
    assert found.evidence[1] == f"The kernel that it came from ({kernel.pid}) is gone."
    assert found.evidence[2] == "It was started for /home/me/train.ipynb"
    assert found.remedy is not None
    assert found.remedy.id == "end-process"
    assert found.remedy.question
    orphans.end(found.remedy.subject)
    assert not runs(worker)
    assert found_in(context) == ()


def test_a_kernel_that_outlives_its_server_is_told(tmp_path: Path, started: list[int]) -> None:
    server = subprocess.run([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True, check=True)
    kernel = int(server.stdout)
    started.append(kernel)
    context = holding(tmp_path, kernel)
    (found,) = wait_until(lambda: found_in(context))
    assert found.evidence[1].startswith("The server that it came from")
    assert found.remedy is not None
    orphans.end(found.remedy.subject)
    assert not runs(kernel)


def test_a_process_that_ignores_the_request_is_ended_all_the_same(
    tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "_GRACE", 1.0)
    kernel, worker = start_kernel(started)
    kernel.kill()
    kernel.wait()
    os.kill(worker, signal.SIGSTOP)
    (found,) = found_in(holding(tmp_path, worker))
    assert found.remedy is not None
    orphans.end(found.remedy.subject)
    assert not runs(worker)


def test_processes_that_came_from_no_kernel_are_left_alone(tmp_path: Path, started: list[int]) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        began = psutil.Process(process.pid).create_time()
        assert found_in(holding(tmp_path, process.pid)) == ()
        with pytest.raises(ConflictError, match="not one that a kernel left behind"):
            orphans.end(f"{process.pid}@{began:.2f}")
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    # Nor is anything said of one that is gone.
    assert found_in(holding(tmp_path, process.pid)) == ()


def test_another_process_of_that_id_is_left_alone(tmp_path: Path, started: list[int]) -> None:
    kernel, worker = start_kernel(started)
    kernel.kill()
    kernel.wait()
    with pytest.raises(ConflictError):
        orphans.end(f"{worker}@1000000000.00")
    assert runs(worker)
    for subject in ("", "1", "-1@1.00", f"{worker}@1e9", "../1@1.00"):
        with pytest.raises(InvalidInputError):
            orphans.end(subject)


async def test_an_orphan_that_the_driver_names_is_ended_by_its_remedy(
    tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel, worker = start_kernel(started)
    kernel.kill()
    kernel.wait()
    gpu = {"name": "NVIDIA A100", "processes": [{"pid": worker, "memory": 2_000_000_000}]}
    monkeypatch.setenv(VARIABLE, json.dumps({"gpus": [gpu]}))
    manager = ScriptedManager()
    manager.doctoring = Doctoring(manager, manager, MACHINE)
    (found,) = [item for item in (await manager.diagnose()).findings if item.check == "gpu-memory-orphans"]
    assert found.remedy is not None
    after = await manager.apply(found.remedy)
    assert not runs(worker)
    assert "gpu-memory-orphans" not in [item.check for item in after.findings]
    with pytest.raises(ConflictError, match="Nothing that is found now"):
        await manager.apply(found.remedy)
