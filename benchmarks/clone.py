"""A clone against hard-linking the same tree as it is (``cp -al``), which leaves the old path in it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from jupyter_gpu_kernels.build.copying.copies import Copies
from jupyter_gpu_kernels.build.copying.tree import Tally, TreeCopy
from jupyter_gpu_kernels.models import Stage
from jupyter_gpu_kernels.prefix.layout import Layout

from .material import CONDA, Stopwatch, Workplace, build, workplace
from .measure import Sample, milliseconds, paired, show, timed, turns

ROUNDS = 9
WHOLE_ROUNDS = 3
LINKS = "hard links (cp -al)"
OURS = "ours: the files"


def main() -> None:
    """Print how long each way takes, and the stages of a whole clone."""
    with workplace() as place:
        asyncio.run(_measure(place))


async def _measure(place: Workplace) -> None:
    manager = place.manager()
    original = Path((await build(manager, CONDA, "original", pip=("six",))).prefix)
    times: dict[str, list[float]] = {LINKS: [], OURS: []}
    tally = Tally()
    for number, (counts, name) in enumerate(turns((LINKS, OURS), ROUNDS)):
        # Of a name as long as an environment's, so that everything is as it would be there.
        target = original.with_name(f"copy-{number:03}")
        if name == OURS:
            tally = Tally()
        action = _linked(original, target) if name == LINKS else _copied(original, target, tally)
        seconds = await asyncio.to_thread(timed, action)
        if counts:
            times[name].append(seconds)
        shutil.rmtree(target)
    links, ours = (Sample(name, tuple(values)) for name, values in times.items())
    note = (
        f"{tally.total} files, {tally.linked} of them shared, {tally.rewritten} written anew; no goal is set; "
        f"ours takes {milliseconds(paired(ours, links))} more (median of pairs)"
    )
    show("Cloning the files of an environment", [links, ours], baseline=LINKS, note=note)
    stages: dict[Stage, list[float]] = {}
    for number in range(WHOLE_ROUNDS):
        watch = Stopwatch()
        await Copies(manager.equipment).clone("original", f"clone-{number}", None, reporter=watch)
        watch.stop()
        for stage, seconds in watch.stages.items():
            stages.setdefault(stage, []).append(seconds)
    whole = tuple(map(sum, zip(*stages.values(), strict=True)))
    parts = [Sample(stage.value, tuple(taken)) for stage, taken in stages.items()]
    note = "without network and cache; verified in a real kernel"
    show("A clone from its beginning to its kernel", [Sample("clone, as a whole", whole), *parts], note=note)


def _linked(source: Path, target: Path) -> Callable[[], object]:
    return lambda: subprocess.run(["cp", "-al", str(source), str(target)], check=True)


def _copied(source: Path, target: Path, tally: Tally) -> Callable[[], object]:
    def copy() -> None:
        target.mkdir()
        TreeCopy(Layout.of_prefix(source), target, target, tally).make()

    return copy


if __name__ == "__main__":
    main()
