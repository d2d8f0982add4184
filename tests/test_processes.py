"""Tools on a leash: what they say, and that they never outlive whoever wanted them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest
from patience import PATIENCE, eventually

from jupyter_gpu_kernels.build.tools.processes import Finished, ToolSilentError, ToolStartError, run_tool

#: Ignores SIGTERM, leaves a child in its group and another in a session of its own, writes their pids, waits.
STUBBORN = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pids = pathlib.Path(sys.argv[1])
def note(): os.close(os.open(pids / str(os.getpid()), os.O_CREAT))
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
    note()
    time.sleep(600)
note()
time.sleep(600)
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code, *arguments]


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    directory = tmp_path / "pids"
    directory.mkdir()
    return directory


def all_there(pids: Path) -> Callable[[], bool]:
    return lambda: len(list(pids.iterdir())) == 3


def any_there(pids: Path) -> bool:
    return any(pids.iterdir())


def alive(pids: Path) -> list[int]:
    found = []
    for path in pids.iterdir():
        try:
            if psutil.Process(int(path.name)).status() != psutil.STATUS_ZOMBIE:
                found.append(int(path.name))
        except psutil.NoSuchProcess:
            continue
    return found


async def test_lines_of_both_streams_arrive_and_so_does_the_status() -> None:
    out: list[str] = []
    err: list[str] = []
    code = "import sys; print('a'); print('b', end=''); print('c\\nd', file=sys.stderr); sys.exit(7)"
    finished = await run_tool(python(code), on_line=out.append, on_error_line=err.append)
    assert finished == Finished(returncode=7, stderr_tail="c\nd")
    assert (out, err) == (["a", "b"], ["c", "d"])


async def test_megabytes_go_in_and_come_out_as_one_line() -> None:
    payload = os.urandom(3_000_000).hex().encode()
    out: list[str] = []
    code = "import sys; sys.stdout.write(sys.stdin.read() + '\\n')"
    assert (await run_tool(python(code), stdin=payload, on_line=out.append)).returncode == 0
    assert out == [payload.decode()]


async def test_a_tool_that_does_not_want_its_input_is_no_failure() -> None:
    assert (await run_tool(python("import sys; sys.exit(3)"), stdin=b"x" * 5_000_000)).returncode == 3


async def test_an_empty_input_is_an_input_at_its_end() -> None:
    out: list[str] = []
    await run_tool(python("import sys; print(repr(sys.stdin.read()))"), stdin=b"", on_line=out.append)
    assert out == ["''"]


async def test_what_is_not_text_is_replaced() -> None:
    out: list[str] = []
    code = "import sys; sys.stdout.buffer.write(b'\\xff\\xfe\\x00ok\\r\\n' + '\\u20ac'.encode()[:2])"
    await run_tool(python(code), on_line=out.append)
    assert out == ["\ufffd\ufffd\x00ok", "\ufffd"]


async def test_the_loop_runs_on_while_a_tool_floods_us() -> None:
    count = 0
    ticks = 0

    def take(line: str) -> None:
        nonlocal count
        count += 1

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.002)
            ticks += 1

    ticker = asyncio.create_task(tick())
    await run_tool(
        python("print('x' * 99 + '\\n', end='', flush=False) or print(('y' * 99 + '\\n') * 300_000)"), on_line=take
    )
    ticker.cancel()
    assert count == 300_002
    assert ticks > 10, "others have their turn all the time"


async def test_a_missing_tool_is_said_clearly() -> None:
    with pytest.raises(ToolStartError, match="no-such-tool could not be started") as caught:
        await run_tool(["/nowhere/no-such-tool"])
    assert "cannot find /nowhere/no-such-tool" in caught.value.detail


async def test_a_file_that_is_no_program_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("")
    with pytest.raises(ToolStartError, match="tool could not be started"):
        await run_tool([str(tmp_path / "tool")])


async def test_a_missing_directory_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(ToolStartError, match="could not be started: No such file"):
        await run_tool(python("pass"), cwd=tmp_path / "missing")


async def test_a_status_127_of_the_tool_itself_is_just_a_status() -> None:
    assert (await run_tool(python("import sys; sys.exit(127)"))).returncode == 127


async def test_a_tool_killed_by_a_signal_says_which() -> None:
    assert (await run_tool(python("import os; os.kill(os.getpid(), 11)"))).returncode == 128 + signal.SIGSEGV


async def test_environment_and_directory_are_the_given_ones(tmp_path: Path) -> None:
    out: list[str] = []
    code = "import os; print(os.getcwd(), os.environ.get('A'), 'HOME' in os.environ)"
    await run_tool(python(code), env={"A": "1"}, cwd=tmp_path, on_line=out.append)
    assert out == [f"{tmp_path} 1 False"]


async def test_a_tool_steps_back_for_whoever_waits_for_it() -> None:
    own = Path("/proc/self/autogroup")
    before = own.read_text() if own.exists() else ""
    lines: list[str] = []
    code = "import os; print(os.nice(0)); print(open('/proc/self/autogroup').read())"
    await run_tool(python(code if before else "import os; print(os.nice(0))"), on_line=lines.append)
    assert int(lines[0]) == min(os.nice(0) + 10, 19)
    if before:
        # For all but root, Linux takes one such wish in a tenth of a second from the whole machine.
        for _ in range(20):
            if os.geteuid() == 0 or lines[1].endswith(" nice 10"):
                break
            lines.clear()
            await run_tool(python(code), on_line=lines.append)
        assert lines[1].endswith(" nice 10")
        assert own.read_text() == before, "the session of whoever waits is another one"


async def test_silence_ends_the_tool(pids: Path) -> None:
    talking = "note()\nwhile len(os.listdir(pids)) < 3: print('.', flush=True); time.sleep(0.05)\ntime.sleep(600)\n"
    code = STUBBORN.replace("note()\ntime.sleep(600)\n", talking)
    with pytest.raises(ToolSilentError):
        await run_tool(python(code, str(pids)), silence=2.0)
    assert all_there(pids)()
    assert alive(pids) == []


async def test_a_talking_tool_is_not_silent() -> None:
    code = "import time\nfor _ in range(25): print('.', flush=True); time.sleep(0.1)"
    assert (await run_tool(python(code), silence=2.0)).returncode == 0


async def test_cancelling_kills_the_whole_family_before_it_returns(pids: Path) -> None:
    task = asyncio.create_task(run_tool(python(STUBBORN, str(pids))))
    await eventually(all_there(pids))
    task.cancel()
    # Impatience does not help: the second cancellation must not leave anything behind either.
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert alive(pids) == []


async def test_cancelling_at_any_moment_of_the_start_leaves_nothing() -> None:
    before = set(psutil.Process().children(recursive=True))
    for step in range(12):
        task = asyncio.create_task(run_tool(python("import time; time.sleep(60)"), stdin=b"x" * 300_000))
        await asyncio.sleep(step * 0.003)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await eventually(lambda: set(psutil.Process().children(recursive=True)) <= before)


async def test_what_a_callback_raises_ends_the_tool(pids: Path) -> None:
    def refuse(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="early"):
        await run_tool(python("print('early', flush=True)\n" + STUBBORN, str(pids)), on_line=refuse)
    assert alive(pids) == []
    with pytest.raises(ValueError, match="late"):
        await run_tool(python("print('late', end='')"), on_line=refuse)


async def test_what_the_tool_leaves_behind_ends_with_it(pids: Path) -> None:
    code = STUBBORN.replace("note()\ntime.sleep(600)\n", "note()\nwhile len(os.listdir(pids)) < 3: time.sleep(0.01)\n")
    finished = await run_tool(python(code, str(pids)))
    assert finished.returncode == 0
    assert all_there(pids)()
    assert alive(pids) == []


async def test_a_killed_leash_takes_the_family_with_it(pids: Path) -> None:
    task = asyncio.create_task(run_tool(python(STUBBORN.replace("os.setsid()", "pass"), str(pids))))
    await eventually(all_there(pids))
    (leash,) = [child for child in psutil.Process().children() if "leash.py" in " ".join(child.cmdline())]
    leash.send_signal(signal.SIGKILL)
    assert (await asyncio.wait_for(task, PATIENCE)).returncode == 128 + signal.SIGKILL
    assert alive(pids) == []


OWNER = """
import asyncio, sys
from pathlib import Path
from jupyter_gpu_kernels.build.tools.processes import run_tool
asyncio.run(run_tool(sys.argv[2:], lock=Path(sys.argv[1])))
"""


def free(lock: Path) -> bool:
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


async def test_a_killed_owner_takes_the_family_with_it(pids: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    command = [sys.executable, "-c", OWNER, str(lock), *python(STUBBORN, str(pids))]
    owner = await asyncio.create_subprocess_exec(*command)
    await eventually(all_there(pids))
    assert not free(lock)
    owner.kill()
    await eventually(lambda: free(lock))
    assert alive(pids) == []
    await owner.wait()


async def test_a_lock_that_the_owner_shares_is_never_free_while_the_family_lives(pids: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = f"import fcntl; f = open({str(lock)!r}, 'a'); fcntl.flock(f, fcntl.LOCK_SH)\n" + OWNER
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(lock), *python(STUBBORN, str(pids)))
    await eventually(all_there(pids))
    owner.kill()
    await eventually(lambda: free(lock))
    # Nobody gets the lock while one of the family is alive, at whatever moment they ask.
    assert alive(pids) == []
    await owner.wait()


async def test_a_lock_that_cannot_be_opened_is_an_error_before_anything_starts(tmp_path: Path, pids: Path) -> None:
    with pytest.raises(ToolStartError):
        await run_tool(python(STUBBORN, str(pids)), lock=tmp_path / "missing" / "lock")
    assert alive(pids) == []
    assert not any_there(pids)


async def test_many_tools_share_a_lock(tmp_path: Path) -> None:
    runs: list[Coroutine[Any, Any, Finished]] = [run_tool(python("pass"), lock=tmp_path / "lock") for _ in range(5)]
    assert {finished.returncode for finished in await asyncio.gather(*runs)} == {0}
