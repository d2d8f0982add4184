"""The doctor on whether kernels of an environment start, what shadows its packages, and what has changed since."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from conftest import Caches
from patients import H200, MACHINE, Patient, copy_of, make_patient, rewrite, stand_in, tensorflow_files, torch_files

from jupyter_gpu_kernels.diagnosis.check import EnvironmentCheck
from jupyter_gpu_kernels.diagnosis.checks import CHECKS
from jupyter_gpu_kernels.models import (
    GpuProcess,
    GpuReading,
    LaunchPolicy,
    MemoryPreset,
    Severity,
    Variant,
    Verification,
    VerificationOutcome,
)

IDS = (
    "python-broken",
    "ipykernel-broken",
    "user-packages",
    "python-path",
    "requirement-broken",
    "numpy-too-new",
    "verification",
    "verification-outdated",
    "restart-needed",
    "built-by-newer",
    "memory-shared",
)

#: Checks of environments that speak of what a test does not make: these have no kernelspec.
OTHERS = ("unregistered-kernel",)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, base_python: Path, wheel_dir: Path, caches: Caches) -> Patient:
    """A virtual environment with ipykernel and NumPy."""
    prefix = tmp_path_factory.mktemp("patients") / "original"
    return make_patient(prefix, base_python, wheel_dir, caches.uv, "ipykernel", "numpy", "six")


@pytest.fixture
def patient(original: Patient, tmp_path: Path) -> Patient:
    copied = copy_of(original, tmp_path / "envs" / "lab")
    copied.record(framework="python")
    return copied


def with_system_packages(patient: Patient) -> None:
    """Make it see the packages of the system, and with them those of the user."""
    settings = patient.prefix / "pyvenv.cfg"
    text = settings.read_text().replace("include-system-site-packages = false", "include-system-site-packages = true")
    rewrite(settings, text)


def in_user_site(patient: Patient, *names: str) -> Path:
    """What ``pip install --user`` leaves."""
    folder = patient.prefix.parent / "home" / ".local" / "lib" / patient.packages.parent.name / "site-packages"
    wheels = [stand_in(patient.prefix.parent / "wheels", name, "1.0", {f"{name}/__init__.py": ""}) for name in names]
    patient.pip("install", "--no-deps", "--target", folder, *wheels)
    return folder


def test_a_sound_environment_has_nothing(patient: Patient) -> None:
    assert {check_id: patient.look(check_id) for check_id in IDS} == dict.fromkeys(IDS, ())


def test_a_python_that_does_not_run(patient: Patient) -> None:
    python = patient.prefix / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\necho 'libpython3.11.so.1.0: cannot open shared object file' >&2\nexit 127\n")
    python.chmod(0o755)
    finding = patient.only("python-broken")
    assert finding.sentence == "Its Python does not run."
    assert finding.evidence[1] == "libpython3.11.so.1.0: cannot open shared object file"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners of files")
def test_nothing_of_another_user_is_run(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    python, ran = patient.prefix / "bin" / "python", patient.prefix / "ran"
    python.unlink()
    python.write_text(f"#!/bin/sh\ntouch '{ran}'\necho 3.11.7\n")
    python.chmod(0o755)
    if os.geteuid() == 0:
        # Root's environments are everybody's.
        os.chown(patient.prefix, 12345, -1)
    other = patient.prefix.stat().st_uid + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    for check_id in ("python-broken", "ipykernel-broken"):
        (examined,) = patient.examine(check_id).examined
        assert examined.skipped == "lab is another user's, and no kernel of yours: nothing of it was run."
    assert not ran.exists()
    patient.look("python-broken", environment={"registered": True})
    assert ran.exists()


def test_a_python_that_was_upgraded(patient: Patient) -> None:
    folder = patient.packages.parent
    folder.rename(folder.with_name("python3.8"))
    settings = patient.prefix / "pyvenv.cfg"
    lines = [line for line in settings.read_text().splitlines() if not line.startswith("version")]
    rewrite(settings, "\n".join([*lines, "version_info = 3.8.20"]))
    finding = patient.only("python-broken")
    assert finding.sentence.endswith("now, and its packages are for python3.8.")
    assert "upgraded" in finding.cure


def test_ipykernel_was_uninstalled(patient: Patient) -> None:
    patient.pip("uninstall", "ipykernel")
    finding = patient.only("ipykernel-broken")
    assert finding.sentence == "It has no ipykernel, which every Python kernel needs."
    assert finding.evidence == (f"Looked in {patient.packages}",)


def test_ipykernel_in_development_is_there_as_at_a_launch(patient: Patient) -> None:
    patient.pip("uninstall", "ipykernel")
    (patient.packages / "ipykernel.egg-link").touch()
    assert patient.only("ipykernel-broken").sentence.startswith("Its ipykernel cannot be imported")


def test_ipykernel_does_not_import(patient: Patient) -> None:
    patient.pip("uninstall", "tornado")
    finding = patient.only("ipykernel-broken")
    assert finding.severity is Severity.PROBLEM
    assert finding.sentence == (
        "Its ipykernel cannot be imported, so no kernel starts: ModuleNotFoundError: No module named 'tornado'."
    )


def test_kernels_that_are_no_ipykernel_need_none(patient: Patient, tmp_path: Path) -> None:
    patient.pip("uninstall", "ipykernel")
    (tmp_path / "kernel.json").write_text('{"argv": ["xpython"]}')
    assert patient.look("ipykernel-broken", environment={"kernelspec": str(tmp_path)}) == ()


def test_packages_of_the_user_do_not_reach_a_virtual_environment(patient: Patient) -> None:
    in_user_site(patient, "numpy")
    assert patient.look("user-packages") == ()


def test_packages_of_the_user_shadow_its_own(patient: Patient) -> None:
    folder = in_user_site(patient, "numpy", "tornado", "elsewhere")
    with_system_packages(patient)
    finding = patient.only("user-packages")
    assert finding.severity is Severity.NOTE
    assert finding.sentence == (
        "Packages of your user directory shadow its own wherever the provisioner does not start it: numpy 1.0, and 1 "
        "more. Kernels started by Jupyter are safe: PYTHONNOUSERSITE keeps them out."
    )
    assert finding.evidence[0].startswith(f"numpy 1.0 in {folder}, ")
    assert patient.look("user-packages", environ={"PYTHONNOUSERSITE": "1"}) == ()


def test_packages_of_the_user_where_the_policy_wants_them(patient: Patient) -> None:
    in_user_site(patient, "numpy")
    with_system_packages(patient)
    patient.record(framework="python", launch=LaunchPolicy(user_site=True))
    finding = patient.only("user-packages")
    assert finding.severity is Severity.WARNING
    assert finding.sentence == "Its kernels take packages of your user directory before its own: numpy 1.0."


def test_python_path_shadows_its_own(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "shared" / "numpy").mkdir(parents=True)
    (tmp_path / "shared" / "numpy" / "__init__.py").touch()
    (tmp_path / "shared" / "mine.py").touch()
    value = f"{tmp_path / 'shared'}:{tmp_path / 'nowhere'}:{patient.packages}"
    finding = patient.only("python-path", environ={"PYTHONPATH": value})
    assert finding.sentence == (
        f"PYTHONPATH brings numpy from {tmp_path / 'shared'} before its own. Kernels started by Jupyter are safe: the "
        "provisioner drops PYTHONPATH."
    )


def with_needs(patient: Patient) -> None:
    """TensorFlow, as it was built."""
    needs = ["numpy>=1.26", "six<2", "nvidia-cudnn-cu12", 'windows-only; sys_platform == "win32"']
    patient.install("tensorflow", "2.21.0", tensorflow_files(cuda="12.5.1"), needs)
    patient.record(framework="tensorflow", variant=Variant.GPU, framework_version="2.21.0", cuda_built="12.9")


def test_a_later_installation_took_away_what_is_needed(patient: Patient) -> None:
    with_needs(patient)
    assert patient.look("requirement-broken") == ()
    patient.pip("uninstall", "numpy")
    finding = patient.only("requirement-broken")
    assert finding.sentence == "tensorflow 2.21.0 needs numpy, which was uninstalled."


def test_a_later_installation_brought_what_does_not_fit(patient: Patient) -> None:
    with_needs(patient)
    patient.install("six", "2.0")
    finding = patient.only("requirement-broken")
    assert finding.sentence == "tensorflow 2.21.0 needs six <2, and a later installation brought 2.0."
    assert finding.evidence[0].startswith("Built: six 1.")
    patient.install("tensorflow-cpu", "2.21.0", {}, ["six<2"])
    assert len(patient.look("requirement-broken")) == 1, "one package, one finding"


def test_what_was_solved_so_is_left_alone(patient: Patient) -> None:
    patient.install("six", "2.0")
    with_needs(patient)
    assert patient.look("requirement-broken") == ()


def test_numpy_2_beside_what_was_compiled_for_numpy_1(patient: Patient) -> None:
    patient.install("torch", "2.2.2+cu121", torch_files("2.2.2+cu121", "12.1"))
    finding = patient.only("numpy-too-new")
    assert finding.sentence.startswith("torch 2.2.2+cu121 was compiled for NumPy 1, and NumPy 2.")
    assert finding.evidence == ("torch works with NumPy 2 from 2.3 on",)
    patient.install("onnxruntime", "1.18.0")
    sentence = patient.only("numpy-too-new").sentence
    assert sentence.startswith("torch 2.2.2+cu121 and 1 more were compiled for NumPy 1, and NumPy 2.")
    patient.install("numpy", "1.26.4", {"numpy/__init__.py": ""})
    assert patient.look("numpy-too-new") == ()


def verified(outcome: VerificationOutcome, sentence: str = "", checked: str = "2026-01-01T00:00:00+00:00") -> dict:
    return {"verification": Verification(outcome=outcome, sentence=sentence, checked=checked)}


def test_an_environment_that_was_never_verified(patient: Patient) -> None:
    patient.record(framework="python", verification=None)
    finding = patient.only("verification")
    assert finding.sentence == "It was never verified: nobody knows whether its kernel works."
    assert finding.remedy is not None
    assert finding.remedy.id == "verify"


def test_a_verification_that_failed(patient: Patient) -> None:
    patient.record(framework="python", **verified(VerificationOutcome.FAILED, "The kernel was killed by signal 9."))
    finding = patient.only("verification")
    assert finding.sentence == "Its last verification failed: The kernel was killed by signal 9."


def test_a_verification_that_saw_no_gpu(patient: Patient) -> None:
    seen = verified(VerificationOutcome.GPU_NOT_SEEN, "PyTorch sees no GPU.")
    patient.record(framework="pytorch", variant=Variant.GPU, cuda_built="12.9", **seen)
    finding = patient.only("verification")
    assert finding.sentence == (
        "Its last verification saw no GPU, and this machine has NVIDIA H200: PyTorch sees no GPU."
    )
    nothing = type(MACHINE)()
    assert patient.look("verification", hardware=nothing) == (), "there is none to be seen here"


def test_a_verification_of_a_kernel_for_the_processor_that_was_to_have_a_gpu(patient: Patient) -> None:
    sentence = "The environment's kernel did not start: it wants 9 GPUs, and 7 GPUs are visible here."
    patient.record(framework="python", variant=Variant.CPU, **verified(VerificationOutcome.GPU_NOT_SEEN, sentence))
    assert patient.only("verification").sentence == f"Its last verification came to nothing: {sentence}"


def test_packages_that_came_after_the_verification(patient: Patient) -> None:
    patient.install("torch", "2.7.1")
    later = time.time() + 60
    os.utime(patient.packages / "torch-2.7.1.dist-info", (later, later))
    finding = patient.only("verification-outdated")
    assert finding.sentence == "Packages were installed after its last verification: torch."
    assert finding.evidence == ("torch 2.7.1",)
    assert finding.remedy is not None
    assert finding.remedy.id == "verify"


def test_kernels_that_still_use_what_was_replaced(patient: Patient) -> None:
    finding = patient.only("restart-needed", environment={"restart_needed": ("k1", "k2")})
    assert finding.sentence == "2 running kernels still use what a rebuild has replaced."
    assert finding.evidence == ("Kernel k1", "Kernel k2")
    finding = patient.only("restart-needed", environment={"restart_needed": ("k1",)})
    assert finding.sentence == "A running kernel still uses what a rebuild has replaced."


def test_an_environment_from_the_future(patient: Patient) -> None:
    patient.record(framework="python", built_by="99.1")
    assert patient.only("built-by-newer").sentence.startswith("It was built by jupyter-gpu-kernels 99.1, and this is ")


def test_frameworks_that_take_all_memory_of_a_shared_gpu(patient: Patient) -> None:
    with_needs(patient)
    alone = GpuReading(
        uuid=H200.uuid,
        utilization=0,
        memory_used=0,
        memory_total=H200.memory_total,
        processes=(GpuProcess(pid=1, memory=1),),
    )
    shared = GpuReading(
        uuid=H200.uuid,
        utilization=0,
        memory_used=0,
        memory_total=H200.memory_total,
        processes=(GpuProcess(pid=1, memory=1), GpuProcess(pid=None, memory=1)),
    )
    assert patient.look("memory-shared", readings=(alone,)) == ()
    finding = patient.only("memory-shared", readings=(alone, shared))
    assert finding.sentence == (
        "TensorFlow takes nearly all of the GPU's memory for itself at its first computation, and 2 processes share "
        "one."
    )
    assert finding.evidence == (f"{H200.uuid}: processes 1, unknown",)
    assert finding.cure == "Let it take what it needs: `jupyter gpu-kernels memory lab grow`."
    assert patient.look("memory-shared", readings=(shared,), environment={"memory": MemoryPreset.GROW}) == ()
    assert patient.look("memory-shared", readings=(shared,), environ={"TF_FORCE_GPU_ALLOW_GROWTH": "true"}) == ()


def test_what_is_left_of_an_environment_is_told_once(patient: Patient) -> None:
    """That parts of it are gone is another check's; here nothing is made of it."""
    (patient.prefix / "bin" / "python").unlink()
    patient.packages.rename(patient.prefix / "elsewhere")
    told = [
        check.id
        for check in CHECKS
        if isinstance(check, EnvironmentCheck) and patient.examine(check.id).findings and check.id not in OTHERS
    ]
    assert told == ["half-deleted-environment"]
