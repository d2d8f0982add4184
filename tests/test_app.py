"""The server extension: loading, configuration, activity, taking up and stopping."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from patience import PATIENCE, eventually
from scripted import ScriptedManager, manifest_of
from traitlets.config import Config

import jupyter_gpu_kernels
from jupyter_gpu_kernels.models import EnvironmentSpec, Job, JobKind, JobState, ProcessIdentity
from jupyter_gpu_kernels.serve.app import GpuKernelsExtension
from jupyter_gpu_kernels.serve.kernels import ServerKernels
from jupyter_gpu_kernels.serve.records import JobRecords

SPEC = EnvironmentSpec(name="tf", framework="tensorflow")

#: What a server that only starts must not pay for.
HEAVY = ("rattler", "pynvml", "nbclient", "nbformat", "rich", "uv", "pandas")


@pytest.fixture
def jp_server_config(jp_server_config: Config) -> Config:
    jp_server_config.GpuKernelsExtension.manager_class = ScriptedManager
    return jp_server_config


@pytest.fixture
def extension(jp_serverapp: ServerApp) -> GpuKernelsExtension:
    point = jp_serverapp.extension_manager.extension_points["jupyter_gpu_kernels"]
    assert isinstance(point.app, GpuKernelsExtension)
    return point.app


@pytest.fixture
def manager(extension: GpuKernelsExtension) -> ScriptedManager:
    assert isinstance(extension.manager, ScriptedManager)
    return extension.manager


def test_the_package_points_at_the_extension() -> None:
    (point,) = jupyter_gpu_kernels._jupyter_server_extension_points()
    assert point == {"module": "jupyter_gpu_kernels.serve.app", "app": GpuKernelsExtension}


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys, json, jupyter_server.serverapp, jupyter_server.extension.application\n"
        "import jupyter_server.services.kernels.kernelmanager, jupyter_events\n"
        "before = set(sys.modules)\n"
        "import jupyter_gpu_kernels.serve.app\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    names = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    assert not set(HEAVY) & set(names)


async def test_starting_a_server_makes_nothing_and_looks_at_nothing(
    manager: ScriptedManager, jp_data_dir: Path
) -> None:
    for trait in ("workshop", "runner", "conda_envs_dir", "state_dir", "cache_dir"):
        assert not manager.trait_has_value(trait), trait
    assert not (jp_data_dir / "gpu-kernels").exists()
    assert manager.active == ()


class TestConfiguration:
    """From files, for the server as for the command line."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config, jp_config_dir: Path, isolation: None) -> Config:
        text = "c.GpuKernelsManager.verify_timeout = 77\nc.GpuKernelsManager.default_installer = 'pypi'\n"
        (jp_config_dir / "jupyter_gpu_kernels_config.py").write_text(text)
        jp_server_config.GpuKernelsManager.verify_timeout = 55.0
        jp_server_config.GpuKernelsManager.state_dir = str(jp_config_dir / "state")
        return jp_server_config

    async def test_traits_come_from_our_own_file_and_from_the_server(
        self, manager: ScriptedManager, jp_config_dir: Path
    ) -> None:
        assert manager.default_installer == "pypi"
        assert manager.state_dir == str(jp_config_dir / "state")
        job = await manager.create(SPEC)
        assert job.spec is not None
        assert job.spec.installer.value == "pypi"
        await manager.runner.wait(job.id)
        assert (jp_config_dir / "state" / "jobs" / f"{job.id}.json").is_file()


async def test_a_running_job_counts_as_activity(
    extension: GpuKernelsExtension, manager: ScriptedManager, jp_serverapp: ServerApp
) -> None:
    assert extension.current_activity() is None
    assert "gpu_kernels_last_activity" not in jp_serverapp.web_app.settings
    assert not jp_serverapp.extension_manager.any_activity()
    manager.workshop.hold = True
    before = datetime.now(timezone.utc)
    job = await manager.create(SPEC)
    assert extension.current_activity() == {job.id: "create"}
    assert jp_serverapp.extension_manager.any_activity()
    assert jp_serverapp.web_app.last_activity() >= before
    manager.workshop.go.set()
    await manager.runner.wait(job.id)
    assert extension.current_activity() is None


async def test_a_silent_job_goes_on_counting(
    manager: ScriptedManager, jp_serverapp: ServerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_gpu_kernels.serve.app.ACTIVITY_INTERVAL", 0.05)
    manager.workshop.hold = True
    await manager.create(SPEC)
    await manager.workshop.at_work.wait()
    # More often than the job can have had anything to say.
    for _ in range(10):
        quiet = datetime.now(timezone.utc)
        await eventually(lambda quiet=quiet: jp_serverapp.web_app.last_activity() > quiet)


async def test_a_start_takes_up_what_a_dead_server_left(
    extension: GpuKernelsExtension, manager: ScriptedManager, jp_serverapp: ServerApp, jp_data_dir: Path
) -> None:
    dead = ProcessIdentity(host=__import__("socket").gethostname(), pid=2**22 - 1, started=1.0)
    left = Job(id="left-1", kind=JobKind.CREATE, name="tf", state=JobState.RUNNING, revision=3, spec=SPEC, owner=dead)
    JobRecords(jp_data_dir / "gpu-kernels" / "jobs").save(left)
    await extension._start_jupyter_server_extension(jp_serverapp)
    assert (await manager.runner.wait(left.id)).state is JobState.SUCCEEDED
    called = manager.workshop.called
    # The sweep runs beside it, in a thread.
    assert [call for call in called if call != "sweep"] == ["recover tf", "create tf"]


async def test_stopping_is_bounded_and_raises_nothing(
    extension: GpuKernelsExtension, manager: ScriptedManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_gpu_kernels.serve.app.STOP_LIMIT", 3.0)
    manager.workshop.hold = True
    job = await manager.create(SPEC)
    await manager.workshop.at_work.wait()
    await asyncio.wait_for(extension.stop_extension(), PATIENCE)
    assert manager.workshop.cleaned == ["tf"]
    assert manager.runner.ledger.records.load(job.id).state is JobState.QUEUED, "whoever starts next takes it up"


async def test_a_failure_while_stopping_is_logged_and_swallowed(
    extension: GpuKernelsExtension, manager: ScriptedManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(timeout: float) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(manager, "close", fail)
    await extension.stop_extension()


async def test_the_kernels_of_the_server_are_known_by_name_and_can_be_stopped(jp_serverapp: ServerApp) -> None:
    class Kernel:
        def __init__(self, name: str, pid: int) -> None:
            self.kernel_name = name
            self.provisioner = type("Provisioner", (), {"pid": pid})()

    class Kernels(dict[str, Any]):
        def list_kernel_ids(self) -> list[str]:
            return list(self)

        def get_kernel(self, kernel_id: str) -> Any:
            return self[kernel_id]

        async def shutdown_kernel(self, kernel_id: str, now: bool = False) -> None:
            del self[kernel_id]

    mapping = Kernels(a=Kernel("TF", 1), b=Kernel("other", 2))
    kernels = ServerKernels(mapping)
    assert [(kernel.id, kernel.pid) for kernel in kernels.of("tf", "/nowhere")] == [("a", 1)]
    assert await kernels.stop("a")
    assert not await kernels.stop("a")
    assert list(mapping) == ["b"]
    assert ServerKernels(jp_serverapp.kernel_manager).of("tf", "/nowhere") == ()


async def test_kernels_of_before_a_rebuild_are_marked_until_they_restart(manager: ScriptedManager) -> None:
    class Kernel:
        kernel_name = "tf"
        provisioner = type("Provisioner", (), {"pid": 1})

    class Kernels(dict[str, Any]):
        list_kernel_ids = dict.keys
        get_kernel = dict.__getitem__

    mapping = Kernels(a=Kernel())
    manager.kernels = ServerKernels(mapping)
    manager.workshop.built["tf"] = manifest_of(SPEC)
    await manager.runner.wait((await manager.rebuild("tf")).id)
    mapping["b"] = Kernel()
    assert [environment.restart_needed for environment in await manager.environments()] == [("a",)]
    restarted = Kernel()
    restarted.provisioner = type("Provisioner", (), {"pid": 2})
    mapping["a"] = restarted
    assert [environment.restart_needed for environment in await manager.environments()] == [()]
