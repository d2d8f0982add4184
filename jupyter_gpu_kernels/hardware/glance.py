"""What can be known of this machine's GPUs without NVML, which takes longer than all else before a kernel starts.

Sources: the driver's files below ``/proc/driver/nvidia``, which the kernel module makes for each GPU
(https://docs.nvidia.com/deploy/ has no page on them; ``nvidia-bug-report.sh`` reads them), and ``/dev/dxg``, the GPU of
Windows in its Linux subsystem.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from .fake import VARIABLE

#: What a list of one device, or of none, in ``CUDA_VISIBLE_DEVICES`` looks like.
_ONE = re.compile(r"\s*[^,\s]+\s*")

_UUID = re.compile(r"^GPU UUID:\s*(GPU-[0-9a-f-]{36})\s*$", re.MULTILINE)
_NAME = re.compile(r"^Model:\s*(\S.*?)\s*$", re.MULTILINE)


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
    listed = _listed(root / "proc/driver/nvidia/gpus")
    if not listed:
        return Glance(count=int((root / "dev/dxg").exists()))
    if len(listed) == 1 and not _split(root / "proc/driver/nvidia/capabilities"):
        ((uuid, name),) = listed
        return Glance(count=1, uuid=uuid if mask in (None, "0", uuid) else "", name=name)
    return Glance(count=1 if mask is not None and _ONE.fullmatch(mask) else None)


def _listed(folder: Path) -> list[tuple[str, str]]:
    """The GPUs that the driver lists; their identifiers are empty where it has not looked at them yet."""
    try:
        files = [place / "information" for place in folder.iterdir()]
    except OSError:
        return []
    return [_described(file) for file in files]


def _described(file: Path) -> tuple[str, str]:
    """Identifier and name of a GPU."""
    try:
        text = file.read_text(encoding="ascii", errors="replace")
    except OSError:
        text = ""
    uuid, name = _UUID.search(text), _NAME.search(text)
    return uuid[1] if uuid else "", name[1] if name else "NVIDIA GPU"


def _split(folder: Path) -> bool:
    """Whether a GPU is split into instances."""
    return any(folder.glob("gpu*/mig/gi*"))
