"""Kill -9 at random moments of creations: server, builder, uv. After each there is a whole environment, or none."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import Caches
from manager import FRAMEWORKS, traces
from patience import PATIENCE

from jupyter_gpu_kernels.models import JobState

KILLS = 20
TOKEN = "storm"

#: Marks every process that descends from a server of this storm, whoever its parent is.
MARK, STORM = "GPU_KERNELS_STORM", uuid.uuid4().hex


class StormServer:
    """A Jupyter server in a process of its own."""

    def __init__(self, directory: Path, config: dict[str, Any]) -> None:
        self._directory = directory
        self._config = directory / "storm.json"
        self._config.write_text(json.dumps(config))
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        log = (self._directory / "server.log").open("ab")
        words = ["-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0", f"--config={self._config}"]
        # With none of the extensions that may be installed beside ours.
        environ = {**os.environ, MARK: STORM, "JUPYTER_NO_CONFIG": "1"}
        self.process = subprocess.Popen([sys.executable, *words], stdout=log, stderr=log, env=environ)
        log.close()
        info = Path(os.environ["JUPYTER_RUNTIME_DIR"], f"jpserver-{self.process.pid}.json")
        self.url = await_(lambda: json.loads(info.read_text())["url"] if info.exists() else None)
        await_(lambda: self.ask("GET", "jupyter-gpu-kernels/jobs") is not None)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except (OSError, ValueError):
            return None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def descendants(self) -> list[psutil.Process]:
        """What works for the server, its kernels left out: those are for another test."""
        assert self.process is not None
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                found.append((process, process.cmdline()))
            except psutil.Error:
                continue
        return [process for process, words in found if "ipykernel_launcher" not in words]


def await_(condition: Callable[[], Any], timeout: float = 2 * PATIENCE) -> Any:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            found = condition()
        except (OSError, ValueError):
            found = None
        if found:
            return found
        time.sleep(0.05)
    pytest.fail("It did not happen in time.")


def marked() -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == STORM and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


@pytest.fixture
def server(tmp_path: Path, channel: str, caches: Caches, wheel_dir: Path, monkeypatch) -> Iterator[StormServer]:
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel_dir))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    config = {
        "IdentityProvider": {"token": TOKEN},
        "ServerApp": {"jpserver_extensions": {"jupyter_gpu_kernels": True}},
        "GpuKernelsManager": {
            "channels": [channel],
            "cache_dir": str(caches.root),
            "catalogue_dirs": [str(FRAMEWORKS)],
        },
    }
    storm = StormServer(tmp_path, config)
    storm.start()
    yield storm
    if storm.process is not None and storm.process.poll() is None:
        storm.process.send_signal(signal.SIGTERM)
        try:
            storm.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            storm.kill()


def check(server: StormServer, job: dict[str, Any], spec: dict[str, Any], seed: int) -> str:
    """What a job has come to is whole, or it is nothing."""
    name = spec["name"]
    if job["state"] != JobState.SUCCEEDED.value:
        assert traces(name) == [], (seed, job)
        assert job["error"]["cure"], (seed, job)
        return job["error"]["code"]
    environments = {item["name"]: item for item in server.ask("GET", "jupyter-gpu-kernels/environments")}
    environment = environments[name]
    assert environment["registered"]
    assert environment["verification"]["outcome"] == "verified"
    argv = json.loads(Path(environment["kernelspec"], "kernel.json").read_text())["argv"]
    module = "warpdrive" if spec.get("framework") else "ipykernel"
    subprocess.run([argv[0], "-c", f"import {module}, ipykernel"], check=True)
    return "succeeded"


@pytest.mark.timeout(900)
def test_whole_or_nothing_after_every_kill(server: StormServer) -> None:
    seed = int(time.time())
    chance = random.Random(seed)
    outcomes: list[str] = []
    for number in range(KILLS):
        conda = {"name": f"storm-{number}", "framework": "warpdrive", "variant": "cpu"}
        pypi = {"name": f"storm-{number}", "installer": "pypi", "packages": ["six"]}
        spec = chance.choice([conda, pypi])
        job = server.ask("POST", "jupyter-gpu-kernels/environments", spec)
        time.sleep(chance.uniform(0, 4))
        victims = server.descendants()
        what = "server"
        if victims and number % 2:
            victim = chance.choice(victims)
            what = " ".join(victim.cmdline()[:4]) if victim.is_running() else "gone"
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                what = "gone"
        else:
            server.kill()
            # Nothing outlives its server: not a builder, not uv, and no kernel under verification.
            await_(lambda: not marked(), timeout=PATIENCE)
            server.start()
        path = f"jupyter-gpu-kernels/jobs/{job['id']}"
        done = await_(lambda path=path: (now := server.ask("GET", path)) and JobState(now["state"]).final and now)
        outcomes.append(f"{spec.get('installer', 'conda')}, {what}: {check(server, done, spec, seed)}")
    leftovers = [name for number in range(KILLS) for name in traces(f"storm-{number}") if ".conda/envs/.gen" in name]
    assert leftovers == [], (seed, outcomes)
