"""The longest stall of the event loop while an environment is created (goal: under 50 ms).

Each creation happens in a process of its own, as in a server that has just started: what is imported for the first
creation counts. Two things tell what the machine's other work has to do with it: a process beside that only ticks, and
the time that the loop's thread was ready to run and had no processor, which Linux counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jupyter_events import EventLogger

from jupyter_gpu_kernels.models import JobState
from jupyter_gpu_kernels.serve.events import JOB_SCHEMA_ID, JobEvents

from .material import CHECKOUT, CONDA, PYPI, Workplace, workplace
from .measure import Sample, milliseconds, show, verdict

GOAL = 0.05

#: Seconds between two ticks.
TICK = 0.002

ROUNDS = 2

SCHEDULE = Path("/proc/thread-self/schedstat")


@dataclass(frozen=True)
class Watched:
    """Seconds by which ticks came late.

    Attributes:
        start: While the manager takes up what a dead server left, as at the start of a server.
        creation: While the environment is created.
        own: The same, without the time that the thread waited for a processor.
        idle: In the meantime, in the process that only ticks.
        took: Seconds that the creation took.
    """

    start: list[float]
    creation: list[float]
    own: list[float]
    idle: list[float]
    took: float


def main() -> None:
    """Print how late ticks came."""
    found: dict[str, list[Watched]] = {"conda, cold caches": [], "conda, warm caches": [], "PyPI, cold cache": []}
    with workplace() as place:
        for number in range(ROUNDS):
            # The first creation knows nothing of this round's caches, the second one takes all from them.
            for turn, (name, spec) in enumerate(zip(found, (CONDA, CONDA, PYPI), strict=True)):
                environment = f"{spec.name}-{number}-{turn}"
                found[name].append(_watch(place, spec.name, environment, f"cache-{number}"))
    runs = [watched for each in found.values() for watched in each]
    samples = [_joined("start of the manager", [watched.start for watched in runs])]
    for name, each in found.items():
        took = statistics.median(watched.took for watched in each)
        samples.append(_joined(f"{name} ({took:.1f} s)", [watched.creation for watched in each]))
    longest = max(sample.longest for sample in samples)
    samples.append(_joined("all, but for waits for a processor", [watched.own for watched in runs]))
    own = samples[-1].longest
    samples.append(_joined("an idle process beside", [watched.idle for watched in runs]))
    note = (
        f"how late ticks of {milliseconds(TICK)} came, verification included; {ROUNDS} creations of each kind\n"
        f"longest stall {milliseconds(longest)}: {verdict(longest, GOAL)} (goal {milliseconds(GOAL)}); "
        f"without waits for a busy processor {milliseconds(own)}: {verdict(own, GOAL)}"
    )
    show("Stalls of the event loop while creating", samples, note=note)


def _joined(name: str, parts: list[list[float]]) -> Sample:
    return Sample(name, tuple(late for part in parts for late in part))


def _watch(place: Workplace, kind: str, name: str, cache: str) -> Watched:
    """Create an environment in a process of its own, beside one that only ticks."""
    module = [sys.executable, "-m", "benchmarks.stall"]
    os.environ["UV_CACHE_DIR"] = str(place.root / cache / "uv")
    create = [*module, "create", place.channel, str(place.root / cache), kind, name]
    with subprocess.Popen([*module, "idle"], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as idle:
        answer = json.loads(subprocess.check_output(create, cwd=CHECKOUT))
        late, _ = idle.communicate()
    return Watched(idle=json.loads(late), **answer)


async def create(channel: str, cache: str, kind: str, name: str) -> dict[str, Any]:
    """Create an environment through a manager, as a server does, and say how late ticks came."""
    manager = Workplace(Path(cache), channel).manager("ours")
    events = EventLogger()
    manager.listeners.append(JobEvents(events))
    # As a browser's subscription: without one nothing is validated and sent.
    events.add_listener(schema_id=JOB_SCHEMA_ID, listener=_browser)
    late: dict[str, list[float]] = {"start": [], "creation": [], "own": []}
    phase = "start"

    async def tick() -> None:
        while True:
            before, waited = time.perf_counter(), _waited()
            await asyncio.sleep(TICK)
            by = time.perf_counter() - before - TICK
            late[phase].append(by)
            late["own"].append(max(0.0, by - (_waited() - waited)))

    ticking = asyncio.create_task(tick())
    await manager.recover()
    await asyncio.sleep(10 * TICK)
    phase = "creation"
    start = time.perf_counter()
    job = await manager.create(replace({"conda": CONDA, "pypi": PYPI}[kind], name=name))
    job = await manager.runner.wait(job.id)
    took = time.perf_counter() - start
    await asyncio.sleep(10 * TICK)
    ticking.cancel()
    await manager.close()
    if job.state is not JobState.SUCCEEDED:
        raise RuntimeError(job.error)
    return {**late, "took": took}


def _waited() -> float:
    """Seconds that this thread was ready to run and had no processor, so far; none where nobody counts them."""
    # Source: https://www.kernel.org/doc/html/latest/scheduler/sched-stats.html
    try:
        with SCHEDULE.open("rb") as file:
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0.0


def idle() -> list[float]:
    """Tick until nobody holds our standard input any more, and say how late ticks came."""
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    late = []
    while not over.is_set():
        before = time.perf_counter()
        time.sleep(TICK)
        late.append(time.perf_counter() - before - TICK)
    return late


async def _browser(**event: Any) -> None:
    """Take an event."""


def process(role: str, *arguments: str) -> None:
    """Be one of the processes of the benchmark."""
    print(json.dumps(asyncio.run(create(*arguments)) if role == "create" else idle()))


if __name__ == "__main__":
    process(*sys.argv[1:]) if len(sys.argv) > 1 else main()
