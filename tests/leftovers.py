"""A pytest plugin that fails a test whose processes are still alive after it, and ends them.

Processes that began after the test are known by a variable that they inherit, so that those whose parent is gone are
found as well; a direct child is known in any case. Those of other workers of the run are none of its business. The
marker ``leaves_processes`` excuses a test; its processes are ended all the same.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Iterator

import psutil
import pytest

#: Names a test's processes: they inherit it, whoever their parent is by then.
TOKEN = "GPU_KERNELS_TEST"

#: Seconds that a test's processes have to end after it, on a busy machine.
GRACE = 20.0

_TOKEN_KEY = pytest.StashKey[str]()
_BEFORE_KEY = pytest.StashKey[set[int]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "leaves_processes: may end with child processes alive")


@pytest.fixture(autouse=True)
def no_orphans(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the processes of this test; the check comes after all fixtures are gone."""
    token = f"{os.getpid()}-{uuid.uuid4().hex}"
    monkeypatch.setenv(TOKEN, token)
    request.node.stash[_TOKEN_KEY] = token
    request.node.stash[_BEFORE_KEY] = set(psutil.pids())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail a test whose processes are still there when all its fixtures are gone; end them."""
    yield
    left = _processes_of(item)
    deadline = time.monotonic() + GRACE
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = _processes_of(item)
    described = [_describe(process) for process in left]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=1)
    if left and not item.get_closest_marker("leaves_processes"):
        pytest.fail("processes left behind:\n" + "\n".join(described), pytrace=False)


def _processes_of(item: pytest.Item) -> list[psutil.Process]:
    """Living processes of the test: new children, and all that inherited its token, whoever their parent is by now."""
    token = item.stash.get(_TOKEN_KEY, None)
    if token is None:
        return []
    here = os.getpid()
    found = []
    # Only what is new is looked at: a look at all that runs costs more than most tests.
    for pid in set(psutil.pids()) - item.stash[_BEFORE_KEY]:
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            if process.ppid() != here and process.environ().get(TOKEN) != token:
                continue
            # multiprocessing's own helper stays as long as the interpreter.
            if process.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in " ".join(process.cmdline()):
                found.append(process)
    return found


def _describe(process: psutil.Process) -> str:
    try:
        return f"  {process.pid} (parent {process.ppid()}): {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"  {process.pid}"
