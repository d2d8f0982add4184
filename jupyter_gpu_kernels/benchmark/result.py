"""What the notebook says it measured, checked before it is believed."""

from __future__ import annotations

import math
from typing import Any

from ..errors import BenchmarkError, InvalidInputError
from ..models import BenchmarkResult, Timing, from_json, now

#: The type under which the notebook displays its result.
MIME = "application/vnd.jupyter-gpu-kernels.benchmark+json"

SCHEMA_VERSION = 1
WORKLOADS = ("convolution", "matmul")
DEVICES = ("cpu", "gpu")
CURE = "Open the notebook with this kernel and run it cell by cell to see what is wrong."


def result_of(node: Any) -> BenchmarkResult:
    """Find the result in an executed notebook.

    Args:
        node: The executed :class:`nbformat.NotebookNode`.

    Raises:
        BenchmarkError: There is no result, or it cannot be true.
    """
    found = [
        output["data"][MIME]
        for cell in node.cells
        for output in cell.get("outputs", ())
        if MIME in output.get("data", ())
    ]
    if not found:
        msg = "The benchmark's notebook ran to its end, but gave no result."
        raise BenchmarkError(msg, cure=CURE)
    return read_result(found[-1])


def read_result(data: Any) -> BenchmarkResult:
    """Check what the notebook displayed.

    The speed-ups are computed anew: medians are what was measured.

    Args:
        data: The decoded JSON of type :data:`MIME`.

    Raises:
        BenchmarkError: Something is missing, of a wrong type, or cannot be true.
    """
    if not isinstance(data, dict) or data.get("schema_version") != SCHEMA_VERSION:
        msg = "The benchmark's result has a shape that this version does not know."
        raise BenchmarkError(
            msg, cure="Run the notebook of this version of jupyter_gpu_kernels.", detail=repr(data)[:2000]
        )
    known = {key: data[key] for key in ("framework", "timings", "gpu_missing") if key in data}
    try:
        result = from_json(BenchmarkResult, known)
    except InvalidInputError as error:
        msg = f"The benchmark's result is damaged: {error.message}"
        raise BenchmarkError(msg, cure=CURE, detail=repr(data)[:2000]) from error
    fault = _fault(result)
    if fault:
        msg = f"The benchmark's result cannot be true: {fault}."
        raise BenchmarkError(msg, cure=CURE, detail=repr(data)[:2000])
    return BenchmarkResult(
        framework=result.framework,
        timings=result.timings,
        speedups=speedups(result.timings),
        gpu_missing=result.gpu_missing,
        finished=now(),
    )


def read_submitted(data: Any) -> BenchmarkResult:
    """Check what somebody hands in as displayed by the notebook; takes and gives what :func:`read_result` does.

    Raises:
        InvalidInputError: As BenchmarkError there: no notebook of ours has failed, somebody says what cannot be.
    """
    try:
        return read_result(data)
    except BenchmarkError as error:
        raise InvalidInputError(error.message, cure=error.cure, detail=error.detail) from error


def speedups(timings: tuple[Timing, ...]) -> dict[str, float]:
    """CPU median over GPU median, by workload, where both were measured."""
    medians = {(timing.workload, timing.device): timing.median for timing in timings}
    return {
        workload: medians[workload, "cpu"] / medians[workload, "gpu"]
        for workload in WORKLOADS
        if (workload, "cpu") in medians and (workload, "gpu") in medians
    }


def _fault(result: BenchmarkResult) -> str:
    """What cannot be true in it, empty if all can."""
    seen = set()
    for timing in result.timings:
        what = f"{timing.workload} on {timing.device}"
        if timing.workload not in WORKLOADS or timing.device not in DEVICES:
            return f"there is no {what}"
        if (timing.workload, timing.device) in seen:
            return f"{what} was measured twice"
        seen.add((timing.workload, timing.device))
        durations = (timing.median, timing.spread, timing.total)
        if not all(math.isfinite(value) and value >= 0 for value in durations) or timing.median <= 0:
            return f"a duration of {what} is no positive number"
        if timing.runs < 1:
            return f"{what} was not run"
    gpu = any(timing.device == "gpu" for timing in result.timings)
    if gpu and result.gpu_missing is not None:
        return "it has a GPU half and says that there is none"
    if not gpu and not result.gpu_missing:
        return "it has no GPU half and does not say why"
    return ""
