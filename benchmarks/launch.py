"""Launch-to-ready of one environment: plain LocalProvisioner, ours, and a wrapper that activates in a shell.

Run it as ``python -m benchmarks.launch [--prefix PREFIX] [--rounds N] [--seconds S] [--json]``. The three are
interleaved, in an order that changes every round, so that a busy moment hits all of them. Without ``--prefix`` a
virtual environment with ipykernel and a CUDA runtime is created for the occasion, as users do.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from .material import PYPI, build, workplace
from .measure import Sample, milliseconds, paired, paired_interval, show, turns, verdict

PACKAGES = ("nvidia-cuda-runtime-cu12==12.9.79",)

#: Rounds after which time may end the measurement.
FEWEST = 9

#: The goal for ours over plain: seconds, or this part of plain, whichever is more.
GOAL = 0.015
GOAL_PART = 0.03


def write_kernels(folder: Path, prefix: Path) -> list[str]:
    """Write the three kernelspecs; return their names."""
    kernel = [str(prefix / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    activate = f". {shlex.quote(str(prefix / 'bin' / 'activate'))}"
    if not (prefix / "bin" / "activate").exists():
        scripts = sorted((prefix / "etc" / "conda" / "activate.d").glob("*.sh"))
        lines = [
            f"export CONDA_PREFIX={shlex.quote(str(prefix))}",
            *(f". {shlex.quote(str(path))}" for path in scripts),
        ]
        activate = " && ".join(lines)
    wrapped = ["bash", "-c", f'{activate} && exec "$@"', "bash", *kernel]
    ours = {"kernel_provisioner": {"provisioner_name": "gpu-kernels-provisioner", "config": {}}}
    for name, argv, metadata in (("plain", kernel, {}), ("ours", kernel, ours), ("shell", wrapped, {})):
        (folder / name).mkdir(parents=True)
        spec = {"argv": argv, "display_name": name, "language": "python", "metadata": metadata}
        (folder / name / "kernel.json").write_text(json.dumps(spec))
    return ["plain", "ours", "shell"]


async def launch(folder: Path, name: str) -> tuple[float, float]:
    """Start a kernel and shut it down; return seconds until the process was started, and until it answered."""
    specs = KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False)
    manager = AsyncKernelManager(kernel_name=name, kernel_spec_manager=specs)
    began = time.perf_counter()
    # What kernels write to stderr is no part of the result.
    await manager.start_kernel(stderr=subprocess.DEVNULL)
    started = time.perf_counter() - began
    client = manager.client()
    client.start_channels()
    try:
        # The first answer: wait_for_ready() itself waits in steps of a fifth of a second.
        await client.kernel_info(reply=True, timeout=60)
        ready = time.perf_counter() - began
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
    return started, ready


async def measure(folder: Path, names: list[str], rounds: int, seconds: float) -> dict[str, list[tuple[float, float]]]:
    """Launch each kernel once a round, after one round that does not count."""
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    deadline = time.monotonic() + seconds
    for number, (counts, name) in enumerate(turns(names, rounds)):
        if number % len(names) == 0 and number > FEWEST * len(names) and time.monotonic() > deadline:
            break
        sample = await launch(folder, name)
        if counts:
            samples[name].append(sample)
    return samples


@contextlib.contextmanager
def environment(prefix: Path | None) -> Iterator[Path]:
    """Use the environment at a prefix, or make one for the occasion."""
    if prefix:
        yield prefix.absolute()
        return
    with workplace() as place:
        manifest = asyncio.run(build(place.manager(), PYPI, "launch", packages=PACKAGES))
        yield Path(manifest.prefix)


def compiled(prefix: Path) -> bool:
    """Whether the environment's ipykernel has bytecode: without it, nothing but the compiler is measured."""
    return any(prefix.glob("lib/python3*/site-packages/ipykernel/__pycache__/kernelapp.*.pyc"))


def main(arguments: Sequence[str] = ()) -> int:
    """Measure and print; the result says whether the goal was met."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.launch", description="Launch one environment three ways."
    )
    parser.add_argument("--prefix", type=Path, help="environment to launch (default: one made for the occasion)")
    parser.add_argument("--rounds", type=int, default=60, help="launches of each kind")
    parser.add_argument("--seconds", type=float, default=60, help=f"time after which {FEWEST} launches are enough")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    options = parser.parse_args(arguments)
    with environment(options.prefix) as prefix, tempfile.TemporaryDirectory() as folder:
        if not compiled(prefix):
            parser.error(f"{prefix} has no bytecode of ipykernel: its first launch would be measured, not its launches")
        kernels = Path(folder) / "kernels"
        names = write_kernels(kernels, prefix)
        launches = asyncio.run(measure(kernels, names, max(options.rounds, 2), options.seconds))
    ready = {name: Sample(name, tuple(ready for _, ready in launches[name])) for name in names}
    started = {name: Sample(name, tuple(started for started, _ in launches[name])) for name in names}
    overhead = paired(ready["ours"], ready["plain"])
    before = started["ours"].median - started["plain"].median
    goal = max(GOAL, GOAL_PART * ready["plain"].median)
    if options.json:
        report = {
            "ready": {name: sample.seconds for name, sample in ready.items()},
            "started": {name: sample.seconds for name, sample in started.items()},
            "overhead": overhead,
            "overhead_before_start": before,
            "goal": goal,
        }
        print(json.dumps(report))
    else:
        low, high = paired_interval(ready["ours"], ready["plain"])
        told = verdict(overhead, goal) + (", but the noise is larger than that" if low <= goal < high else "")
        note = (
            f"ours over plain, median of {len(ready['ours'].seconds)} pairs: {1000 * overhead:+.1f} ms "
            f"({1000 * low:+.1f} … {1000 * high:+.1f} with 95 %): {told} (goal {milliseconds(goal)}: 15 ms or 3 %)\n"
            f"of that, before the process starts: {1000 * before:+.1f} ms; "
            f"the shell wrapper over plain: {1000 * paired(ready['shell'], ready['plain']):+.1f} ms"
        )
        show("Launch to ready of one environment", list(ready.values()), baseline="plain", note=note)
    return 0 if overhead <= goal else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
