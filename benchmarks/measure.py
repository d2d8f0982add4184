"""What every benchmark does: repeat, interleave, summarise, print."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Sample:
    """Durations of one candidate, in seconds."""

    name: str
    seconds: tuple[float, ...]

    def quantile(self, share: float) -> float:
        """The duration that a share of the runs did not exceed (nearest rank)."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]

    @property
    def median(self) -> float:
        """The middle duration."""
        return statistics.median(self.seconds)


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def interleaved(candidates: dict[str, Callable[[], object]], rounds: int) -> list[Sample]:
    """Run candidates in turn, so that a slow minute of the machine hits all of them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, action in candidates.items():
            seconds[name].append(timed(action))
    return [Sample(name, tuple(values)) for name, values in seconds.items()]


def show(title: str, samples: Sequence[Sample], *, baseline: str | None = None, note: str = "") -> None:
    """Print samples as a table, with the ratio of medians to a baseline."""
    table = Table(title=title, caption=note or None, title_justify="left", caption_justify="left")
    table.add_column("candidate")
    for column in ("median", "p99", "runs", "ratio"):
        table.add_column(column, justify="right")
    base = next((sample.median for sample in samples if sample.name == baseline), None)
    for sample in samples:
        ratio = f"{sample.median / base:.2f}" if base else ""
        table.add_row(
            sample.name,
            milliseconds(sample.median),
            milliseconds(sample.quantile(0.99)),
            str(len(sample.seconds)),
            ratio,
        )
    Console().print(table)


def milliseconds(seconds: float) -> str:
    """Format a duration."""
    return f"{seconds * 1000:.1f} ms"
