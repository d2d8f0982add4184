"""What every benchmark does: repeat, interleave, summarise, print."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

#: Columns of a table and its caption.
WIDTH = 100


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

    @property
    def longest(self) -> float:
        """The longest duration."""
        return max(self.seconds)


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def turns(names: Sequence[str], rounds: int, *, warm_up: int = 1) -> list[tuple[bool, str]]:
    """Who comes when: every candidate once a round, each round begins with another one, every other runs backwards.

    A slow moment of the machine so hits all of them alike, and nobody always comes after the same one.

    Returns:
        Names in order, each with whether it counts: the first ``warm_up`` rounds do not.
    """
    order = []
    for number in range(-warm_up, rounds):
        first = number % len(names)
        these = (*names[first:], *names[:first])
        order += [(number >= 0, name) for name in (these if number % 2 else these[::-1])]
    return order


def paired(ours: Sample, other: Sample) -> float:
    """What ours takes more than the other: median of the differences between neighbours, in seconds."""
    pairs = zip(ours.seconds, other.seconds, strict=True)
    return statistics.median(one - another for one, another in pairs)


def paired_interval(ours: Sample, other: Sample) -> tuple[float, float]:
    """Where the true median of those differences lies, with a confidence of 95 % (order statistics), in seconds."""
    ordered = sorted(one - another for one, another in zip(ours.seconds, other.seconds, strict=True))
    reach = 0.98 * len(ordered) ** 0.5
    low, high = len(ordered) / 2 - reach, len(ordered) / 2 + reach
    return ordered[max(0, math.floor(low))], ordered[min(len(ordered) - 1, math.ceil(high))]


def verdict(value: float, goal: float) -> str:
    """Say in two words whether a goal was met."""
    return "goal met" if value <= goal else "goal missed"


def show(title: str, samples: Sequence[Sample], *, baseline: str | None = None, note: str = "") -> None:
    """Print samples as a table, with the ratio of medians to a baseline; the caption tells the goal and the load."""
    caption = f"{note}\n{load()}" if note else load()
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", min_width=WIDTH)
    table.add_column("candidate")
    for column in ("median", "p99", "longest", "runs", "ratio"):
        table.add_column(column, justify="right")
    base = next((sample.median for sample in samples if sample.name == baseline), None)
    for sample in samples:
        table.add_row(
            sample.name,
            milliseconds(sample.median),
            milliseconds(sample.quantile(0.99)),
            milliseconds(sample.longest),
            str(len(sample.seconds)),
            f"{sample.median / base:.2f}" if base else "",
        )
    Console(width=WIDTH).print(table)


def load() -> str:
    """How busy the machine is: numbers from a busy one are no numbers."""
    if not hasattr(os, "getloadavg"):
        return ""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, the benchmark's own included"


def milliseconds(seconds: float) -> str:
    """Format a duration."""
    return f"{seconds * 1000:.1f} ms"
