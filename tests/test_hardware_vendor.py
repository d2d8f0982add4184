"""Whose GPUs a machine has, read from synthetic trees, and what is said where NVIDIA's driver shows none."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_gpu_kernels.hardware.fake import FakeNvml
from jupyter_gpu_kernels.hardware.nvml import REASONS
from jupyter_gpu_kernels.hardware.probe import hardware
from jupyter_gpu_kernels.hardware.vendor import vendor_of
from jupyter_gpu_kernels.models import Vendor


def pci(root: Path, vendor: str, kind: str) -> None:
    device = root / "sys/bus/pci/devices" / f"0000:{vendor}:{kind}"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "class").write_text(f"{kind}\n")


def drm(root: Path, vendor: str) -> None:
    device = root / "sys/class/drm/card0/device"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")


def test_apple_silicon_is_apples_and_an_intel_mac_nobodys(tmp_path: Path) -> None:
    assert vendor_of(tmp_path, "darwin", "arm64") is Vendor.APPLE
    assert vendor_of(tmp_path, "darwin", "x86_64") is Vendor.NONE


def test_amd_is_known_by_its_display_its_accelerator_and_its_driver(tmp_path: Path) -> None:
    drm(tmp_path / "display", "0x1002")
    pci(tmp_path / "accelerator", "0x1002", "0x120000")
    (tmp_path / "driver/dev").mkdir(parents=True)
    (tmp_path / "driver/dev/kfd").touch()
    for name in ("display", "accelerator", "driver"):
        assert vendor_of(tmp_path / name, "linux") is Vendor.AMD


def test_an_amd_processor_is_no_gpu(tmp_path: Path) -> None:
    pci(tmp_path, "0x1002", "0x060000")
    pci(tmp_path, "0x8086", "0x030000")
    assert vendor_of(tmp_path, "linux") is Vendor.NONE


def test_an_nvidia_gpu_beside_an_amd_one_is_what_counts(tmp_path: Path) -> None:
    drm(tmp_path, "0x1002")
    pci(tmp_path, "0x10de", "0x030200")
    assert vendor_of(tmp_path, "linux") is Vendor.NVIDIA


def test_a_machine_with_nothing_has_nothing(tmp_path: Path) -> None:
    assert vendor_of(tmp_path, "linux") is Vendor.NONE
    assert vendor_of(tmp_path, "win32") is Vendor.NONE


@pytest.mark.parametrize(
    ("vendor", "word"),
    [(Vendor.APPLE, "Metal"), (Vendor.AMD, "ROCm"), (Vendor.NVIDIA, "install it"), (Vendor.NONE, "libnvidia-ml")],
)
def test_a_machine_without_a_driver_says_what_it_has(vendor: Vendor, word: str) -> None:
    found = hardware(FakeNvml(error="NVML_ERROR_LIBRARY_NOT_FOUND"), {}, lambda: vendor)
    assert found.vendor is vendor
    assert word in found.reason


def test_a_driver_that_fails_says_so_whatever_else_there_is() -> None:
    code = "NVML_ERROR_LIB_RM_VERSION_MISMATCH"
    assert hardware(FakeNvml(error=code), {}, lambda: Vendor.AMD).reason == REASONS[code]


def test_a_library_without_a_gpu_for_it_is_not_what_is_wrong() -> None:
    code = "NVML_ERROR_DRIVER_NOT_LOADED"
    assert "ROCm" in hardware(FakeNvml(error=code), {}, lambda: Vendor.AMD).reason
    assert hardware(FakeNvml(error=code), {}, lambda: Vendor.NVIDIA).reason == REASONS[code]


@pytest.mark.parametrize("requested", ["", "void", "none"])
def test_a_container_that_was_given_no_gpu_says_so(requested: str) -> None:
    found = hardware(FakeNvml(), {"NVIDIA_VISIBLE_DEVICES": requested})
    assert "NVIDIA_VISIBLE_DEVICES" in found.reason
    assert found.vendor is Vendor.NVIDIA
