"""What the doctor says of machines that are broken in one way each, and that it says nothing of sound ones."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from doctoring import look, make_context
from drivers import COMPILER, needs_compiler
from scripted import environment_of, manifest_of

from jupyter_gpu_kernels.diagnosis.checks import CHECKS, MACHINE
from jupyter_gpu_kernels.diagnosis.context import Context
from jupyter_gpu_kernels.diagnosis.doctor import Doctor
from jupyter_gpu_kernels.diagnosis.machine.devices import permissions
from jupyter_gpu_kernels.hardware.fake import FakeNvml
from jupyter_gpu_kernels.hardware.probe import hardware, open_nvml
from jupyter_gpu_kernels.models import EnvironmentSpec, Finding, MemoryPreset, Severity, Vendor

DRIVER = "580.65.06"
NVML = {"driver": DRIVER, "cuda": "13.0", "gpus": [{"name": "NVIDIA A100"}]}
LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 1048576              files
Max address space         unlimited            unlimited            bytes
"""


class Machine:
    """The files of a sound machine with one GPU, to be broken, and what its driver would say."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.nvml: dict[str, Any] = dict(NVML)
        self.environ: dict[str, str] = {}
        self.gpu()
        self.write("/proc/driver/nvidia/version", f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {DRIVER}  Sun\n")
        self.write("/proc/version", "Linux version 6.1.0 (gcc)\n")
        self.write("/proc/sys/kernel/osrelease", "6.1.0\n")
        self.write("/proc/self/mounts", "tmpfs /dev/shm tmpfs rw,nosuid 0 0\n")
        self.write("/proc/self/limits", LIMITS)
        self.write("/proc/1/cgroup", "0::/init.scope\n")
        self.write("/lib/modules/6.1.0/updates/dkms/nvidia.ko.xz")
        self.write("/sys/module/nvidia/version", f"{DRIVER}\n")
        for stem in ("libcuda", "libnvidia-ml"):
            self.write(f"/usr/lib/x86_64-linux-gnu/{stem}.so.{DRIVER}")
        for name in ("nvidia0", "nvidiactl", "nvidia-uvm"):
            self.write(f"/dev/{name}")

    def write(self, path: str, text: str | bytes = "") -> Path:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def gpu(self, address: str = "0000:01:00.0") -> None:
        self.write(f"/sys/bus/pci/devices/{address}/vendor", "0x10de\n")
        self.write(f"/sys/bus/pci/devices/{address}/class", "0x030200\n")

    def remove(self, *paths: str) -> None:
        for path in paths:
            place = self.root / path.lstrip("/")
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()

    def without_module(self) -> None:
        """As after a boot without the driver's module; the driver is installed."""
        self.remove("/proc/driver/nvidia", "/sys/module/nvidia", "/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm")
        self.nvml = {"error": "NVML_ERROR_DRIVER_NOT_LOADED"}

    def without_driver(self) -> None:
        """As before the driver was installed."""
        self.without_module()
        self.remove("/lib/modules", "/usr/lib/x86_64-linux-gnu")
        self.nvml = {"error": "NVML_ERROR_LIBRARY_NOT_FOUND"}

    def in_docker(self) -> None:
        """As in a container that was not given the GPU; the kernel and the bus are the host's."""
        self.write("/.dockerenv")
        self.remove("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/usr/lib/x86_64-linux-gnu", "/lib/modules")
        self.nvml = {"error": "NVML_ERROR_LIBRARY_NOT_FOUND"}

    def context(self, **changes: Any) -> Context:
        nvml = FakeNvml.described(json.dumps(self.nvml))
        vendor = Vendor.NVIDIA if (self.root / "sys/bus/pci/devices").exists() else Vendor.NONE
        found = hardware(nvml, self.environ, lambda: vendor)
        readings = () if "error" in self.nvml else nvml.readings()
        return make_context(self.root, **{"hardware": found, "readings": readings, "environ": self.environ, **changes})

    def look(self, check: str, **changes: Any) -> tuple[Finding, ...]:
        return look(check, self.context(**changes))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


def environment(name: str = "tf", *, cuda: str = "12.9", **changes: Any) -> Any:
    manifest = manifest_of(EnvironmentSpec(name=name, framework="tensorflow"))
    return replace(environment_of(manifest), cuda=cuda, **changes)


def everything(context: Context) -> list[str]:
    diagnosis = asyncio.run(Doctor(MACHINE).examine(context))
    assert [item for item in diagnosis.examined if item.skipped] == []
    return [f"{finding.check}: {finding.sentence}" for finding in diagnosis.findings]


def test_of_a_sound_machine_nothing_is_said(machine: Machine) -> None:
    assert everything(machine.context(environments=(environment(),))) == []


def test_of_a_sound_container_nothing_is_said(machine: Machine, tmp_path: Path) -> None:
    machine.write("/.dockerenv")
    machine.remove("/lib/modules")
    machine.environ |= {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
    # As NVIDIA's images have it; those directories of this machine, if it is such a container, are none of its.
    machine.environ["LD_LIBRARY_PATH"] = f"{tmp_path}/nvidia/lib:{tmp_path}/nvidia/lib64"
    # Of the host's two GPUs it was given one.
    machine.gpu("0000:02:00.0")
    assert everything(machine.context()) == []


def test_of_a_sound_windows_subsystem_nothing_is_said(machine: Machine) -> None:
    machine.remove("/sys", "/proc/driver", "/dev", "/lib/modules", "/usr/lib/x86_64-linux-gnu")
    machine.write("/dev/dxg")
    machine.write("/proc/version", "Linux version 5.15.153.1-microsoft-standard-WSL2\n")
    machine.write("/usr/lib/wsl/lib/libcuda.so.1")
    assert everything(machine.context()) == []


def test_a_machine_without_any_gpu_gets_one_note(machine: Machine) -> None:
    machine.without_driver()
    machine.remove("/sys")
    assert everything(machine.context()) == ["no-gpu: This machine has no NVIDIA GPU: kernels compute on the CPU."]
    (found,) = machine.look("no-gpu")
    assert found.severity is Severity.NOTE
    assert "--target-cuda" in found.cure


def test_another_vendors_gpu_is_a_note(machine: Machine) -> None:
    machine.without_driver()
    machine.remove("/sys")
    context = machine.context()
    context = replace(context, hardware=replace(context.hardware, vendor=Vendor.AMD, reason="The GPU here is AMD's."))
    assert everything(context) == ["no-gpu: The GPU here is AMD's."]


def test_a_gpu_without_a_driver_is_a_problem(machine: Machine) -> None:
    machine.without_driver()
    (found,) = machine.look("driver-missing")
    assert found.severity is Severity.PROBLEM
    assert "NVIDIA's driver is not installed" in found.sentence
    assert "On the PCI bus: NVIDIA GPU 0000:01:00.0" in found.evidence
    assert "Install" in found.cure
    assert found.link
    assert machine.look("no-gpu") == ()


def test_a_driver_that_is_not_loaded_is_told_from_one_that_is_not_installed(machine: Machine) -> None:
    machine.without_module()
    (found,) = machine.look("driver-missing")
    assert found.sentence == "NVIDIA's driver is installed but not loaded."
    assert "modprobe" in found.cure
    assert "Not loaded: /lib/modules/6.1.0/updates/dkms/nvidia.ko.xz" in found.evidence


def test_secure_boot_is_named_where_it_is_on(machine: Machine) -> None:
    machine.without_module()
    variable = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    machine.write(variable, b"\x06\0\0\0\x01")
    (found,) = machine.look("driver-missing")
    assert "Secure Boot" in found.sentence
    assert "mokutil" in found.cure
    machine.write(variable, b"\x06\0\0\0\x00")
    (found,) = machine.look("driver-missing")
    assert "Secure Boot" not in found.sentence


def test_nouveau_is_named_where_it_has_the_gpu(machine: Machine) -> None:
    machine.without_driver()
    machine.write("/sys/module/nouveau/refcnt")
    (found,) = machine.look("driver-missing")
    assert "nouveau" in found.sentence


@pytest.mark.parametrize("kind", ["x86_64 Kernel Module  {}  Sun", "Open Kernel Module for x86_64  {}  Release Build"])
def test_parts_of_the_driver_of_different_versions_are_a_problem(machine: Machine, kind: str) -> None:
    machine.write("/proc/driver/nvidia/version", f"NVRM version: NVIDIA UNIX {kind.format('575.57.08')}\n")
    machine.nvml = {"error": "NVML_ERROR_LIB_RM_VERSION_MISMATCH"}
    (found,) = machine.look("driver-mismatch")
    assert found.severity is Severity.PROBLEM
    assert "different versions" in found.sentence
    assert "Kernel module: 575.57.08" in found.evidence
    assert f"Library: {DRIVER} (/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.{DRIVER})" in found.evidence
    assert found.cure.startswith("Reboot")


def test_a_module_without_libraries_is_a_problem(machine: Machine) -> None:
    machine.remove("/usr/lib/x86_64-linux-gnu")
    machine.nvml = {"error": "NVML_ERROR_LIBRARY_NOT_FOUND"}
    (found,) = machine.look("driver-libraries")
    assert f"NVIDIA's driver {DRIVER} is loaded, but the driver's libraries are not installed" in found.sentence
    assert machine.look("driver-missing") == ()


@pytest.mark.parametrize(
    ("driver", "severity", "words"),
    [
        ("575.57.08", Severity.NOTE, "runs builds for CUDA 12"),
        ("525.60.13", Severity.NOTE, "runs builds for CUDA 12"),
        ("515.43.04", Severity.WARNING, "it runs builds for CUDA 11 and older"),
        ("340.108", Severity.WARNING, "too old for most of what is built today."),
    ],
)
def test_an_old_driver_is_told_with_what_it_runs(machine: Machine, driver: str, severity: Severity, words: str) -> None:
    machine.nvml["driver"] = driver
    (found,) = machine.look("driver-age")
    assert found.severity is severity
    assert words in found.sentence
    assert "580" in found.cure


def test_an_environment_for_a_newer_driver_can_be_rebuilt(machine: Machine) -> None:
    machine.nvml |= {"driver": "535.161.07", "cuda": "12.2"}
    old, new = environment("old", cuda="12.9"), environment("new", cuda="13.0")
    manifests = {"new": manifest_of(EnvironmentSpec(name="new", framework="tensorflow"))}
    (found,) = machine.look("driver-too-old", environments=(old, new), manifest_of=manifests.get)
    assert (found.severity, found.subject) == (Severity.PROBLEM, "new")
    assert "built for CUDA 13.0" in found.sentence
    assert "CUDA 13.0 needs driver 580 or newer" in found.evidence
    assert found.remedy is not None
    assert (found.remedy.id, found.remedy.subject) == ("rebuild", "new")


def test_what_a_rebuild_would_not_change_is_not_offered_a_rebuild(machine: Machine) -> None:
    machine.nvml |= {"driver": "535.161.07", "cuda": "12.2"}
    new = environment("new", cuda="13.0")
    pinned = manifest_of(EnvironmentSpec(name="new", framework="tensorflow", cuda="13.0"))
    (found,) = machine.look("driver-too-old", environments=(new,), manifest_of=lambda name: pinned)
    assert found.remedy is None
    # Built for another machine, it is as it was meant to be.
    aimed = manifest_of(EnvironmentSpec(name="new", framework="tensorflow", target_cuda="13.0"))
    assert machine.look("driver-too-old", environments=(new,), manifest_of=lambda name: aimed) == ()


def test_libraries_of_a_newer_driver_inside_the_environment_excuse_the_old_one(
    machine: Machine, tmp_path: Path
) -> None:
    machine.nvml |= {"driver": "535.161.07", "cuda": "12.2"}
    (tmp_path / "new" / "cuda-compat").mkdir(parents=True)
    new = environment("new", cuda="13.0", prefix=str(tmp_path / "new"))
    assert machine.look("driver-too-old", environments=(new,)) == ()


@pytest.mark.parametrize(
    ("break_it", "severity", "words"),
    [
        (lambda machine: None, Severity.NOTE, "lends no NVIDIA driver"),
        (lambda machine: machine.write("/usr/lib/wsl/lib/libcuda.so.1"), Severity.PROBLEM, "do not find it"),
        (
            lambda machine: machine.write("/usr/lib/x86_64-linux-gnu/libcuda.so.535.1.1"),
            Severity.PROBLEM,
            "hides Windows's own",
        ),
    ],
)
def test_a_windows_subsystem_says_what_keeps_it_from_the_driver(
    machine: Machine, break_it: Callable[[Machine], object], severity: Severity, words: str
) -> None:
    machine.remove("/sys", "/proc/driver", "/dev", "/lib/modules", "/usr/lib/x86_64-linux-gnu")
    machine.write("/proc/version", "Linux version 5.15.153.1-microsoft-standard-WSL2\n")
    machine.nvml = {"error": "NVML_ERROR_LIBRARY_NOT_FOUND"}
    break_it(machine)
    (found,) = machine.look("windows-driver")
    assert found.severity is severity
    assert words in found.sentence


def test_a_container_without_the_hosts_gpu_is_a_problem(machine: Machine) -> None:
    machine.in_docker()
    machine.environ["NVIDIA_VISIBLE_DEVICES"] = "all"
    (said,) = everything(machine.context())
    assert said.startswith("container-without-gpu: The host of this Docker container has an NVIDIA GPU")
    (found,) = machine.look("container-without-gpu")
    assert found.severity is Severity.PROBLEM
    assert "--gpus all" in found.cure
    assert f"The host's driver: {DRIVER}" in found.evidence
    assert "NVIDIA_VISIBLE_DEVICES=all" in found.evidence


def test_a_container_on_a_host_without_a_gpu_gets_one_note(machine: Machine) -> None:
    machine.in_docker()
    machine.remove("/sys", "/proc/driver")
    (said,) = everything(machine.context())
    assert said == "container-without-gpu: This Docker container has no GPU: kernels compute on the CPU."


@pytest.mark.parametrize(
    ("environ", "file", "text", "words"),
    [
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "", "", "nvidia.com/gpu: 1"),
        ({"APPTAINER_CONTAINER": "/x.sif"}, "", "", "--nv"),
        ({}, "/run/.containerenv", "", "nvidia.com/gpu=all"),
        ({}, "/proc/1/cgroup", "0::/system.slice/docker-0123.scope\n", "--gpus all"),
        ({}, "/proc/1/cgroup", "0::/lxc.payload.box\n", "/dev/nvidia*"),
    ],
)
def test_each_kind_of_container_has_its_own_cure(
    machine: Machine, environ: dict[str, str], file: str, text: str, words: str
) -> None:
    machine.in_docker()
    machine.remove("/.dockerenv")
    machine.environ |= environ
    if file:
        machine.write(file, text)
    (found,) = machine.look("container-without-gpu")
    assert words in found.cure


@pytest.mark.parametrize("value", ["void", "none", ""])
def test_a_container_that_was_told_to_have_no_gpu_is_a_problem(machine: Machine, value: str) -> None:
    machine.in_docker()
    machine.environ["NVIDIA_VISIBLE_DEVICES"] = value
    (found,) = machine.look("container-told-none")
    assert found.severity is Severity.PROBLEM
    assert f"NVIDIA_VISIBLE_DEVICES={value}" in found.evidence
    # Where nothing hints at a GPU, nothing is kept from it.
    machine.remove("/sys", "/proc/driver")
    assert machine.look("container-told-none") == ()


def test_a_container_that_may_only_look_at_its_gpu_is_a_problem(machine: Machine) -> None:
    machine.write("/.dockerenv")
    machine.environ["NVIDIA_DRIVER_CAPABILITIES"] = "utility"
    (found,) = machine.look("driver-capabilities")
    assert "not to compute with" in found.sentence
    machine.environ["NVIDIA_DRIVER_CAPABILITIES"] = "all"
    assert machine.look("driver-capabilities") == ()


def test_a_missing_memory_device_is_told_unless_it_is_made_when_needed(machine: Machine) -> None:
    machine.remove("/dev/nvidia-uvm")
    (found,) = machine.look("memory-device")
    assert found.severity is Severity.WARNING
    assert "Missing: /dev/nvidia-uvm" in found.evidence
    program = machine.write("/usr/bin/nvidia-modprobe")
    program.chmod(stat.S_ISUID | 0o755)
    assert machine.look("memory-device") == ()
    machine.write("/.dockerenv")
    (found,) = machine.look("memory-device")
    assert found.severity is Severity.PROBLEM
    assert "on the host" in found.cure


def test_devices_that_this_user_may_not_use_are_told(machine: Machine) -> None:
    machine.write("/dev/nvidia1")
    context = machine.context()
    assert list(permissions(context)) == []
    (found,) = permissions(context, lambda path: path.name != "nvidia1")
    assert found.severity is Severity.NOTE
    (found,) = permissions(context, lambda path: not path.name.startswith("nvidia"))
    assert found.severity is Severity.PROBLEM
    assert "/dev/nvidia0, /dev/nvidia1, /dev/nvidiactl, /dev/nvidia-uvm" in found.sentence
    assert any(fact.startswith("/dev/nvidia0: -rw") for fact in found.evidence)
    (found,) = permissions(context, lambda path: path.name != "nvidiactl")
    assert found.severity is Severity.PROBLEM


def test_a_gpu_that_does_not_answer_is_told(machine: Machine) -> None:
    machine.gpu("0000:02:00.0")
    (found,) = machine.look("gpu-lost")
    assert found.sentence == "The machine has 2 NVIDIA GPUs, and the driver shows 1."
    assert "On the PCI bus: 0000:02:00.0" in found.evidence
    # Unless it is meant for a virtual machine.
    (machine.root / "sys/bus/pci/drivers/vfio-pci").mkdir(parents=True)
    (machine.root / "sys/bus/pci/devices/0000:02:00.0/driver").symlink_to("../../drivers/vfio-pci")
    assert machine.look("gpu-lost") == ()


@pytest.mark.parametrize(
    ("mask", "severity", "words"),
    [
        ("", Severity.PROBLEM, "CUDA_VISIBLE_DEVICES is empty"),
        ("-1", Severity.PROBLEM, "there is no such GPU here"),
        ("3", Severity.PROBLEM, "there is no such GPU here"),
        ("GPU-deadbeef", Severity.PROBLEM, "there is no such GPU here"),
        ("0,0", Severity.PROBLEM, "names a GPU twice"),
        ("0,5", Severity.WARNING, "nothing from '5' on is visible"),
    ],
)
def test_a_mask_that_hides_gpus_is_told(machine: Machine, mask: str, severity: Severity, words: str) -> None:
    machine.environ["CUDA_VISIBLE_DEVICES"] = mask
    (found,) = machine.look("gpus-masked")
    assert found.severity is severity
    assert words in found.sentence
    assert f"CUDA_VISIBLE_DEVICES={mask}" in found.evidence
    assert "unset it" in found.cure


@pytest.mark.parametrize("mask", ["0", "1,0", "GPU-00000000-0000-0000-0000-000000000001"])
def test_a_mask_that_names_gpus_that_are_there_is_no_finding(machine: Machine, mask: str) -> None:
    machine.nvml["gpus"] = [{}, {}]
    machine.environ["CUDA_VISIBLE_DEVICES"] = mask
    assert machine.look("gpus-masked") == ()


def test_numbers_of_unlike_gpus_are_a_note(machine: Machine) -> None:
    machine.nvml["gpus"] = [{"compute_capability": "7.5"}, {"compute_capability": "9.0"}]
    machine.environ["CUDA_VISIBLE_DEVICES"] = "0"
    (found,) = machine.look("gpus-masked")
    assert found.severity is Severity.NOTE
    assert "PCI_BUS_ID" in found.sentence


@pytest.mark.parametrize(
    ("mode", "severity", "words"),
    [
        ("prohibited", Severity.PROBLEM, "compute for nobody"),
        ("exclusive", Severity.WARNING, "one process at a time"),
    ],
)
def test_a_compute_mode_that_keeps_kernels_out_is_told(
    machine: Machine, mode: str, severity: Severity, words: str
) -> None:
    machine.nvml["gpus"] = [{}, {"name": "NVIDIA H200", "compute_mode": mode}]
    (found,) = machine.look("compute-mode")
    assert found.severity is severity
    assert "GPU 1 (NVIDIA H200)" in found.sentence
    assert words in found.sentence
    assert "nvidia-smi -i 1 -c 0" in found.cure


def test_a_split_gpu_without_instances_is_a_problem(machine: Machine) -> None:
    machine.nvml["gpus"] = [{"mig": True}]
    (found,) = machine.look("mig-without-instances")
    assert found.severity is Severity.PROBLEM
    assert "has no instance" in found.sentence
    machine.nvml["gpus"] = [{"instances": [{}, {}]}]
    assert machine.look("mig-without-instances") == ()


def compiled(source: str, library: Path) -> Path:
    """A real library; its directory is made."""
    library.parent.mkdir(parents=True, exist_ok=True)
    code = library.with_suffix(".c")
    code.write_text(source)
    subprocess.run([str(COMPILER), "-shared", "-fPIC", "-o", library, code], check=True)
    code.unlink()
    return library


STUB = "int cuInit(unsigned flags) { return 34; }"
SOUND = "int cuInit(unsigned flags) { return 0; }"


@needs_compiler
def test_a_stand_in_for_the_drivers_library_is_told(machine: Machine, tmp_path: Path) -> None:
    hidden = compiled(STUB, tmp_path / "cuda" / "lib64" / "libcuda.so.1")
    machine.environ["LD_LIBRARY_PATH"] = f"/nowhere:{hidden.parent}"
    (found,) = machine.look("stub-driver-library")
    assert found.severity is Severity.PROBLEM
    assert "stand-in" in found.sentence
    assert str(hidden) in found.evidence[0]
    assert f"Take {hidden.parent} out" in found.cure
    # One in its usual place reaches no kernel that is made here.
    usual = compiled(STUB, tmp_path / "cuda" / "lib64" / "stubs" / "libcuda.so.1")
    machine.environ["LD_LIBRARY_PATH"] = str(usual.parent)
    (found,) = machine.look("stub-driver-library")
    assert found.severity is Severity.NOTE
    compiled(SOUND, hidden)
    machine.environ["LD_LIBRARY_PATH"] = str(hidden.parent)
    assert machine.look("stub-driver-library") == ()


def test_libraries_of_another_driver_on_the_path_are_a_problem(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "libcuda.so.470.1.2").touch()
    machine.environ["LD_LIBRARY_PATH"] = str(tmp_path / "old")
    (found,) = machine.look("several-drivers")
    assert found.severity is Severity.PROBLEM
    assert f"driver 470.1.2, but driver {DRIVER} is loaded" in found.sentence
    # The same beside each other in the system's own directories.
    del machine.environ["LD_LIBRARY_PATH"]
    assert machine.look("several-drivers") == ()
    machine.write("/usr/lib64/libcuda.so.470.1.2")
    (found,) = machine.look("several-drivers")
    assert found.severity is Severity.WARNING
    assert "libcuda 470.1.2: /usr/lib64/libcuda.so.470.1.2" in found.evidence


def test_libraries_for_forward_compatibility_are_meant_to_be_there(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "compat").mkdir()
    (tmp_path / "compat" / "libcuda.so.590.1.2").touch()
    machine.environ["LD_LIBRARY_PATH"] = str(tmp_path / "compat")
    assert machine.look("several-drivers") == ()


def test_foreign_cuda_on_the_library_path_is_a_note(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "cuda-12.1" / "lib64"
    folder.mkdir(parents=True)
    for name in ("libcudart.so.12", "libcublas.so.12", "libcudnn.so.9", "libnccl.so.2", "libnvrtc.so.12"):
        (folder / name).touch()
    machine.environ["LD_LIBRARY_PATH"] = f"{folder}:/usr/lib"
    (found,) = machine.look("foreign-cuda")
    assert found.severity is Severity.NOTE
    assert "kernels made here load their own all the same" in found.sentence
    assert found.evidence == (f"{folder}: libcublas.so.12, libcudart.so.12, libcudnn.so.9, libnccl.so.2, …",)


@pytest.mark.parametrize("value", [":/usr/lib", "/usr/lib:", "/a::/b", "lib:/usr/lib"])
def test_the_working_directory_on_the_library_path_is_a_note(machine: Machine, value: str) -> None:
    machine.environ["LD_LIBRARY_PATH"] = value
    (found,) = machine.look("library-path")
    assert found.severity is Severity.NOTE
    assert found.evidence == (f"LD_LIBRARY_PATH={value}",)


def test_preloaded_libraries_that_harm_are_told(machine: Machine, tmp_path: Path) -> None:
    machine.environ["LD_PRELOAD"] = str(tmp_path / "gone.so")
    (found,) = machine.look("preloaded-library")
    assert (found.severity, "does not exist" in found.sentence) == (Severity.WARNING, True)
    (tmp_path / "libcudnn.so.8").touch()
    machine.environ["LD_PRELOAD"] = f"libjemalloc.so.2 {tmp_path / 'libcudnn.so.8'}"
    (found,) = machine.look("preloaded-library")
    assert (found.severity, "libcudnn.so.8" in found.sentence) == (Severity.PROBLEM, True)
    machine.environ["LD_PRELOAD"] = "libjemalloc.so.2"
    assert machine.look("preloaded-library") == ()


def test_another_pythons_home_is_a_note(machine: Machine) -> None:
    machine.environ["PYTHONHOME"] = "/opt/b"
    (found,) = machine.look("python-home")
    assert (found.severity, found.evidence) == (Severity.NOTE, ("PYTHONHOME=/opt/b",))
    assert "kernels made here are started without" in found.sentence


@pytest.mark.parametrize(
    ("value", "severity", "words"),
    [
        ("12.4", Severity.NOTE, "builds chosen for CUDA 12.4"),
        ("", Severity.WARNING, "builds for the CPU are chosen"),
        ("8.6=NVIDIA", Severity.WARNING, "no version of CUDA"),
    ],
)
def test_an_overridden_cuda_is_told(machine: Machine, value: str, severity: Severity, words: str) -> None:
    machine.environ["CONDA_OVERRIDE_CUDA"] = value
    (found,) = machine.look("cuda-override")
    assert found.severity is severity
    assert words in found.sentence
    assert f"CONDA_OVERRIDE_CUDA={value}" in found.evidence


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("JAX_PLATFORMS", "cpu", True),
        ("JAX_PLATFORMS", "cuda,cpu", False),
        ("JAX_PLATFORMS", "", False),
        ("JAX_PLATFORM_NAME", "cpu", True),
        ("JAX_PLATFORM_NAME", "gpu", False),
        ("NUMBA_DISABLE_CUDA", "1", True),
        ("NUMBA_DISABLE_CUDA", "0", False),
    ],
)
def test_a_variable_that_keeps_a_framework_from_the_gpu_is_told(
    machine: Machine, name: str, value: str, hidden: bool
) -> None:
    machine.environ[name] = value
    found = machine.look("gpu-hidden-from-framework")
    assert [finding.evidence for finding in found] == ([(f"{name}={value}",)] if hidden else [])
    machine.nvml["gpus"] = []
    assert machine.look("gpu-hidden-from-framework") == ()


def test_memory_settings_for_all_kernels_are_a_note(machine: Machine) -> None:
    machine.environ |= {"XLA_PYTHON_CLIENT_MEM_FRACTION": ".5", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    (found,) = machine.look("memory-variables")
    assert found.severity is Severity.NOTE
    assert found.evidence == ("TF_FORCE_GPU_ALLOW_GROWTH=true", "XLA_PYTHON_CLIENT_MEM_FRACTION=.5")


def test_a_preset_that_the_servers_variables_overrule_is_told(machine: Machine) -> None:
    machine.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "false"
    grow, plain = environment("grow", memory=MemoryPreset.GROW), environment("plain")
    (found,) = machine.look("preset-overruled", environments=(grow, plain))
    assert (found.severity, found.subject) == (Severity.WARNING, "grow")
    assert found.evidence == ("TF_FORCE_GPU_ALLOW_GROWTH=false; the preset has true",)
    machine.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    assert machine.look("preset-overruled", environments=(grow, plain)) == ()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CUDA_LAUNCH_BLOCKING", "1", True),
        ("CUDA_LAUNCH_BLOCKING", "0", False),
        ("NVIDIA_TF32_OVERRIDE", "0", True),
        ("CUDA_CACHE_DISABLE", "1", True),
    ],
)
def test_debugging_settings_that_were_left_on_are_a_note(machine: Machine, name: str, value: str, told: bool) -> None:
    machine.environ[name] = value
    found = machine.look("debugging-variables")
    assert [finding.evidence for finding in found] == ([(f"{name}={value}",)] if told else [])


@pytest.mark.parametrize(
    ("options", "told"),
    [("rw,size=65536k", True), ("rw,size=64m,mode=1777", True), ("rw,size=16g", False), ("rw,nosuid", False)],
)
def test_too_little_shared_memory_is_told(machine: Machine, options: str, told: bool) -> None:
    machine.write("/proc/self/mounts", f"proc /proc proc rw 0 0\nshm /dev/shm tmpfs {options} 0 0\n")
    found = machine.look("shared-memory")
    assert len(found) == told
    if told:
        assert "64 MiB" in found[0].sentence
        assert "remount" in found[0].cure
        machine.write("/.dockerenv")
        assert "--shm-size" in machine.look("shared-memory")[0].cure


def test_limits_that_frameworks_run_into_are_told(machine: Machine) -> None:
    machine.write(
        "/proc/self/limits",
        LIMITS.replace("1024   ", "256    ").replace("space         unlimited  ", "space         34359738368"),
    )
    addresses, files = machine.look("process-limits")
    assert addresses.sentence.startswith("Kernels may use 32 GiB of addresses")
    assert files.sentence.startswith("Kernels may open 256 files")
    assert {addresses.severity, files.severity} == {Severity.WARNING}


def test_every_check_has_an_id_and_a_title_of_its_own() -> None:
    ids = [check.id for check in CHECKS]
    assert len(set(ids)) == len(ids)
    assert all(check.id == check.id.lower() and " " not in check.id for check in CHECKS)
    assert all(check.title and not check.title.endswith(".") for check in CHECKS)


@pytest.mark.gpu
def test_of_a_real_machine_that_computes_no_problem_is_told() -> None:
    found = hardware()
    assert found.gpus, found.reason
    nvml = open_nvml()
    nvml.open()
    try:
        readings = nvml.readings()
    finally:
        nvml.close()
    context = make_context(Path("/"), hardware=found, readings=readings, environ=dict(os.environ))
    diagnosis = asyncio.run(Doctor(MACHINE).examine(context))
    assert [item for item in diagnosis.examined if item.skipped] == []
    assert [finding for finding in diagnosis.findings if finding.severity is Severity.PROBLEM] == []
