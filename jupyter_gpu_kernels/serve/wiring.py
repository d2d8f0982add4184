"""The workshop as configured: every part of the building room, put together once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..benchmark.result import read_submitted
from ..build import pipeline
from ..build.conda.condarc import read_condarc
from ..build.conda.engine import CondaEngine
from ..build.conda.layers import package_layers
from ..build.conda.settings import ChannelSettings
from ..build.construction import Construction
from ..build.disk.generations import Generations
from ..build.disk.inventory import Inventory
from ..build.equipment import Equipment
from ..build.kernelspec.registry import Registry
from ..build.planning.catalogue import Catalogue
from ..build.planning.planner import Planner
from ..build.reporting import BuildReporter, Reporter
from ..build.tools.insistence import finish
from ..build.wheels.engine import WheelsEngine
from ..hardware.probe import hardware
from ..models import (
    BenchmarkResult,
    EnvironmentKind,
    EnvironmentSpec,
    Installer,
    JobKind,
    Manifest,
)
from ..prefix.manifest import write_manifest
from .settings import Settings
from .workshop import Workshop


def open_workshop(equipment: Equipment, settings: Settings) -> Workshop:
    """The workshop, with what is configured of it."""
    return BenchmarkingWorkshop(equipment, benchmark_timeout=settings.benchmark_timeout)


def open_equipment(settings: Settings) -> Equipment:
    """Put the parts together; directories are made when something is put into them."""
    cache_dir, state_dir = Path(settings.cache_dir), Path(settings.state_dir)
    roots = {
        EnvironmentKind.CONDA: Path(settings.conda_envs_dir),
        EnvironmentKind.VIRTUALENV: Path(settings.virtualenvs_dir),
    }
    conda = CondaEngine(
        cache_dir=cache_dir,
        link_scripts=settings.link_scripts,
        silence=settings.silence,
        layers=lambda: package_layers(settings.shared_package_caches, read_condarc().pkgs_dirs),
    )
    wheels = WheelsEngine(silence=settings.silence, python_downloads=settings.python_downloads)
    catalogue = Catalogue.load([Path(directory) for directory in settings.catalogue_dirs])
    planner = Planner(
        catalogue,
        conda,
        wheels,
        lambda: asyncio.to_thread(hardware),
        lambda spec: _channels(spec, settings.channels),
        free_bytes=lambda installer: _free_bytes(
            roots[EnvironmentKind.CONDA if installer is Installer.CONDA else EnvironmentKind.VIRTUALENV]
        ),
        copies=lambda: wheels.must_copy(roots[EnvironmentKind.VIRTUALENV]),
        local_channels=settings.local_channels,
        allow_builds=settings.allow_source_builds,
        notices=lambda: (*catalogue.warnings, *read_condarc().warnings),
    )
    generations = {kind: Generations(root) for kind, root in roots.items()}
    construction = Construction(
        planner=planner,
        conda=conda,
        wheels=wheels,
        generations=generations,
        hardware=hardware,
        staging=state_dir / "staging",
        bytecode_dir=cache_dir / "bytecode",
        verify_timeout=settings.verify_timeout,
    )
    return Equipment(
        planner=planner,
        conda=conda,
        wheels=wheels,
        construction=construction,
        inventory=Inventory(tuple(roots.values()), Registry()),
        generations=generations,
        hardware=hardware,
        state_dir=state_dir,
        cache_dir=cache_dir,
    )


class BenchmarkingWorkshop(pipeline.Workshop):
    """The workshop with what the room above it adds: the benchmark.

    Args:
        equipment: What it is done with.
        benchmark_timeout: Seconds that a benchmark may take.
    """

    def __init__(self, equipment: Equipment, *, benchmark_timeout: float) -> None:
        super().__init__(equipment)
        self._benchmark_timeout = benchmark_timeout

    async def benchmark(self, name: str, *, reporter: BuildReporter) -> BenchmarkResult:
        """Run the bundled notebook in an environment's kernel, and keep the result in its manifest.

        Raises:
            NotFoundError: There is no such environment.
            BenchmarkError: The notebook failed.
        """
        # Imported here: it brings the notebook format's validator, half a second that no other command needs.
        from ..benchmark.run import run_benchmark

        async with self._equipment.writing(name, JobKind.BENCHMARK.value):
            manifest = await asyncio.to_thread(self.manifest, name)
            directory = self._notebooks(name)
            await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
            result, notebook = await run_benchmark(
                manifest.kernel_name, working_dir=directory, timeout=self._benchmark_timeout, reporter=reporter
            )
            reporter.log(f"The executed notebook is {notebook}.")
            await self._keep(manifest, result)
            return result

    async def keep_benchmark(self, name: str, data: Any) -> BenchmarkResult:
        """Keep what the bundled notebook displayed when its user ran it in an environment's kernel.

        Args:
            name: The environment.
            data: The decoded JSON of type :data:`~jupyter_gpu_kernels.benchmark.result.MIME`.

        Raises:
            InvalidInputError: It is no such result, or cannot be true.
            NotFoundError: There is no such environment.
            EnvironmentBusyError: Somebody is working on it.
        """
        result = read_submitted(data)
        async with self._equipment.writing(name, JobKind.BENCHMARK.value):
            await self._keep(await asyncio.to_thread(self.manifest, name), result)
        return result

    async def remove(self, name: str, *, reporter: Reporter) -> None:
        """Remove an environment and the notebooks that were run in it; raises as the workshop does."""
        await super().remove(name, reporter=reporter)
        await finish(asyncio.to_thread(shutil.rmtree, self._notebooks(name), ignore_errors=True))

    async def _keep(self, manifest: Manifest, result: BenchmarkResult) -> None:
        """Put a result into the manifest; the caller holds the lock."""
        await finish(asyncio.to_thread(write_manifest, Path(manifest.prefix), replace(manifest, benchmark=result)))

    def _notebooks(self, name: str) -> Path:
        """Where an environment's executed notebooks are."""
        return self.state_dir / "benchmarks" / name


def _channels(spec: EnvironmentSpec, configured: Sequence[str]) -> ChannelSettings:
    """What the spec asks for, or else what is configured here, or else what ``.condarc`` says."""
    return read_condarc().settings_for(spec.channels or tuple(configured))


def _free_bytes(directory: Path) -> int:
    """Room on the file system where a directory is, or will be."""
    existing = next((place for place in (directory, *directory.parents) if place.exists()), directory)
    return shutil.disk_usage(existing).free
