"""What kernels are given by their provisioner, by real managers; the kernels do nothing unless a test asks them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq.asyncio
from patience import PATIENCE, eventually
from test_glance import machine
from tiny_kernels import TinyKernel, write_tiny_kernels
from two_cudas import execute

from jupyter_gpu_kernels.build.reporting import SilentReporter
from jupyter_gpu_kernels.build.verification.verification import verify
from jupyter_gpu_kernels.hardware.fake import VARIABLE
from jupyter_gpu_kernels.hardware.glance import Glance, glance
from jupyter_gpu_kernels.hardware.leases import LeaseRecords, current_leases, lease_directory
from jupyter_gpu_kernels.hardware.probe import hardware
from jupyter_gpu_kernels.hardware.visible import devices_of
from jupyter_gpu_kernels.launch import hold
from jupyter_gpu_kernels.launch import leases as giving
from jupyter_gpu_kernels.models import (
    EnvironmentKind,
    EnvironmentSpec,
    Framework,
    Installer,
    Lease,
    Manifest,
    Plan,
    Variant,
    Verification,
    VerificationOutcome,
)
from jupyter_gpu_kernels.prefix.manifest import write_manifest
from jupyter_gpu_kernels.prefix.placement import TRIAL

Drive = Callable[..., None]
Make = Callable[..., Any]


def gpu(number: int) -> str:
    return f"GPU-00000000-0000-0000-0000-{number:012d}"


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drive:
    """Have a driver that shows the given GPUs."""
    file = tmp_path / "driver.json"
    monkeypatch.setenv("JUPYTER_GPU_KERNELS_FAKE_NVML", str(file))

    def show(*gpus: dict[str, Any], **more: Any) -> None:
        file.write_text(json.dumps({"gpus": [{"name": "NVIDIA H200", **each} for each in gpus], **more}))

    return show


@pytest.fixture
def start(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Make]:
    """Start kernels with a placement; they are stopped in the end."""
    started: list[TinyKernel] = []

    async def begin(placement: object = None, notebook: str = "", *, real: bool = False, **more: str) -> TinyKernel:
        name = f"kernel-{len(started)}"
        write_tiny_kernels(tmp_path / "kernels", tmp_path / "environment", real=real, **{name: placement})
        kernel = TinyKernel(tmp_path / "kernels", name, zmq.asyncio.Context.instance())
        started.append(kernel)
        return await kernel.start(notebook, **more)

    yield begin

    async def stop() -> None:
        await asyncio.gather(*(kernel.stop() for kernel in started if kernel.manager.has_kernel))

    jp_asyncio_loop.run_until_complete(stop())


def lease_of(kernel: TinyKernel) -> Lease | None:
    return next((lease for lease in current_leases() if lease.kernel_id == kernel.id), None)


def devices(kernel: TinyKernel) -> tuple[str, ...]:
    lease = lease_of(kernel)
    assert lease is not None
    return lease.devices


async def told(kernel: TinyKernel) -> dict[str, Any]:
    """What a cell of an explaining kernel ends with."""
    client = kernel.manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=PATIENCE)
        reply, _ = await execute(client, "1 + 1")
    finally:
        client.stop_channels()
    return reply


async def test_a_lease_says_for_whom_it_is(drive: Drive, start: Make) -> None:
    drive({}, {})
    kernel = await start(notebook="/home/me/train.ipynb")
    lease = lease_of(kernel)
    assert lease is not None
    assert (lease.kernel_name, lease.title, lease.exclusive) == ("kernel-0", "/home/me/train.ipynb", False)
    assert lease.server.pid == os.getpid()
    assert lease.kernel is not None
    assert lease.kernel.pid == kernel.pid
    assert lease.since


async def test_the_session_of_whatever_started_the_server_is_not_the_kernels(
    drive: Drive, start: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive({}, {})
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/other.ipynb")
    lease = lease_of(await start(notebook="/home/me/other.ipynb"))
    assert lease is not None
    assert lease.title == ""


async def test_one_gpu_is_shared_and_nothing_is_set(drive: Drive, start: Make) -> None:
    drive({})
    for kernel in [await start(), await start("all"), await start("least-used")]:
        assert devices(kernel) == (gpu(0),)
        assert (await eventually(kernel.seen)).devices == ("-",)


async def test_no_kernel_gets_out_of_the_mask(drive: Drive, start: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    drive(*[{}] * 4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3")
    kernels = [await start() for _ in range(3)]
    assert [devices(kernel) for kernel in kernels] == [(gpu(1),), (gpu(3),), (gpu(1),)]
    everything = await start("all")
    assert devices(everything) == (gpu(1), gpu(3))
    assert (await eventually(everything.seen)).devices == ("1", "3")
    # Somebody asks for one at this very launch.
    asked = await start(CUDA_VISIBLE_DEVICES=gpu(2))
    assert devices(asked) == (gpu(2),)
    assert (await eventually(asked.seen)).devices == (gpu(2),)
    reply = await told(await start({"policy": "fixed", "devices": [gpu(0)]}))
    assert reply["ename"] == "refused"
    assert f"it wants {gpu(0)}, which this server cannot give" in reply["evalue"]


async def test_a_gpu_that_a_mask_names_is_known_to_servers_without_it(
    drive: Drive, start: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drive({}, {})
    root = machine(tmp_path / "root", gpu(0), gpu(1))

    def look(environ: dict[str, str]) -> Glance:
        real = {name: value for name, value in environ.items() if name != VARIABLE}
        return glance(real, root=root, platform="linux")

    monkeypatch.setattr(hold, "glance", look)
    masked = await start(CUDA_VISIBLE_DEVICES="0")
    assert devices(masked) == (gpu(0),)
    assert (await eventually(masked.seen)).devices == ("0",)
    assert devices(await start("exclusive")) == (gpu(1),)


async def test_where_gpus_differ_the_masks_own_numbers_are_passed_on(drive: Drive, start: Make) -> None:
    drive({"compute_capability": "8.0"}, {"compute_capability": "9.0"}, {"compute_capability": "8.0"})
    # CUDA's GPU 0 is probably the driver's GPU 1.
    kernel = await start(CUDA_VISIBLE_DEVICES="2,0")
    assert (await eventually(kernel.seen)).devices == ("2",)
    kernel = await start(CUDA_VISIBLE_DEVICES="2,0")
    assert (await eventually(kernel.seen)).devices == ("0",)
    kernel = await start(CUDA_VISIBLE_DEVICES="2,0", CUDA_DEVICE_ORDER="PCI_BUS_ID")
    assert (await eventually(kernel.seen)).devices[0].startswith("GPU-")


async def test_an_instance_of_a_split_gpu_is_given_by_its_own_name(drive: Drive, start: Make) -> None:
    part = {"profile": "1g.18gb", "memory_total": 2**34}
    names = [f"MIG-{number}0000000-0000-0000-0000-000000000000" for number in range(2)]
    drive({"mig": True, "instances": [{"uuid": name, **part} for name in names]})
    first, second = await start(), await start()
    assert [(await eventually(kernel.seen)).devices for kernel in (first, second)] == [(names[0],), (names[1],)]


async def test_what_a_gpus_memory_says_decides_between_equals(drive: Drive, start: Make) -> None:
    drive({"memory_used": 2**33}, {"memory_used": 2**30}, {"memory_used": 2**34})
    assert devices(await start()) == (gpu(1),)


async def test_an_exclusive_kernel_shares_with_nobody_and_others_are_told(drive: Drive, start: Make) -> None:
    drive({}, {})
    first = await start("exclusive", "/home/me/train.ipynb")
    second = await start()
    assert (devices(first), devices(second)) == ((gpu(0),), (gpu(1),))
    third = await start("exclusive")
    reply = await told(third)
    assert reply["ename"] == "no_gpu_free"
    assert (
        "No GPU is free for this kernel: GPU 0 (NVIDIA H200) is kept for itself by train.ipynb (kernel kernel-0, since "
    ) in reply["evalue"]
    assert "; GPU 1 (NVIDIA H200) is used by a kernel (kernel kernel-1, since " in reply["evalue"]
    assert "or choose the placement least-used to share one; then restart this kernel." in reply["evalue"]
    # The explanation holds nothing, and a restart tries anew.
    assert lease_of(third) is None
    await first.stop()
    await third.restart()
    assert devices(third) == (gpu(0),)
    assert (await eventually(third.seen)).devices == (gpu(0),)


async def test_a_gpu_with_other_processes_is_not_free(drive: Drive, start: Make) -> None:
    drive({"processes": [{"pid": os.getpid(), "memory": 2**30}]})
    reply = await told(await start("exclusive"))
    assert f"GPU 0 (NVIDIA H200) is used by your process {os.getpid()} (" in reply["evalue"]


async def test_a_kernel_waits_for_its_gpu(
    drive: Drive, start: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hold, "TRY_AGAIN", 0.05)
    caplog.set_level(logging.INFO)
    drive({})
    first = await start("exclusive", "/home/me/train.ipynb")
    second = asyncio.ensure_future(start({"policy": "exclusive", "wait": 3600}))
    await eventually(lambda: "The kernel waits for up to 3600 s. No GPU is free for this kernel: GPU 0" in caplog.text)
    assert not second.done()
    await first.stop()
    assert devices(await second) == (gpu(0),)
    assert caplog.text.count("The kernel waits for") == 1


async def test_a_kernel_does_not_wait_for_what_never_comes(drive: Drive, start: Make) -> None:
    drive({"compute_mode": "prohibited"})
    reply = await told(await start({"policy": "exclusive", "wait": 3600}))
    assert reply["ename"] == "refused"
    assert "their compute mode is prohibited" in reply["evalue"]


async def test_a_wait_ends_with_the_explanation(drive: Drive, start: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "TRY_AGAIN", 0.05)
    drive({})
    await start("exclusive")
    assert (await told(await start({"policy": "exclusive", "wait": 0.2})))["ename"] == "no_gpu_free"


class SilentDriver:
    """A driver that does not answer before it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Event()
        self.answer = threading.Event()
        self.done = threading.Event()
        real = giving.Leases.take
        nvml = giving.open_nvml

        def ask(environ: Any) -> Any:
            self.asked.set()
            assert self.answer.wait(PATIENCE)
            return nvml(environ)

        def take(*arguments: Any) -> Any:
            try:
                return real(*arguments)
            finally:
                self.done.set()

        monkeypatch.setattr(giving, "open_nvml", ask)
        monkeypatch.setattr(giving.Leases, "take", take)


async def test_a_driver_that_does_not_answer_stops_no_kernel(
    drive: Drive, start: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    drive({}, {})
    monkeypatch.setattr(hold, "PATIENCE", 0.2)
    driver = SilentDriver(monkeypatch)
    kernel = await start("exclusive")
    assert (await eventually(kernel.seen)).devices == ("-",)
    assert "it finds: the NVIDIA driver has not answered for" in caplog.text
    # What it says too late gives nothing to anybody.
    driver.answer.set()
    await eventually(driver.done.is_set)
    assert current_leases() == ()
    monkeypatch.setattr(hold, "PATIENCE", PATIENCE)
    await kernel.restart()
    assert devices(kernel) == (gpu(0),)


async def test_a_start_that_is_cancelled_holds_nothing(
    drive: Drive, start: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive({})
    driver = SilentDriver(monkeypatch)
    starting = asyncio.ensure_future(start("exclusive"))
    await eventually(driver.asked.is_set)
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await starting
    driver.answer.set()
    await eventually(driver.done.is_set)
    assert current_leases() == ()


@pytest.mark.parametrize("silent", [False, True])
async def test_a_kernel_that_is_shut_down_while_it_waits_is_not_started(
    drive: Drive,
    start: Make,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    silent: bool,
) -> None:
    monkeypatch.setattr(hold, "TRY_AGAIN", 0.05)
    caplog.set_level(logging.INFO)
    drive({})
    first = await start("exclusive")
    second = await start("exclusive")
    await told(second)
    second.manager.provisioner.launch_policy = {"placement": {"policy": "exclusive", "wait": 3600}}  # type: ignore[union-attr]
    driver = SilentDriver(monkeypatch)
    if not silent:
        driver.answer.set()
    again = asyncio.ensure_future(second.restart())
    await eventually(driver.asked.is_set if silent else lambda: "The kernel waits for" in caplog.text)
    await second.stop()
    # Two have a word about the same future in jupyter_client.
    with pytest.raises((hold.ShutDownError, asyncio.InvalidStateError)):
        await again
    assert not second.manager.has_kernel
    driver.answer.set()
    await eventually(driver.done.is_set)
    assert [lease.kernel_id for lease in current_leases()] == [first.id]


async def test_a_restart_takes_notice_of_another_placement(drive: Drive, start: Make, tmp_path: Path) -> None:
    drive({}, {})
    kernel = await start("exclusive")
    since = getattr(lease_of(kernel), "since", None)
    await kernel.restart()
    assert getattr(lease_of(kernel), "since", None) == since
    kernel.manager.provisioner.launch_policy = {"placement": {"policy": "fixed", "devices": [gpu(1)]}}  # type: ignore[union-attr]
    await kernel.restart()
    lease = lease_of(kernel)
    assert lease is not None
    assert (lease.devices, lease.exclusive) == ((gpu(1),), False)
    # A GPU that is no more is no reason to have none.
    kernel.manager.provisioner.launch_policy = {"placement": "exclusive"}  # type: ignore[union-attr]
    drive({})
    await kernel.restart()
    assert devices(kernel) == (gpu(0),)


async def test_a_kernel_that_cannot_be_started_holds_nothing(drive: Drive, start: Make, tmp_path: Path) -> None:
    drive({})
    write_tiny_kernels(tmp_path / "kernels", tmp_path / "environment", alone="exclusive")
    kernel = TinyKernel(tmp_path / "kernels", "alone", zmq.asyncio.Context.instance())
    with pytest.raises(FileNotFoundError):
        await kernel.manager.start_kernel(cwd=str(tmp_path / "none"))
    assert current_leases() == ()
    assert devices(await start("exclusive")) == (gpu(0),)
    with contextlib.suppress(Exception):
        await kernel.manager.cleanup_resources()


async def test_jupyter_run_ends_without_complaint_and_holds_nothing(
    drive: Drive, jp_data_dir: Path, tmp_path: Path
) -> None:
    drive({})
    write_tiny_kernels(jp_data_dir / "kernels", tmp_path / "environment", real=True, alone="exclusive")
    (tmp_path / "script.py").write_text(
        "from jupyter_gpu_kernels.hardware.leases import current_leases\n"
        "print([lease.kernel_name for lease in current_leases()])\n"
    )
    words = ["-m", "jupyter_client.runapp", "--kernel=alone", str(tmp_path / "script.py")]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Where the script finds this package.
        cwd=Path(hold.__file__).parents[2],
    )
    said, complaints = await process.communicate()
    assert said == b"['alone']\n"
    assert b"Traceback" not in complaints
    assert process.returncode == 0
    assert current_leases() == ()


async def test_a_dead_kernel_is_noted_by_whoever_asks(drive: Drive, start: Make) -> None:
    drive({})
    kernel = await start("exclusive")
    os.killpg(kernel.pid, 9)
    while await kernel.manager.is_alive():
        await asyncio.sleep(0.01)
    records = lease_directory() / "leases.json"
    assert await eventually(lambda: json.loads(records.read_text())[0]["died"])


async def test_where_no_record_can_be_kept_kernels_start_all_the_same(
    drive: Drive, start: Make, jp_runtime_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (jp_runtime_dir / "gpu-kernels").touch()
    drive({"memory_used": 2**30}, {})
    kernel = await start()
    assert (await eventually(kernel.seen)).devices == (gpu(1),)
    await kernel.restart()
    await kernel.stop()
    warnings = [record for record in caplog.records if "noted down" in record.message]
    assert [record.message.split(",")[0] for record in warnings] == [
        "Nobody else will know which GPU the kernel has"
    ] * 2


async def test_what_others_have_is_respected_also_where_nothing_can_be_noted(
    drive: Drive, start: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive({}, {"memory_used": 2**30})
    await start("exclusive")

    def full(*arguments: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LeaseRecords, "_write", full)
    kernel = await start()
    assert (await eventually(kernel.seen)).devices == (gpu(1),)


async def test_without_an_answer_of_the_driver_a_kernel_starts_all_the_same(
    drive: Drive, start: Make, caplog: pytest.LogCaptureFixture
) -> None:
    drive({}, {}, error="NVML_ERROR_LIB_RM_VERSION_MISMATCH")
    kernel = await start("least-used")
    assert (await eventually(kernel.seen)).devices == ("-",)
    assert "The kernel starts on whatever GPU it finds: The NVIDIA driver's library and its kernel" in caplog.text


@pytest.mark.parametrize(("placement", "warned"), [(None, False), ("all", False), ("exclusive", True)])
async def test_without_a_gpu_nothing_is_asked_noted_or_set(
    start: Make,
    placement: object,
    warned: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hold, "glance", lambda environ: Glance(count=0))
    kernel = await start(placement)
    assert (await eventually(kernel.seen)).devices == ("-",)
    assert not lease_directory().exists()
    assert ("starts without a GPU, as it sees none here" in caplog.text) is warned


@pytest.mark.parametrize("uuid", [gpu(0), ""])
async def test_nvml_is_not_asked_where_there_is_one_gpu(
    start: Make, monkeypatch: pytest.MonkeyPatch, drive: Drive, uuid: str
) -> None:
    asked: list[int] = []
    nvml = giving.open_nvml

    def ask(environ: Any) -> Any:
        asked.append(1)
        return nvml(environ)

    drive({})
    monkeypatch.setattr(giving, "open_nvml", ask)
    monkeypatch.setattr(hold, "glance", lambda environ: Glance(count=1, uuid=uuid, name="NVIDIA H200"))
    first = await start()
    assert (await eventually(first.seen)).devices == ("-",)
    assert devices(first) == ((uuid,) if uuid else ())
    await first.restart()
    assert not asked
    reply = await told(await start("exclusive"))
    assert "GPU 0 (NVIDIA H200) is used by a kernel (kernel kernel-0, since " in reply["evalue"]
    await first.stop()
    # Unless somebody has it alone.
    await start("exclusive", "/home/me/train.ipynb")
    del asked[:]
    reply = await told(await start())
    assert "GPU 0 (NVIDIA H200) is kept for itself by train.ipynb" in reply["evalue"]
    assert bool(asked) is not bool(uuid)


async def test_builds_for_the_cpu_hold_no_gpu_unless_told_so(drive: Drive, start: Make, tmp_path: Path) -> None:
    drive({}, {})
    spec = EnvironmentSpec(name="environment")
    plan = Plan(
        spec=spec, installer=Installer.PYPI, installer_reason="", variant=Variant.CPU, variant_reason="", python="3"
    )
    manifest = Manifest(
        name="environment",
        kernel_name="environment",
        display_name="CPU",
        kind=EnvironmentKind.VIRTUALENV,
        prefix=str(tmp_path / "environment"),
        generation="",
        spec=spec,
        plan=plan,
    )
    write_tiny_kernels(tmp_path / "kernels", tmp_path / "environment", first=None)
    write_manifest(tmp_path / "environment", manifest)
    kernel = await start()
    assert (await eventually(kernel.seen)).devices == ("-",)
    assert current_leases() == ()
    assert devices(await start("exclusive")) == (gpu(0),)


async def test_a_trial_wants_no_gpu_for_itself(drive: Drive, start: Make) -> None:
    drive({}, {})
    await start()
    await start()
    kernel = await start("exclusive", **{TRIAL: "1"})
    lease = lease_of(kernel)
    assert lease is not None
    assert (lease.devices, lease.exclusive) == ((gpu(0),), False)
    await kernel.stop()
    assert lease_of(kernel) is None


@pytest.mark.parametrize("placement", ["mine", 7, [], {"policy": 3}, {"count": "many"}, {"policy": "fixed"}], ids=str)
async def test_a_senseless_placement_is_ignored_with_a_warning(
    drive: Drive, start: Make, placement: object, caplog: pytest.LogCaptureFixture
) -> None:
    drive({}, {})
    assert devices(await start(placement)) == (gpu(0),)
    assert "ignored" in caplog.text


@pytest.mark.gpu
async def test_a_real_gpu_is_given(start: Make) -> None:
    machine = hardware()
    assert machine.gpus, machine.reason
    first = await start("exclusive", "/home/me/train.ipynb")
    assert set(devices(first)) <= {device.uuid for gpu in machine.gpus for device in devices_of(gpu)}
    lease = lease_of(first)
    assert lease is not None
    everything = await start({"policy": "fixed", "devices": list(lease.devices)})
    assert "is kept for itself by train.ipynb (kernel kernel-0, since " in (await told(everything))["evalue"]
    await first.restart()
    assert devices(first) == lease.devices
    await first.stop()
    await everything.restart()
    assert devices(everything) == lease.devices


async def test_a_verification_takes_a_lease_and_gives_it_back(drive: Drive, start: Make, tmp_path: Path) -> None:
    drive({}, {})
    write_tiny_kernels(tmp_path / "staged", tmp_path / "environment", real=True, trial="exclusive")
    seen: list[tuple[Lease, ...]] = []

    class Watcher(SilentReporter):
        def log(self, line: str) -> None:
            seen.append(current_leases())

    async def verified() -> Verification:
        return await verify(
            kernel_dir=tmp_path / "staged",
            kernel_name="trial",
            framework=Framework(id="watched", title="Watched", summary="", import_name="json", recipes=()),
            expect_gpu=True,
            prefix=tmp_path / "environment",
            timeout=PATIENCE,
            reporter=Watcher(),
        )

    await verified()
    ((lease,), *_) = seen
    assert (lease.kernel_name, lease.exclusive) == ("trial", False)
    assert current_leases() == ()
    # Others have all there is: that says nothing of the environment, which is kept.
    await start("exclusive")
    await start("exclusive", "/home/me/train.ipynb")
    refused = await verified()
    assert refused.outcome is VerificationOutcome.GPU_NOT_SEEN
    assert "No GPU is free for this kernel: GPU 0 (NVIDIA H200) is kept for itself by a kernel" in refused.sentence


async def test_a_kernel_that_needs_no_gpu_any_more_gives_it_back(drive: Drive, start: Make) -> None:
    drive({}, {})
    kernel = await start("exclusive")
    drive(error="NVML_ERROR_DRIVER_NOT_LOADED")
    await kernel.restart()
    assert current_leases() == ()


async def test_what_nobody_thought_of_stops_no_kernel(
    drive: Drive, start: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: Any) -> Any:
        raise ZeroDivisionError

    drive({}, {})
    kernel = await start("exclusive")
    monkeypatch.setattr(giving, "candidates", fail)
    await kernel.restart()
    assert (await eventually(kernel.seen)).devices == ("-",)
    assert "The kernel's GPU could not be chosen; it starts on whatever GPU it finds." in caplog.text
    # It may compute on another one than it had.
    assert current_leases() == ()
