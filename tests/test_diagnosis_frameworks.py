"""The doctor on frameworks that are not what was asked for, or do not fit the machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Caches
from patients import H200, MACHINE, Patient, copy_of, make_patient, rewrite, tensorflow_files, torch_files

from jupyter_gpu_kernels.diagnosis.checks import CHECKS
from jupyter_gpu_kernels.models import Hardware, Severity, Variant

TORCH = {"framework": "pytorch", "variant": Variant.GPU, "framework_version": "2.7.1+cu126", "cuda_built": "12.6"}

IDS = (
    "cpu-build",
    "framework-replaced",
    "rival-packages",
    "jax-plugin-unused",
    "added-build-driver",
    "gpu-unknown-to-build",
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, base_python: Path, wheel_dir: Path, caches: Caches) -> Patient:
    """A virtual environment with a little of everything, without a framework."""
    prefix = tmp_path_factory.mktemp("patients") / "original"
    return make_patient(prefix, base_python, wheel_dir, caches.uv, "six", "packaging")


@pytest.fixture
def patient(original: Patient, tmp_path: Path) -> Patient:
    return copy_of(original, tmp_path / "envs" / "lab")


@pytest.fixture
def torch(patient: Patient) -> Patient:
    """PyTorch for CUDA 12.6, as it was built."""
    patient.install("torch", "2.7.1+cu126", torch_files("2.7.1+cu126", "12.6"))
    patient.record(**TORCH)
    return patient


def silent(patient: Patient) -> None:
    """All that is looked at here has nothing to say."""
    assert {check_id: patient.look(check_id) for check_id in IDS} == dict.fromkeys(IDS, ())


def test_every_check_is_in_the_table_once() -> None:
    ids = [check.id for check in CHECKS]
    assert len(ids) == len(set(ids))
    assert set(IDS) <= set(ids)


def test_a_sound_environment_has_nothing(torch: Patient) -> None:
    silent(torch)


def test_a_cpu_build_that_was_asked_for_is_fine(patient: Patient) -> None:
    patient.install("torch", "2.13.0+cpu", torch_files("2.13.0+cpu", None))
    patient.record(framework="pytorch", variant=Variant.CPU, framework_version="2.13.0+cpu")
    silent(patient)


def test_pip_has_replaced_the_gpu_build(torch: Patient) -> None:
    torch.install("torch", "2.13.0+cpu", torch_files("2.13.0+cpu", None))
    finding = torch.only("cpu-build")
    assert finding.severity is Severity.PROBLEM
    assert finding.sentence == (
        "PyTorch 2.13.0+cpu in it is a CPU build, although the environment was made for the GPU."
    )
    version = torch.packages / "torch" / "version.py"
    assert finding.evidence == (
        f"{version}: cuda: Optional[str] = None",
        "torch 2.13.0+cpu was installed by uv",
        "Built: torch 2.7.1+cu126",
    )
    assert finding.remedy is not None
    assert (finding.remedy.id, finding.remedy.subject) == ("rebuild", "lab")
    assert torch.look("framework-replaced") == (), "one cause, one finding"


def test_a_cpu_build_where_there_is_a_gpu_by_now(patient: Patient) -> None:
    patient.install("tensorflow", "2.21.0", tensorflow_files(cuda=None))
    patient.record(framework="tensorflow", framework_version="2.21.0")
    finding = patient.only("cpu-build")
    assert finding.severity is Severity.WARNING
    assert finding.sentence == (
        "TensorFlow 2.21.0 in it is a CPU build, as no GPU was known when it was built; this machine has NVIDIA H200."
    )
    assert finding.evidence[1] == "This machine has no NVIDIA driver."
    assert patient.look("cpu-build", hardware=Hardware()) == ()


def test_a_cpu_build_that_a_user_has_added(patient: Patient) -> None:
    patient.record(framework="python")
    patient.install("torch", "2.13.0+cpu", torch_files("2.13.0+cpu", None))
    finding = patient.only("cpu-build")
    assert finding.sentence == (
        "PyTorch 2.13.0+cpu, which was added to it, is a CPU build; this machine has NVIDIA H200."
    )


def test_jax_without_its_plugin_is_a_cpu_build(patient: Patient) -> None:
    for name in ("jax", "jaxlib", "jax-cuda12-plugin", "jax-cuda12-pjrt"):
        patient.install(name, "0.8.1")
    patient.record(framework="jax", variant=Variant.GPU, framework_version="0.8.1", cuda_built="12.9")
    silent(patient)
    patient.pip("uninstall", "jax-cuda12-plugin")
    finding = patient.only("cpu-build")
    assert finding.sentence == "JAX 0.8.1 in it is a CPU build, although the environment was made for the GPU."
    assert finding.evidence[0] == "There is no jax-cuda12-plugin or jax-cuda13-plugin."


def test_jax_leaves_a_plugin_of_another_version_alone(patient: Patient) -> None:
    for name in ("jax", "jaxlib", "jax-cuda12-plugin", "jax-cuda12-pjrt"):
        patient.install(name, "0.8.1")
    patient.record(framework="jax", variant=Variant.GPU, framework_version="0.8.1", cuda_built="12.9")
    patient.install("jaxlib", "0.8.2")
    finding = patient.only("jax-plugin-unused")
    assert finding.sentence == "JAX computes on the CPU: jax-cuda12-pjrt 0.8.1 is not for jaxlib 0.8.2."


def test_paddle_tells_its_cuda(patient: Patient) -> None:
    version = "full_version     = '3.3.1'\ncuda_version     = 'False'\n"
    patient.install("paddlepaddle", "3.3.1", {"paddle/version/__init__.py": version})
    patient.record(framework="paddlepaddle", variant_built=Variant.GPU, framework_version="3.3.1")
    assert patient.only("cpu-build").sentence.startswith("PaddlePaddle 3.3.1 in it is a CPU build")


def test_another_version_than_was_built(torch: Patient) -> None:
    torch.install("torch", "2.6.0+cu126", torch_files("2.6.0+cu126", "12.6"))
    finding = torch.only("framework-replaced")
    assert finding.severity is Severity.NOTE
    assert finding.sentence == "PyTorch is another one than was built and verified."
    assert finding.evidence == ("Built: torch 2.7.1+cu126", "Now: torch 2.6.0+cu126")


def test_a_framework_that_is_gone(torch: Patient) -> None:
    torch.pip("uninstall", "torch")
    finding = torch.only("framework-replaced")
    assert (finding.severity, finding.sentence) == (Severity.PROBLEM, "PyTorch is not in it any more.")


def test_two_packages_that_overwrite_each_other(patient: Patient) -> None:
    patient.record(framework="python")
    patient.install("onnxruntime-gpu", "1.31.1", {"onnxruntime/__init__.py": ""})
    assert patient.look("rival-packages") == ()
    patient.install("onnxruntime", "1.31.1", {"onnxruntime/__init__.py": ""})
    finding = patient.only("rival-packages")
    assert finding.sentence == (
        "onnxruntime and onnxruntime-gpu are both in it; ONNX Runtime is then what was installed last, often the CPU "
        "build."
    )
    assert "onnxruntime-gpu" in finding.cure


@pytest.mark.parametrize(
    ("names", "keep"),
    [
        (("tensorflow", "tensorflow-cpu"), "tensorflow[and-cuda]"),
        (("cupy-cuda12x", "cupy-cuda13x"), "cupy-cuda12x[ctk]"),
        (("paddlepaddle", "paddlepaddle-gpu"), "paddlepaddle-gpu"),
    ],
)
def test_other_rivals(patient: Patient, names: tuple[str, str], keep: str) -> None:
    patient.record(framework="python")
    for name in names:
        patient.install(name, "1.0")
    assert keep in patient.only("rival-packages").cure


def test_a_framework_was_added_that_the_driver_does_not_run(torch: Patient) -> None:
    torch.install("torch", "2.15.0+cu132", torch_files("2.15.0+cu132", "13.2"))
    old = Hardware(driver="550.54.15", cuda="12.4", gpus=(H200,))
    finding = torch.only("added-build-driver", hardware=old)
    assert finding.sentence == (
        "PyTorch 2.15.0+cu132 in it is built with CUDA 13.2, which needs NVIDIA driver 580 or newer; this machine's "
        "driver 550.54.15 runs CUDA up to 12.4."
    )
    assert torch.look("added-build-driver") == (), "the newer driver runs it"


def test_a_gpu_that_is_newer_than_the_build(torch: Patient) -> None:
    b200 = replace(H200, name="NVIDIA B200", compute_capability="10.0")
    finding = torch.only("gpu-unknown-to-build", hardware=replace(MACHINE, gpus=(b200,)))
    assert finding.sentence.startswith(
        "PyTorch 2.7.1+cu126 has no code for the NVIDIA B200 (compute capability 10.0): "
    )
    assert finding.evidence[1] == "GPU 0: NVIDIA B200, 10.0"


def test_a_gpu_that_is_older_than_the_build(patient: Patient) -> None:
    patient.install("torch", "2.15.0+cu132", torch_files("2.15.0+cu132", "13.2"))
    patient.record(framework="pytorch", variant=Variant.GPU, framework_version="2.15.0", cuda_built="13.2")
    v100 = replace(H200, name="Tesla V100", compute_capability="7.0")
    finding = patient.only("gpu-unknown-to-build", hardware=replace(MACHINE, gpus=(v100,)))
    assert finding.sentence == (
        "PyTorch 2.15.0+cu132 has no code for the Tesla V100 (compute capability 7.0): CUDA 12 is the last one that "
        "knows it, and it is built with CUDA 13.2."
    )


@pytest.mark.parametrize(
    ("capability", "words"),
    [
        ("7.0", "has no code for the NVIDIA H200 (compute capability 7.0): it has sm_80, compute_90"),
        ("8.6", ""),
        ("9.0", ""),
        ("10.3", "has no machine code for the NVIDIA H200 (compute capability 10.3); the driver compiles it"),
        ("12.0", "the driver compiles it at first use, which may take half an hour."),
    ],
)
def test_tensorflow_tells_its_architectures(patient: Patient, capability: str, words: str) -> None:
    patient.install("tensorflow", "2.21.0", tensorflow_files(cuda="12.5.1"))
    patient.record(framework="tensorflow", variant=Variant.GPU, framework_version="2.21.0", cuda_built="12.9")
    gpu = replace(H200, compute_capability=capability)
    found = patient.look("gpu-unknown-to-build", hardware=replace(MACHINE, gpus=(gpu,)))
    assert [words in finding.sentence for finding in found] == ([True] if words else [])


def test_without_a_gpu_there_is_nothing_to_compare(torch: Patient) -> None:
    for check_id in ("added-build-driver", "gpu-unknown-to-build"):
        (examined,) = torch.examine(check_id, hardware=Hardware()).examined
        assert examined.skipped.startswith("This machine has no ")


def test_files_that_cannot_be_read_are_no_cpu_build(torch: Patient) -> None:
    rewrite(torch.packages / "torch" / "version.py", b"\xff\x00 = (")
    silent(torch)
