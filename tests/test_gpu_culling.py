"""Kernels that hold GPU memory and do nothing are shut down, where that is wished; no others are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from patience import eventually
from test_gpu_usage import GIB, RecordingNvml, keep_busy, lease, reading, run
from test_gpu_usage import nvml as nvml  # the fixture
from traitlets.config import Config

from jupyter_gpu_kernels.serve.app import GpuKernelsExtension
from jupyter_gpu_kernels.serve.gpus.culling import Culler
from jupyter_gpu_kernels.serve.gpus.sampler import Sampler
from jupyter_gpu_kernels.serve.gpus.watch import GpuWatch
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

#: Longer than any test takes, and shorter than kernels are made to have been idle.
IDLE = 3600.0


@pytest.fixture
def extension(jp_serverapp: ServerApp, nvml: RecordingNvml) -> GpuKernelsExtension:
    found = jp_serverapp.extension_manager.extension_points["jupyter_gpu_kernels"].app
    assert isinstance(found, GpuKernelsExtension)
    manager = found.manager
    manager.gpus = GpuWatch(Sampler(lambda: nvml, linger=0.2, patience=60.0), manager.kernels, tuple, fresh=0.0)
    return found


@pytest.fixture
def manager(extension: GpuKernelsExtension) -> GpuKernelsManager:
    return extension.manager


@pytest.fixture
def culler(manager: GpuKernelsManager) -> Callable[..., Culler]:
    def make(*, connected: bool = True) -> Culler:
        log = logging.getLogger("test")
        return Culler(manager.gpus, manager.kernels, idle=IDLE, connected=connected, log=log)

    return make


@pytest.fixture
def kernel(
    manager: GpuKernelsManager,
    jp_serverapp: ServerApp,
    nvml: RecordingNvml,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Iterator[Any]:
    """The kernel of a notebook, idle for long and with memory on a GPU."""
    kernels = jp_serverapp.kernel_manager

    async def start() -> Any:
        session = await jp_serverapp.session_manager.create_session(
            path="weekend.ipynb", name="weekend.ipynb", type="notebook", kernel_name="python3"
        )
        kernel = kernels.get_kernel(session["kernel"]["id"])
        await run(kernel, "6 * 7")
        await eventually(lambda: kernel.execution_state == "idle")
        rest(kernels, kernel)
        return kernel

    async def stop() -> None:
        if kernel.kernel_id in kernels:
            await kernels.shutdown_kernel(kernel.kernel_id, now=True)

    kernel = jp_asyncio_loop.run_until_complete(start())
    nvml.answer = (reading((kernel.provisioner.pid, 8 * GIB)),)
    yield kernel
    jp_asyncio_loop.run_until_complete(stop())


def rest(kernels: Any, kernel: Any) -> None:
    """Have a kernel said nothing for twice as long as may be, and say nothing more."""
    kernels.stop_watching_activity(kernel.kernel_id)
    kernel.last_activity = datetime.now(timezone.utc) - timedelta(seconds=2 * IDLE)


async def test_an_idle_holder_is_shut_down_and_named(
    kernel: Any, culler: Callable[..., Culler], jp_serverapp: ServerApp, caplog: pytest.LogCaptureFixture
) -> None:
    assert await culler().cull() == (kernel.kernel_id,)
    assert kernel.kernel_id not in jp_serverapp.kernel_manager
    assert await jp_serverapp.session_manager.list_sessions() == []
    (record,) = (record for record in caplog.records if record.name == "test")
    assert record.getMessage().startswith(
        "Shutting down the kernel of weekend.ipynb (python3): it holds 8.0 GiB of GPU memory and has been idle for 7"
    )
    assert await culler().cull() == ()


async def test_a_busy_holder_is_not(
    kernel: Any, culler: Callable[..., Culler], nvml: RecordingNvml, jp_serverapp: ServerApp, tmp_path: Path
) -> None:
    kernels = jp_serverapp.kernel_manager
    kernels.start_watching_activity(kernel.kernel_id)
    await keep_busy(kernel, tmp_path / "begun")
    rest(kernels, kernel)
    assert await culler().cull() == ()
    assert nvml.opened == 0, "no idle kernel, no question"


async def test_one_that_was_used_lately_is_not(kernel: Any, culler: Callable[..., Culler]) -> None:
    kernel.last_activity = datetime.now(timezone.utc)
    assert await culler().cull() == ()


async def test_one_whose_user_comes_back_meanwhile_is_not(
    kernel: Any, culler: Callable[..., Culler], nvml: RecordingNvml
) -> None:
    nvml.hang = True
    culling = asyncio.create_task(culler().cull())
    await eventually(lambda: nvml.read)
    kernel.last_activity = datetime.now(timezone.utc)
    nvml.go.set()
    assert await culling == ()


async def test_an_idle_kernel_without_gpu_memory_is_not(
    kernel: Any, culler: Callable[..., Culler], nvml: RecordingNvml, manager: GpuKernelsManager
) -> None:
    # It was given the GPU, which is no reason.
    given = lease(kernel_id=kernel.kernel_id, devices=("GPU-1",))
    manager.gpus = GpuWatch(
        Sampler(lambda: nvml, linger=0.2, patience=60.0), manager.kernels, lambda: (given,), fresh=0.0
    )
    for answer in ((reading(),), (reading(listed=False),), (reading((None, GIB)),), (reading((1, GIB)),)):
        nvml.answer = answer
        assert [share.leased for share in (await manager.gpu_usage()).shares if share.here] == [True]
        assert await culler().cull() == ()


async def test_one_that_is_open_in_a_browser_is_if_so_wished(
    kernel: Any, culler: Callable[..., Culler], jp_serverapp: ServerApp
) -> None:
    jp_serverapp.kernel_manager.notify_connect(kernel.kernel_id)
    assert await culler(connected=False).cull() == ()
    assert await culler(connected=True).cull() == (kernel.kernel_id,)


async def test_one_that_is_closed_in_the_browser_is_in_any_case(kernel: Any, culler: Callable[..., Culler]) -> None:
    assert await culler(connected=False).cull() == (kernel.kernel_id,)


async def test_by_default_nothing_is_looked_for(extension: GpuKernelsExtension, jp_serverapp: ServerApp) -> None:
    await extension._start_jupyter_server_extension(jp_serverapp)
    assert extension._culling is None


class TestConfigured:
    """As an administrator has it in a file."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config) -> Config:
        jp_server_config.GpuKernelsManager.cull_gpu_idle = IDLE
        jp_server_config.GpuKernelsManager.cull_gpu_interval = 1.0
        return jp_server_config

    async def test_it_goes_on_while_the_server_runs_and_through_failures(
        self,
        kernel: Any,
        extension: GpuKernelsExtension,
        jp_serverapp: ServerApp,
        nvml: RecordingNvml,
    ) -> None:
        nvml.failure = ZeroDivisionError()
        await extension._start_jupyter_server_extension(jp_serverapp)
        culling = extension._culling
        assert culling is not None
        await extension._start_jupyter_server_extension(jp_serverapp)
        assert extension._culling is culling, "once is enough"
        await eventually(lambda: nvml.read)
        nvml.failure = None
        await eventually(lambda: kernel.kernel_id not in jp_serverapp.kernel_manager)
        await extension.stop_extension()
        assert culling.done()
