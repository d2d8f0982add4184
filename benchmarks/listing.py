"""Listing 1, 100 and 1000 environments, cold and warm (goal: p50 under 5 ms, p99 under 50 ms)."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from jupyter_gpu_kernels.build.disk.inventory import Inventory
from jupyter_gpu_kernels.build.kernelspec.kernel_json import kernel_json
from jupyter_gpu_kernels.build.kernelspec.registry import Registry
from jupyter_gpu_kernels.models import (
    EnvironmentKind,
    EnvironmentSpec,
    Installer,
    Manifest,
    Plan,
    PlannedPackage,
    Variant,
    now,
)
from jupyter_gpu_kernels.prefix.manifest import write_manifest

from .measure import Sample, milliseconds, show, timed, verdict

GOAL_P50 = 0.005
GOAL_P99 = 0.05


def main() -> None:
    """Print the durations of listings."""
    samples = []
    for count in (1, 100, 1000):
        with tempfile.TemporaryDirectory() as directory:
            root, kernels = Path(directory, "envs"), Path(directory, "kernels")
            settle(root, kernels, count)
            os.environ["JUPYTER_DATA_DIR"] = directory
            # As it is when nothing was registered in the last seconds.
            os.utime(kernels, (0, 0))
            cold = []
            for _ in range(5):
                inventory = Inventory([root], Registry())
                cold.append(timed(inventory.environments))
            assert len(inventory.environments()) == count
            warm = [timed(inventory.environments) for _ in range(200)]
            samples += [Sample(f"{count}, first", tuple(cold)), Sample(f"{count}, again", tuple(warm))]
    again = [sample for sample in samples if sample.name.endswith("again")]
    middle, slow = (max(sample.quantile(share) for sample in again) for share in (0.5, 0.99))
    note = (
        f"again: p50 {milliseconds(middle)}: {verdict(middle, GOAL_P50)} (goal {milliseconds(GOAL_P50)}), "
        f"p99 {milliseconds(slow)}: {verdict(slow, GOAL_P99)} (goal {milliseconds(GOAL_P99)})\n"
        "first: once in a process, when every manifest is read; again: one stat each"
    )
    show("Listing 1, 100 and 1000 environments of 150 packages each", samples, note=note)


def settle(root: Path, kernels: Path, count: int) -> None:
    """Write so many environments, as far as a listing reads them, and their kernelspecs."""
    for number in range(count):
        manifest = _manifest(root, f"kernel-{number}")
        write_manifest(Path(manifest.prefix), manifest)
        Path(manifest.prefix, "conda-meta").mkdir()
        specification = kernels / manifest.kernel_name / "kernel.json"
        specification.parent.mkdir(parents=True)
        specification.write_text(json.dumps(kernel_json(manifest, Path(manifest.prefix))))


def _manifest(root: Path, name: str) -> Manifest:
    """A manifest as large as a real one."""
    spec = EnvironmentSpec(name=name, framework="tensorflow")
    packages = tuple(
        PlannedPackage(
            name=f"package-{number}", version="1.2.3", build="py312h0123456_0", source="conda-forge", size=12345
        )
        for number in range(150)
    )
    plan = Plan(
        spec=spec,
        installer=Installer.CONDA,
        installer_reason="The channels answer.",
        variant=Variant.GPU,
        variant_reason="The driver supports CUDA 12.9.",
        python="3.12.4",
        framework_version="2.19.1",
        cuda="12.9",
        channels=("conda-forge",),
        packages=packages,
    )
    manifest = Manifest(
        name=name,
        kernel_name=name,
        display_name=name,
        kind=EnvironmentKind.CONDA,
        prefix=str(root / name),
        generation=f"{name}-0",
        spec=spec,
        plan=plan,
        created=now(),
    )
    return replace(manifest, built_by="0")
