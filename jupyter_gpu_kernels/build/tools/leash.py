"""A script that holds a tool on a leash: the tool never outlives the process that wanted it.

Run as ``python -I -S leash.py [--lock FILE] [--stdin BYTES] -- COMMAND…``, with nothing but the standard library.
The tool runs in a process group of its own, with the leash's stdout and stderr. When the leash's stdin reaches its
end, because its owner closed it or died, even by SIGKILL, everything that the tool started is killed. The first
``BYTES`` of stdin are the tool's own input. ``FILE`` stays locked until the tool and all it started are gone.

The exit status is the tool's, or 128 + the signal that killed it, or one of :data:`REFUSED` after a line on stderr
that starts with :data:`COMPLAINT`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

#: Exit statuses of a leash that could not start its tool, as `env(1)` has them: own fault, not executable, not found.
REFUSED = (125, 126, 127)
COMPLAINT = "leash: "

#: Seconds in which killed processes must be gone; only a hanging disk keeps one longer.
PATIENCE = 10.0

#: How far the tool steps back (nice) for whoever else wants a processor, first of all the server that waits for it:
#: a cell's answer must not wait for a compiler. A machine that is idle otherwise lets it work as fast as ever.
POLITENESS = 10

#: From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

#: From winnt.h.
JOB_OBJECT_EXTENDED_LIMIT_INFORMATION = 9
JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE = 0x2000

#: From winbase.h: Windows' word for the same politeness.
BELOW_NORMAL_PRIORITY_CLASS = 0x4000


class RefusalError(Exception):
    """The tool cannot be started: exit status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Tool:
    """The tool and everything that it starts."""

    def __init__(self, command: list[str], *, piped: bool) -> None:
        _step_back()
        enter = _bind_family()
        self._reaped = False
        self._guard = threading.Lock()
        try:
            # Between fork and exec only prepared system calls are made; no other thread runs yet.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                preexec_fn=enter,
                creationflags=BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else 0,
            )
        except FileNotFoundError as error:
            raise RefusalError(127, f"cannot find {error.filename or command[0]}") from error
        except OSError as error:
            raise RefusalError(126, f"cannot run {command[0]}: {error.strerror}") from error

    def feed(self, payload: bytes) -> None:
        """Write the tool's input and close it; a tool that does not want it is none of our business."""
        stream = self._process.stdin
        assert stream is not None
        with contextlib.suppress(OSError):
            stream.write(payload)
        with contextlib.suppress(OSError):
            stream.close()

    def kill(self) -> None:
        """Kill the tool's process group."""
        with self._guard:
            if self._reaped:
                return
            if sys.platform == "win32":
                self._process.kill()
            else:
                # PermissionError is what macOS says of a group of zombies.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for the tool, then end whatever it left behind.

        Returns:
            Its exit status, negative for a signal.
        """
        if sys.platform != "win32" and hasattr(os, "waitid"):
            # The process is not reaped yet, so that its number still names its group when that is killed.
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
            self.kill()
        with self._guard:
            status = self._process.wait() if self._process.returncode is None else self._process.returncode
            self._reaped = True
        if sys.platform == "linux":
            _end_adopted()
        return status


def _step_back() -> None:
    """Let the session give way: where Linux groups processes by session, niceness counts only within one."""
    # Source: sched(7), "The autogroup feature". Only in a session that is all ours.
    if sys.platform == "linux" and os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as file:  # noqa: PTH123 (start-up time)
            file.write(str(POLITENESS))


def _bind_family() -> Callable[[], None] | None:
    """Tie the fate of what we start to ours.

    Returns:
        What the tool's process must call before it becomes the tool.
    """
    if sys.platform == "win32":
        _enter_job_object()
        return None
    if sys.platform != "linux":

        def leave() -> None:
            os.setpgid(0, 0)
            os.nice(POLITENESS)

        return leave
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    # Processes that leave the group (setsid) come to us when their parents die, so that none gets lost.
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    leash = os.getpid()

    def enter() -> None:
        os.setpgid(0, 0)
        os.nice(POLITENESS)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != leash:  # It died before the line above.
            os._exit(125)

    return enter


def _enter_job_object() -> None:
    """Put this process into a job object that Windows ends, with all members, when its last handle closes."""
    import ctypes
    from ctypes import wintypes

    class Limits(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION; only the flags are of interest."""

        _fields_ = (
            ("times", ctypes.c_int64 * 2),
            ("flags", wintypes.DWORD),
            ("working_set", ctypes.c_size_t * 2),
            ("processes", wintypes.DWORD),
            ("affinity", ctypes.c_size_t),
            ("classes", wintypes.DWORD * 2),
            ("io", ctypes.c_uint64 * 6),
            ("memory", ctypes.c_size_t * 4),
        )

    kernel = ctypes.CDLL("kernel32", use_errno=True)
    kernel.CreateJobObjectW.restype = wintypes.HANDLE
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    job = wintypes.HANDLE(kernel.CreateJobObjectW(None, None))
    limits = Limits(flags=JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)
    kernel.SetInformationJobObject(
        job, JOB_OBJECT_EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), ctypes.sizeof(limits)
    )
    kernel.AssignProcessToJobObject(job, wintypes.HANDLE(kernel.GetCurrentProcess()))


def _end_adopted() -> None:
    """Kill and reap all that is left of the family, generation by generation."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return
        for child in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        time.sleep(0.005)


def _children() -> Iterator[int]:
    """Processes whose parent we are, by /proc."""
    us = str(os.getpid())
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", "rb") as stat:  # noqa: PTH123 (start-up time)
                # The second field, in parentheses, is free text; the parent is the second one after it.
                if stat.read().rpartition(b")")[2].split()[1].decode() == us:
                    yield int(entry)


class Share:
    """A share of a file lock: any number of processes may have one, and nobody the whole lock meanwhile.

    Windows' own lock of this kind cannot be shared: there one process has it, and the others wait for it.
    """

    def __init__(self, path: str) -> None:
        self._open = False
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._open = True

    def __del__(self) -> None:
        self.release()

    def take(self) -> bool:
        """Take a share unless somebody has the lock."""
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def queue(self) -> None:
        """Wait for a share, as one must where the owner of the tool has the lock and cannot share it."""
        while not self.take():
            time.sleep(0.02)

    def release(self) -> None:
        """Give the share back, for good."""
        if self._open:
            self._open = False
            os.close(self._descriptor)


def _read(size: int) -> bytes:
    """Read exactly so many bytes of stdin, or fewer where it ends."""
    pieces = []
    while size and (piece := os.read(0, min(size, 1 << 20))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def hold(command: list[str], *, lock: str | None, stdin: int | None) -> int:
    """Run the tool to its end, or to the end of our stdin.

    Returns:
        The leash's exit status.
    """
    payload = _read(stdin or 0)
    if len(payload) < (stdin or 0):
        return 128 + signal.SIGTERM
    share = None if lock is None else Share(lock)
    held = share is None or share.take()
    tool = Tool(command, piped=stdin is not None)
    if share is not None and not held:
        threading.Thread(target=share.queue, daemon=True).start()

    def watch() -> None:
        while os.read(0, 4096):
            pass
        tool.kill()

    def stop(*_: object) -> None:
        threading.Thread(target=tool.kill, daemon=True).start()

    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    threading.Thread(target=watch, daemon=True).start()
    if stdin is not None:
        threading.Thread(target=tool.feed, args=(payload,), daemon=True).start()
    status = tool.wait()
    return status if status >= 0 else 128 - status


def main(arguments: list[str]) -> int:
    """Read the command line and run the tool."""
    own, command = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    options = dict(zip(own[::2], own[1::2], strict=True))
    size = options.get("--stdin")
    try:
        return hold(command, lock=options.get("--lock"), stdin=None if size is None else int(size))
    except RefusalError as refusal:
        sys.stderr.write(f"{COMPLAINT}{refusal}\n")
        return refusal.status
    except OSError as error:
        sys.stderr.write(f"{COMPLAINT}{error}\n")
        return REFUSED[0]


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Not sys.exit(): a thread may be queueing for the lock, and there is nothing to tidy up.
    sys.stderr.flush()
    os._exit(code)
