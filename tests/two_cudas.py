"""The proof that two CUDAs live side by side: shared by the tests of every kind of environment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import uv
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from patience import PATIENCE

STANZA = {"kernel_provisioner": {"provisioner_name": "gpu-kernels-provisioner", "config": {}}}

#: An older CUDA 12 runtime than any environment of the tests has.
DECOY = "nvidia-cuda-runtime-cu12==12.1.105"

#: Prints, as JSON, what the CUDA runtime of a soname says of itself and which files were mapped.
REPORT = """
import ctypes, json, os, sys
lib, version = ctypes.CDLL({soname!r}), ctypes.c_int()
lib.cudaRuntimeGetVersion(ctypes.byref(version))
maps = {{line.rstrip().split(maxsplit=5)[-1] for line in open("/proc/self/maps") if "libcudart" in line}}
print(json.dumps({{"version": version.value, "mapped": sorted(maps), "prefix": sys.prefix}}))
"""


def make_decoy(target: Path, python: Path, uv_cache: Path) -> Path:
    """Unpack another CUDA 12, as a machine may have it lying about; answer with the directory of its library."""
    words = [uv.find_uv_bin(), "pip", "install", "-q", "--python", str(python), "--target", str(target), DECOY]
    environ = {**os.environ, "UV_CACHE_DIR": str(uv_cache)}
    # What was fetched once is not asked for again, whatever becomes of the network.
    if subprocess.run([*words, "--offline"], check=False, env=environ, capture_output=True).returncode:
        subprocess.run(words, check=True, env=environ)
    return target / "nvidia" / "cuda_runtime" / "lib"


def write_kernel(folder: Path, name: str, python: Path, *, provisioner: bool = True, **more: Any) -> Path:
    """Write a kernelspec; without the provisioner it is what everybody else writes."""
    spec = {
        "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": name,
        "language": "python",
        "metadata": STANZA if provisioner else {},
        **more,
    }
    path = folder / name / "kernel.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(spec))
    return path


@contextlib.asynccontextmanager
async def running(
    kernels: Path, name: str, **start: Any
) -> AsyncIterator[tuple[AsyncKernelManager, AsyncKernelClient]]:
    """Start a kernel as every Jupyter application does, and shut it down in the end."""
    manager = AsyncKernelManager(
        kernel_name=name, kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(kernels)], ensure_native_kernel=False)
    )
    await manager.start_kernel(**start)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=PATIENCE)
        yield manager, client
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def execute(
    client: AsyncKernelClient, code: str, begun: asyncio.Event | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a cell; return the reply and its outputs (``content`` with ``msg_type`` in it).

    Args:
        client: Of the kernel.
        code: The cell.
        begun: Set once it has printed something.
    """
    outputs: list[dict[str, Any]] = []

    def collect(message: dict[str, Any]) -> None:
        outputs.append({**message["content"], "msg_type": message["msg_type"]})
        if begun is not None and message["msg_type"] == "stream":
            begun.set()

    reply = await client.execute_interactive(code, output_hook=collect, timeout=PATIENCE, allow_stdin=False)
    return reply["content"], [output for output in outputs if output["msg_type"] != "status"]


async def printed(client: AsyncKernelClient, code: str) -> str:
    """Run a cell that must succeed; return what it wrote to stdout."""
    reply, outputs = await execute(client, code)
    assert reply["status"] == "ok", (reply, outputs)
    return "".join(output["text"] for output in outputs if output.get("name") == "stdout")


async def cuda_runtime(client: AsyncKernelClient, soname: str) -> dict[str, Any]:
    """What :data:`REPORT` says in a kernel."""
    report: dict[str, Any] = json.loads(await printed(client, REPORT.format(soname=soname)))
    return report


def inside(path: str, prefix: str) -> bool:
    return Path(path).resolve().is_relative_to(Path(prefix).resolve())


async def check_two_cudas(kernels: Path, sonames: Mapping[str, tuple[str, int]], server: Mapping[str, str]) -> None:
    """Run kernels at the same time; each must load its own CUDA runtime, from its own environment.

    Args:
        kernels: Directory of kernelspecs.
        sonames: By kernel name, what to load and the version that it must report.
        server: Variables of the server.
    """
    async with contextlib.AsyncExitStack() as stack:
        clients = {}
        for name in sonames:
            _, clients[name] = await stack.enter_async_context(running(kernels, name, env=dict(server)))
        for name, (soname, version) in sonames.items():
            report = await cuda_runtime(clients[name], soname)
            assert report["version"] == version, report
            (mapped,) = report["mapped"]
            assert inside(mapped, report["prefix"]), report
