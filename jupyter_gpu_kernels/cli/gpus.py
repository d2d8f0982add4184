"""The command ``gpus``: what this machine has, what it is doing and for whom, once or again and again."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from ..hardware.memory import amount, share
from ..models import Framework, Gpu, GpuReading, GpuUsage, Hardware, KernelShare, to_json
from ..serve.manager import GpuKernelsManager
from .fitting import fit
from .following import Answer
from .interruption import Interruption
from .text import columns

HEAD = ("GPU", "NAME", "MEMORY", "BUSY", "PROCESSES", "MODE", "COMPUTE", "UUID")
#: How many of these columns there are before those that never change.
CHANGING = 6
HOLDERS = ("GPU", "PID", "MEMORY", "KERNEL")

#: What stands where the driver tells nothing.
UNKNOWN = "-"


async def gpus(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Describe this machine, and go on to say what it is doing if that was asked for."""
    found = await manager.hardware()
    if not found.gpus:
        return Answer(model=found, text=without_gpu(found, await manager.frameworks()))
    if arguments.watch is None:
        usage = GpuUsage(taken="") if arguments.json else await manager.gpu_usage()
        return Answer(model=found, text=described(found, usage))
    await _watch(manager, found, seconds=arguments.watch, as_json=arguments.json)
    return Answer(model=None)


async def _watch(manager: GpuKernelsManager, found: Hardware, *, seconds: float, as_json: bool) -> None:
    """Show the GPUs until Ctrl-C."""
    with Interruption() as interruption, _picture(as_json) as show:
        while not interruption.event.is_set():
            usage = await manager.gpu_usage()
            show(_line(usage) if as_json else described(found, usage, briefly=True))
            try:
                await asyncio.wait_for(interruption.event.wait(), seconds)
            except asyncio.TimeoutError:
                continue


@contextmanager
def _picture(as_json: bool) -> Iterator[Callable[[str], None]]:
    """Where each text takes the place of the one before it: a terminal. Elsewhere they follow each other."""
    if as_json or not sys.stdout.isatty():

        def follow(text: str) -> None:
            sys.stdout.write(text if as_json else f"{text}\n")
            sys.stdout.flush()

        yield follow
        return
    # Imported here: the library takes longer to load than most commands take to run.
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=sys.stdout)
    # The last picture stays: Ctrl-C is how this ends.
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        yield lambda text: live.update(Text(fit(text, console.width).rstrip("\n")), refresh=True)


def _line(usage: GpuUsage) -> str:
    return f"{json.dumps(to_json(usage), ensure_ascii=False)}\n"


def described(found: Hardware, usage: GpuUsage, *, briefly: bool = False) -> str:
    """The GPUs in words, with what they are doing, and for whom; briefly without what never changes."""
    readings = {reading.uuid: reading for reading in usage.readings}
    rows = [HEAD, *(row for gpu in found.gpus for row in _rows(gpu, readings))]
    table = columns([row[:CHANGING] for row in rows] if briefly else rows)
    moment = f", {datetime.fromisoformat(usage.taken).astimezone():%H:%M:%S}" if usage.taken else ""
    text = f"Driver {found.driver}, CUDA up to {found.cuda}{moment}\n{table}"
    if usage.shares:
        text += f"\n{columns([HOLDERS, *(_holder(each, found.gpus) for each in usage.shares)])}"
    return text + "".join(f"Note: {note}\n" for note in dict.fromkeys((*found.notes, *usage.notes)))


def without_gpu(found: Hardware, frameworks: Sequence[Framework]) -> str:
    """Why there is no GPU for CUDA, and what becomes of the frameworks then."""
    text = f"{found.reason or 'There is no usable GPU.'}\n"
    said = [(each.title, sentence) for each in frameworks if (sentence := each.elsewhere.on(found.vendor))]
    if said:
        text += f"\n{columns([('FRAMEWORK', 'ON THIS MACHINE'), *said])}"
    return text + "".join(f"Note: {note}\n" for note in found.notes)


def _rows(gpu: Gpu, readings: dict[str, GpuReading]) -> Iterator[tuple[str, ...]]:
    """A row for the GPU, and one for each of its instances."""
    read, mode = readings.get(gpu.uuid), "split" if gpu.mig else gpu.compute_mode.value
    yield (str(gpu.index), gpu.name, *_doing(read, gpu.memory_total), mode, gpu.compute_capability, gpu.uuid)
    for part in gpu.instances:
        yield ("", f"  MIG {part.profile}", *_doing(readings.get(part.uuid), part.memory_total), "", "", part.uuid)


def _doing(reading: GpuReading | None, total: int) -> tuple[str, str, str]:
    """Memory, utilisation and number of processes."""
    if reading is None:
        return (amount(total) if total else UNKNOWN, UNKNOWN, UNKNOWN)
    used = reading.memory_used
    memory = share(used, total) if used is not None and total else amount(total) if total else UNKNOWN
    busy = UNKNOWN if reading.utilization is None else f"{reading.utilization} %"
    return memory, busy, UNKNOWN if reading.processes is None else str(len(reading.processes))


def _holder(each: KernelShare, gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """Who has what of which GPU."""
    places = {device: str(gpu.index) for gpu in gpus for device in (gpu.uuid, *(part.uuid for part in gpu.instances))}
    return (
        places.get(each.gpu, UNKNOWN),
        UNKNOWN if each.pid is None else str(each.pid),
        UNKNOWN if each.memory is None else amount(each.memory),
        each.title or each.kernel_name or "(another process)",
    )
