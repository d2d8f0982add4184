"""Create from a warm cache: our installation against plain ``rattler.install``, and against hard-linking the tree."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from jupyter_gpu_kernels.build.conda.condarc import read_condarc
from jupyter_gpu_kernels.build.conda.engine import CondaEngine
from jupyter_gpu_kernels.build.conda.settings import CondaRequest, CondaSolution
from jupyter_gpu_kernels.build.reporting import SilentReporter
from jupyter_gpu_kernels.models import Stage

from .material import CONDA, Stopwatch, Workplace, workplace
from .measure import Sample, paired, show, turns

ROUNDS = 7
WHOLE_ROUNDS = 3
SPECS = ("python", "ipykernel", "numpy", "pip", "warpdrive")

#: What anybody would write who has solved already: lock file, prefix and cache are its arguments.
PLAIN = """
import asyncio, json, os, sys, time
import rattler
(records,) = rattler.LockFile.from_path(sys.argv[1]).default_environment().conda_repodata_records().values()
start = time.perf_counter()
asyncio.run(rattler.install(records, target_prefix=sys.argv[2], cache_dir=sys.argv[3], show_progress=False))
print(json.dumps(time.perf_counter() - start), flush=True)
os._exit(0)
"""

LINKS = "hard links (cp -al)"
CALL = "rattler.install, the call"
SCRIPT = "rattler.install, a script"
OURS = "ours: install"


def main() -> None:
    """Print how long each way takes."""
    with workplace() as place:
        _install(place)
        asyncio.run(_whole(place))


def _install(place: Workplace) -> None:
    """Compare what fills a directory."""
    engine = CondaEngine(cache_dir=place.root / "cache")
    solution = asyncio.run(
        engine.solve(CondaRequest(specs=SPECS, settings=read_condarc().settings_for((place.channel,)), cuda=None))
    )
    lock = place.root / "lock.yml"
    lock.write_text(str(solution.payload))
    tree = place.root / "tree"
    _ours(engine, solution, tree)
    seconds: dict[str, list[float]] = {name: [] for name in (LINKS, CALL, SCRIPT, OURS)}
    for counts, name in turns((LINKS, SCRIPT, OURS), ROUNDS):
        target = place.root / "target"
        found: dict[str, float] = {}
        start = time.perf_counter()
        if name == LINKS:
            subprocess.run(["cp", "-al", str(tree), str(target)], check=True)
        elif name == SCRIPT:
            command = [sys.executable, "-c", PLAIN, str(lock), str(target), str(place.root / "plain")]
            found[CALL] = float(json.loads(subprocess.check_output(command)))
        else:
            _ours(engine, solution, target)
        found[name] = time.perf_counter() - start
        shutil.rmtree(target)
        if counts:
            for key, value in found.items():
                seconds[key].append(value)
    samples = {name: Sample(name, tuple(values)) for name, values in seconds.items()}
    files = sum(1 for path in tree.rglob("*") if not path.is_dir())
    more = paired(samples[OURS], samples[SCRIPT])
    show(
        f"Filling an environment from a warm cache: {len(solution.packages)} packages, {files} files",
        list(samples.values()),
        baseline=SCRIPT,
        note=f"no goal is set; ours over the script, median of pairs: {1000 * more:+.1f} ms\n"
        "(it checks the hash of every cached file and leaves what conda expects to find)",
    )


def _ours(engine: CondaEngine, solution: CondaSolution, target: Path) -> None:
    target.mkdir()
    asyncio.run(engine.install(solution, generation=target, final=target, reporter=SilentReporter()))


async def _whole(place: Workplace) -> None:
    """Take the times of everything that a creation does."""
    workshop = place.manager().workshop
    whole: dict[str, list[float]] = {"verified": [], "not verified": []}
    stages: dict[Stage, list[float]] = {}
    for counts, name in turns(tuple(whole), WHOLE_ROUNDS):
        watch = Stopwatch()
        start = time.perf_counter()
        spec = replace(CONDA, name="whole", verify=name == "verified")
        await workshop.create(spec, reporter=watch)  # type: ignore[arg-type]
        took = time.perf_counter() - start
        watch.stop()
        removal = Stopwatch()
        await workshop.remove("whole", reporter=removal)
        if counts:
            whole[name].append(took)
            if spec.verify:
                for stage, value in watch.stages.items():
                    stages.setdefault(stage, []).append(value)
    samples = [Sample(f"create, {name}", tuple(values)) for name, values in whole.items()]
    samples += [Sample(f"  {stage.value}", tuple(values)) for stage, values in stages.items()]
    show(
        "The whole creation from a warm cache, by stage",
        samples,
        note="no goal is set; the stages are those of the verified ones",
    )


if __name__ == "__main__":
    main()
