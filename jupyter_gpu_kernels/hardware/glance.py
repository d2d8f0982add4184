"""What can be known of this machine's GPUs without NVML, which takes longer than all else before a kernel starts.

Sources: the driver's files below ``/proc/driver/nvidia``, which the kernel module makes for each GPU (they are written
down nowhere; ``nvidia-bug-report.sh`` reads them); the device files, of which a container has those of its own GPUs,
and a sandbox nothing else; and ``/dev/dxg``, the GPU of Windows in its Linux subsystem.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from .fake import VARIABLE

_UUID = re.compile(r"^GPU UUID:\s*(GPU-[0-9a-f-]{36})\s*$", re.MULTILINE)
_NAME = re.compile(r"^Model:\s*(\S.*?)\s*$", re.MULTILINE)
_MINOR = re.compile(r"^Device Minor:\s*(\d+)\s*$", re.MULTILINE)

#: What a GPU is called whose name is not told.
UNNAMED = "NVIDIA GPU"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Glance:
    """The devices that a process would see.

    Attributes:
        count: How many, ``None`` where only NVML knows.
        uuid: Of the only one, empty where only NVML knows.
        name: Of the only one.
    """

    count: int | None
    uuid: str = ""
    name: str = ""


def glance(environ: Mapping[str, str], *, root: Path = Path("/"), platform: str = sys.platform) -> Glance:
    """Look without asking the driver.

    Args:
        environ: The process's variables.
        root: Where ``/proc`` and ``/dev`` are found.
        platform: As ``sys.platform`` says it.
    """
    if platform == "darwin":
        return Glance(count=0)
    mask = environ.get("CUDA_VISIBLE_DEVICES")
    if mask is not None and mask.strip() in ("", "-1"):
        return Glance(count=0)
    if environ.get(VARIABLE):
        return Glance(count=None)
    if platform != "linux":
        # Nothing tells; most Windows machines have one, and it is shared.
        return Glance(count=1)
    files = _device_files(root / "dev")
    listed = _listed(root / "proc/driver/nvidia/gpus")
    # A container may see the list of its host.
    named = [gpu for gpu in listed if gpu.minor in files] if files else listed
    count = len(named) or len(files)
    if not count:
        return Glance(count=int((root / "dev/dxg").exists()))
    if count == 1 and not _split(root / "proc/driver/nvidia/capabilities"):
        uuid, name = (named[0].uuid, named[0].name) if named else ("", UNNAMED)
        return Glance(count=1, uuid=uuid if mask in (None, "0", uuid) else "", name=name)
    # Also where the mask names one: which one that is others have to know.
    return Glance(count=None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Listed:
    """A GPU that the driver lists; its identifier is empty where the driver has not looked at it yet."""

    uuid: str
    name: str
    minor: int | None


def _listed(folder: Path) -> list[_Listed]:
    try:
        return [_described(place / "information") for place in folder.iterdir()]
    except OSError:
        return []


def _described(file: Path) -> _Listed:
    try:
        text = file.read_text(encoding="ascii", errors="replace")
    except OSError:
        text = ""
    uuid, name, minor = _UUID.search(text), _NAME.search(text), _MINOR.search(text)
    return _Listed(
        uuid=uuid[1] if uuid else "", name=name[1] if name else UNNAMED, minor=int(minor[1]) if minor else None
    )


def _device_files(folder: Path) -> set[int]:
    """The numbers of the GPUs' device files."""
    try:
        found = [re.fullmatch(r"nvidia(\d+)", name) for name in os.listdir(folder)]
    except OSError:
        return set()
    return {int(match[1]) for match in found if match}


def _split(folder: Path) -> bool:
    """Whether a GPU is split into instances."""
    return any(folder.glob("gpu*/mig/gi*"))
