"""Deaths are counted, last words are kept, and explanations arrive."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from jupyter_gpu_kernels.errors import BrokenEnvironmentError
from jupyter_gpu_kernels.launch.deaths import QuickDeaths
from jupyter_gpu_kernels.launch.explanation import DETAIL_LIMIT, VARIABLE, Explanation, explaining_command
from jupyter_gpu_kernels.launch.stderr import LIMIT, LastWords


class Clock:
    """Time as the test wants it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def live(deaths: QuickDeaths, clock: Clock, seconds: float, status: int = 1) -> None:
    deaths.born()
    clock.now += seconds
    deaths.died(status)


def test_two_quick_deaths_in_a_row_are_enough() -> None:
    deaths = QuickDeaths(clock := Clock())
    live(deaths, clock, 0.1)
    assert (deaths.count, deaths.enough) == (1, False)
    live(deaths, clock, 4.9, -11)
    assert (deaths.enough, deaths.status) == (True, -11)
    deaths.forget()
    assert not deaths.enough


@pytest.mark.parametrize("seconds", [5.1, 3600])
def test_a_late_death_begins_the_count_anew(seconds: float) -> None:
    deaths = QuickDeaths(clock := Clock())
    live(deaths, clock, 0.1)
    live(deaths, clock, seconds)
    live(deaths, clock, 0.1)
    assert deaths.count == 1


def test_a_death_on_request_does_not_count() -> None:
    deaths = QuickDeaths(clock := Clock())
    for _ in range(3):
        deaths.born()
        clock.now += 1
        deaths.stopped()
        deaths.died(-9)
    assert deaths.count == 0


def test_a_long_life_that_ends_on_request_begins_the_count_anew() -> None:
    deaths = QuickDeaths(clock := Clock())
    live(deaths, clock, 0.1)
    deaths.born()
    clock.now += 60
    deaths.stopped()
    live(deaths, clock, 0.1)
    assert not deaths.enough


def test_a_death_seen_twice_counts_once() -> None:
    deaths = QuickDeaths(clock := Clock())
    live(deaths, clock, 0.1)
    deaths.died(1)
    assert deaths.count == 1


def test_last_words_are_kept_and_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    words = LastWords()
    code = "import sys; sys.stderr.write('x' * 100_000 + 'the end'); sys.exit(3)"
    with subprocess.Popen([sys.executable, "-c", code], stderr=words.writer) as process:
        words.started()
        process.wait()
    text = words.text()
    assert text.endswith("xthe end")
    assert len(text) == LIMIT
    assert len(capfd.readouterr().err) == 100_007


def test_last_words_of_nobody_hold_nothing_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    LastWords().abandon()
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_explanation_arrives_as_it_was_sent() -> None:
    error = BrokenEnvironmentError("It\nbroke: ünïcode.", cure="Mend it.", detail="x" * 200_000 + "end")
    environ = Explanation.of(error).environment({"A": "b"})
    assert environ["A"] == "b"
    assert Explanation.take(environ) == Explanation(
        code="broken_environment",
        message="It\nbroke: ünïcode.",
        cure="Mend it.",
        detail=("x" * 200_000 + "end")[-DETAIL_LIMIT:],
    )
    assert "broke" not in " ".join(explaining_command("/c.json"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"code": "x"}', '{"other": 1}'])
def test_a_lost_explanation_is_still_an_explanation(text: str) -> None:
    assert "got lost" in Explanation.take({VARIABLE: text}).message
