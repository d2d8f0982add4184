"""Processes are told apart, and their families found."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from patience import wait_until

from jupyter_gpu_kernels.hardware.processes import alive, family, identity, identity_of


def test_a_process_is_told_apart_from_a_later_one_with_its_pid() -> None:
    us = identity()
    assert (us.host, us.pid) == (socket.gethostname(), os.getpid())
    assert alive(us)
    assert alive(replace(us, started=us.started + 0.5))
    assert not alive(replace(us, started=us.started - 100))


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
