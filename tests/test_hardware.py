"""The probe over fakes of the driver, and over whatever this machine really has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_gpu_kernels.hardware.driver import DriverNvml
from jupyter_gpu_kernels.hardware.fake import VARIABLE, FakeNvml
from jupyter_gpu_kernels.hardware.nvml import REASONS, Nvml, NvmlError
from jupyter_gpu_kernels.hardware.probe import hardware, open_nvml
from jupyter_gpu_kernels.models import Gpu, GpuProcess, GpuReading, Hardware, Vendor

H200 = Gpu(index=0, uuid="GPU-1", name="NVIDIA H200", memory_total=150_000_000_000, compute_capability="9.0")


def test_a_driver_with_a_gpu_is_described_whole() -> None:
    found = hardware(FakeNvml(driver="570.86.15", cuda="12.8", gpus=(H200,)), {})
    assert found == Hardware(driver="570.86.15", cuda="12.8", gpus=(H200,), vendor=Vendor.NVIDIA)


@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_driver_that_fails_is_no_error_but_a_reason(code: str) -> None:
    assert hardware(FakeNvml(error=code), {}, lambda: Vendor.NONE) == Hardware(reason=REASONS[code])


def test_a_driver_without_a_gpu_says_so() -> None:
    found = hardware(FakeNvml(driver="580.65.06", cuda="13.0"), {})
    assert (found.driver, found.cuda, found.gpus) == ("580.65.06", "13.0", ())
    assert "shows no GPU" in found.reason


class LostNvml(FakeNvml):
    """A driver whose GPUs do not answer."""

    def gpus(self) -> tuple[Gpu, ...]:
        raise NvmlError(REASONS["NVML_ERROR_GPU_IS_LOST"])


def test_gpus_that_do_not_answer_leave_the_driver_known() -> None:
    found = hardware(LostNvml(), {})
    assert (found.cuda, found.reason) == ("13.0", REASONS["NVML_ERROR_GPU_IS_LOST"])


@pytest.mark.parametrize(
    ("value", "cuda", "note"),
    [
        ("12.4", "12.4", "says that CUDA 12.4"),
        ("12", "12.0", "says that CUDA 12.0"),
        ("11.8.0", "11.8", "says that CUDA 11.8"),
        ("", None, "is empty"),
        ("12.4=NVIDIA", "13.0", "is ignored"),
    ],
)
def test_conda_override_cuda_overrules_the_driver(value: str, cuda: str | None, note: str) -> None:
    found = hardware(FakeNvml(cuda="13.0", gpus=(H200,)), {"CONDA_OVERRIDE_CUDA": value})
    assert found.cuda == cuda
    assert len(found.notes) == 1
    assert note in found.notes[0]


def test_conda_override_cuda_speaks_for_a_machine_without_a_driver() -> None:
    found = hardware(FakeNvml(error="NVML_ERROR_LIBRARY_NOT_FOUND"), {"CONDA_OVERRIDE_CUDA": "12.4"})
    assert (found.driver, found.cuda, found.gpus) == (None, "12.4", ())


def test_a_fake_driver_comes_from_the_environment(tmp_path: Path) -> None:
    description = {"driver": "525.60.13", "cuda": "12.0", "gpus": [{"name": "T4", "compute_capability": "7.5"}]}
    inline = hardware(environ={VARIABLE: json.dumps(description)})
    (tmp_path / "driver.json").write_text(json.dumps(description))
    assert inline == hardware(environ={VARIABLE: str(tmp_path / "driver.json")})
    assert (inline.cuda, inline.gpus[0].name, inline.gpus[0].compute_capability) == ("12.0", "T4", "7.5")


@pytest.mark.parametrize("text", ["{", '{"colour": "green"}', '{"gpus": [{"legs": 4}]}', '{"gpus": 3}', "/nowhere"])
def test_a_fake_that_is_described_badly_says_so(text: str) -> None:
    assert VARIABLE in hardware(environ={VARIABLE: text}).reason


@pytest.mark.parametrize("description", [{"cuda": 12.8}, {"cuda": "new"}, {"gpus": [{"compute_capability": "sm_90"}]}])
def test_a_fake_with_versions_that_are_none_is_none(description: dict[str, object]) -> None:
    reason = hardware(environ={VARIABLE: json.dumps(description)}).reason
    assert reason.endswith(' is no version of two numbers, such as "12.8".')


def read(nvml: Nvml) -> tuple[GpuReading, ...]:
    nvml.open()
    try:
        return nvml.readings()
    finally:
        nvml.close()


def test_a_fake_does_what_is_described_and_else_nothing() -> None:
    whole = {"memory_total": 100, "memory_used": 30, "utilization": 7, "processes": [{"pid": 5, "memory": 20}]}
    parts = [{"uuid": "MIG-x", "memory_total": 50, "processes": None}, {"memory_used": 9}]
    gpus = [whole, {"uuid": "GPU-split", "instances": parts}, {}]
    nvml = open_nvml({VARIABLE: json.dumps({"gpus": gpus, "notes": ["Some."]})})
    first, second, third, fourth = read(nvml)
    assert (first.memory_used, first.memory_total, first.utilization) == (30, 100, 7)
    assert first.processes == (GpuProcess(pid=5, memory=20),)
    assert (second.uuid, second.memory_total, second.utilization, second.processes) == ("MIG-x", 50, None, None)
    assert third.memory_used == 9
    assert (fourth.uuid, fourth.memory_used, fourth.utilization, fourth.processes) == (nvml.gpus()[2].uuid, 0, 0, ())
    assert [gpu.mig for gpu in nvml.gpus()] == [False, True, False]
    assert [part.uuid for part in nvml.gpus()[1].instances] == [second.uuid, third.uuid]
    assert nvml.notes() == ("Some.",)


def test_a_fake_of_gpus_alone_is_idle() -> None:
    assert read(FakeNvml(gpus=(H200,))) == (
        GpuReading(uuid="GPU-1", utilization=0, memory_used=0, memory_total=H200.memory_total, processes=()),
    )


def test_a_fake_in_a_file_moves_with_it(tmp_path: Path) -> None:
    file = tmp_path / "driver.json"
    file.write_text(json.dumps({"gpus": [{"utilization": 1}]}))
    nvml = open_nvml({VARIABLE: str(file)})
    assert [reading.utilization for reading in read(nvml)] == [1]
    file.write_text(json.dumps({"gpus": [{"utilization": 2}, {}]}))
    assert [reading.utilization for reading in nvml.readings()] == [2, 0]
    assert len(nvml.gpus()) == 2
    file.write_text(json.dumps({"error": "NVML_ERROR_DRIVER_NOT_LOADED"}))
    with pytest.raises(NvmlError, match="not loaded") as failed:
        nvml.open()
    assert failed.value.code == "NVML_ERROR_DRIVER_NOT_LOADED"
    file.unlink()
    with pytest.raises(NvmlError, match=VARIABLE):
        nvml.readings()


def test_the_driver_is_asked_where_no_fake_is_described() -> None:
    assert isinstance(open_nvml({}), DriverNvml)


def test_this_machine_is_probed_without_failing() -> None:
    found = hardware(environ={})
    assert bool(found.gpus) != bool(found.reason)


def test_a_closed_library_is_not_asked() -> None:
    with pytest.raises(NvmlError, match="not open"):
        DriverNvml().gpus()


def test_the_binding_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, jupyter_gpu_kernels.hardware.probe; sys.exit('pynvml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
