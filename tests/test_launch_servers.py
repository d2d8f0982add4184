"""Real kernels of two real servers, which see each other's leases."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient
from patience import PATIENCE, eventually
from tiny_kernels import write_tiny_kernels

from jupyter_gpu_kernels.hardware.leases import current_leases
from jupyter_gpu_kernels.models import Lease

Fetch = Callable[..., Awaitable[Any]]

TOKEN = "elsewhere"

PATIENT = {"policy": "exclusive", "wait": 3600}


class OtherServer:
    """A Jupyter server in a process of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._log = (directory / "server.log").open("ab")
        words = [
            "-m",
            "jupyter_server",
            "--no-browser",
            "--allow-root",
            "--port=0",
            "--ServerApp.jpserver_extensions=jupyter_gpu_kernels=True",
            f"--IdentityProvider.token={TOKEN}",
        ]
        environ = {**os.environ, "JUPYTER_NO_CONFIG": "1"}
        self.process = subprocess.Popen(
            [sys.executable, *words], stdout=self._log, stderr=self._log, env=environ, cwd=directory
        )

    def url(self) -> str:
        """Where it listens, empty as long as it does not."""
        info = Path(os.environ["JUPYTER_RUNTIME_DIR"], f"jpserver-{self.process.pid}.json")
        try:
            found = json.loads(info.read_text())
            # It says so before it does so.
            socket.create_connection((found["hostname"], found["port"])).close()
            return str(found["url"])
        except (OSError, ValueError):
            return ""

    def said(self) -> str:
        """Its log."""
        return (self._directory / "server.log").read_text()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(self.url() + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return dict(json.load(answer))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()


@pytest.fixture
def other_server(tmp_path: Path, machine: None) -> Iterator[OtherServer]:
    server = OtherServer(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def machine(tmp_path: Path, jp_data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two GPUs, and two kernels to choose from."""
    monkeypatch.setenv("JUPYTER_GPU_KERNELS_FAKE_NVML", json.dumps({"gpus": [{"name": "NVIDIA H200"}] * 2}))
    prefix = tmp_path / "environment"
    write_tiny_kernels(jp_data_dir / "kernels", prefix, real=True, shared=None, alone="exclusive", patient=PATIENT)


def notebook(kernel: str, path: str) -> dict[str, Any]:
    return {"path": path, "name": path, "type": "notebook", "kernel": {"name": kernel}}


async def reply_of(kernel_id: str) -> dict[str, Any]:
    """What a kernel of whichever server answers to a cell that looks at its variables."""
    file = Path(os.environ["JUPYTER_RUNTIME_DIR"], f"kernel-{kernel_id}.json")
    client = AsyncKernelClient(connection_file=str(file))
    client.load_connection_file()
    # Without the heartbeat, which takes a kernel that is being restarted for a dead one.
    client.start_channels(hb=False)
    try:
        looks = {"visible": "os.environ['CUDA_VISIBLE_DEVICES']"}
        reply = await client.execute("import os", user_expressions=looks, reply=True, timeout=PATIENCE)
        return dict(reply["content"])
    finally:
        client.stop_channels()


async def visible(kernel_id: str) -> str:
    """The devices that a kernel sees."""
    reply = await reply_of(kernel_id)
    return str(reply["user_expressions"]["visible"]["data"]["text/plain"]).strip("'")


def leases() -> dict[str, Lease]:
    return {lease.kernel_id: lease for lease in current_leases()}


async def test_two_servers_of_one_user_share_the_gpus(
    machine: None, jp_fetch: Fetch, jp_serverapp: Any, other_server: OtherServer
) -> None:
    async def open_here(kernel: str, path: str) -> str:
        answer = await jp_fetch("api", "sessions", method="POST", body=json.dumps(notebook(kernel, path)))
        return str(json.loads(answer.body)["kernel"]["id"])

    async def open_there(kernel: str, path: str) -> str:
        answer = await asyncio.to_thread(other_server.post, "api/sessions", notebook(kernel, path))
        return str(answer["kernel"]["id"])

    await eventually(other_server.url)
    theirs = await open_there("alone", "train.ipynb")
    ours = await open_here("shared", "look.ipynb")
    held = leases()
    assert (await visible(theirs),) == held[theirs].devices
    assert (await visible(ours),) == held[ours].devices != held[theirs].devices

    refused = await open_here("alone", "more.ipynb")
    reply = await reply_of(refused)
    assert reply["ename"] == "no_gpu_free"
    assert "GPU 0 (NVIDIA H200) is kept for itself by train.ipynb (kernel alone, since " in reply["evalue"]
    assert "GPU 1 (NVIDIA H200) is used by look.ipynb (kernel shared, since " in reply["evalue"]

    # A restart keeps it, and the end of the other server frees what its kernel had, once that is gone, too.
    before = leases()[ours]
    await jp_fetch("api", "kernels", ours, "restart", method="POST", body="")
    assert leases()[ours].devices == before.devices
    assert leases()[ours].kernel != before.kernel
    other_server.kill()
    await eventually(lambda: leases().keys() == {ours})
    await jp_fetch("api", "kernels", refused, "restart", method="POST", body="")
    assert await visible(refused) == leases()[refused].devices[0] != before.devices[0]

    await jp_serverapp.kernel_manager.shutdown_all()
    await eventually(lambda: leases() == {})


async def test_a_server_ends_while_a_kernel_waits(machine: None, other_server: OtherServer) -> None:
    await eventually(other_server.url)

    async def open_there(kernel: str) -> None:
        await asyncio.to_thread(other_server.post, "api/sessions", notebook(kernel, f"{kernel}.ipynb"))

    await open_there("alone")
    await open_there("shared")
    waiting = asyncio.ensure_future(open_there("patient"))
    await eventually(lambda: "The kernel waits for up to 3600 s." in other_server.said())
    other_server.process.terminate()
    assert await asyncio.to_thread(other_server.process.wait, PATIENCE) == 0
    await asyncio.wait({waiting})
    assert waiting.exception() or not waiting.cancelled()
    assert leases() == {}
