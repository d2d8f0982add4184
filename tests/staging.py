"""Kernelspecs that tests stage, and frameworks made of a few lines that their kernels import."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from jupyter_gpu_kernels.models import Progress, Stage

LAUNCH = (
    "import sys; sys.path[:0] = {paths!r}; from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"
)


def stage_kernel(root: Path, *, python: Path | str = sys.executable, modules: dict[str, str] | None = None) -> Path:
    """A directory of kernelspecs with one, ``trial``, whose Python can import the given modules."""
    packages = root / "packages"
    packages.mkdir(parents=True)
    for name, source in (modules or {}).items():
        (packages / f"{name}.py").write_text(textwrap.dedent(source))
    # Not PYTHONPATH: a provisioner may drop it, and the kernel's children would inherit it.
    paths = [str(packages), *(path for path in sys.path if path.endswith("site-packages"))]
    argv = [str(python), "-c", LAUNCH.format(paths=paths), "-f", "{connection_file}"]
    return stage_command(root, argv)


def stage_command(root: Path, argv: list[str], **more: Any) -> Path:
    """A directory of kernelspecs with one, ``trial``, that runs a command."""
    folder = root / "kernels" / "trial"
    folder.mkdir(parents=True)
    spec = {"argv": argv, "display_name": "On trial", "language": "python", **more}
    (folder / "kernel.json").write_text(json.dumps(spec))
    return folder.parent


def contents(folder: Path) -> list[str]:
    """What is in a directory."""
    return sorted(path.name for path in folder.iterdir())


async def written(path: Path) -> None:
    """Wait until a kernel has written a whole line."""

    def whole() -> bool:
        return path.exists() and path.read_text().endswith("\n")

    while not whole():
        await asyncio.sleep(0.05)


class Listener:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[Progress] = []

    def stage(self, stage: Stage) -> None:
        raise AssertionError(stage)

    def progress(self, progress: Progress) -> None:
        self.steps.append(progress)

    def log(self, line: str) -> None:
        self.lines.append(line)
