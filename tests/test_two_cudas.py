"""Two CUDAs side by side, made by the product itself, under a server whose library path points at a third."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import Caches
from jupyter_core.paths import jupyter_data_dir
from manager import Recorder, make_manager
from two_cudas import check_two_cudas, cuda_runtime, make_decoy, running, write_kernel

from jupyter_gpu_kernels.models import EnvironmentSpec, Installer

#: By kernel: the soname to load and the version that it must report.
EXPECTED = {"a": ("libcudart.so.12", 12090), "b": ("libcudart.so.13", 13000)}

SPECS = {
    Installer.CONDA: [
        EnvironmentSpec(name="a", installer=Installer.CONDA, packages=("cuda-cudart=12.9",), target_cuda="12.9"),
        EnvironmentSpec(name="b", installer=Installer.CONDA, packages=("cuda-cudart=13.0",), target_cuda="13.0"),
    ],
    Installer.PYPI: [
        EnvironmentSpec(name="a", installer=Installer.PYPI, packages=("nvidia-cuda-runtime-cu12==12.9.79",)),
        EnvironmentSpec(name="b", installer=Installer.PYPI, packages=("nvidia-cuda-runtime==13.0.48",)),
    ],
}


@pytest.mark.parametrize("installer", SPECS, ids=lambda installer: installer.value)
async def test_each_kernel_has_its_own_cuda(
    installer: Installer,
    channel: str,
    caches: Caches,
    wheel_dir: Path,
    base_python: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel_dir))
    workshop = make_manager(channel, caches.root).workshop
    for spec in SPECS[installer]:
        await workshop.create(spec, reporter=Recorder())
    kernels = Path(jupyter_data_dir()) / "kernels"
    decoy = make_decoy(tmp_path / "decoy", base_python, caches.uv)
    server = {**os.environ, "LD_LIBRARY_PATH": str(decoy)}
    await check_two_cudas(kernels, EXPECTED, server)
    # The control: the same interpreter, started as everybody else starts it, loads what lies about.
    python = json.loads((kernels / "a" / "kernel.json").read_text())["argv"][0]
    write_kernel(kernels, "control", Path(python), provisioner=False)
    async with running(kernels, "control", env=server) as (_, client):
        report = await cuda_runtime(client, "libcudart.so.12")
    assert report["version"] == 12010
    assert report["mapped"] == [str(decoy / "libcudart.so.12")]
