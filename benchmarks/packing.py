"""A pack of a kernel imported, against building the same kernel from its channel; no package is cached either way."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import replace
from pathlib import Path

from jupyter_gpu_kernels.build.packing.opening import Opener
from jupyter_gpu_kernels.build.packing.packer import Packer
from jupyter_gpu_kernels.models import Stage

from .material import CONDA, Stopwatch, Workplace, build, workplace
from .measure import Sample, paired, show, turns

ROUNDS = 3
CHANNEL = "build from the channel"
PACK = "import of the pack"


def main() -> None:
    """Print how long each takes, and what of it the import does when."""
    with workplace() as place:
        asyncio.run(_measure(place))


async def _measure(place: Workplace) -> None:
    manager = place.manager()
    await build(manager, CONDA, "original", pip=("six",), verify=False)
    pack = place.root / "original.gpu-kernel.tar"
    start = time.perf_counter()
    await Packer(manager.equipment).pack("original", pack, reporter=Stopwatch())
    packing = time.perf_counter() - start
    seconds: dict[str, list[float]] = {CHANNEL: [], PACK: []}
    stages: dict[Stage, list[float]] = {}
    for counts, name in turns((CHANNEL, PACK), ROUNDS):
        watch = Stopwatch()
        start = time.perf_counter()
        await _made(place, name, pack, watch)
        took = time.perf_counter() - start
        watch.stop()
        await manager.workshop.remove("again", reporter=Stopwatch())
        if counts:
            seconds[name].append(took)
            for stage, value in watch.stages.items() if name == PACK else ():
                stages.setdefault(stage, []).append(value)
    samples = [Sample(name, tuple(values)) for name, values in seconds.items()]
    channel, ours = samples
    parts = [Sample(f"  {stage.value}", tuple(values)) for stage, values in stages.items()]
    show(
        f"A kernel of a pack of {pack.stat().st_size / 1e6:.0f} MB, which was packed in {packing:.1f} s",
        [*samples, *parts],
        baseline=CHANNEL,
        note="no goal is set: a channel on loopback is as fast as a disk, and a real one is not\n"
        f"the import over the build, median of pairs: {paired(ours, channel):+.2f} s; the stages are the import's",
    )


async def _made(place: Workplace, name: str, pack: Path, watch: Stopwatch) -> None:
    """Build the kernel in one of the two ways, with no package in any cache."""
    for cache in ("cold/pkgs", "uv"):
        shutil.rmtree(place.root / cache, ignore_errors=True)
    # What is compiled, and known of the channel, is no package.
    manager = place.manager("cold")
    if name == CHANNEL:
        spec = replace(CONDA, name="again", pip=("six",), verify=False)
        await manager.workshop.create(spec, reporter=watch)  # type: ignore[arg-type]
        return
    opener = Opener(manager.equipment)
    spec = replace(await opener.spec(pack), name="again", verify=False)
    await opener.build(pack, spec, reporter=watch)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
