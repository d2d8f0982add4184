"""What the driver is asked, over a library with NVML's own C interface, loaded by the binding's own search."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from drivers import fake_libcuda, fake_libnvidia_ml, needs_compiler, with_drivers

pytestmark = needs_compiler

ASK = """
import json, sys
from pathlib import Path
from jupyter_gpu_kernels.hardware.driver import DriverNvml
from jupyter_gpu_kernels.hardware.nvml import NvmlError
from jupyter_gpu_kernels.hardware.surroundings import Surroundings
from jupyter_gpu_kernels.models import to_json

nvml = DriverNvml(Surroundings(Path(sys.argv[1])))
try:
    nvml.open()
    said = {"driver": nvml.driver_version(), "cuda": nvml.cuda_version()}
    said["gpus"] = to_json(nvml.gpus())
    said["gpu_notes"] = nvml.notes()
    said["readings"] = to_json(nvml.readings())
    said["notes"] = nvml.notes()
    nvml.close()
except NvmlError as error:
    said = {"error": str(error), "code": error.code}
print(json.dumps(said))
"""

GIB = 1024**3


def ask(tmp_path: Path, *gpus: dict[str, Any], missing: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """What a process says that finds a driver with these GPUs, in a plain Linux unless ``tmp_path/root`` differs."""
    library = fake_libnvidia_ml(tmp_path / "driver", {"gpus": gpus, **more}, missing=missing)
    command = [sys.executable, "-c", ASK, str(tmp_path / "root")]
    done = subprocess.run(command, env=with_drivers(library), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_a_gpu_is_described_whole(tmp_path: Path) -> None:
    gpu = {
        "name": "NVIDIA H200",
        "uuid": "GPU-8932f937",
        "memory_total": 141 * GIB,
        "memory_used": 5 * GIB,
        "reserved": GIB // 2,
        "utilization": 37,
        "compute_capability": "9.0",
        "compute_mode": "exclusive",
        "processes": [{"pid": 4242, "memory": 3 * GIB}, {"pid": 4343, "memory": None}],
    }
    said = ask(tmp_path, gpu, driver="570.86.15", cuda="12.8")
    assert (said["driver"], said["cuda"]) == ("570.86.15", "12.8")
    assert said["gpus"] == [
        {
            "index": 0,
            "uuid": "GPU-8932f937",
            "name": "NVIDIA H200",
            "memory_total": 141 * GIB,
            "compute_capability": "9.0",
            "compute_mode": "exclusive",
            "mig": False,
            "instances": [],
        }
    ]
    assert said["readings"] == [
        {
            "uuid": "GPU-8932f937",
            "utilization": 37,
            # Without what the driver keeps for itself.
            "memory_used": 5 * GIB,
            "memory_total": 141 * GIB,
            "processes": [
                {"pid": 4242, "memory": 3 * GIB, "graphics": False},
                {"pid": 4343, "memory": None, "graphics": False},
            ],
        }
    ]
    assert said["gpu_notes"] == said["notes"] == []


@pytest.mark.parametrize("mode", ["default", "exclusive", "prohibited"])
def test_the_compute_mode_is_told(tmp_path: Path, mode: str) -> None:
    assert ask(tmp_path, {"compute_mode": mode})["gpus"][0]["compute_mode"] == mode


def test_a_process_that_computes_and_draws_is_one_process_that_computes(tmp_path: Path) -> None:
    processes = [{"pid": 7, "memory": 100}]
    said = ask(tmp_path, {"processes": processes, "graphics": [{"pid": 7, "memory": 300}, {"pid": 8, "memory": 5}]})
    assert said["readings"][0]["processes"] == [
        {"pid": 7, "memory": 300, "graphics": False},
        {"pid": 8, "memory": 5, "graphics": True},
    ]


def test_a_split_gpu_is_read_by_its_instances(tmp_path: Path) -> None:
    instances = [
        {"uuid": "MIG-a", "name": "NVIDIA A100 MIG 3g.20gb", "memory_total": 20 * GIB, "memory_used": GIB},
        {
            "uuid": "MIG-b",
            "memory_total": 5 * GIB,
            "slices": (2, 1),
            "failures": {"nvmlDeviceGetName": "NVML_ERROR_NOT_SUPPORTED"},
            "processes": [{"pid": 99, "memory": 77}],
        },
    ]
    said = ask(tmp_path, {"mig": True, "instances": instances, "utilization": None}, {"mig": False})
    split, whole = said["gpus"]
    assert split["mig"]
    assert split["instances"] == [
        {"uuid": "MIG-a", "profile": "3g.20gb", "memory_total": 20 * GIB},
        {"uuid": "MIG-b", "profile": "1c.2g.5gb", "memory_total": 5 * GIB},
    ]
    assert (whole["mig"], whole["instances"]) == (False, [])
    first, second, third = said["readings"]
    assert (first["uuid"], first["memory_used"], first["utilization"]) == ("MIG-a", GIB, None)
    assert (second["uuid"], second["processes"]) == ("MIG-b", [{"pid": 99, "memory": 77, "graphics": False}])
    assert third["uuid"] == whole["uuid"]
    assert said["notes"] == []


def test_a_split_gpu_without_instances_has_nothing_to_read(tmp_path: Path) -> None:
    said = ask(tmp_path, {"mig": True})
    assert (said["gpus"][0]["mig"], said["gpus"][0]["instances"], said["readings"]) == (True, [], [])


def test_a_lost_gpu_hides_no_other(tmp_path: Path) -> None:
    lost = {"failures": {"nvmlDeviceGetMemoryInfo_v2": "NVML_ERROR_GPU_IS_LOST"}}
    said = ask(tmp_path, {"name": "first"}, lost, {"name": "third"})
    assert [(gpu["index"], gpu["name"]) for gpu in said["gpus"]] == [(0, "first"), (2, "third")]
    assert len(said["readings"]) == 2
    assert said["gpu_notes"] == said["notes"]
    assert said["notes"] == ["GPU 1 is left out. A GPU has fallen off the bus: reboot the machine."]


def test_gpus_that_are_all_lost_are_an_error(tmp_path: Path) -> None:
    said = ask(tmp_path, {"failures": {"nvmlDeviceGetHandleByIndex_v2": "NVML_ERROR_GPU_IS_LOST"}})
    assert said["code"] == "NVML_ERROR_GPU_IS_LOST"


@pytest.mark.parametrize(
    ("function", "code", "field", "note"),
    [
        ("nvmlDeviceGetUtilizationRates", "NVML_ERROR_NOT_SUPPORTED", "utilization", "the driver does not tell it"),
        ("nvmlDeviceGetComputeRunningProcesses_v3", "NVML_ERROR_NO_PERMISSION", "processes", "may not ask for it"),
        ("nvmlDeviceGetUtilizationRates", "NVML_ERROR_UNKNOWN", "utilization", "NVML_ERROR_UNKNOWN"),
    ],
)
def test_what_the_driver_does_not_tell_is_left_open(
    tmp_path: Path, function: str, code: str, field: str, note: str
) -> None:
    said = ask(tmp_path, {"failures": {function: code}, "memory_used": 5})
    reading = said["readings"][0]
    assert [name for name, value in reading.items() if value is None] == [field]
    assert len(said["notes"]) == 1
    assert note in said["notes"][0]
    assert "GPU 0" in said["notes"][0]


def test_memory_that_is_not_told_is_left_open(tmp_path: Path) -> None:
    both = ("nvmlDeviceGetMemoryInfo", "nvmlDeviceGetMemoryInfo_v2")
    said = ask(tmp_path, {"failures": dict.fromkeys(both, "NVML_ERROR_NOT_SUPPORTED")})
    assert (said["gpus"][0]["memory_total"], said["gpu_notes"]) == (0, [])
    assert (said["readings"][0]["memory_used"], said["readings"][0]["memory_total"]) == (None, 0)
    assert said["notes"] == ["The memory of GPU 0 is not known: the driver does not tell it."]


def test_a_name_that_cannot_be_had_hides_no_gpu(tmp_path: Path) -> None:
    said = ask(tmp_path, {"failures": {"nvmlDeviceGetName": "NVML_ERROR_UNKNOWN"}})
    assert said["gpus"][0]["name"] == "NVIDIA GPU"


def test_an_old_driver_is_asked_by_its_own_functions(tmp_path: Path) -> None:
    missing = (
        "nvmlDeviceGetMemoryInfo_v2",
        "nvmlDeviceGetComputeRunningProcesses_v3",
        "nvmlDeviceGetGraphicsRunningProcesses_v3",
        "nvmlDeviceGetMigMode",
        "nvmlDeviceGetAttributes_v2",
        "nvmlDeviceGetComputeMode",
    )
    said = ask(
        tmp_path,
        {"memory_used": 7, "reserved": 3, "processes": [{"pid": 5, "memory": 6}]},
        missing=missing,
        cuda="11.0",
    )
    assert said["cuda"] == "11.0"
    assert (said["gpus"][0]["mig"], said["gpus"][0]["compute_mode"]) == (False, "default")
    assert said["readings"][0]["memory_used"] == 10
    assert said["readings"][0]["processes"] == [{"pid": 5, "memory": 6, "graphics": False}]
    assert said["notes"] == []


def test_a_driver_that_cannot_say_its_cuda_is_an_error_in_words(tmp_path: Path) -> None:
    said = ask(tmp_path, missing=["nvmlSystemGetCudaDriverVersion_v2"])
    assert said == {
        "code": "NVML_ERROR_FUNCTION_NOT_FOUND",
        "error": "The NVIDIA driver is too old to be asked: install a newer one.",
    }


def test_a_driver_that_does_not_match_its_module_is_an_error_in_words(tmp_path: Path) -> None:
    said = ask(tmp_path, error="NVML_ERROR_LIB_RM_VERSION_MISMATCH")
    assert "reboot" in said["error"]


def test_a_library_that_is_none_is_no_driver(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_text("INPUT(libnothing.so)")
    command = [sys.executable, "-c", ASK, str(tmp_path)]
    said = json.loads(subprocess.check_output(command, env=with_drivers(tmp_path), text=True))
    assert said["code"] == "NVML_ERROR_LIBRARY_NOT_FOUND"


def test_wsl_lists_no_processes(tmp_path: Path) -> None:
    kernel = tmp_path / "root/proc/sys/kernel"
    kernel.mkdir(parents=True)
    (kernel / "osrelease").write_text("5.15.167.4-microsoft-standard-WSL2\n")
    said = ask(tmp_path, {"graphics": [{"pid": 33, "memory": None}]})
    assert said["readings"][0]["processes"] is None
    assert len(said["notes"]) == 1
    assert "WSL" in said["notes"][0]


def test_in_a_container_only_who_has_the_driver_open_is_believed(tmp_path: Path) -> None:
    processes = tmp_path / "root/proc"
    (processes / "self/ns").mkdir(parents=True)
    (processes / "self/ns/pid").symlink_to("pid:[4026532201]")
    for pid, target in ((50, "/dev/nvidia0"), (60, "/dev/null")):
        (processes / f"{pid}/fd").mkdir(parents=True)
        (processes / f"{pid}/fd/3").symlink_to(target)
    listed = [(50, GIB), (60, 2), (70, 3), (0, 4), (0, 0)]
    said = ask(tmp_path, {"processes": [{"pid": pid, "memory": memory} for pid, memory in listed]})
    found = [(process["pid"], process["memory"]) for process in said["readings"][0]["processes"]]
    assert found == [(50, GIB), (None, 2), (None, 3), (None, 4), (None, None)]
    assert len(said["notes"]) == 1
    assert "container" in said["notes"][0]


def test_the_drivers_stand_side_by_side(tmp_path: Path) -> None:
    fake_libcuda(tmp_path / "d", count=3, version=12080, capability="9.0")
    fake_libnvidia_ml(tmp_path / "d", {"gpus": [{}]})
    code = (
        "import ctypes; library = ctypes.CDLL('libcuda.so.1'); number = ctypes.c_int()\n"
        "assert library.cuInit(0) == 0\n"
        "library.cuDeviceGetCount(ctypes.byref(number)); print(number.value)\n"
        "library.cuDriverGetVersion(ctypes.byref(number)); print(number.value)"
    )
    said = subprocess.check_output([sys.executable, "-c", code], env=with_drivers(tmp_path / "d"), text=True)
    assert said.split() == ["3", "12080"]


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="needs /proc")
def test_a_process_of_this_machine_is_told_where_ids_are_the_machines(tmp_path: Path) -> None:
    said = ask(tmp_path, {"processes": [{"pid": os.getpid(), "memory": 1}]})
    assert said["readings"][0]["processes"] == [{"pid": os.getpid(), "memory": 1, "graphics": False}]
