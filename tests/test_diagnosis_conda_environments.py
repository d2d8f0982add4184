"""The doctor on conda environments, made by the product itself of packages laid out as conda-forge does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from channel import ChannelBuilder, Server
from conftest import Caches
from doctoring import make_context
from manager import FRAMEWORKS, Recorder, make_manager
from patients import MACHINE, TORCH_VERSION, Patient, torch_files
from two_cudas import make_decoy

from jupyter_gpu_kernels.build.planning.catalogue import Catalogue
from jupyter_gpu_kernels.diagnosis.check import EnvironmentCheck
from jupyter_gpu_kernels.diagnosis.checks import CHECKS
from jupyter_gpu_kernels.models import EnvironmentSpec, Installer, Severity, Variant, VerificationOutcome

#: Of all checks of environments, those that rightly speak of one that nobody verified or registered, on no machine.
NOT_ABOUT_CONTENT = {"verification", "unregistered-kernel"}


@pytest.fixture
def patient(
    channel: str,
    serve_channel: Callable[..., Server],
    caches: Caches,
    wheel_dir: Path,
    tmp_path: Path,
) -> Patient:
    """A GPU environment with a stand-in of PyTorch."""
    with ChannelBuilder(tmp_path / "lab") as lab:
        home = lab.site_packages
        info = f"{home}/torch-2.7.1.dist-info"
        metadata = "Metadata-Version: 2.1\nName: torch\nVersion: 2.7.1\nRequires-Dist: nvidia-cudnn-cu12==9.5.1.17\n"
        lab.add_package(
            "pytorch",
            "2.7.1",
            f"cuda129_generic_py{lab.python_minor.replace('.', '')}_h1_200",
            depends=[lab.python_range, "cuda-version >=12.9,<13", "cuda-cudart >=12.9,<13.0a0", "cudnn >=9.10,<10.0a0"],
            files={
                f"{home}/torch/__init__.py": "",
                f"{home}/torch/version.py": TORCH_VERSION.format(version="2.7.1", cuda="12.9"),
                f"{info}/METADATA": metadata,
                f"{info}/INSTALLER": "conda",
                f"{info}/RECORD": "torch/__init__.py,,\ntorch/version.py,,\n",
            },
        )
        lab.add_package("cudnn", "9.10.1.4", "h2_0", files={"lib/libcudnn_stand_in.txt": ""})
    server = serve_channel(tmp_path / "lab")
    workshop = make_manager(channel, caches.root, channels=[server.url, channel]).workshop
    spec = EnvironmentSpec(
        name="lab",
        framework="pytorch",
        variant=Variant.GPU,
        installer=Installer.CONDA,
        target_cuda="12.9",
        companions=False,
        verify=False,
    )
    manifest = asyncio.run(workshop.create(spec, reporter=Recorder()))
    frameworks = tuple(Catalogue.load([FRAMEWORKS]))
    context = make_context(tmp_path / "machine", hardware=MACHINE, frameworks=frameworks)
    return Patient(prefix=Path(manifest.prefix), wheels=wheel_dir, uv_cache=caches.uv, context=context)


def test_a_conda_environment_from_head_to_foot(patient: Patient, base_python: Path, tmp_path: Path) -> None:
    """Healthy first, then broken in one way after the other: making it is what takes time."""
    checks = [check.id for check in CHECKS if isinstance(check, EnvironmentCheck)]
    spoken = {check_id for check_id in checks if check_id not in NOT_ABOUT_CONTENT and patient.look(check_id)}
    assert spoken == set()
    prefix = patient.prefix

    decoy = make_decoy(tmp_path / "decoy", base_python, patient.uv_cache)
    finding = patient.only("cuda-library-loaded", environ={"LD_LIBRARY_PATH": str(decoy)})
    assert finding.severity is Severity.NOTE
    assert finding.evidence[0] == f"libcudart.so.12: {decoy}/libcudart.so.12"
    assert finding.evidence[1].startswith(f"In a kernel, libcudart.so.12: {prefix}/targets/x86_64-linux/lib/")

    folder = tmp_path / "home" / ".local" / "lib" / patient.packages.parent.name / "site-packages"
    (folder / "torch-1.13.0.dist-info").mkdir(parents=True)
    finding = patient.only("user-packages", environ={"HOME": str(tmp_path / "home")})
    assert finding.evidence == (f"torch 1.13.0 in {folder}, 2.7.1 in the environment",)

    # What `conda install` of another cuDNN leaves.
    (record,) = (prefix / "conda-meta").glob("cudnn-*.json")
    older = record.rename(record.with_name("cudnn-9.1.0.70-h2_0.json"))
    assert (
        patient.only("cudnn-unfit").sentence == "PyTorch 2.7.1 needs cuDNN >=9.10,<10.0a0, and 9.1.0.70 is installed."
    )
    older.rename(record)

    (real,) = (prefix / "targets" / "x86_64-linux" / "lib").glob("libcudart.so.12.*")
    kept = real.rename(tmp_path / "kept")
    finding = patient.only("cuda-library-missing")
    assert f"{prefix}/targets/x86_64-linux/lib/libcudart.so.12 is missing (it leads to {real.name})" in finding.evidence
    kept.rename(real)

    (record,) = (prefix / "conda-meta").glob("cuda-cudart-*.json")
    gone = record.rename(tmp_path / "record")
    finding = patient.only("cuda-library-missing")
    assert finding.sentence == "A package of CUDA libraries that it needs is missing: cuda-cudart."
    gone.rename(record)

    # `pip install torch` in a conda environment.
    patient.install("torch", "2.13.0+cpu", torch_files("2.13.0+cpu", None))
    finding = patient.only("cpu-build")
    assert finding.severity is Severity.PROBLEM
    assert finding.evidence[1:] == (
        "torch 2.13.0+cpu was installed by uv",
        f"Built: pytorch 2.7.1 cuda129_generic_{'py' + patient.packages.parent.name[6:].replace('.', '')}_h1_200",
    )
    patient.install("torch", "2.13.0+cu126", torch_files("2.13.0+cu126", "12.6"))
    finding = patient.only("framework-replaced")
    assert finding.severity is Severity.WARNING
    assert finding.sentence == "PyTorch of conda was overwritten by uv: files of both may be mixed."


def test_a_build_string_tells_of_frameworks_that_tell_nothing_themselves(
    channel: str, caches: Caches, wheel_dir: Path, tmp_path: Path
) -> None:
    workshop = make_manager(channel, caches.root).workshop
    spec = EnvironmentSpec(
        name="warp", framework="warpdrive", variant=Variant.GPU, target_cuda="12.9", companions=False
    )
    manifest = asyncio.run(workshop.create(spec, reporter=Recorder()))
    frameworks = tuple(Catalogue.load([FRAMEWORKS]))
    context = make_context(tmp_path / "machine", hardware=MACHINE, frameworks=frameworks)
    patient = Patient(prefix=Path(manifest.prefix), wheels=wheel_dir, uv_cache=caches.uv, context=context)
    assert patient.look("cpu-build") == ()
    assert patient.look("verification-outdated") == (), "it was verified after all was installed"
    # Where the tests run on a machine with a GPU, it was seen.
    unseen = "Its last verification saw no GPU, and this machine has NVIDIA H200: "
    assert manifest.verification is not None
    assert [finding.sentence.startswith(unseen) for finding in patient.look("verification")] == [True] * (
        manifest.verification.outcome is VerificationOutcome.GPU_NOT_SEEN
    )
    (record,) = (patient.prefix / "conda-meta").glob("warpdrive-1*.json")
    name, version, _ = record.name.removesuffix(".json").rsplit("-", 2)
    record.rename(record.with_name(f"{name}-{version}-cpu_py311h0a1b2c3_0.json"))
    finding = patient.only("cpu-build")
    assert finding.sentence == (
        f"Warpdrive {version} in it is a CPU build, although the environment was made for the GPU."
    )
    assert finding.evidence[0] == f"warpdrive {version} cpu_py311h0a1b2c3_0"
