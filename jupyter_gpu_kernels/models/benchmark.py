"""What the bundled notebook measures."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """Durations of one benchmarked workload on one device, in seconds.

    Attributes:
        workload: ``"convolution"`` or ``"matmul"``.
        device: ``"cpu"`` or ``"gpu"``.
        device_name: As the framework or the system names it.
        median: Median duration of one run.
        spread: Interquartile range of the runs.
        runs: Number of timed runs.
        total: Sum of the timed runs.
        peak_memory: Bytes at the peak, ``None`` where the framework does not say.
    """

    workload: str
    device: str
    device_name: str
    median: float
    spread: float
    runs: int
    total: float
    peak_memory: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkResult:
    """Result of the bundled CPU-vs-GPU notebook.

    Attributes:
        framework: What computed, e.g. ``"TensorFlow 2.21.0"``.
        timings: One for each workload and device.
        speedups: CPU median over GPU median by workload; empty without a GPU.
        gpu_missing: Why there is no GPU half, ``None`` if there is one.
        finished: When.
    """

    framework: str
    timings: tuple[Timing, ...]
    speedups: dict[str, float] = dataclasses.field(default_factory=dict)
    gpu_missing: str | None = None
    finished: str = ""
