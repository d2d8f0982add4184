"""The lock of an environment: real processes, threads and event loops."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.disk.locks import EnvironmentLock
from jupyter_gpu_kernels.errors import EnvironmentBusyError, InstallError
from jupyter_gpu_kernels.hardware.processes import identity

HOLD = (
    "import sys; from pathlib import Path; from jupyter_gpu_kernels.build.disk.locks import EnvironmentLock\n"
    "lock = EnvironmentLock(Path(sys.argv[1]), sys.argv[2]); lock.acquire('rebuild')\n"
    "print(flush=True); sys.stdin.read()"
)

#: Adds one to a counter so that two who do it at once lose one.
COUNT = """
import sys, time
from pathlib import Path
from jupyter_gpu_kernels.build.disk.locks import EnvironmentLock
from jupyter_gpu_kernels.errors import EnvironmentBusyError

lock, counter, done = EnvironmentLock(Path(sys.argv[1]), "tf"), Path(sys.argv[2]), 0
while done < 5:
    try:
        with lock.hold("create"):
            value = int(counter.read_text())
            time.sleep(0.005)
            counter.write_text(str(value + 1))
            done += 1
    except EnvironmentBusyError:
        time.sleep(0.01)
"""


class Elsewhere:
    """Another process that holds a lock."""

    def __init__(self, directory: Path, name: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(directory), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_a_lock_is_taken_once_and_given_back(tmp_path: Path) -> None:
    first, second = EnvironmentLock(tmp_path / "locks", "tf"), EnvironmentLock(tmp_path / "locks", "tf")
    first.acquire("create")
    for lock in (first, second):
        with pytest.raises(EnvironmentBusyError):
            lock.acquire("create")
    second.release()
    with pytest.raises(EnvironmentBusyError):
        second.acquire("create")
    first.release()
    with second.hold("create"), pytest.raises(EnvironmentBusyError):
        first.acquire("create")
    first.acquire("create")
    first.release()


def test_names_that_differ_in_case_share_a_lock(tmp_path: Path) -> None:
    with EnvironmentLock(tmp_path, "TF").hold("create"):
        with pytest.raises(EnvironmentBusyError):
            EnvironmentLock(tmp_path, "tf").acquire("create")
        with EnvironmentLock(tmp_path, "tf2").hold("create"):
            pass


def test_a_busy_environment_says_who_does_what_since_when(tmp_path: Path) -> None:
    other = Elsewhere(tmp_path, "tf")
    lock = EnvironmentLock(tmp_path, "tf")
    try:
        with pytest.raises(EnvironmentBusyError) as caught:
            lock.acquire("create")
        holder = lock.holder()
    finally:
        other.kill()
    assert holder is not None
    assert (holder.process.pid, holder.purpose) == (other.process.pid, "rebuild")
    words = f"The environment 'tf' is being rebuilt by process {other.process.pid} since "
    assert caught.value.message.startswith(words + time.strftime("%Y-"))
    assert caught.value.cure == "Wait until that is finished, or cancel it."


def test_a_killed_holder_holds_no_longer(tmp_path: Path) -> None:
    other = Elsewhere(tmp_path, "tf")
    other.kill()
    lock = EnvironmentLock(tmp_path, "tf")
    assert lock.holder() is None
    lock.acquire("create")
    holder = lock.holder()
    assert holder is not None
    assert holder.process == identity()
    lock.release()
    assert lock.holder() is None


def test_a_holder_on_another_host_is_named_with_its_host(tmp_path: Path) -> None:
    note = {
        "process": {"host": "node7", "pid": 4242, "started": 1.0},
        "purpose": "create",
        "since": "2026-11-20T10:00:00+00:00",
    }
    with EnvironmentLock(tmp_path, "tf").hold("create"):
        (tmp_path / "tf.holder.json").write_text(json.dumps(note))
        with pytest.raises(EnvironmentBusyError, match=r"is being built by process 4242 on node7 since 2026-11-20 "):
            EnvironmentLock(tmp_path, "tf").acquire("create")


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"process": 1}', "\0"])
def test_a_damaged_note_does_no_harm(tmp_path: Path, note: str) -> None:
    with EnvironmentLock(tmp_path, "tf").hold("create"):
        (tmp_path / "tf.holder.json").write_text(note)
        with pytest.raises(EnvironmentBusyError, match="Another process is working on"):
            EnvironmentLock(tmp_path, "tf").acquire("create")


def test_a_lock_is_released_by_another_thread(tmp_path: Path) -> None:
    lock = EnvironmentLock(tmp_path, "tf")
    thread = threading.Thread(target=lock.acquire, args=("create",))
    thread.start()
    thread.join()
    with pytest.raises(EnvironmentBusyError):
        EnvironmentLock(tmp_path, "tf").acquire("create")
    lock.release()
    EnvironmentLock(tmp_path, "tf").acquire("create")


def test_processes_take_turns(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path / "locks"), str(counter)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert counter.read_text() == "15"


def test_a_child_process_does_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = EnvironmentLock(tmp_path, "tf")
    lock.acquire("create")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        EnvironmentLock(tmp_path, "tf").acquire("create")
        child.communicate(b"\n")


def test_a_directory_that_cannot_be_made_is_an_error_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstallError, match="cannot be locked") as caught:
        EnvironmentLock(tmp_path / "file" / "locks", "tf").acquire("create")
    assert caught.value.cure
