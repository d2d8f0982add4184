"""What is read of a real GPU, and how CUDA itself reads a mask: ``pytest -m gpu``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_gpu_kernels.hardware.driver import DriverNvml
from jupyter_gpu_kernels.hardware.probe import hardware
from jupyter_gpu_kernels.hardware.surroundings import Surroundings
from jupyter_gpu_kernels.hardware.visible import visible_devices
from jupyter_gpu_kernels.models import Gpu, GpuProcess, Hardware, Vendor

pytestmark = pytest.mark.gpu

MIB = 1024**2

#: How many GPUs CUDA sees; none if it does not even start.
COUNT = """
import ctypes
cuda, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(0)
started = cuda.cuInit(0) == 0 and cuda.cuDeviceGetCount(ctypes.byref(count)) == 0
print(count.value if started else 0)
"""

#: Takes 512 MiB of the first GPU, says so, and waits.
TAKE = """
import ctypes, sys
cuda, context, memory = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p(), ctypes.c_void_p()
assert cuda.cuInit(0) == 0
assert cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
assert cuda.cuCtxSetCurrent(context) == 0
assert cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(512 << 20)) == 0
print(flush=True)
sys.stdin.read()
"""

#: ``{u}`` is the first GPU's identifier, ``{p}`` a beginning of it, ``{P}`` the same in capitals.
MASKS = """
0|-1|0,-1|-1,0|0,0|1,0|0,1|+0|00|0x|0foo|foo|0,foo|0 1|0;0|0,,0|,0|0,|0,0,0|NoDevFiles|none| 0|0 | 0 |0, 0
{u}|{u},{u}|{p}|{p},{p}|GPU-{P}|gpu-{P}|{u},0|0,{u}|{u},GPU-dead|GPU-dead,{u}| {u}|{u} |GPU-|{u},|{u}, {u}
""".strip().replace("\n", "|")


@pytest.fixture(scope="module")
def machine() -> Hardware:
    found = hardware(environ={})
    if not found.gpus:
        pytest.skip(found.reason)
    return found


@pytest.fixture
def nvml(machine: Hardware) -> Iterator[DriverNvml]:
    opened = DriverNvml()
    opened.open()
    yield opened
    opened.close()


def environ_with(mask: str) -> dict[str, str]:
    """The environment of a process that finds the driver where this one has found it."""
    maps = Path("/proc/self/maps").read_text() if Path("/proc/self/maps").exists() else ""
    found = {str(Path(path).parent) for path in re.findall(r"(/\S+/libnvidia-ml\.so\S*)", maps)}
    inherited = {"LD_LIBRARY_PATH": os.pathsep.join(sorted(found))} if found else {}
    return {**os.environ, **inherited, "CUDA_VISIBLE_DEVICES": mask}


def test_a_real_gpu_is_described(machine: Hardware) -> None:
    assert machine.vendor is Vendor.NVIDIA
    assert machine.driver
    assert machine.cuda
    for gpu in machine.gpus:
        assert gpu.name.strip()
        assert gpu.uuid.startswith("GPU-")
        assert gpu.memory_total > 0
        assert float(gpu.compute_capability) >= 3
        assert gpu.mig or not gpu.instances


def test_a_real_gpu_is_read(machine: Hardware, nvml: DriverNvml) -> None:
    readings = {reading.uuid: reading for reading in nvml.readings()}
    for gpu in (gpu for gpu in machine.gpus if not gpu.mig):
        reading = readings[gpu.uuid]
        assert reading.memory_total == gpu.memory_total
        assert reading.memory_used is not None
        assert 0 <= reading.memory_used <= reading.memory_total
        assert reading.utilization is None or 0 <= reading.utilization <= 100


def test_a_process_that_takes_memory_is_seen(machine: Hardware, nvml: DriverNvml) -> None:
    first = next((gpu for gpu in machine.gpus if not gpu.mig), None)
    if first is None:
        pytest.skip("all GPUs here are split")
    before = reading(nvml, first)
    environ, command = environ_with(first.uuid), [sys.executable, "-c", TAKE]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        during = reading(nvml, first)
        process.stdin.close()
    assert during[0] >= before[0] + 512 * MIB
    if during[1] is not None and not Surroundings().contained:
        mine = [entry for entry in during[1] if entry.pid == process.pid]
        assert len(mine) == 1
        assert mine[0].memory is None or mine[0].memory >= 512 * MIB


def reading(nvml: DriverNvml, gpu: Gpu) -> tuple[int, tuple[GpuProcess, ...] | None]:
    found = next(each for each in nvml.readings() if each.uuid == gpu.uuid)
    assert found.memory_used is not None
    return found.memory_used, found.processes


@pytest.mark.parametrize("mask", MASKS.split("|"))
def test_cuda_reads_a_mask_as_we_do(machine: Hardware, mask: str) -> None:
    if any(gpu.mig for gpu in machine.gpus):
        pytest.skip("CUDA shows one instance at a time")
    uuid = machine.gpus[0].uuid
    mask = mask.format(u=uuid, p=uuid[:12], P=uuid[4:12].upper())
    environ = environ_with(mask)
    seen = subprocess.run([sys.executable, "-c", COUNT], env=environ, capture_output=True, text=True, check=True)
    assert int(seen.stdout) == len(visible_devices(machine.gpus, environ).devices)
