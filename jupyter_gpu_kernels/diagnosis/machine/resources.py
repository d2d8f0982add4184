"""What else of the system frameworks need in plenty: shared memory, open files, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...models import Finding
from ..check import warning
from ..context import Context
from .surroundings import container

#: Bytes of shared memory below which a few loader processes with batches of pictures fill it. Docker gives 64 MiB.
_ENOUGH_SHARED = 512 * 1024**2

#: Open files that one process may have, below which loader processes run out of them; the usual limit is 1024.
_ENOUGH_FILES = 1024

#: Bytes of address space that CUDA alone reserves for a GPU may be more than all memory there is.
_ENOUGH_ADDRESSES = 1024**4

_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def shared_memory(context: Context) -> Iterator[Finding]:
    """Too little shared memory for processes that load data."""
    mounts = [line.split() for line in context.text("/proc/self/mounts").splitlines()]
    options = [fields[3] for fields in mounts if len(fields) > 3 and fields[1] == "/dev/shm"]
    size = re.search(r"(?:^|,)size=(\d+)([kmg]?)(?:,|$)", options[-1], re.IGNORECASE) if options else None
    if size is None:
        return
    count = int(size[1]) * _UNITS[size[2].lower()]
    if count < _ENOUGH_SHARED:
        kind = container(context)
        yield warning(
            f"There are {count // 1024**2} MiB of shared memory: PyTorch's DataLoader with workers, and NCCL, soon "
            "fail with a bus error or `No space left on device`.",
            evidence=[f"/dev/shm: size={size[1]}{size[2]}"],
            cure=(
                "Mount an emptyDir with `medium: Memory` at /dev/shm of the pod."
                if kind == "Kubernetes"
                else "Start the container with `--shm-size=8g` or `--ipc=host`."
                if kind
                else "Have it made larger: `sudo mount -o remount,size=8G /dev/shm`."
            ),
            link="https://docs.pytorch.org/docs/stable/notes/multiprocessing.html",
        )


def process_limits(context: Context) -> Iterator[Finding]:
    """Limits of this process, which kernels inherit."""
    limits = context.text("/proc/self/limits")
    addresses = _soft(limits, "Max address space")
    if addresses is not None and addresses < _ENOUGH_ADDRESSES:
        yield warning(
            f"Kernels may use {addresses / 1024**3:.0f} GiB of addresses: CUDA reserves more than it uses, and may say "
            "that it is out of memory.",
            evidence=[f"Max address space: {addresses} bytes (ulimit -v)"],
            cure="Start the server with `ulimit -v unlimited`, or ask whoever runs the machine.",
        )
    files = _soft(limits, "Max open files")
    if files is not None and files < _ENOUGH_FILES:
        yield warning(
            f"Kernels may open {files} files: processes that load data soon say `Too many open files`.",
            evidence=[f"Max open files: {files} (ulimit -n)"],
            cure="Start the server with `ulimit -n 65536`.",
        )


def _soft(limits: str, name: str) -> int | None:
    """The limit in force, ``None`` where there is none."""
    found = re.search(rf"^{name}\s+(\d+)\s", limits, re.MULTILINE)
    return int(found[1]) if found else None
