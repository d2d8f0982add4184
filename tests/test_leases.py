"""Records of leases live and die with processes."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from patience import wait_until

from jupyter_gpu_kernels.hardware.leases import LeaseRecords, current_leases, lease_directory
from jupyter_gpu_kernels.hardware.processes import identity, identity_of
from jupyter_gpu_kernels.hardware.records import GRACE, LAUNCH, Record
from jupyter_gpu_kernels.models import Lease, Placement, ProcessIdentity, now, to_json

Start = Callable[[str], "subprocess.Popen[bytes]"]


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(tmp_path: Path, clock: Clock) -> LeaseRecords:
    return LeaseRecords(tmp_path / "leases", clock)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start processes as servers start kernels: each leads a session."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(code: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, start_new_session=True)
        begun.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


LIVING = "import time; print(flush=True); time.sleep(600)"

#: Ends at once, and leaves a process in its session.
LEAVING = """
import os, subprocess, sys, time
left = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'], stdout=subprocess.DEVNULL)
print(left.pid, flush=True)
"""

GONE = ProcessIdentity(host=identity().host, pid=2**22 + 1, started=1.0)


def put(records: LeaseRecords, kernel_id: str = "k", *, died: float | None = None, **lease: object) -> None:
    fields = {"kernel_id": kernel_id, "kernel_name": "warp", "devices": ("GPU-0",), "server": identity(), **lease}
    with records.changing() as found:
        record = Record(lease=Lease(**fields), placement=Placement(), taken=records.clock(), died=died)  # type: ignore[arg-type]
        found[kernel_id] = record


def kept(records: LeaseRecords) -> list[str]:
    return [lease.kernel_id for lease in records.current()]


def test_a_kernel_has_its_gpu_as_long_as_it_runs(records: LeaseRecords, clock: Clock, start: Start) -> None:
    kernel = start(LIVING)
    put(records)
    records.started("k", kernel.pid)
    (lease,) = records.current()
    assert lease.kernel == identity_of(kernel.pid)
    clock.time += 10 * 86400
    assert kept(records) == ["k"]
    # Also when its server is gone.
    put(records, server=GONE, kernel=lease.kernel)
    assert kept(records) == ["k"]
    kernel.kill()
    # Nobody has waited for it yet: it is a zombie.
    wait_until(lambda: kept(records) == [])
    put(records, server=GONE, kernel=lease.kernel)
    assert kept(records) == []


def test_a_dead_kernel_keeps_it_for_a_moment_in_which_its_server_may_start_it_anew(
    records: LeaseRecords, clock: Clock, start: Start
) -> None:
    kernel = start(LIVING)
    put(records)
    records.started("k", kernel.pid)
    kernel.kill()
    kernel.wait()
    clock.time += 3600
    # Nobody knows when it died: the moment begins when somebody looks.
    assert kept(records) == ["k"]
    clock.time += GRACE - 1
    assert kept(records) == ["k"]
    clock.time += 2
    assert kept(records) == []


def test_a_death_that_was_noted_is_not_news_to_the_next_who_looks(
    records: LeaseRecords, clock: Clock, start: Start
) -> None:
    kernel = start(LIVING)
    put(records)
    records.started("k", kernel.pid)
    kernel.kill()
    kernel.wait()
    records.died("k")
    clock.time += GRACE + 1
    assert kept(records) == []


def test_a_server_has_a_minute_to_start_a_kernel(records: LeaseRecords, clock: Clock) -> None:
    put(records)
    clock.time += LAUNCH - 1
    assert kept(records) == ["k"]
    clock.time += 2
    assert kept(records) == []


def test_a_dead_server_starts_nothing(records: LeaseRecords) -> None:
    put(records, server=GONE)
    assert kept(records) == []


def test_a_kernel_with_the_number_of_a_dead_one_is_another(records: LeaseRecords, start: Start) -> None:
    there = identity_of(start(LIVING).pid)
    assert there is not None
    put(records, server=GONE, kernel=replace(there, started=there.started - 100))
    assert kept(records) == []


def test_what_a_kernel_has_left_behind_keeps_its_gpu(records: LeaseRecords, start: Start) -> None:
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", LEAVING], stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    kernel = identity_of(process.pid)
    left, _ = process.communicate()
    try:
        put(records, server=GONE, kernel=kernel)
        assert kept(records) == ["k"]
        # Also when the server says that it was stopped.
        records.release("k")
        assert kept(records) == ["k"]
    finally:
        os.kill(int(left), 9)
    wait_until(lambda: kept(records) == [])


def test_a_stopped_kernel_gives_it_back_at_once(records: LeaseRecords, start: Start) -> None:
    kernel = start(LIVING)
    put(records)
    records.started("k", kernel.pid)
    # It was told to stop, and has not yet.
    records.release("k")
    assert kept(records) == ["k"]
    kernel.kill()
    kernel.wait()
    assert kept(records) == []
    put(records)
    records.release("k")
    assert kept(records) == []
    records.release("never seen")


def test_servers_of_one_user_see_each_others_kernels(tmp_path: Path) -> None:
    records = LeaseRecords(tmp_path / "leases")
    put(records, "mine")
    code = (
        "import sys; from pathlib import Path\n"
        "from jupyter_gpu_kernels.hardware.leases import current_leases\n"
        "print(*(lease.kernel_id for lease in current_leases(Path(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(records.directory)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "mine\n"


def test_many_writers_lose_nothing(records: LeaseRecords) -> None:
    def write(worker: int) -> None:
        mine = LeaseRecords(records.directory, records.clock)
        for number in range(20):
            put(mine, f"{worker}-{number}")

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept(records)) == 100


def test_what_is_decided_with_an_error_is_not_written(records: LeaseRecords) -> None:
    put(records)

    def fail() -> None:
        with records.changing() as found:
            found.clear()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert kept(records) == ["k"]


@pytest.mark.parametrize("text", ["", "{", "{}", "null", "[1, null, {}]", '[{"lease": {}, "placement": 3}]'])
def test_damaged_records_are_no_records(records: LeaseRecords, text: str) -> None:
    records.directory.mkdir()
    (records.directory / "leases.json").write_text(text)
    assert records.current() == ()
    put(records)
    assert kept(records) == ["k"]


@pytest.mark.parametrize("pid", ["-7", "1e999", "99999999999999999999999", "null"])
def test_a_damaged_record_does_not_spoil_the_others(records: LeaseRecords, pid: str) -> None:
    put(records, server=identity())
    file = records.directory / "leases.json"
    whole = json.dumps([*json.loads(file.read_text()), _record(pid=424242, server=434343)])
    file.write_text(whole.replace("424242", pid).replace("434343", pid))
    assert kept(records) == ["k"]


def _record(*, pid: int, server: int) -> object:
    lease = Lease(
        kernel_id="damaged",
        kernel_name="warp",
        title="",
        devices=("GPU-0",),
        exclusive=True,
        server=replace(GONE, pid=server),
        kernel=replace(GONE, pid=pid),
        since=now(),
    )
    return to_json(Record(lease=lease, placement=Placement(), taken=0.0))


def test_records_that_cannot_be_read_just_now_are_not_replaced(
    records: LeaseRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(records)

    def fail(path: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "read_bytes", fail)
        assert records.current() == ()
        with pytest.raises(OSError, match="Input/output"):
            put(records, "other")
    assert kept(records) == ["k"]


def test_what_is_written_is_read(records: LeaseRecords) -> None:
    put(records, title="/home/a.ipynb", exclusive=True, since=now())
    (lease,) = records.current()
    (entry,) = json.loads((records.directory / "leases.json").read_text())
    assert (lease.title, lease.exclusive, lease.since) == ("/home/a.ipynb", True, entry["lease"]["since"])


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    assert current_leases(tmp_path / "none") == ()
    assert not (tmp_path / "none").exists()


def test_a_place_that_cannot_be_written_is_an_error_for_writers_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    records = LeaseRecords(tmp_path / "file" / "leases")
    assert records.current() == ()
    with pytest.raises(OSError, match="Not a directory"), records.changing():
        pass


def test_nobody_waits_for_ever(records: LeaseRecords) -> None:
    put(records)
    with records.changing(), pytest.raises(TimeoutError), records.changing(patience=0.05):
        pass
    # Who only looks does not wait at all, even where there is something to note.
    put(records, "dead", server=GONE)
    with records.changing():
        assert kept(records) == ["k"]


def test_the_place_belongs_to_this_user_this_host_and_this_boot(records: LeaseRecords, jp_runtime_dir: Path) -> None:
    found = lease_directory()
    assert found.parent == jp_runtime_dir / "gpu-kernels" / "leases"
    # Hosts may be called what no file should be.
    assert re.sub(r"\W", "", identity().host) in re.sub(r"\W", "", found.name)
    boot = Path("/proc/sys/kernel/random/boot_id")
    if boot.exists():
        assert boot.read_text()[:8] in found.name
    put(records)
    assert records.directory.stat().st_mode & 0o777 == 0o700


def test_what_other_boots_have_left_is_tidied_up_after_a_month(tmp_path: Path) -> None:
    old, recent = tmp_path / "leases" / "old", tmp_path / "leases" / "recent"
    for folder in (old, recent):
        folder.mkdir(parents=True)
        (folder / "leases.json").write_text("[]")
    os.utime(old, (1e9, 1e9))
    put(LeaseRecords(tmp_path / "leases" / "now"))
    assert sorted(os.listdir(tmp_path / "leases")) == ["now", "recent"]
