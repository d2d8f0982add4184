"""Servers of kernels that only live: real managers, provisioners and processes, without the weight of ipykernel.

Run as a program it is such a server of its own: ``tiny_kernels.py KERNELS COUNT`` starts that many kernels at once,
prints what it knows of them as one line of JSON, and goes on until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import ipykernel
import zmq.asyncio
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

STANZA = {"kernel_provisioner": {"provisioner_name": "gpu-kernels-provisioner", "config": {}}}

#: Says what it was given, and lives for as long as nobody kills it, or its test.
LIVING = """
import os, sys, time
seen = sys.argv[1] + '.seen'
with open(seen + '.new', 'w') as file:
    file.write(str(os.getpid()) + ' ' + os.environ.get('CUDA_VISIBLE_DEVICES', '-'))
os.rename(seen + '.new', seen)
time.sleep(600)
"""


def write_tiny_kernels(folder: Path, prefix: Path, *, real: bool = False, **placements: object) -> Path:
    """Make an environment, and kernelspecs that start in it.

    Args:
        folder: For the kernelspecs.
        prefix: For the environment.
        real: Whether they are real kernels, with the ipykernel of this Python.
        placements: By name, what kernel.json says of the placement; ``None`` for nothing.
    """
    python = prefix / "bin" / "python"
    packages = prefix / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    if not python.is_symlink():
        packages.mkdir(parents=True)
        python.parent.mkdir()
        python.symlink_to(Path(sys.executable).resolve())
        (prefix / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).resolve().parent}\n")
        (packages / "ipykernel.pth").write_text(f"{Path(ipykernel.__file__).parents[1]}\n")
    tiny = [str(python), "-S", "-E", "-c", LIVING, "{connection_file}"]
    for name, placement in placements.items():
        config = {} if placement is None else {"launch_policy": {"placement": placement}}
        spec = {
            "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"] if real else tiny,
            "display_name": name,
            "language": "python",
            "metadata": {"kernel_provisioner": {**STANZA["kernel_provisioner"], "config": config}},
        }
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "kernel.json").write_text(json.dumps(spec))
    return folder


@dataclass(frozen=True)
class Seen:
    """What a kernel says of itself."""

    pid: int
    devices: tuple[str, ...]


class TinyKernel:
    """One kernel of this process's."""

    def __init__(self, folder: Path, name: str, context: zmq.asyncio.Context) -> None:
        specs = KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False)
        self.manager = AsyncKernelManager(kernel_name=name, kernel_spec_manager=specs, context=context)

    @property
    def id(self) -> str:
        assert self.manager.kernel_id is not None
        return self.manager.kernel_id

    @property
    def pid(self) -> int:
        pid: int = self.manager.provisioner.pid  # type: ignore[union-attr]
        return pid

    async def start(self, notebook: str = "", **more: str) -> TinyKernel:
        """Start it for a notebook, with more variables."""
        await self.manager.start_kernel(env={**os.environ, "JPY_SESSION_NAME": notebook, **more})
        return self

    def seen(self) -> Seen | None:
        """What it says of itself, once it does since its last start."""
        try:
            pid, devices = Path(f"{self.manager.connection_file}.seen").read_text().split()
        except (OSError, ValueError):
            return None
        return Seen(int(pid), tuple(devices.split(","))) if int(pid) == self.pid else None

    async def restart(self) -> None:
        await self.manager.restart_kernel(now=True)

    async def crash(self) -> None:
        """Die, and be started anew as a server does once it sees that."""
        os.killpg(self.pid, signal.SIGKILL)
        while await self.manager.is_alive():
            await asyncio.sleep(0.01)
        await self.manager.restart_kernel(now=True)

    async def stop(self) -> None:
        await self.manager.shutdown_kernel(now=True)


async def start_tiny_kernels(folder: Path, name: str, count: int) -> list[TinyKernel]:
    """Start kernels at once."""
    context = zmq.asyncio.Context.instance()
    kernels = [TinyKernel(folder, name, context) for _ in range(count)]
    return list(await asyncio.gather(*(kernel.start(f"/home/{index}.ipynb") for index, kernel in enumerate(kernels))))


async def main(folder: Path, name: str, count: int) -> None:
    kernels = await start_tiny_kernels(folder, name, count)
    sys.stdout.write(json.dumps({kernel.id: kernel.pid for kernel in kernels}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
