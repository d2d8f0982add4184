"""What uv has locked, as an answer: how much of it there is, and what of that is here already."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ...models import PlannedPackage, Stage
from ..tools.redaction import redact
from . import solving
from .interpreters import Interpreter
from .lock import read_lock
from .settings import WheelsRequest, WheelsSolution
from .sizes import with_sizes
from .uv import Uv

#: Bytes on disk for a byte of wheel: 4.3 for TensorFlow without CUDA, 1.6 for NVIDIA's libraries (measured).
EXPANSION = 3


async def solution_of(
    lock: str,
    request: WheelsRequest,
    *,
    uv: Uv,
    cwd: Path,
    python: Interpreter,
    requirements: tuple[str, ...],
    sizes: dict[str, int],
    warnings: tuple[str, ...] = (),
) -> WheelsSolution:
    """Say what would be installed.

    Args:
        lock: The lock, as uv wrote it; empty if nothing is needed.
        request: What was asked for.
        uv: uv, as it wrote the lock.
        cwd: A throwaway directory.
        python: The Python that it is for.
        requirements: What was asked for, normalised.
        sizes: As ``known`` of :func:`.sizes.with_sizes`.
        warnings: What the user should read already.
    """
    locked = read_lock(lock, python.version) if lock else ()
    options = solving.options(request)
    locked, missing = await asyncio.gather(
        with_sizes(locked, uv, sizes),
        solving.uncached(uv, locked, cwd=cwd, interpreter=python.path, python=python.version, options=options),
    )
    if unknown := [package.name for package in locked if package.name in missing and not package.size]:
        shown = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        warnings = (*warnings, f"The package index does not say how large these are: {shown}.")
    packages = tuple(
        PlannedPackage(name=package.name, version=package.version, source="pypi", size=package.size, stage=Stage.WHEELS)
        for package in locked
    )
    return WheelsSolution(
        packages=packages,
        python=python.version,
        interpreter=python.path,
        requirements=requirements,
        indexes=tuple(map(redact, uv.sources)),
        download_bytes=sum(package.size for package in locked if package.name in missing),
        disk_bytes=EXPANSION * sum(package.size for package in locked),
        missing=tuple(sorted(missing)),
        warnings=warnings,
        allow_builds=request.allow_builds,
        more_indexes=request.indexes,
        torch_backend=request.torch_backend,
        pins=tuple(package.pin for package in locked),
        files={package.name: package.place for package in locked},
        kept=request.hold.kept,
    )
