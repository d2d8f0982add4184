"""The first import and the first kernel of a new environment, with and without our bytecode step."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from pathlib import Path

from jupyter_gpu_kernels.build.bytecode import compile_environment
from jupyter_gpu_kernels.build.conda.condarc import read_condarc
from jupyter_gpu_kernels.build.conda.engine import CondaEngine
from jupyter_gpu_kernels.build.conda.settings import CondaRequest
from jupyter_gpu_kernels.build.reporting import SilentReporter
from jupyter_gpu_kernels.prefix.layout import Layout

from .launch import launch, write_kernels
from .material import workplace
from .measure import Sample, milliseconds, paired, show, turns

ROUNDS = 7
SPECS = ("python", "ipykernel", "numpy", "pip")
IMPORT = "import ipykernel.kernelapp"
WITH, WITHOUT = "with", "without"


def main() -> None:
    """Print how long the first ones take."""
    imports: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    kernels: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    linking: list[float] = []
    with workplace() as place:
        store, pristine = place.root / "bytecode", place.root / "pristine"
        _install(place.channel, place.root / "cache", pristine)
        # The first environment fills the store; all further ones take from it.
        tree = _fresh(pristine, place.root / "first")
        start = time.perf_counter()
        made = asyncio.run(compile_environment(Layout.of_prefix(tree), store))
        compiling = time.perf_counter() - start
        shutil.rmtree(tree)
        for number, (counts, name) in enumerate(turns((WITH, WITHOUT), ROUNDS)):
            # An environment for each: the first import leaves bytecode for the second.
            times = []
            for purpose in ("import", "kernel"):
                tree = _fresh(pristine, place.root / f"{purpose}-{number}")
                if name == WITH:
                    start = time.perf_counter()
                    asyncio.run(compile_environment(Layout.of_prefix(tree), store))
                    linking.append(time.perf_counter() - start)
                times.append(_first_import(tree) if purpose == "import" else _first_kernel(tree))
                shutil.rmtree(tree)
            if counts:
                imports[name].append(times[0])
                kernels[name].append(times[1])
    samples = [
        *(Sample(f"import, {name} bytecode", tuple(values)) for name, values in imports.items()),
        *(Sample(f"kernel, {name} bytecode", tuple(values)) for name, values in kernels.items()),
        Sample(f"the step: {made.compiled} compiled", (compiling,)),
        Sample(f"the step: {made.compiled} linked", tuple(linking)),
    ]
    note = (
        f"import: a new interpreter that does `{IMPORT}`; kernel: from its start to its first answer\n"
        f"no goal is set; saved at the first import {milliseconds(-paired(samples[0], samples[1]))}, "
        f"at the first kernel {milliseconds(-paired(samples[2], samples[3]))} (medians of pairs)"
    )
    show("The first import after creation", samples, note=note)


def _install(channel: str, cache: Path, target: Path) -> None:
    """Make an environment without bytecode, but for what packages ship."""

    async def install() -> None:
        engine = CondaEngine(cache_dir=cache)
        request = CondaRequest(specs=SPECS, settings=read_condarc().settings_for((channel,)), cuda=None)
        solution = await engine.solve(request)
        await engine.install(solution, generation=target, final=target, reporter=SilentReporter())

    target.mkdir()
    asyncio.run(install())


def _fresh(pristine: Path, target: Path) -> Path:
    """Another environment of the same files: new ones in it do not reach the first."""
    subprocess.run(["cp", "-al", str(pristine), str(target)], check=True)
    return target


def _first_import(prefix: Path) -> float:
    start = time.perf_counter()
    subprocess.run([str(prefix / "bin" / "python"), "-c", IMPORT], check=True)
    return time.perf_counter() - start


def _first_kernel(prefix: Path) -> float:
    folder = prefix.with_name(f"{prefix.name}-kernels")
    write_kernels(folder, prefix)
    try:
        return asyncio.run(launch(folder, "plain"))[1]
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
