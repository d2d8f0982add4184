"""Whose accelerators a machine has where NVIDIA's driver shows none, and what that means."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from ..models import Vendor

#: PCI's numbers: https://pci-ids.ucw.cz
NVIDIA, AMD = "0x10de", "0x1002"

#: The classes "display controller" and "processing accelerator", of which some data-centre GPUs are.
CLASSES = ("0x03", "0x12")

REASONS = {
    Vendor.NVIDIA: "This machine has an NVIDIA GPU, but its driver is not to be found here: install it.",
    Vendor.APPLE: "This is a Mac with Apple silicon, whose GPU is used through Metal and never through CUDA.",
    Vendor.AMD: "The GPU here is AMD's, which is used through ROCm and never through CUDA.",
}


def vendor_of(root: Path = Path("/"), system: str = sys.platform, machine: str | None = None) -> Vendor:
    """Look whose GPUs there are, without any driver.

    Args:
        root: Where ``/sys`` and ``/dev`` are.
        system: As ``sys.platform`` has it.
        machine: As :func:`platform.machine` has it; ``None`` for this one.
    """
    if system == "darwin":
        return Vendor.APPLE if (platform.machine() if machine is None else machine) == "arm64" else Vendor.NONE
    vendors = set(_vendors(root))
    if NVIDIA in vendors:
        return Vendor.NVIDIA
    if AMD in vendors or (root / "dev/kfd").exists():
        return Vendor.AMD
    return Vendor.NONE


def _vendors(root: Path) -> Iterator[str]:
    """The makers of what is, or drives, a display, or computes."""
    yield from filter(None, map(_read, root.glob("sys/class/drm/*/device/vendor")))
    for device in root.glob("sys/bus/pci/devices/*"):
        if _read(device / "class").startswith(CLASSES):
            yield _read(device / "vendor")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip().lower()
    except (OSError, ValueError):
        return ""
