"""The whole story on a real server: created over REST, started through /api/kernels, executed, removed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from channel import Flip, Server, Status
from conftest import Caches
from manager import FRAMEWORKS, traces
from patience import PATIENCE
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClientConnection
from traitlets.config import Config

API = "jupyter-gpu-kernels"


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory, caches: Caches) -> Path:
    """A cache that holds what the tests of this module have taken, and nothing else but bytecode."""
    directory = tmp_path_factory.mktemp("end-to-end")
    (directory / "bytecode").symlink_to(caches.bytecode)
    return directory


@pytest.fixture
def jp_server_config(jp_server_config: Config, channel: str, cache_dir: Path) -> Config:
    settings = {"channels": [channel], "cache_dir": str(cache_dir), "catalogue_dirs": [str(FRAMEWORKS)]}
    jp_server_config.GpuKernelsManager = Config(settings)
    return jp_server_config


@pytest.fixture
def call(jp_fetch) -> Callable[..., Awaitable[Any]]:
    async def ask(method: str, *path: str, body: Any = None) -> Any:
        text = json.dumps(body) if body is not None else ("" if method == "POST" else None)
        answer = await jp_fetch(*path, method=method, body=text)
        return json.loads(answer.body) if answer.body else None

    return ask


@pytest.fixture
def finished(call) -> Callable[..., Awaitable[Any]]:
    async def wait(job: dict[str, Any]) -> Any:
        revision = -1
        while True:
            now = await call("GET", API, "jobs", job["id"])
            assert now["revision"] >= revision
            revision = now["revision"]
            if now["state"] not in ("queued", "running"):
                return now
            await asyncio.sleep(0.05)

    return wait


async def run(
    socket: WebSocketClientConnection, code: str, begun: asyncio.Event | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Execute a cell over the kernel's websocket; answer with all messages up to idle, by type.

    Args:
        socket: The kernel's.
        code: The cell.
        begun: Set once it has printed something.
    """
    header = {"msg_id": f"cell-{code}", "msg_type": "execute_request", "session": "s", "username": "", "version": "5.3"}
    content = {"code": code, "silent": False, "allow_stdin": False, "stop_on_error": True}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await socket.write_message(json.dumps(message))
    found: dict[str, list[dict[str, Any]]] = {}
    while True:
        answer = await asyncio.wait_for(socket.read_message(), PATIENCE)
        assert answer is not None
        reply = json.loads(answer)
        if reply["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        found.setdefault(reply["msg_type"], []).append(reply["content"])
        if begun is not None and "stream" in found:
            begun.set()
        idle = any(status["execution_state"] == "idle" for status in found.get("status", []))
        if idle and "execute_reply" in found:
            return found


async def test_a_kernel_is_created_run_interrupted_restarted_and_removed(call, finished, jp_ws_fetch, jp_fetch) -> None:
    spec = {"name": "warp", "framework": "warpdrive", "variant": "cpu"}
    plan = await call("POST", API, "plans", body=spec)
    assert (plan["framework_version"], plan["refusal"]) == ("1.5.0", None)

    answer = await jp_fetch(API, "environments", method="POST", body=json.dumps(spec))
    job = json.loads(answer.body)
    assert answer.code == 202
    assert answer.headers["Location"].endswith(f"/{API}/jobs/{job['id']}")
    done = await finished(job)
    assert (done["state"], done["error"]) == ("succeeded", None)
    assert done["verification"]["outcome"] == "verified"
    specs = await call("GET", "api", "kernelspecs")
    assert specs["kernelspecs"]["warp"]["spec"]["display_name"] == "warp (Warpdrive 1.5 · CPU)"
    logo = await jp_fetch("kernelspecs", "warp", "logo-svg.svg")
    assert b"<svg" in logo.body

    kernel = await call("POST", "api", "kernels", body={"name": "warp"})
    socket = await jp_ws_fetch("api", "kernels", kernel["id"], "channels")
    outputs = await run(socket, "import warpdrive; print(warpdrive.__version__)")
    assert outputs["stream"][0]["text"] == "1.5.0\n"

    begun = asyncio.Event()
    sleeping = asyncio.create_task(run(socket, "import time; print('begun'); time.sleep(600)", begun))
    await asyncio.wait_for(begun.wait(), PATIENCE)
    await call("POST", "api", "kernels", kernel["id"], "interrupt")
    outputs = await sleeping
    assert outputs["error"][0]["ename"] == "KeyboardInterrupt"

    await run(socket, "marker = 1")
    await call("POST", "api", "kernels", kernel["id"], "restart")
    socket.close()
    socket = await jp_ws_fetch("api", "kernels", kernel["id"], "channels")
    outputs = await run(socket, "print('marker' in globals())")
    assert outputs["stream"][0]["text"] == "False\n"
    socket.close()

    with pytest.raises(HTTPClientError) as caught:
        await call("DELETE", API, "environments", "warp")
    assert caught.value.code == 409
    assert json.loads(caught.value.response.body)["code"] == "kernels_running"
    await call("DELETE", "api", "kernels", kernel["id"])
    done = await finished(await call("DELETE", API, "environments", "warp"))
    assert (done["state"], done["error"]) == ("succeeded", None)
    assert traces("warp") == []
    assert "warp" not in (await call("GET", "api", "kernelspecs"))["kernelspecs"]


async def test_kernels_are_shut_down_if_the_removal_says_so(call, finished, jp_fetch) -> None:
    body = {"name": "warp", "framework": "warpdrive", "variant": "cpu", "verify": False}
    await finished(await call("POST", API, "environments", body=body))
    await call("POST", "api", "kernels", body={"name": "warp"})
    answer = await jp_fetch(API, "environments", "warp", method="DELETE", params={"stop_kernels": "true"})
    done = await finished(json.loads(answer.body))
    assert done["state"] == "succeeded"
    assert await call("GET", "api", "kernels") == []


async def test_a_job_is_cancelled_half_way(call, finished) -> None:
    body = {"name": "warp", "framework": "warpdrive", "variant": "cpu"}
    job = await call("POST", API, "environments", body=body)
    while (await call("GET", API, "jobs", job["id"]))["stage"] not in ("link", "compile", "verify"):
        await asyncio.sleep(0.02)
    cancelled = await call("DELETE", API, "jobs", job["id"])
    assert cancelled["state"] == "cancelled"
    assert traces("warp") == []
    # And the name is free again.
    done = await finished(await call("POST", API, "environments", body={**body, "verify": False}))
    assert done["state"] == "succeeded"


@pytest.mark.parametrize(
    ("fault", "code"), [(Flip(), "download_failed"), (Status(404), "download_failed")], ids=["corrupt", "missing"]
)
async def test_a_bad_channel_fails_the_job_with_a_sentence(call, finished, faulty_channel, fault, code: str) -> None:
    server: Server = faulty_channel()
    # A package that no other test of this module takes, since they share a cache.
    server.fail("*/sluggish-*.tar.bz2", fault)
    body = {"name": "warp", "channels": [server.url], "packages": ["sluggish"]}
    done = await finished(await call("POST", API, "environments", body=body))
    assert done["state"] == "failed"
    assert done["error"]["code"] == code
    assert "sluggish" in done["error"]["message"]
    assert done["error"]["cure"]
    assert traces("warp") == []


async def test_a_channel_that_fails_twice_is_asked_again(call, finished, faulty_channel) -> None:
    server: Server = faulty_channel()
    server.fail("*/link-scripted-*.tar.bz2", Status(503), times=2)
    body = {"name": "warp", "channels": [server.url], "packages": ["link-scripted"], "verify": False}
    done = await finished(await call("POST", API, "environments", body=body))
    assert (done["state"], done["error"]) == ("succeeded", None)
    assert server.asked("*/link-scripted-*.tar.bz2") == 3
