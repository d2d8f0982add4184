"""Running a tool (the conda builder, uv) so that it never outlives us, hangs in silence or blocks the loop."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import functools
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import psutil

from ...errors import InstallError
from . import leash
from .insistence import insist

T = TypeVar("T")

#: Characters of one line that are kept; a tool that writes more without a line end is not writing lines.
LONGEST_LINE = 64 * 1024 * 1024
#: Lines of stderr, and characters of each, that are kept as evidence.
TAIL_LINES = 200
TAIL_WIDTH = 2000
#: Seconds that a leash gets to kill its tool before it is killed itself.
PATIENCE = leash.PATIENCE + 2
#: Seconds in which the pipes must close once nobody is left to hold them.
AFTERGLOW = 2.0

CREATE_NEW_PROCESS_GROUP = 0x00000200


class ToolSilentError(Exception):
    """The tool wrote nothing for too long and was killed; for callers in this room, never for users."""


class ToolStartError(InstallError):
    """The tool could not be started."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a tool ended.

    Attributes:
        returncode: Its exit status, 128 + n if signal n killed it.
        stderr_tail: The last lines it wrote to stderr.
    """

    returncode: int
    stderr_tail: str


class _Lines:
    """Cuts a stream of bytes into lines of text; what is not UTF-8 is replaced."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pieces: list[str] = []
        self._length = 0

    def feed(self, data: bytes) -> list[str]:
        """Add bytes (none at the end of the stream) and take the lines that are complete."""
        *complete, rest = self._decoder.decode(data, final=not data).split("\n")
        lines = []
        for piece in complete:
            self._keep(piece)
            lines.append("".join(self._pieces).rstrip("\r"))
            self._pieces.clear()
            self._length = 0
        self._keep(rest)
        if not data and self._length:
            lines.append("".join(self._pieces))
            self._pieces.clear()
        return lines

    def _keep(self, piece: str) -> None:
        piece = piece[: LONGEST_LINE - self._length]
        if piece:
            self._pieces.append(piece)
            self._length += len(piece)


class _Watch(asyncio.SubprocessProtocol):
    """Listens to a leash: cuts lines, minds the silence, notices the end.

    Attributes:
        outcome: Done when the leash has ended, or failed with what a callback or the silence raised.
        closed: Done when stdout and stderr are closed.
        tail: The last lines of stderr.
    """

    def __init__(
        self, take: Callable[[str], None] | None, take_error: Callable[[str], None] | None, silence: float | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[None] = self._loop.create_future()
        self.exited: asyncio.Future[None] = self._loop.create_future()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._lines = {1: _Lines(), 2: _Lines()}
        self._takers = {1: take, 2: take_error}
        self._silence = silence
        self._last_sign = self._loop.time()
        self._mind_silence()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Called by the loop with output of the tool."""
        self._last_sign = self._loop.time()
        self._give(fd, self._lines[fd].feed(data))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Called by the loop when a pipe is closed."""
        if fd in self._lines:
            self._give(fd, self._lines.pop(fd).feed(b""))
            if not self._lines and not self.closed.done():
                self.closed.set_result(None)

    def process_exited(self) -> None:
        """Called by the loop when the leash has ended."""
        self.exited.set_result(None)
        if not self.outcome.done():
            self.outcome.set_result(None)

    def _give(self, fd: int, lines: list[str]) -> None:
        if fd == 2:
            self.tail.extend(line[:TAIL_WIDTH] for line in lines)
        taker = self._takers[fd]
        # After a failure nobody listens any more.
        if taker is not None and (not self.outcome.done() or self.outcome.exception() is None):
            try:
                for line in lines:
                    taker(line)
            except Exception as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        # An error in the very last line finds the outcome settled already; better late than never.
        if self.outcome.done():
            self.outcome = self._loop.create_future()
        self.outcome.set_exception(error)

    def _mind_silence(self) -> None:
        if self._silence is None or self.outcome.done():
            return
        rest = self._last_sign + self._silence - self._loop.time()
        if rest > 0:
            self._loop.call_later(rest, self._mind_silence)
        else:
            msg = f"Nothing was heard for {self._silence:g} s."
            self._fail(ToolSilentError(msg))


async def run_tool(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    on_line: Callable[[str], None] | None = None,
    on_error_line: Callable[[str], None] | None = None,
    silence: float | None = None,
    lock: Path | None = None,
) -> Finished:
    """Run a tool on a leash to its end.

    Whatever happens, cancellation included, the tool and everything it started are gone when this returns or raises.

    Args:
        argv: The command; its first word is looked up in ``PATH``.
        env: Its whole environment, ``None`` for ours.
        cwd: Its working directory.
        stdin: Its input, ``None`` for none.
        on_line: Called on the loop with each line of stdout. What it raises ends the tool and is raised here.
        on_error_line: The same for stderr.
        silence: Seconds without any output after which the tool is killed, ``None`` to wait for ever.
        lock: File that stays locked until the tool is gone, even if we are killed.

    Raises:
        ToolSilentError: It wrote nothing for ``silence`` seconds.
        ToolStartError: It could not be started.
    """
    loop = asyncio.get_running_loop()
    options = [*(["--lock", str(lock)] if lock else []), *(["--stdin", str(len(stdin))] if stdin is not None else [])]
    try:
        # Insisted on, since asyncio loses track of a process if it is cancelled while it starts one.
        (transport, watch), cancelled = await insist(
            loop.subprocess_exec(
                functools.partial(_Watch, on_line, on_error_line, silence),
                *(sys.executable, "-I", "-S", leash.__file__, *options, "--", *argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=env,
                cwd=cwd,
                # A session of its own, so that Ctrl-C in a terminal comes to us and not to the tool.
                start_new_session=sys.platform != "win32",
                creationflags=CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0,
            )
        )
    except OSError as error:
        msg = f"{Path(argv[0]).name} could not be started: {error.strerror or error}."
        cure = "Check that the machine has memory and processes to spare, and that the directory exists."
        raise ToolStartError(msg, cure=cure, detail=repr(error)) from error
    owner = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
    try:
        if cancelled:
            raise asyncio.CancelledError
        if stdin:
            # Not followed by an end of file: that is what ends the tool.
            owner.write(stdin)
        await asyncio.shield(watch.outcome)
    finally:
        _, cancelled = await insist(_end(transport, watch, owner))
        if cancelled:
            raise asyncio.CancelledError
    await watch.outcome
    status = transport.get_returncode() or 0
    text = "\n".join(watch.tail)
    if status in leash.REFUSED and watch.tail and watch.tail[-1].startswith(leash.COMPLAINT):
        msg = f"{Path(argv[0]).name} could not be started."
        cure = "Reinstall jupyter-gpu-kernels together with its dependencies."
        raise ToolStartError(msg, cure=cure, detail=text)
    return Finished(returncode=status if status >= 0 else 128 - status, stderr_tail=text)


async def _end(transport: asyncio.SubprocessTransport, watch: _Watch, owner: asyncio.WriteTransport) -> None:
    """End the leash, and with it the tool, unless it has ended by itself; then take the rest of the output."""
    if not owner.is_closing():
        owner.abort()
    if not await _settled(watch.exited, PATIENCE):
        transport.kill()
        await watch.exited
    if (transport.get_returncode() or 0) < 0 and sys.platform != "win32":
        # Somebody killed the leash. The tool dies with it, but not what the tool had started.
        await asyncio.to_thread(_kill_session, transport.get_pid())
    await _settled(watch.closed, AFTERGLOW)
    transport.close()


async def _settled(future: asyncio.Future[None], seconds: float) -> bool:
    """Wait for a future, but not for ever."""
    return bool((await asyncio.wait([future], timeout=seconds))[0])


def _kill_session(session: int) -> None:
    """Kill every process of a session, and wait until they are gone: dying takes a moment on a busy machine."""
    deadline = time.monotonic() + AFTERGLOW
    while (left := _members(session)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(0.005)


def _members(session: int) -> list[psutil.Process]:
    """The living processes of a session."""
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getsid(pid) == session and (process := psutil.Process(pid)).status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
