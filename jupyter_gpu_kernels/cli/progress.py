"""Showing a job at work: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TextIO

from ..models import Job, JobKind, JobState, Progress, Stage
from .text import outline, share, size

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
KINDS = {JobKind.BENCHMARK: "Running the benchmark"}

#: What is done with files in jobs that install none.
LINKING = {JobKind.CLONE: "Copying", JobKind.RENAME: "Copying", JobKind.PACK: "Writing the pack"}

#: Columns of a terminal from which on there is room for everything, and of the bars in such ones and others.
WIDE, WIDE_BAR, NARROW_BAR = 110, 30, 10

#: Columns of the spinner, the longest title, the time, and the gaps.
BESIDES = 1 + max(map(len, (*TITLES.values(), *KINDS.values()))) + len("0:00:00") + 4

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
        self._outlined = False

    def __call__(self, job: Job) -> None:
        """Write a line if there is news."""
        if job.plan is not None and job.plan.refusal is None and not self._outlined:
            self._outlined = True
            self._stream.write(outline(job.plan))
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

        console = Console(file=stream)
        self._wide = console.width >= WIDE
        # Rich would shorten all columns alike, the bar to nothing first.
        self._room = console.width - (WIDE_BAR if self._wide else NARROW_BAR) - BESIDES
        self._progress = RichProgress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=WIDE_BAR if self._wide else NARROW_BAR),
            TextColumn("{task.fields[described]}", markup=False),
            TimeElapsedColumn(),
            console=console,
        )
        self._progress.start()
        self._outlined = False
        self._title = ""
        self._last = Progress()
        self._task: TaskID | None = None

    def __call__(self, job: Job) -> None:
        """Move the bar, or begin the next."""
        if job.plan is not None and job.plan.refusal is None and not self._outlined:
            self._outlined = True
            # Above the bars; not rich's own markup, which would take brackets for commands.
            self._progress.console.print(outline(job.plan), end="", markup=False, highlight=False)
        title = doing(job)
        if title and title != self._title and not job.state.final:
            self._finish()
            self._title = title
            self._task = self._progress.add_task(title, total=None, described="")
        if self._task is not None:
            self._last = job.progress
            done, total = _share(job.progress)
            self._progress.update(self._task, completed=done, total=total or None, described=self._described())
        if job.state.final:
            if job.state is JobState.SUCCEEDED:
                self._finish()
            self.close()

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()

    def _finish(self) -> None:
        if self._task is not None:
            last = self._last
            # What came too late to be told, and the speed of what has stopped.
            self._last = replace(
                last, packages_done=last.packages_total, bytes_done=last.bytes_total, bytes_per_second=0.0, detail=""
            )
            self._progress.update(self._task, completed=1, total=1, described=self._described())
            self._last = Progress()

    def _described(self) -> str:
        words = describe(self._last, briefly=not self._wide)
        return words if len(words) <= self._room else f"{words[: max(self._room - 1, 0)]}…"


def doing(job: Job) -> str:
    """What is being done, in words; empty before anything is."""
    if job.state is JobState.QUEUED:
        return ""
    if job.kind is JobKind.REMOVE:
        return f"Removing {job.name}"
    if job.stage is Stage.LINK and job.kind in LINKING:
        return LINKING[job.kind]
    return KINDS.get(job.kind) or (TITLES[job.stage] if job.stage else "")


def describe(progress: Progress, *, briefly: bool = False) -> str:
    """How far a stage has come, in words; briefly where there is little room."""
    parts = []
    if progress.packages_total:
        count = f"{progress.packages_done} of {progress.packages_total} {progress.unit}"
        parts.append(
            f"{progress.packages_done}/{progress.packages_total}" if briefly and progress.bytes_total else count
        )
    if progress.bytes_total:
        done, total = progress.bytes_done, progress.bytes_total
        parts.append(share(done, total) if briefly else f"{size(done)} of {size(total)}")
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
