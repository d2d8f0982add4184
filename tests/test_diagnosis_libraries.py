"""The doctor on an environment's CUDA libraries: gone, broken, mixed, or not those that would be loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Caches
from drivers import COMPILER, needs_compiler
from patients import Patient, copy_of, make_patient, rewrite, tensorflow_files, torch_files
from two_cudas import make_decoy

from jupyter_gpu_kernels.models import Severity, Variant

IDS = (
    "cuda-library-missing",
    "cuda-mixed",
    "cudnn-unfit",
    "cuda-library-loaded",
    "cuda-library-needed",
    "xla-tools",
    "xla-flags",
)

TORCH = {"framework": "pytorch", "variant": Variant.GPU, "framework_version": "2.7.1+cu126", "cuda_built": "12.6"}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, base_python: Path, wheel_dir: Path, caches: Caches) -> Patient:
    """A virtual environment with PyTorch's stand-in and NVIDIA's own CUDA runtime."""
    prefix = tmp_path_factory.mktemp("patients") / "original"
    patient = make_patient(prefix, base_python, wheel_dir, caches.uv, "nvidia-cuda-runtime-cu12==12.9.79")
    needs = ["nvidia-cuda-runtime-cu12==12.9.79"]
    patient.install("torch", "2.7.1+cu126", torch_files("2.7.1+cu126", "12.6"), needs)
    patient.record(**TORCH)
    return patient


@pytest.fixture
def patient(original: Patient, tmp_path: Path) -> Patient:
    return copy_of(original, tmp_path / "envs" / "lab")


@pytest.fixture(scope="module")
def decoy(tmp_path_factory: pytest.TempPathFactory, base_python: Path, caches: Caches) -> Path:
    """Another CUDA 12, of the machine."""
    return make_decoy(tmp_path_factory.mktemp("decoy"), base_python, caches.uv)


@pytest.fixture(autouse=True)
def renamed(request: pytest.FixtureRequest) -> None:
    """A copy's manifest tells its name."""
    if "patient" in request.fixturenames:
        request.getfixturevalue("patient").record(**TORCH)


def runtime(patient: Patient) -> Path:
    """The environment's own CUDA runtime."""
    return patient.packages / "nvidia" / "cuda_runtime" / "lib" / "libcudart.so.12"


def compiled(path: Path, source: str, *options: str) -> Path:
    """Compile a library of a test's own; its soname is its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    words = [str(COMPILER), "-shared", "-fPIC", "-o", str(path), f"-Wl,-soname,{path.name}", "-x", "c", "-"]
    words += ["-x", "none", *options]
    subprocess.run(words, check=True, input=source.encode())
    return path


def test_a_sound_environment_has_nothing(patient: Patient) -> None:
    assert {check_id: patient.look(check_id) for check_id in IDS} == dict.fromkeys(IDS, ())


def test_a_package_that_was_uninstalled(patient: Patient) -> None:
    patient.pip("uninstall", "nvidia-cuda-runtime-cu12")
    finding = patient.only("cuda-library-missing")
    assert finding.severity is Severity.PROBLEM
    assert finding.sentence.startswith("A package of CUDA libraries that it needs is missing: nvidia-cuda-runtime-cu12")
    assert "nvidia-cuda-runtime-cu12: 12.9.79 was built into it" in finding.evidence
    assert "nvidia-cuda-runtime-cu12: torch 2.7.1+cu126 needs it" in finding.evidence


def test_a_file_that_is_gone(patient: Patient) -> None:
    runtime(patient).unlink()
    finding = patient.only("cuda-library-missing")
    assert finding.sentence == f"Files of its CUDA libraries are missing or cut short: {runtime(patient)} is missing."


def test_a_link_that_leads_nowhere(patient: Patient) -> None:
    runtime(patient).unlink()
    runtime(patient).symlink_to("/gone/libcudart.so.12")
    finding = patient.only("cuda-library-missing")
    assert finding.evidence == (f"{runtime(patient)} is missing (it leads to /gone/libcudart.so.12)",)


def test_a_file_that_was_cut_short(patient: Patient) -> None:
    whole = runtime(patient).stat().st_size
    rewrite(runtime(patient), runtime(patient).read_bytes()[:100_000])
    assert patient.only("cuda-library-missing").evidence == (f"{runtime(patient)} has 100000 bytes of {whole}",)
    loaded = patient.only("cuda-library-loaded")
    assert loaded.sentence == "Its own libcudart.so.12 cannot be loaded."
    (line,) = loaded.evidence
    assert line.startswith(f"{runtime(patient)}: loading it ends the process with signal ")


def test_a_library_from_elsewhere_is_told_with_file_and_place(patient: Patient, decoy: Path) -> None:
    finding = patient.only("cuda-library-loaded", environ={"LD_LIBRARY_PATH": str(decoy)})
    assert finding.severity is Severity.NOTE
    assert finding.sentence == (
        f"Started without the provisioner, as by VS Code or in a terminal, it would load libcudart.so.12 from {decoy}. "
        "Kernels started by Jupyter are safe: they get its own."
    )
    assert finding.evidence == (
        f"libcudart.so.12: {decoy}/libcudart.so.12",
        f"In a kernel, libcudart.so.12: {runtime(patient)}",
        f"LD_LIBRARY_PATH={decoy}",
    )
    assert str(decoy) in finding.cure


def test_a_library_path_without_cuda_changes_nothing(patient: Patient, tmp_path: Path) -> None:
    assert patient.look("cuda-library-loaded", environ={"LD_LIBRARY_PATH": f"{tmp_path}::/usr/lib"}) == ()


@needs_compiler
def test_an_own_library_that_lacks_another_of_cuda(patient: Patient, tmp_path: Path) -> None:
    folder = patient.packages / "nvidia"
    light = compiled(folder / "nvjitlink" / "lib" / "libnvJitLink.so.12", "int light(void){return 0;}")
    needs = ["-Wl,--no-as-needed", str(light)]
    compiled(folder / "cusparse" / "lib" / "libcusparse.so.12", "int sparse(void){return 0;}", *needs)
    assert patient.look("cuda-library-loaded") == (), "its own directories are on the path of kernels"
    light.unlink()
    finding = patient.only("cuda-library-loaded")
    assert finding.sentence == "Its own libcusparse.so.12 cannot be loaded."
    assert "libnvJitLink.so.12: cannot open shared object file" in finding.evidence[0]


@needs_compiler
def test_a_driver_that_is_not_there_is_not_the_environments_fault(patient: Patient, tmp_path: Path) -> None:
    driver = compiled(tmp_path / "libcuda.so.1", "int cuInit(unsigned flags){return flags;}")
    target = patient.packages / "nvidia" / "cuda_cupti" / "lib" / "libcupti.so.12"
    compiled(target, "int cupti(void){return 0;}", "-Wl,--no-as-needed", str(driver))
    load = [sys.executable, "-c", "import ctypes; ctypes.CDLL('libcuda.so.1')"]
    if subprocess.run(load, capture_output=True, check=False).returncode == 0:
        pytest.skip("this machine has a driver")
    assert patient.look("cuda-library-loaded") == ()


@needs_compiler
def test_activation_cannot_bring_foreign_libraries_into_kernels(patient: Patient, decoy: Path) -> None:
    """What is put first on the path by whomever: a kernel's own directories come before."""
    activate = patient.prefix / "bin" / "activate"
    rewrite(activate, activate.read_text() + f"\nexport LD_LIBRARY_PATH={decoy}\n")
    assert patient.look("cuda-library-loaded") == ()


def test_a_library_that_shuts_the_process_down_is_survived(patient: Patient) -> None:
    """A loader that never answers is nothing that holds the doctor up: what was answered counts."""
    broken = patient.prefix / "bin" / "python"
    real = os.path.realpath(broken)
    broken.unlink()
    broken.write_text(f'#!/bin/sh\necho "no modules here" >&2\nexit 3\n# {real}\n')
    broken.chmod(0o755)
    (examined,) = patient.examine("cuda-library-loaded").examined
    assert examined.skipped == "Its Python could not be asked what it loads: no modules here."


@pytest.fixture
def onnxruntime(patient: Patient, tmp_path: Path) -> Patient:
    """ONNX Runtime's stand-in, which is linked to a library that the environment has, and to one that it has not."""
    other = compiled(tmp_path / "build" / "libcublasLt.so.12", "int lt(void){return 0;}")
    name = "onnxruntime/capi/libonnxruntime_providers_cuda.so"
    linked = compiled(
        tmp_path / "build" / name,
        "int provider(void){return 0;}",
        *("-Wl,--no-as-needed", str(runtime(patient)), str(other)),
    )
    patient.install("onnxruntime-gpu", "1.31.1", {name: linked.read_bytes()})
    return patient


@needs_compiler
def test_a_framework_that_is_linked_to_what_is_nowhere(onnxruntime: Patient) -> None:
    finding = onnxruntime.only("cuda-library-needed")
    assert finding.severity is Severity.PROBLEM
    assert finding.sentence == (
        "ONNX Runtime needs libcublasLt.so.12, which its kernels do not find, so that it cannot use the GPU."
    )
    (line,) = finding.evidence
    assert line.endswith("libonnxruntime_providers_cuda.so is linked to libcublasLt.so.12: not found")
    assert "onnxruntime-gpu[cuda,cudnn]" in finding.cure


@needs_compiler
def test_a_framework_that_lives_on_the_machines_cuda(onnxruntime: Patient, tmp_path: Path) -> None:
    # With other libraries in it, it is no directory that the provisioner would drop.
    system = compiled(tmp_path / "system" / "libcublasLt.so.12", "int lt(void){return 0;}").parent
    for name in ("libm4.so", "libm5.so"):
        (system / name).touch()
    finding = onnxruntime.only("cuda-library-needed", environ={"LD_LIBRARY_PATH": str(system)})
    assert finding.severity is Severity.WARNING
    assert finding.sentence == (
        f"ONNX Runtime uses libcublasLt.so.12 from {system}, as the environment has none of its own; that works until "
        "the machine's CUDA changes."
    )


@needs_compiler
def test_cupy_finds_the_toolkit_of_the_machine(patient: Patient, tmp_path: Path) -> None:
    build = tmp_path / "build"
    cublas = compiled(build / "libcublas.so.12", "int cublas(void){return 0;}")
    name = "cupy_backends/cuda/libs/cublas.cpython-311-x86_64-linux-gnu.so"
    linked = compiled(build / Path(name).name, "int cupy(void){return 0;}", "-Wl,--no-as-needed", str(cublas))
    patient.install("cupy-cuda12x", "14.2.0", {name: linked.read_bytes()})
    assert patient.only("cuda-library-needed").sentence.startswith("CuPy needs libcublas.so.12, which its kernels do")
    toolkit = compiled(tmp_path / "toolkit" / "lib64" / "libcublas.so.12", "int cublas(void){return 0;}").parent
    finding = patient.only("cuda-library-needed", environ={"CUDA_PATH": str(toolkit.parent)})
    assert finding.sentence.startswith(f"CuPy uses libcublas.so.12 from {toolkit}, as the environment has none")


@needs_compiler
def test_a_framework_that_has_what_it_is_linked_to(onnxruntime: Patient) -> None:
    compiled(onnxruntime.packages / "nvidia" / "cublas" / "lib" / "libcublasLt.so.12", "int lt(void){return 0;}")
    assert onnxruntime.look("cuda-library-needed") == ()


def test_two_cudas_in_one_environment(patient: Patient) -> None:
    patient.pip("install", "nvidia-cuda-runtime==13.0.48")
    finding = patient.only("cuda-mixed")
    assert finding.severity is Severity.NOTE
    assert finding.sentence.startswith("It has libraries of CUDA 12 and 13;")
    assert [line.partition(":")[0] for line in finding.evidence] == ["CUDA 12", "CUDA 13"]


def test_two_files_of_one_name(patient: Patient) -> None:
    cusparse = b"\x7fELF"
    patient.pip("install", "nvidia-cuda-runtime==13.0.48")
    patient.install("nvidia-cusparse-cu12", "12.5.8", {"nvidia/cusparse/lib/libcusparse.so.12": cusparse})
    patient.install("nvidia-cusparse", "12.6.2", {"nvidia/cu13/lib/libcusparse.so.12": cusparse})
    finding = patient.only("cuda-mixed")
    assert finding.severity is Severity.WARNING
    assert finding.sentence == "libcusparse.so.12 is in it 2 times, and the first one loaded serves all."
    assert "nvidia/cu13/lib/libcusparse.so.12 and " in finding.evidence[-1]
    for name, version, folder in (("nvidia-cufft-cu12", "11.4.1", "cufft"), ("nvidia-cufft", "12.0.0", "cu13")):
        patient.install(name, version, {f"nvidia/{folder}/lib/libcufft.so.11": cusparse})
    assert patient.only("cuda-mixed").sentence.endswith(", and the first one loaded serves all; so it is with 1 more.")


def test_libraries_of_another_cuda_than_the_build(patient: Patient) -> None:
    patient.pip("uninstall", "nvidia-cuda-runtime-cu12")
    patient.pip("install", "nvidia-cuda-runtime==13.0.48")
    assert patient.only("cuda-mixed").sentence == (
        "PyTorch 2.7.1+cu126 is built for CUDA 12, and the libraries in it are of CUDA 13."
    )


def test_a_cudnn_that_is_older_than_a_wheel_needs(patient: Patient) -> None:
    needs = ['nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"']
    patient.install("tensorflow", "2.21.0", tensorflow_files(cuda="12.5.1"), needs)
    patient.install("nvidia-cudnn-cu12", "9.10.2.21")
    assert patient.look("cudnn-unfit") == ()
    patient.install("nvidia-cudnn-cu12", "9.1.0.70")
    finding = patient.only("cudnn-unfit")
    assert finding.sentence == "TensorFlow 2.21.0 needs cuDNN <10.0,>=9.3.0.75, and 9.1.0.70 is installed."


def test_a_newer_cudnn_than_was_asked_for_serves_as_well(patient: Patient) -> None:
    needs = ["nvidia-cudnn-cu12==9.5.1.17", "nvidia-cuda-runtime-cu12==12.9.79"]
    patient.install("torch", "2.7.1+cu126", torch_files("2.7.1+cu126", "12.6"), needs)
    for version, fits in (("9.5.1.17", True), ("9.10.2.21", True), ("9.1.0.70", False), ("10.0.0.1", False)):
        patient.install("nvidia-cudnn-cu12", version)
        assert (not patient.look("cudnn-unfit")) == fits, version


def test_a_cudnn_of_another_major_version(patient: Patient) -> None:
    patient.install("tensorflow", "2.21.0", tensorflow_files(cuda="12.5.1"))
    patient.install("nvidia-cudnn-cu12", "8.9.7.29")
    assert patient.only("cudnn-unfit").sentence == "TensorFlow 2.21.0 needs cuDNN 9, and 8.9.7.29 is installed."


def with_xla(patient: Patient, version: str = "2.21.0") -> None:
    """TensorFlow, and the compiler's files."""
    patient.install("tensorflow", version, tensorflow_files(cuda="12.5.1"))
    files = {"nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc": "BC", "nvidia/cuda_nvcc/bin/ptxas": "#!/bin/sh\n"}
    patient.install("nvidia-cuda-nvcc-cu12", "12.9.86", files)
    ptxas(patient).chmod(0o755)


def ptxas(patient: Patient) -> Path:
    return patient.packages / "nvidia" / "cuda_nvcc" / "bin" / "ptxas"


def test_xla_without_libdevice(patient: Patient) -> None:
    with_xla(patient)
    assert patient.look("xla-tools") == ()
    patient.pip("uninstall", "nvidia-cuda-nvcc-cu12")
    finding = patient.only("xla-tools")
    assert finding.sentence == "TensorFlow 2.21.0 will fail to compile some operations: libdevice.10.bc is missing."
    assert finding.cure == "Rebuild it, or add the package nvidia-cuda-nvcc-cu12."


def test_xla_takes_libdevice_from_the_system(patient: Patient, tmp_path: Path) -> None:
    with_xla(patient)
    patient.pip("uninstall", "nvidia-cuda-nvcc-cu12")
    libdevice = tmp_path / "machine" / "usr/local/cuda/nvvm/libdevice/libdevice.10.bc"
    libdevice.parent.mkdir(parents=True)
    libdevice.touch()
    assert patient.look("xla-tools", root=tmp_path / "machine") == ()


def test_older_tensorflow_needs_ptxas(patient: Patient) -> None:
    with_xla(patient, "2.17.1")
    assert patient.look("xla-tools") == ()
    ptxas(patient).unlink()
    finding = patient.only("xla-tools")
    assert finding.sentence == "TensorFlow 2.17.1 needs ptxas to compile for the GPU, and the environment has none."
    with_xla(patient)
    ptxas(patient).unlink()
    assert patient.look("xla-tools") == (), "newer ones have it linked in"


def test_a_ptxas_that_may_not_be_executed(patient: Patient) -> None:
    with_xla(patient)
    ptxas(patient).chmod(0o644)
    finding = patient.only("xla-tools")
    assert finding.sentence == (
        f"TensorFlow 2.21.0 cannot compile with its own ptxas: {ptxas(patient)} may not be executed."
    )
    assert finding.evidence == (f"{ptxas(patient)}: mode 644",)


def test_xla_flags_that_lead_elsewhere(patient: Patient, tmp_path: Path) -> None:
    with_xla(patient)
    elsewhere = tmp_path / "cuda-11"
    flags = {"XLA_FLAGS": f"--xla_dump_to=/tmp/x --xla_gpu_cuda_data_dir={elsewhere}"}
    finding = patient.only("xla-flags", environ=flags)
    assert finding.severity is Severity.NOTE
    assert finding.sentence == (
        f"XLA_FLAGS sends TensorFlow to the toolkit in {elsewhere} instead of its own. Kernels started by Jupyter are "
        "safe: the provisioner takes that out."
    )
    inside = {"XLA_FLAGS": f"--xla_gpu_cuda_data_dir={patient.packages}/nvidia/cuda_nvcc"}
    assert patient.look("xla-flags", environ=inside) == ()
    patient.pip("uninstall", "nvidia-cuda-nvcc-cu12")
    finding = patient.only("xla-flags", environ=flags)
    assert finding.severity is Severity.WARNING
    assert finding.sentence == f"XLA_FLAGS sends TensorFlow to {elsewhere}, where there is no libdevice."


def test_xla_flags_concern_only_who_has_xla(patient: Patient) -> None:
    flags = {"XLA_FLAGS": "--xla_gpu_cuda_data_dir=/opt/cuda-11"}
    assert patient.look("xla-flags", environ=flags) == ()


def test_other_systems_are_left_alone(patient: Patient) -> None:
    from jupyter_gpu_kernels.diagnosis.check import NotApplicable
    from jupyter_gpu_kernels.diagnosis.environments import loading
    from jupyter_gpu_kernels.prefix.layout import Layout

    context = patient.seen()
    layout = replace(Layout.of_prefix(patient.prefix), platform="win32")
    with pytest.raises(NotApplicable):
        list(loading.look(context, context.environments[0], layout))
