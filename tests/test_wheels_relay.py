"""What uv draws for people is understood, and whatever it draws, it runs to its end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from patience import PATIENCE, wait_until

from jupyter_gpu_kernels.build.wheels import relay
from jupyter_gpu_kernels.build.wheels.relay import Screen

#: As uv 0.13 writes them, shortened: a spinner with a count, then one bar below the other.
FRAME = (
    "\r\x1b[2K\x1b[37m⠙\x1b[0m \x1b[2mPreparing packages...\x1b[0m ({prepared}/34)      "
    "\x1b[2mnest_asyncio2       \x1b[0m \x1b[32m---\x1b[30m\x1b[2m------\x1b[0m\x1b[0m     {small} B/11.61 KiB   "
    "\x1b[2mjaxlib              \x1b[0m \x1b[32m\x1b[30m\x1b[2m---------\x1b[0m\x1b[0m {large} MiB/81.49 MiB   "
)


def run(code: str) -> tuple[list[dict[str, object]], int, str]:
    command = [sys.executable, "-I", "-S", relay.__file__, "--", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode, done.stderr


def test_bars_are_read_as_bytes() -> None:
    screen = Screen()
    screen.feed("Using Python 3.11.7 environment at: v3\r\n")
    screen.feed(FRAME.format(prepared=2, small=512, large="1.50"))
    screen.feed(FRAME.format(prepared=3, small=512, large="40.75") + "\x1b[1A\r\x1b[2K")
    assert screen.state() == {
        "bars": {"nest-asyncio2": [512, 11889], "jaxlib": [42729472, 85448458]},
        "prepared": [3, 34],
        "linked": [0, 0],
    }


def test_a_drawing_in_pieces_is_read_like_one() -> None:
    whole, pieces = Screen(), Screen()
    text = FRAME.format(prepared=2, small=512, large="1.50") + "\r\x1b[2KPrepared 34 packages in 1.46s\r\n"
    lines = whole.feed(text)
    assert [line for character in text for line in pieces.feed(character)] == lines == ["Prepared 34 packages in 1.46s"]
    assert pieces.state() == whole.state()


def test_linking_is_counted() -> None:
    screen = Screen()
    screen.feed("\r\x1b[2K██████░░ [31/34] \x1b[2mscipy==1.17.1   \x1b[0m\r\x1b[2K")
    assert screen.linked == [31, 34]


def test_the_program_sees_a_terminal_and_its_words_and_status_come_through() -> None:
    messages, status, stderr = run(
        "import sys; assert sys.stderr.isatty(); print('out'); print('Über\\nsecond', file=sys.stderr); sys.exit(3)"
    )
    assert [message["text"] for message in messages if "text" in message] == ["Über", "second"]
    assert (status, stderr) == (3, "out\n")


def test_a_program_that_was_killed_ends_as_in_a_shell() -> None:
    assert run("import os; os.kill(os.getpid(), 9)")[1] == 137


def test_nothing_is_told_while_nothing_changes() -> None:
    frame = FRAME.format(prepared=1, small=1, large="1.00")
    messages, _, _ = run(f"import sys,time\nfor _ in range(60): sys.stderr.write({frame!r}); time.sleep(0.02)")
    assert len(messages) <= 3


@pytest.mark.parametrize(
    "noise", ["\\x1b[", "\\xff\\xfe", "99 B/", "a ---- ..... MiB/. MiB ", "Preparing packages... (1/0)"]
)
def test_noise_does_no_harm(noise: str) -> None:
    messages, status, _ = run(f"import sys; sys.stderr.buffer.write(b'{noise}' * 30000 + b'\\nend\\n')")
    assert status == 0
    assert messages[-1].get("text") == "end" or {"text": "end"} in messages


def ended(process: psutil.Process) -> bool:
    # In some containers nobody buries an orphan.
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is of Linux")
def test_the_program_dies_with_its_relay(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    command = [sys.executable, "-I", "-S", relay.__file__, "--", sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: mark.exists() and mark.read_text())
        child = psutil.Process(int(mark.read_text()))
        process.kill()
        wait_until(lambda: ended(child))
