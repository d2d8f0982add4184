"""The whole way on a real GPU, with real frameworks: ``pytest -m gpu``; needs a package index that has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Caches
from manager import Recorder, make_manager

from jupyter_gpu_kernels.hardware.probe import hardware
from jupyter_gpu_kernels.models import (
    EnvironmentSpec,
    Installer,
    LibraryOrigin,
    Variant,
    VerificationOutcome,
)

pytestmark = [pytest.mark.gpu, pytest.mark.network, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("framework", ["pytorch", "cupy"])
async def test_a_framework_computes_on_the_gpu_with_its_own_cuda(
    framework: str, caches: Caches, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = hardware()
    assert machine.gpus, machine.reason
    # What a machine with a toolkit of its own looks like.
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/local/cuda/lib64")
    workshop = make_manager("unused", caches.root, benchmark_timeout=600).workshop
    spec = EnvironmentSpec(name=f"{framework}-warp", framework=framework, installer=Installer.PYPI)
    manifest = await workshop.create(spec, reporter=Recorder())
    assert manifest.plan.variant is Variant.GPU
    assert manifest.verification is not None
    assert manifest.verification.outcome is VerificationOutcome.VERIFIED
    assert manifest.verification.devices[0] == machine.gpus[0].name
    assert {library.origin for library in manifest.verification.libraries} == {LibraryOrigin.ENVIRONMENT}
    assert all(Path(library.path).exists() for library in manifest.verification.libraries)
    result = await workshop.benchmark(spec.name, reporter=Recorder())
    assert result.gpu_missing is None
    assert min(result.speedups.values()) > 2
