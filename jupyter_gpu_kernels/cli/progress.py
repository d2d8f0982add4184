"""Showing a job at work: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from ..models import Job, JobKind, JobState, Progress, Stage
from .text import size

if TYPE_CHECKING:
    from rich.progress import TaskID

#: What a person reads while a stage is at work.
TITLES = {
    Stage.SOLVE: "Finding packages that fit",
    Stage.DOWNLOAD: "Downloading",
    Stage.LINK: "Installing",
    Stage.WHEELS: "Installing wheels",
    Stage.COMPILE: "Compiling modules",
    Stage.VERIFY: "Verifying in a real kernel",
    Stage.REGISTER: "Registering",
}

#: What a person reads during jobs whose stages say less than their kind.
KINDS = {JobKind.REMOVE: "Removing", JobKind.BENCHMARK: "Running the benchmark"}

#: Seconds between two plain lines of one stage.
LINE_INTERVAL = 5.0


class Watcher(Protocol):
    """Shows snapshots of one job."""

    def __call__(self, job: Job) -> None:
        """Called with each new snapshot."""

    def close(self) -> None:
        """Called once, at the end."""


def watch(stream: TextIO, *, quiet: bool) -> Watcher:
    """Choose how to show a job.

    Args:
        stream: Where to, usually stderr.
        quiet: Whether nothing but a terminal may be told.
    """
    if stream.isatty():
        return Bars(stream)
    return Nothing() if quiet else Lines(stream)


class Nothing:
    """Shows nothing."""

    def __call__(self, job: Job) -> None:
        """Ignore it."""

    def close(self) -> None:
        """Nothing to end."""


class Lines:
    """One line for each stage, and one now and then while it lasts.

    Args:
        stream: Where to.
        clock: Seconds that never go back.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._title = ""
        self._last = 0.0
        self._said = ""

    def __call__(self, job: Job) -> None:
        """Write a line if there is news."""
        if job.state.final or not doing(job):
            return
        title, described = doing(job), describe(job.progress)
        if title != self._title:
            self._title = title
            self._say(f"{title} ...")
        elif described and described != self._said and self._clock() - self._last >= LINE_INTERVAL:
            self._said = described
            self._say(f"{title}: {described}")

    def close(self) -> None:
        """Nothing to end."""

    def _say(self, line: str) -> None:
        self._last = self._clock()
        self._stream.write(f"{line}\n")
        self._stream.flush()


class Bars:
    """One bar for each stage.

    Args:
        stream: A terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        # Imported here: the library takes longer to load than most commands take to run.
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._progress = RichProgress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[described]}"),
            TimeElapsedColumn(),
            console=Console(file=stream),
        )
        self._progress.start()
        self._title = ""
        self._task: TaskID | None = None

    def __call__(self, job: Job) -> None:
        """Move the bar, or begin the next."""
        title = doing(job)
        if title and title != self._title and not job.state.final:
            self._finish()
            self._title = title
            self._task = self._progress.add_task(title, total=None, described="")
        if self._task is not None:
            done, total = _share(job.progress)
            self._progress.update(self._task, completed=done, total=total or None, described=describe(job.progress))
        if job.state.final:
            if job.state is JobState.SUCCEEDED:
                self._finish()
            self.close()

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()

    def _finish(self) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=1, total=1)


def doing(job: Job) -> str:
    """What is being done, in words; empty before anything is."""
    if job.state is JobState.QUEUED:
        return ""
    return KINDS.get(job.kind) or (TITLES[job.stage] if job.stage else "")


def describe(progress: Progress) -> str:
    """How far a stage has come, in words."""
    parts = []
    if progress.packages_total:
        parts.append(f"{progress.packages_done} of {progress.packages_total} packages")
    if progress.bytes_total:
        parts.append(f"{size(progress.bytes_done)} of {size(progress.bytes_total)}")
    if progress.bytes_per_second:
        parts.append(f"{size(progress.bytes_per_second)}/s")
    if progress.detail:
        parts.append(progress.detail)
    return ", ".join(parts)


def _share(progress: Progress) -> tuple[float, float]:
    """Done and total, in the unit that moves most evenly."""
    if progress.bytes_total:
        return progress.bytes_done, progress.bytes_total
    return progress.packages_done, progress.packages_total
