"""Processes are told apart, and their families found."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from patience import wait_until

from jupyter_gpu_kernels.hardware import processes
from jupyter_gpu_kernels.hardware.processes import alive, family, identity, identity_of


def test_a_process_is_told_apart_from_a_later_one_with_its_pid() -> None:
    us = identity()
    assert (us.host, us.pid) == (socket.gethostname(), os.getpid())
    assert alive(us)
    assert alive(replace(us, started=us.started + 0.5))
    assert not alive(replace(us, started=us.started - 100))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a start does not move with the clock")
def test_a_process_stays_who_it_is_when_the_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    us, booted = identity(), psutil.boot_time()
    began = psutil.Process().create_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted - 3600)
    if psutil.Process().create_time() == began:
        pytest.skip("this psutil has the time of the boot from elsewhere")
    assert alive(us)
    assert identity().started == pytest.approx(us.started, abs=0.1)


def test_a_process_of_another_boot_is_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "boot_id").write_text("01234567-89ab-cdef-0123-456789abcdef\n")
    us = identity()
    monkeypatch.setattr(processes, "BOOT_ID", tmp_path / "boot_id")
    assert not alive(us)
    # Where boots have no name, the clock has to do.
    monkeypatch.setattr(processes, "BOOT_ID", tmp_path / "none")
    assert identity().started == pytest.approx(psutil.Process().create_time(), abs=2)
    assert alive(identity())


@pytest.mark.parametrize("pid", [-1, 0, 2**31 - 1, 2**70])
def test_a_number_that_no_process_has_is_not_alive(pid: int) -> None:
    assert not alive(replace(identity(), pid=pid))


def test_a_dead_process_and_a_zombie_are_not_alive() -> None:
    code = "from jupyter_gpu_kernels.hardware.processes import identity; i = identity(); print(i.pid, i.started)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        pid, started = child.stdout.read().split()
        them = replace(identity(), pid=int(pid), started=float(started))
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            assert not alive(them)
    assert not alive(them)


def test_a_process_elsewhere_counts_as_alive() -> None:
    assert alive(replace(identity(), host="another-host", pid=1, started=0.0))


def test_another_process_is_told_apart_as_it_tells_itself() -> None:
    assert identity_of(os.getpid()) == identity()


@pytest.mark.parametrize("pid", [-1, 2**31 - 1, 2**70])
def test_a_process_that_is_not_there_is_nobody(pid: int) -> None:
    assert identity_of(pid) is None
    assert family(pid) == frozenset()


@pytest.mark.skipif(sys.platform == "win32", reason="sessions are POSIX")
def test_a_family_keeps_those_whose_parent_is_gone(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    # A session whose leader has a child, and a grandchild that the child leaves behind as an orphan.
    script = f"(sleep 600 & echo $! >{pids}.new; mv {pids}.new {pids}); exec sleep 600"
    with subprocess.Popen(["sh", "-c", script], start_new_session=True) as leader:
        try:
            wait_until(pids.exists)
            orphan = int(pids.read_text())
            wait_until(lambda: os.getsid(orphan) == leader.pid)
            assert {leader.pid, orphan} <= family(leader.pid)
            assert os.getpid() not in family(leader.pid)
        finally:
            os.killpg(leader.pid, 9)


def test_a_family_has_children_in_sessions_of_their_own() -> None:
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdin is not None
        assert {os.getpid(), child.pid} <= family(os.getpid())
        child.stdin.close()
