"""A job that this process works on: its present snapshot, and how it reaches readers and the disk."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..models import Job, Plan, Progress, Stage
from .records import TAIL_LINES, JobRecords

#: Seconds between two revisions that only progress or the log asked for: five a second look alive, more only cost.
INTERVAL = 0.2

#: Seconds between two writes of the record, but for changes of state, which are written at once.
SAVE_INTERVAL = 1.0

#: Characters of a log line that are kept.
LINE_LIMIT = 2000


class LiveJob:
    """A job at work; as a reporter it is what the work tells its progress to.

    Reporter methods may be called from any thread; all else belongs to the event loop.

    Args:
        job: The first snapshot.
        records: Where it is kept.
        publish: Called on the loop with each new snapshot.
    """

    def __init__(self, job: Job, records: JobRecords, publish: Callable[[Job], None]) -> None:
        self.job = job
        self.task: asyncio.Task[None] | None = None
        self.cancelling = False
        self._records = records
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._tail: deque[str] = deque(job.log, TAIL_LINES)
        self._unsaved: list[str] = []
        self._pending: dict[str, Any] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._saver: asyncio.Task[None] | None = None

    # What the work calls (see build/reporting.py).

    def stage(self, stage: Stage) -> None:
        """Begin a stage: its progress starts anew."""
        self._on_loop(self.change, stage=stage, progress=Progress())

    def progress(self, progress: Progress) -> None:
        """Take the progress of the stage; readers get the latest, a few times a second."""
        self._on_loop(self._later, progress=progress)

    def log(self, line: str) -> None:
        """Take one line, or several, of the log."""
        self._on_loop(self._log, line=line)

    def plan(self, plan: Plan) -> None:
        """Take the plan; its packages are not kept here, the manifest will have them."""
        self._on_loop(self.change, plan=replace(plan, packages=()))

    # What the runner calls.

    def change(self, **fields: Any) -> None:
        """Make a new snapshot at once, with whatever was waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        fields = {**self._pending, **fields}
        self._pending = {}
        self._last = self._loop.time()
        self.job = replace(self.job, revision=self.job.revision + 1, log=tuple(self._tail), **fields)
        self._publish(self.job)
        if self._saver is None or self._saver.done():
            self._saver = self._loop.create_task(self._save_for_now())

    async def flush(self) -> bool:
        """Write the record and the log now; whether that was done."""
        lines, self._unsaved = self._unsaved, []
        try:
            await asyncio.to_thread(self._write, self.job, lines)
        except OSError as error:
            # A full disk must not turn a finished build into a failed one; the snapshot in memory stays true.
            logging.getLogger(__name__).warning("The record of job %s could not be written: %s", self.job.id, error)
            return False
        return True

    def _write(self, job: Job, lines: list[str]) -> None:
        self._records.append(job.id, lines)
        self._records.save(job)

    async def _save_for_now(self) -> None:
        """Write until nothing new came during the pause after a write."""
        written = -1
        while written != self.job.revision and not self.job.state.final:
            written = self.job.revision
            await self.flush()
            await asyncio.sleep(SAVE_INTERVAL)

    def close(self) -> None:
        """Stop the timers; the last snapshot was flushed."""
        if self._timer is not None:
            self._timer.cancel()
        if self._saver is not None:
            self._saver.cancel()

    def _log(self, line: str) -> None:
        lines = [part[:LINE_LIMIT] for part in line.splitlines()]
        self._tail.extend(lines)
        self._unsaved.extend(lines)
        self._later()

    def _later(self, **fields: Any) -> None:
        """Make a new snapshot as soon as the last one is old enough."""
        self._pending.update(fields)
        if self._timer is None:
            wait = max(0.0, self._last + INTERVAL - self._loop.time())
            self._timer = self._loop.call_later(wait, self._elapsed)

    def _elapsed(self) -> None:
        self._timer = None
        if not self.job.state.final:
            self.change()

    def _on_loop(self, call: Callable[..., None], **fields: Any) -> None:
        if threading.get_ident() == self._thread:
            call(**fields)
        else:
            self._loop.call_soon_threadsafe(lambda: call(**fields))
