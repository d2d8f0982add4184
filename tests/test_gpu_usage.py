"""What the GPUs are doing and for whom: one look for all who ask, and kernels found by their processes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from patience import PATIENCE, eventually, wait_until
from test_hardware_gpu import TAKE
from tornado.httpclient import HTTPResponse

from jupyter_gpu_kernels.hardware.leases import LeaseRecords
from jupyter_gpu_kernels.hardware.nvml import NvmlError
from jupyter_gpu_kernels.hardware.processes import identity, identity_of, nearest
from jupyter_gpu_kernels.hardware.records import Record
from jupyter_gpu_kernels.models import (
    GpuProcess,
    GpuReading,
    GpuUsage,
    KernelShare,
    Lease,
    Placement,
    ProcessIdentity,
    from_json,
)
from jupyter_gpu_kernels.serve.gpus.sampler import Sampler
from jupyter_gpu_kernels.serve.gpus.shares import NO_GPU, NOT_LISTED, NOT_NAMED, shares
from jupyter_gpu_kernels.serve.gpus.watch import GpuWatch
from jupyter_gpu_kernels.serve.kernels import LiveKernel, ProcessKernels
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

Fetch = Callable[..., Awaitable[HTTPResponse]]

GIB = 2**30


class RecordingNvml:
    """A driver that counts what it is asked, and does what a test says.

    Attributes:
        answer: What the next readings are.
        said: What they leave out.
        failure: Raised by readings.
        hang: Set, readings wait until :attr:`go` is set.
    """

    def __init__(self) -> None:
        self.answer: tuple[GpuReading, ...] = (reading(),)
        self.said: tuple[str, ...] = ()
        self.failure: Exception | None = None
        self.hang = False
        self.go = threading.Event()
        self.opened = self.closed = self.read = 0
        self.threads: set[int] = set()

    @property
    def open_now(self) -> bool:
        return self.opened > self.closed

    def open(self) -> None:
        self.opened += 1

    def close(self) -> None:
        self.closed += 1

    def driver_version(self) -> str:
        return "580.1"

    def cuda_version(self) -> str:
        return "13.0"

    def gpus(self) -> tuple[Any, ...]:
        return ()

    def readings(self) -> tuple[GpuReading, ...]:
        self.read += 1
        self.threads.add(threading.get_ident())
        if self.hang:
            self.go.wait()
        if self.failure is not None:
            raise self.failure
        return self.answer

    def notes(self) -> tuple[str, ...]:
        return self.said


def reading(*processes: tuple[int | None, int | None], uuid: str = "GPU-1", listed: bool = True) -> GpuReading:
    """A reading of one GPU on which some processes, ``(pid, memory)``, have memory."""
    return GpuReading(
        uuid=uuid,
        utilization=50,
        memory_used=sum(memory or 0 for _, memory in processes),
        memory_total=80 * GIB,
        processes=tuple(GpuProcess(pid=pid, memory=memory) for pid, memory in processes) if listed else None,
    )


def samplers() -> list[threading.Thread]:
    """The threads that ask a driver now."""
    return [thread for thread in threading.enumerate() if thread.name == "gpu-kernels sampler"]


@pytest.fixture
def nvml() -> Iterator[RecordingNvml]:
    made = RecordingNvml()
    yield made
    made.go.set()
    wait_until(lambda: not samplers())


def watch_of(nvml: RecordingNvml, *leases: Lease, fresh: float = 0.0, **settings: Any) -> GpuWatch:
    """A watch that lets the driver go soon."""
    settings = {"linger": 0.2, "patience": 60.0, **settings}
    return GpuWatch(Sampler(lambda: nvml, **settings), ProcessKernels(), lambda: leases, fresh=fresh)


class TestAsking:
    """The driver is asked by one thread, no more often than need be, and let go."""

    async def test_those_who_ask_at_once_share_one_reading(self, nvml: RecordingNvml) -> None:
        watch = watch_of(nvml)
        nvml.hang = True
        asking = [asyncio.create_task(watch.usage()) for _ in range(20)]
        await eventually(lambda: nvml.read)
        # One goes away, and takes nothing from the others.
        asking.pop().cancel()
        asking += [asyncio.create_task(watch.usage()) for _ in range(5)]
        await asyncio.sleep(0)
        nvml.go.set()
        answers = await asyncio.gather(*asking)
        assert nvml.read == 1
        assert all(answer is answers[0] for answer in answers)
        assert answers[0].readings == nvml.answer

    async def test_a_fresh_reading_is_given_again_and_an_old_one_is_not(self, nvml: RecordingNvml) -> None:
        watch = watch_of(nvml, fresh=3600.0)
        assert await watch.usage() is await watch.usage()
        assert nvml.read == 1
        watch = watch_of(nvml)
        assert await watch.usage() is not await watch.usage()
        assert nvml.read == 3

    async def test_nobody_asks_the_driver_when_nobody_looks(self, nvml: RecordingNvml) -> None:
        watch = watch_of(nvml)
        assert nvml.opened == 0, "nothing is opened before somebody looks"
        await watch.usage()
        await eventually(lambda: not nvml.open_now)
        await eventually(lambda: not samplers())
        assert (nvml.opened, nvml.read) == (1, 1)
        # Who comes back is served.
        assert (await watch.usage()).readings
        assert nvml.opened == 2

    async def test_it_is_not_asked_on_the_event_loop_and_by_one_thread_only(self, nvml: RecordingNvml) -> None:
        watch = watch_of(nvml, linger=60.0)
        for _ in range(5):
            await watch.usage()
        assert len(nvml.threads) == 1
        assert threading.get_ident() not in nvml.threads
        assert (nvml.opened, nvml.read) == (1, 5)
        await watch.close()
        await eventually(lambda: not samplers())
        assert not nvml.open_now

    async def test_a_driver_that_hangs_gets_no_second_thread_and_the_reader_a_note(self, nvml: RecordingNvml) -> None:
        watch = watch_of(nvml, patience=0.1, linger=60.0)
        nvml.hang = True
        for _ in range(5):
            usage = await watch.usage()
            assert usage.readings == ()
            (note,) = usage.notes
            assert note.startswith("The NVIDIA driver has not answered for")
        await eventually(lambda: nvml.read)
        assert nvml.read == 1
        assert len(samplers()) == 1
        questions = watch._sampler._questions
        assert questions is not None
        assert questions.empty(), "nothing piles up behind it"
        nvml.hang = False
        nvml.go.set()

        async def answers() -> GpuUsage:
            while not (usage := await watch.usage()).readings:
                await asyncio.sleep(0.01)
            return usage

        assert (await asyncio.wait_for(answers(), PATIENCE)).notes == ()
        assert nvml.opened == 1
        await watch.close()

    async def test_stopping_does_not_wait_for_a_driver_that_hangs(self, nvml: RecordingNvml) -> None:
        watch = watch_of(nvml, patience=0.1)
        nvml.hang = True
        await watch.usage()
        await asyncio.wait_for(watch.close(), 60)
        assert samplers(), "it hangs still"

    async def test_a_driver_that_fails_is_opened_anew(self, nvml: RecordingNvml) -> None:
        watch = watch_of(nvml)
        nvml.failure = NvmlError("The driver is away.")
        assert (await watch.usage()).notes == ("The driver is away.",)
        nvml.failure = None
        usage = await watch.usage()
        assert (usage.notes, usage.readings) == ((), nvml.answer)
        assert nvml.opened == 2

    async def test_what_nobody_foresaw_is_raised_and_does_not_end_it(self, nvml: RecordingNvml) -> None:
        watch = watch_of(nvml)
        nvml.failure = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            await watch.usage()
        nvml.failure = None
        assert (await watch.usage()).readings


KERNEL = LiveKernel(id="k", pid=100, name="tf", title="work/train.ipynb", idle_since="")


def lease(**changes: Any) -> Lease:
    """A kernel of another server of this user."""
    elsewhere = Lease(
        kernel_id="other",
        kernel_name="torch",
        title="other.ipynb",
        devices=("GPU-2",),
        server=replace(identity(), pid=150),
        kernel=replace(identity(), pid=200),
    )
    return replace(elsewhere, **changes)


def family(pid: int, among: Any) -> int | None:
    """Kernels have pids that end with zeros, and their families the hundred after."""
    return pid // 100 * 100 if pid // 100 * 100 in among else None


def told(*readings: GpuReading, leases: tuple[Lease, ...] = ()) -> list[tuple[str, str, int | None, bool]]:
    found = shares(readings, [KERNEL], leases, family)
    return [(share.title, share.gpu, share.memory, share.leased) for share in found]


class TestWhoHasWhat:
    """Readings, kernels and leases put together."""

    def test_a_kernel_has_what_its_family_has_and_the_largest_is_first(self) -> None:
        found = shares([reading((100, 2 * GIB), (199, GIB), (901, 8 * GIB))], [KERNEL], [], family)
        assert found == (
            KernelShare(gpu="GPU-1", pid=901, memory=8 * GIB),
            KernelShare(
                kernel_id="k",
                kernel_name="tf",
                title="work/train.ipynb",
                here=True,
                gpu="GPU-1",
                pid=100,
                memory=3 * GIB,
            ),
        )

    def test_of_others_there_is_a_process_and_its_memory_and_nothing_else(self) -> None:
        (share,) = shares([reading((901, GIB))], [KERNEL], [], family)
        assert share == KernelShare(gpu="GPU-1", pid=901, memory=GIB)

    def test_kernels_of_this_user_s_other_servers_are_known_by_their_leases(self) -> None:
        (share,) = shares([reading((201, GIB), uuid="GPU-2")], [KERNEL], [lease()], family)
        assert (share.kernel_id, share.kernel_name, share.title) == ("other", "torch", "other.ipynb")
        assert (share.here, share.pid, share.leased) == (False, 200, True)

    def test_memory_on_a_gpu_that_was_not_given_shows_as_that(self) -> None:
        mine = lease(kernel_id="k", title="stale.ipynb", devices=("GPU-1",))
        readings = (reading(uuid="GPU-1"), reading((100, GIB), uuid="GPU-2"))
        assert told(*readings, leases=(mine,)) == [
            ("work/train.ipynb", "GPU-2", GIB, False),
            ("work/train.ipynb", "GPU-1", 0, True),
        ]

    def test_a_kernel_that_starts_has_its_gpu_already(self) -> None:
        assert told(reading(uuid="GPU-2"), leases=(lease(kernel=None, title=""),)) == [("torch", "GPU-2", 0, True)]

    def test_where_no_process_is_listed_leases_are_all_that_is_known(self) -> None:
        assert told(reading(uuid="GPU-2", listed=False), leases=(lease(),)) == [("other.ipynb", "GPU-2", None, True)]

    def test_a_pid_of_another_namespace_is_nobody_s(self) -> None:
        assert told(reading((None, GIB), uuid="GPU-2"), leases=(lease(),)) == [
            ("", "GPU-2", GIB, False),
            ("other.ipynb", "GPU-2", None, True),
        ]

    def test_memory_that_is_not_told_is_no_memory_of_zero(self) -> None:
        assert told(reading((100, None))) == [("work/train.ipynb", "GPU-1", None, False)]
        assert told(reading((100, None), (101, GIB))) == [("work/train.ipynb", "GPU-1", GIB, False)]

    async def test_what_cannot_be_told_is_said(self, nvml: RecordingNvml) -> None:
        watch = watch_of(nvml)
        nvml.answer = (reading(listed=False), reading((None, GIB), uuid="GPU-2"))
        assert (await watch.usage()).notes == (NOT_LISTED, NOT_NAMED)
        nvml.said = ("The driver has words of its own.",)
        assert (await watch.usage()).notes == nvml.said
        nvml.said, nvml.answer = (), ()
        assert (await watch.usage()).notes == (NO_GPU,)


@pytest.mark.skipif(sys.platform == "win32", reason="sessions are POSIX")
def test_a_process_belongs_to_the_nearest_of_some(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    # An orphan of the session, and a child that leads a session of its own.
    leading = "import os, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(600)"
    script = f"""
        (sleep 600 & echo $! >>{pids})
        {sys.executable} -S -c '{leading}' >>{pids} &
        wait
    """
    with subprocess.Popen(["sh", "-c", script], start_new_session=True) as leader:
        try:
            wait_until(lambda: pids.exists() and pids.read_text().count("\n") == 2)
            orphan, child = map(int, pids.read_text().split())
            for member in (leader.pid, orphan, child):
                assert nearest(member, {leader.pid, os.getpid()}) == leader.pid
                assert nearest(member, {os.getpid() + 1_000_000}) is None
            assert nearest(child, {leader.pid, child}) == child
        finally:
            for pid in pids.read_text().split()[1:]:
                os.kill(int(pid), 9)
            os.killpg(leader.pid, 9)


@pytest.fixture
def manager(jp_serverapp: ServerApp) -> GpuKernelsManager:
    found: GpuKernelsManager = jp_serverapp.web_app.settings["gpu_kernels_manager"]
    return found


@pytest.fixture
def usage(jp_fetch: Fetch) -> Callable[[], Awaitable[GpuUsage]]:
    """What a browser is told."""

    async def get() -> GpuUsage:
        response = await jp_fetch("jupyter-gpu-kernels", "gpus", "usage", request_timeout=120)
        return from_json(GpuUsage, json.loads(response.body))

    return get


async def run(kernel: Any, code: str) -> None:
    """Have a kernel run a cell."""
    client = kernel.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=PATIENCE)
        await client.execute(code, reply=True, timeout=PATIENCE)
    finally:
        client.stop_channels()


async def keep_busy(kernel: Any, place: Path) -> None:
    """Have a kernel run a cell that does not end; it makes a file when it begins."""
    client = kernel.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=PATIENCE)
        client.execute(f"import pathlib, time; pathlib.Path({str(place)!r}).touch(); time.sleep(600)")
        # Channels that are stopped drop what they have not sent yet.
        await eventually(place.exists)
    finally:
        client.stop_channels()
    await eventually(lambda: kernel.execution_state == "busy")


#: A worker in a session of its own, as some launchers make them.
WORKER = """
import subprocess, pathlib
worker = subprocess.Popen(["sleep", "600"], start_new_session=True)
place = pathlib.Path({place!r})
place.with_suffix(".new").write_text(str(worker.pid))
place.with_suffix(".new").rename(place)
"""


#: Takes memory of the first GPU in the kernel itself and in a worker of its own session.
BOTH = """
import pathlib, subprocess, sys
worker = subprocess.Popen(
    [sys.executable, "-c", {take!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
)
worker.stdout.readline()
exec({take!r}.replace("sys.stdin.read()", ""))
pathlib.Path({place!r}).write_text("")
"""


@pytest.mark.gpu
async def test_a_real_gpu_and_a_real_notebook(
    manager: GpuKernelsManager,
    jp_serverapp: ServerApp,
    usage: Callable[[], Awaitable[GpuUsage]],
    tmp_path: Path,
) -> None:
    if not (await usage()).readings:
        pytest.skip("there is no GPU")
    kernels = jp_serverapp.kernel_manager
    session = await jp_serverapp.session_manager.create_session(
        path="real.ipynb", name="real.ipynb", type="notebook", kernel_name="python3"
    )
    kernel = kernels.get_kernel(session["kernel"]["id"])
    place = tmp_path / "taken"
    await run(kernel, BOTH.format(take=TAKE, place=str(place)))
    await eventually(place.exists)

    async def told() -> list[KernelShare]:
        # The last answer may be a second old.
        while not (found := [share for share in (await usage()).shares if share.here]):
            await asyncio.sleep(0.1)
        return found

    (share,) = await asyncio.wait_for(told(), 60)
    assert (share.title, share.pid) == ("real.ipynb", kernel.provisioner.pid)
    assert share.memory is not None
    assert share.memory >= 2 * 512 * 2**20
    await kernels.shutdown_kernel(kernel.kernel_id, now=True)
    await manager.close()
    await eventually(lambda: not samplers())


class TestInAServer:
    """Real kernels of a real server, on GPUs that are not there."""

    @pytest.fixture
    def nvml(self, nvml: RecordingNvml, manager: GpuKernelsManager) -> RecordingNvml:
        manager.gpus = GpuWatch(
            Sampler(lambda: nvml, linger=0.2, patience=60.0), manager.kernels, lambda: self.leases, fresh=0.0
        )
        return nvml

    leases: tuple[Lease, ...] = ()

    @pytest.fixture
    def elsewhere(self) -> Iterator[ProcessIdentity]:
        """A process that no kernel of ours has started."""
        with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
            found = identity_of(process.pid)
            assert found is not None
            yield found
            process.kill()

    async def test_kernels_are_named_by_notebook_console_or_kernelspec(
        self,
        nvml: RecordingNvml,
        manager: GpuKernelsManager,
        jp_serverapp: ServerApp,
        usage: Callable[[], Awaitable[GpuUsage]],
        elsewhere: ProcessIdentity,
        tmp_path: Path,
    ) -> None:
        kernels, sessions = jp_serverapp.kernel_manager, jp_serverapp.session_manager
        notebook = await sessions.create_session(path="a.ipynb", name="a.ipynb", type="notebook", kernel_name="python3")
        console = await sessions.create_session(
            path="console-1-5f2c", name="Console 1", type="console", kernel_name="python3"
        )
        # A console of the notebook's own kernel.
        await sessions.create_session(
            path="console-2-81d0", name="Console 2", type="console", kernel_id=notebook["kernel"]["id"]
        )
        alone = await kernels.start_kernel(kernel_name="python3")
        ids = [notebook["kernel"]["id"], console["kernel"]["id"], alone]
        pids = [kernels.get_kernel(kernel_id).provisioner.pid for kernel_id in ids]
        place = tmp_path / "worker"
        await run(kernels.get_kernel(ids[0]), WORKER.format(place=str(place)))
        worker = await eventually(lambda: place.exists() and int(place.read_text()))
        try:
            outsider = elsewhere.pid
            nvml.answer = (
                reading(*((pid, (9 - index) * GIB) for index, pid in enumerate((*pids, outsider))), (worker, 10 * GIB)),
            )
            # Renamed while it runs: the session follows, the kernel's own idea of its name does not.
            await sessions.update_session(notebook["id"], path="b/renamed.ipynb")
            told = await usage()
            # The cell has ended; the server may not have heard of it yet.
            while not told.shares[0].idle_since:
                await asyncio.sleep(0.01)
                told = await usage()
            assert told.notes == ()
            assert [(share.kernel_id, share.title, share.memory, share.here) for share in told.shares] == [
                (ids[0], "b/renamed.ipynb", 19 * GIB, True),
                (ids[1], "Console 1", 8 * GIB, True),
                (ids[2], "Python 3 (ipykernel)", 7 * GIB, True),
                ("", "", 6 * GIB, False),
            ]
            assert (told.shares[3].pid, told.shares[3].kernel_name) == (outsider, "")
        finally:
            os.kill(worker, 9)
            for kernel_id in ids:
                await kernels.shutdown_kernel(kernel_id, now=True)
        # What a shut-down kernel had is not shown as anybody's.
        nvml.answer = (reading(),)
        assert (await usage()).shares == ()

    async def test_a_busy_kernel_is_not_idle(
        self,
        nvml: RecordingNvml,
        jp_serverapp: ServerApp,
        usage: Callable[[], Awaitable[GpuUsage]],
        tmp_path: Path,
    ) -> None:
        kernels = jp_serverapp.kernel_manager
        kernel_id = await kernels.start_kernel(kernel_name="python3")
        kernel = kernels.get_kernel(kernel_id)
        nvml.answer = (reading((kernel.provisioner.pid, GIB)),)
        await keep_busy(kernel, tmp_path / "begun")
        # It was busy with earlier questions, too, and what the server has heard of may be those.
        while (told := [share.idle_since for share in (await usage()).shares]) != [""]:
            assert len(told) == 1
            await asyncio.sleep(0.01)
        await kernels.shutdown_kernel(kernel_id, now=True)

    async def test_twenty_browsers_cost_one_reading(
        self, nvml: RecordingNvml, manager: GpuKernelsManager, usage: Callable[[], Awaitable[GpuUsage]]
    ) -> None:
        # Not all of them may have got through to the server when the first is answered.
        manager.gpus = watch_of(nvml, fresh=3600.0)
        nvml.hang = True
        asking = [asyncio.create_task(usage()) for _ in range(20)]
        await eventually(lambda: nvml.read)
        nvml.go.set()
        answers = await asyncio.gather(*asking)
        assert nvml.read == 1
        assert all(answer.readings == nvml.answer for answer in answers)

    async def test_looking_is_no_use_of_the_server(
        self, nvml: RecordingNvml, jp_serverapp: ServerApp, usage: Callable[[], Awaitable[GpuUsage]], jp_fetch: Fetch
    ) -> None:
        settings = jp_serverapp.web_app.settings
        await jp_fetch("jupyter-gpu-kernels", "gpus")
        before = settings["api_last_activity"]
        await usage()
        assert settings["api_last_activity"] == before, "a hub culls it although a panel is open"
        assert not jp_serverapp.extension_manager.any_activity()

    async def test_a_kernel_of_another_server_is_shown_and_not_as_ours(
        self,
        nvml: RecordingNvml,
        usage: Callable[[], Awaitable[GpuUsage]],
        elsewhere: ProcessIdentity,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(type(self), "leases", (lease(kernel=elsewhere),))
        nvml.answer = (reading((elsewhere.pid, GIB), uuid="GPU-2"),)
        (share,) = (await usage()).shares
        assert (share.title, share.here, share.leased, share.memory) == ("other.ipynb", False, True, GIB)

    async def test_without_a_driver_the_answer_says_why(
        self, nvml: RecordingNvml, usage: Callable[[], Awaitable[GpuUsage]]
    ) -> None:
        nvml.failure = NvmlError("No NVIDIA driver is installed here.")
        told = await usage()
        assert (told.readings, told.shares, told.notes) == ((), (), ("No NVIDIA driver is installed here.",))

    async def test_the_shipped_fake_is_looked_at_and_leases_where_servers_keep_them(
        self,
        manager: GpuKernelsManager,
        usage: Callable[[], Awaitable[GpuUsage]],
        elsewhere: ProcessIdentity,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        gpus = [{"uuid": "GPU-2", "processes": [{"pid": elsewhere.pid, "memory": GIB}]}]
        monkeypatch.setenv("JUPYTER_GPU_KERNELS_FAKE_NVML", json.dumps({"gpus": gpus}))
        with LeaseRecords().changing() as records:
            records["other"] = Record(lease=lease(kernel=elsewhere), placement=Placement(), taken=0.0)
        told = await usage()
        assert [reading.uuid for reading in told.readings] == ["GPU-2"]
        assert [(share.title, share.memory, share.leased) for share in told.shares] == [("other.ipynb", GIB, True)]
        await manager.close()
        await eventually(lambda: not samplers())
