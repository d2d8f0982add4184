"""What can be known of GPUs without the driver."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_gpu_kernels.hardware.fake import VARIABLE
from jupyter_gpu_kernels.hardware.glance import Glance, glance

UUIDS = [f"GPU-6bc5e3ab-0000-0000-0000-{number:012d}" for number in range(4)]


def machine(root: Path, *uuids: str, split: bool = False, files: int | None = None) -> Path:
    """What the driver's kernel module shows, and the first so many device files."""
    (root / "dev").mkdir(parents=True)
    for number in range(len(uuids) if files is None else files):
        (root / "dev" / f"nvidia{number}").touch()
    for name in ("nvidiactl", "nvidia-uvm"):
        (root / "dev" / name).touch()
    for number, uuid in enumerate(uuids):
        folder = root / "proc/driver/nvidia/gpus" / f"0000:{number:02x}:00.0"
        folder.mkdir(parents=True)
        lines = ["Model: \t\t NVIDIA H200", "IRQ:   \t\t 163", f"GPU UUID: \t {uuid}", f"Device Minor: \t {number}", ""]
        (folder / "information").write_text("\n".join(lines))
    capabilities = root / "proc/driver/nvidia/capabilities/gpu0/mig"
    capabilities.mkdir(parents=True)
    (capabilities / "config").touch()
    if split:
        (capabilities / "gi1").mkdir()
    return root


ONE = Glance(count=1, uuid=UUIDS[0], name="NVIDIA H200")


@pytest.mark.parametrize(
    ("gpus", "environ", "seen"),
    [
        (1, {}, ONE),
        (1, {"CUDA_VISIBLE_DEVICES": "0"}, ONE),
        (1, {"CUDA_VISIBLE_DEVICES": UUIDS[0]}, ONE),
        # Perhaps a prefix, perhaps nonsense: the driver knows.
        (1, {"CUDA_VISIBLE_DEVICES": "GPU-6bc"}, Glance(count=1, name="NVIDIA H200")),
        (1, {"CUDA_VISIBLE_DEVICES": ""}, Glance(count=0)),
        (1, {"CUDA_VISIBLE_DEVICES": "-1"}, Glance(count=0)),
        (1, {VARIABLE: "{}"}, Glance(count=None)),
        (1, {VARIABLE: "{}", "CUDA_VISIBLE_DEVICES": " "}, Glance(count=0)),
        (4, {}, Glance(count=None)),
        (4, {"CUDA_VISIBLE_DEVICES": "2"}, Glance(count=None)),
        (4, {"CUDA_VISIBLE_DEVICES": UUIDS[2]}, Glance(count=None)),
        (4, {"CUDA_VISIBLE_DEVICES": "-1"}, Glance(count=0)),
        (4, {"CUDA_VISIBLE_DEVICES": "0,2"}, Glance(count=None)),
    ],
)
def test_a_glance_at_a_machine(tmp_path: Path, gpus: int, environ: dict[str, str], seen: Glance) -> None:
    assert glance(environ, root=machine(tmp_path, *UUIDS[:gpus]), platform="linux") == seen


def test_a_split_gpu_has_to_be_asked(tmp_path: Path) -> None:
    assert glance({}, root=machine(tmp_path, UUIDS[0], split=True), platform="linux") == Glance(count=None)


def test_a_gpu_that_the_driver_has_not_looked_at_yet_is_one(tmp_path: Path) -> None:
    root = machine(tmp_path, "GPU-????????-????-????-????-????????????")
    assert glance({}, root=root, platform="linux") == Glance(count=1, name="NVIDIA H200")


def test_a_container_has_the_gpus_whose_device_files_it_has(tmp_path: Path) -> None:
    assert glance({}, root=machine(tmp_path, *UUIDS, files=1), platform="linux") == ONE


def test_before_there_are_device_files_the_list_counts(tmp_path: Path) -> None:
    assert glance({}, root=machine(tmp_path, UUIDS[0], files=0), platform="linux") == ONE


@pytest.mark.parametrize(("files", "count"), [(0, 0), (1, 1), (2, None)])
def test_in_a_sandbox_there_are_device_files_alone(tmp_path: Path, files: int, count: int | None) -> None:
    assert glance({}, root=machine(tmp_path, files=files), platform="linux").count == count


def test_without_a_driver_there_is_nothing(tmp_path: Path) -> None:
    assert glance({}, root=tmp_path, platform="linux") == Glance(count=0)


def test_windows_has_one(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/dxg").touch()
    assert glance({}, root=tmp_path, platform="linux") == Glance(count=1)
    assert glance({}, root=tmp_path / "none", platform="win32") == Glance(count=1)
    assert glance({}, root=tmp_path / "none", platform="darwin") == Glance(count=0)


def test_a_glance_needs_neither_nvml_nor_psutil() -> None:
    code = (
        "import sys; from jupyter_gpu_kernels.launch import hold; hold.glance({}); "
        "print([name for name in ('pynvml', 'psutil', 'msgspec') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
