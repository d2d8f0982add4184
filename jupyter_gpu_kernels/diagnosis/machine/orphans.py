"""Processes that kernels left behind and that still have memory on a GPU."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from ...errors import ConflictError, InvalidInputError
from ...hardware.memory import amount
from ...models import Finding
from .. import remedies
from ..check import warning
from ..context import Context

#: Set by Jupyter for a kernel, and inherited by whatever the kernel starts; the process that started the kernel:
#: https://github.com/jupyter/jupyter_client/blob/main/jupyter_client/launcher.py
_STARTED_BY = "JPY_PARENT_PID"

#: Seconds that a process is given to end by itself.
_GRACE = 5.0

#: Characters of a command line that are shown.
_LONGEST = 120


@dataclass(frozen=True)
class _Orphan:
    process: psutil.Process
    why: str


def orphans(context: Context) -> Iterator[Finding]:
    """This user's processes that came from a kernel which is gone."""
    held: dict[int, list[str]] = {}
    for reading in context.readings:
        for holder in reading.processes or ():
            if holder.pid is not None:
                memory = amount(holder.memory) if holder.memory is not None else "memory"
                held.setdefault(holder.pid, []).append(f"{memory} on {reading.uuid}")
    for pid, amounts in held.items():
        with contextlib.suppress(psutil.Error, OSError):
            orphan = _orphan(pid)
            if orphan is not None:
                yield _finding(orphan, amounts)


def end(subject: str) -> None:
    """End a process that was found.

    Args:
        subject: Its id and when it began, as in the remedy.

    Raises:
        InvalidInputError: That names no process.
        ConflictError: It is not what was found any more, or did not end.
    """
    found = re.fullmatch(r"(\d{1,10})@(\d{1,12}\.\d{2})", subject)
    if found is None:
        msg = f"{subject[:40]!r} names no process."
        raise InvalidInputError(msg, cure="Diagnose again, and take a remedy from there.")
    try:
        orphan = _orphan(int(found[1]))
        # The handle is bound to the moment in which the process began: its signals reach no later one of that id.
        if orphan is None or _subject(orphan.process) != subject:
            msg = f"The process {found[1]} is not one that a kernel left behind."
            raise ConflictError(msg, cure="Diagnose again: it may have ended meanwhile.")
        orphan.process.send_signal(signal.SIGTERM)
        if not _ends(orphan.process):
            orphan.process.kill()
        if _ends(orphan.process):
            return
        reason = "it is still there"
    except psutil.NoSuchProcess:
        return
    except (psutil.Error, OSError) as error:
        reason = str(error)
    msg = f"The process {found[1]} did not end: {reason}."
    raise ConflictError(msg, cure=f"End it in a terminal: `kill -9 {found[1]}`.")


def _orphan(pid: int) -> _Orphan | None:
    """What a process is an orphan of, ``None`` if it is none or another user's."""
    if not hasattr(os, "getsid"):
        return None
    process = psutil.Process(pid)
    if process.uids().real != os.getuid() or process.status() == psutil.STATUS_ZOMBIE:
        return None
    starter = process.environ().get(_STARTED_BY, "")
    if not starter.isdigit():
        return None
    # Every kernel leads a session of its own, which what it starts stays in after its death.
    leader = os.getsid(pid)
    if leader == pid:
        gone = process.ppid() != int(starter) and not _runs(int(starter))
        return _Orphan(process, f"The server that it came from ({starter}) is gone") if gone else None
    return None if _runs(leader) else _Orphan(process, f"The kernel that it came from ({leader}) is gone")


def _finding(orphan: _Orphan, amounts: list[str]) -> Finding:
    process = orphan.process
    command = " ".join(process.cmdline())
    command = command if len(command) <= _LONGEST else f"{command[:_LONGEST]}…"
    notebook = process.environ().get("JPY_SESSION_NAME", "")
    return warning(
        f"A process that a kernel left behind has memory on a GPU: {', '.join(amounts)}.",
        evidence=[
            f"Process {process.pid}: {command}",
            f"{orphan.why}.",
            *([f"It was started for {notebook}"] if notebook else []),
        ],
        cure="End it, unless it was left to run on purpose.",
        remedy=remedies.end_process(_subject(process), command),
    )


def _ends(process: psutil.Process) -> bool:
    """Wait for a process to end, for some seconds; whether anybody has taken note of its end does not matter."""
    deadline = time.monotonic() + _GRACE
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def _subject(process: psutil.Process) -> str:
    return f"{process.pid}@{process.create_time():.2f}"


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
