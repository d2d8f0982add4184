"""How a build tells of its progress."""

from __future__ import annotations

from jupyter_gpu_kernels.build.reporting import RateMeter, SilentReporter
from jupyter_gpu_kernels.models import Progress, Stage


def test_the_rate_is_that_of_the_last_seconds() -> None:
    meter = RateMeter(window=5.0, clock=iter([0.0, 1.0, 5.0, 9.0, 10.0, 10.0]).__next__)
    rates = [meter.update(total) for total in (0, 100, 500, 500, 500, 500)]
    assert rates == [0.0, 100.0, 100.0, 50.0, 0.0, 0.0]


def test_a_count_that_falls_starts_anew() -> None:
    meter = RateMeter(clock=iter([0.0, 1.0, 2.0]).__next__)
    rates = [meter.update(total) for total in (900, 10, 30)]
    assert rates == [0.0, 0.0, 20.0]


def test_nobody_needs_to_listen() -> None:
    reporter = SilentReporter()
    reporter.stage(Stage.SOLVE)
    reporter.progress(Progress())
    reporter.log("")
