"""Real kernels in real environments, started by the provisioner's entry point."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uv
from conftest import Caches
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.ioloop import AsyncIOLoopKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from patience import PATIENCE
from two_cudas import REPORT, check_two_cudas, cuda_runtime, execute, make_decoy, printed, running, write_kernel

from jupyter_gpu_kernels.launch.provisioner import GpuKernelProvisioner
from jupyter_gpu_kernels.prefix.hooks import write_hooks
from jupyter_gpu_kernels.prefix.layout import Layout

CUDA_12, CUDA_13 = "nvidia-cuda-runtime-cu12==12.9.79", "nvidia-cuda-runtime==13.0.48"


@dataclass(frozen=True)
class Environments:
    """Two virtual environments, and a directory with another CUDA 12 in it."""

    cuda_12: Path
    cuda_13: Path
    decoy: Path


def make_environment(prefix: Path, python: Path) -> Path:
    subprocess.run([uv.find_uv_bin(), "venv", "-q", "--python", python, prefix], check=True)
    return prefix


@pytest.fixture(scope="session")
def environments(
    tmp_path_factory: pytest.TempPathFactory, wheel_dir: Path, caches: Caches, base_python: Path
) -> Environments:
    root = tmp_path_factory.mktemp("environments")

    def install(*arguments: str | Path) -> None:
        environ = {**os.environ, "UV_CACHE_DIR": str(caches.uv)}
        subprocess.run([uv.find_uv_bin(), "pip", "install", "-q", *arguments], check=True, env=environ)

    for name, runtime in (("cuda-12", CUDA_12), ("cuda-13", CUDA_13)):
        make_environment(root / name, base_python)
        install("--python", root / name, "--no-index", "--find-links", wheel_dir, "ipykernel", runtime)
    decoy = make_decoy(root / "decoy", root / "cuda-12" / "bin" / "python", caches.uv)
    return Environments(root / "cuda-12", root / "cuda-13", decoy)


@pytest.fixture
def kernels(tmp_path: Path, environments: Environments) -> Path:
    folder = tmp_path / "kernels"
    write_kernel(folder, "a", environments.cuda_12 / "bin" / "python")
    write_kernel(folder, "b", environments.cuda_13 / "bin" / "python")
    write_kernel(folder, "plain", environments.cuda_12 / "bin" / "python", provisioner=False)
    return folder


@pytest.fixture
def server(environments: Environments) -> dict[str, str]:
    """Variables of a server with another CUDA on its library path."""
    return {**os.environ, "LD_LIBRARY_PATH": f"{environments.decoy}:/usr/local/cuda/lib64"}


async def test_two_cudas_live_side_by_side(kernels: Path, server: dict[str, str]) -> None:
    await check_two_cudas(kernels, {"a": ("libcudart.so.12", 12090), "b": ("libcudart.so.13", 13000)}, server)


async def test_without_the_provisioner_the_decoy_wins(
    kernels: Path, server: dict[str, str], environments: Environments
) -> None:
    async with running(kernels, "plain", env=server) as (_, client):
        report = await cuda_runtime(client, "libcudart.so.12")
    assert report["version"] == 12010
    assert report["mapped"] == [str(environments.decoy / "libcudart.so.12")]


async def test_libraries_in_a_conda_layout_are_reached_by_links(
    kernels: Path, server: dict[str, str], environments: Environments, tmp_path: Path, base_python: Path
) -> None:
    # A virtual environment with conda's marker and conda's place for libraries.
    prefix = make_environment(tmp_path / "conda", base_python)
    (prefix / "conda-meta").mkdir()
    (packages,) = prefix.glob("lib/python3*/site-packages")
    (borrowed,) = environments.cuda_12.glob("lib/python3*/site-packages")
    for name in os.listdir(borrowed):
        if not name.startswith("nvidia"):
            (packages / name).unlink(missing_ok=True)
            (packages / name).symlink_to(borrowed / name)
    shutil.copy(borrowed / "nvidia/cuda_runtime/lib/libcudart.so.12", prefix / "lib")
    write_kernel(kernels, "c", prefix / "bin" / "python")
    await check_two_cudas(kernels, {"b": ("libcudart.so.13", 13000), "c": ("libcudart.so.12", 12090)}, server)
    async with running(kernels, "c", env=server) as (_, client):
        path = await printed(client, "import os; print(os.environ['LD_LIBRARY_PATH'])")
        assert str(prefix / "lib") not in path.strip().split(":")
        assert (
            await printed(client, "import subprocess; print(subprocess.run(['bash', '-c', 'true']).returncode)")
            == "0\n"
        )


def test_activation_in_a_terminal_has_the_same_effect(server: dict[str, str], environments: Environments) -> None:
    layout = Layout.of_prefix(environments.cuda_12)
    code = REPORT.format(soname="libcudart.so.12")

    def version() -> int:
        lines = [f". '{layout.bin}/activate'", 'python -c "$1"']
        done = subprocess.run(
            ["bash", "-c", "\n".join(lines), "bash", code], env=server, capture_output=True, text=True, check=True
        )
        return int(json.loads(done.stdout)["version"])

    assert version() == 12010
    before = {path: path.read_bytes() for path in layout.bin.glob("*activate*")}
    write_hooks(layout, layout.prefix)
    try:
        assert version() == 12090
    finally:
        # Other tests use the same environment.
        for path, content in before.items():
            path.write_bytes(content)


def test_blocking_managers_start_kernels_too(kernels: Path, server: dict[str, str]) -> None:
    manager = KernelManager(
        kernel_name="a", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(kernels)], ensure_native_kernel=False)
    )
    manager.start_kernel(env=server)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        texts: list[str] = []

        def collect(message: dict[str, Any]) -> None:
            texts.append(message["content"].get("text", ""))

        client.execute_interactive("import sys; print(sys.prefix)", output_hook=collect)
        assert "cuda-12" in "".join(texts)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


async def test_a_kernel_has_the_variables_of_its_environment_and_none_of_the_servers(
    kernels: Path, environments: Environments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "VIRTUAL_ENV": "/srv/jupyter",
        "CONDA_PREFIX": "/opt/conda",
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": "",
        "PATH": f"/srv/jupyter/bin:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": f"{environments.decoy}:{tmp_path}",
        "MINE": "kept",
    }.items():
        monkeypatch.setenv(name, value)
    async with running(kernels, "a", env={**os.environ, "ASKED": "for"}) as (manager, client):
        environ = json.loads(await printed(client, "import json, os; print(json.dumps(dict(os.environ)))"))
        assert isinstance(manager.provisioner, GpuKernelProvisioner)
    prefix = environments.cuda_12
    (own,) = prefix.glob("lib/python3*/site-packages/nvidia/cuda_runtime/lib")
    assert environ["VIRTUAL_ENV"] == str(prefix)
    assert environ["LD_LIBRARY_PATH"] == f"{own}:{tmp_path}"
    assert environ["PATH"].startswith(f"{prefix}/bin:")
    assert "/srv/jupyter/bin" not in environ["PATH"]
    assert (environ["PYTHONNOUSERSITE"], environ["MINE"], environ["ASKED"]) == ("1", "kept", "for")
    assert not {"CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME"} & environ.keys()


async def test_what_kernel_json_sets_wins(kernels: Path, environments: Environments) -> None:
    config = {"provisioner_name": "gpu-kernels-provisioner", "config": {"launch_policy": {"user_site": True, "x": 1}}}
    python = environments.cuda_12 / "bin" / "python"
    metadata = {"kernel_provisioner": config}
    write_kernel(kernels, "odd", python, env={"PYTHONPATH": "/mine", "A": "b"}, metadata=metadata)
    names = ["PYTHONPATH", "A", "PYTHONNOUSERSITE"]
    async with running(kernels, "odd") as (_, client):
        shown = await printed(client, f"import os; print([os.environ.get(name) for name in {names}])")
    assert shown.strip() == str(["/mine", "b", None])


@pytest.mark.parametrize("policy", ["words", 7, None, ["a"], {"activate": "yes", "user_site": 3}])
async def test_a_senseless_launch_policy_stops_nothing(
    kernels: Path, environments: Environments, policy: object
) -> None:
    config = {"provisioner_name": "gpu-kernels-provisioner", "config": {"launch_policy": policy}}
    python = environments.cuda_12 / "bin" / "python"
    write_kernel(kernels, "odd", python, metadata={"kernel_provisioner": config})
    async with running(kernels, "odd") as (_, client):
        assert await printed(client, "print(6 * 7)") == "42\n"


async def test_interrupt_restart_and_shutdown_work_as_ever(kernels: Path, server: dict[str, str]) -> None:
    async with running(kernels, "a", env=server) as (manager, client):
        begun = asyncio.Event()
        cell = asyncio.ensure_future(execute(client, "import time; print('begun'); time.sleep(600)", begun))
        await asyncio.wait_for(begun.wait(), PATIENCE)
        await manager.interrupt_kernel()
        reply, _ = await cell
        assert reply["ename"] == "KeyboardInterrupt"
        spec = json.dumps(manager.kernel_spec.to_dict())
        first = int(await printed(client, "import os; print(os.getpid())"))
        await manager.restart_kernel()
        await client.wait_for_ready(timeout=PATIENCE)
        assert int(await printed(client, "import os; print(os.getpid())")) != first
        assert (await cuda_runtime(client, "libcudart.so.12"))["version"] == 12090
        assert json.dumps(manager.kernel_spec.to_dict()) == spec
        await manager.shutdown_kernel()
        assert not await manager.is_alive()


async def test_a_vanished_environment_is_explained_and_a_restart_looks_again(
    tmp_path: Path, environments: Environments
) -> None:
    gone = tmp_path / "gone"
    write_kernel(tmp_path / "kernels", "gone", gone / "bin" / "python")
    async with running(tmp_path / "kernels", "gone") as (manager, client):
        reply, outputs = await execute(client, "1 + 1")
        assert reply["status"] == "error"
        assert reply["ename"] == "broken_environment"
        (text,) = (output["text"] for output in outputs if output.get("name") == "stderr")
        assert text.startswith(
            f"The environment {gone} does not exist.\n\nCreate it again under its name, {gone.name}, "
        )
        (shown,) = (output["data"] for output in outputs if output["msg_type"] == "display_data")
        assert "**What to do:** Create it again under its name" in shown["text/markdown"]
        info = await client.kernel_info(reply=True, timeout=PATIENCE)
        assert info["content"]["language_info"]["name"] == "python"
        await manager.interrupt_kernel()
        assert (await execute(client, "2"))[0]["status"] == "error"
        gone.symlink_to(environments.cuda_12)
        await manager.restart_kernel()
        await client.wait_for_ready(timeout=PATIENCE)
        assert await printed(client, "print(1 + 1)") == "2\n"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda prefix: (prefix / "pyvenv.cfg").unlink(), "is no environment"),
        (lambda prefix: (prefix / "bin" / "python").unlink(), "is missing or cannot be run"),
        (lambda prefix: relink(prefix / "bin" / "python", "/no/python"), "leads to a Python that is no longer there"),
        (lambda prefix: shutil.rmtree(next(prefix.glob("lib/python3*/site-packages"))), "has no ipykernel"),
    ],
    ids=["no pyvenv.cfg", "no interpreter", "base Python gone", "no ipykernel"],
)
async def test_a_damaged_environment_is_explained_at_once(
    tmp_path: Path, damage: Callable[[Path], None], words: str, base_python: Path
) -> None:
    prefix = make_environment(tmp_path / "damaged", base_python)
    damage(prefix)
    write_kernel(tmp_path / "kernels", "damaged", prefix / "bin" / "python")
    async with running(tmp_path / "kernels", "damaged") as (_, client):
        reply, _ = await execute(client, "1")
    assert words in reply["evalue"]


def relink(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


@pytest.fixture
def dying(tmp_path: Path, environments: Environments, base_python: Path) -> Path:
    """Kernelspecs of an environment whose ipykernel crashes as long as a file is there."""
    prefix = make_environment(tmp_path / "dying", base_python)
    (packages,) = prefix.glob("lib/python3*/site-packages")
    (borrowed,) = environments.cuda_12.glob("lib/python3*/site-packages")
    (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    (tmp_path / "bomb").touch()
    (packages / "ipykernel_launcher.py").write_text(
        "import os, sys\n"
        f"if os.path.exists({str(tmp_path / 'bomb')!r}): sys.exit('no such symbol: cublasLtFoo')\n"
        "from ipykernel.kernelapp import launch_new_instance\n"
        "launch_new_instance()\n"
    )
    write_kernel(tmp_path / "kernels", "dying", prefix / "bin" / "python")
    return tmp_path


async def ready_at_last(client: AsyncKernelClient) -> None:
    """Wait for a kernel that dies before it lives."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return await client.wait_for_ready(timeout=5)
        except RuntimeError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)


async def test_the_third_start_after_two_quick_deaths_explains(dying: Path, capfd: pytest.CaptureFixture[str]) -> None:
    specs = KernelSpecManager(kernel_dirs=[str(dying / "kernels")], ensure_native_kernel=False)
    manager = AsyncIOLoopKernelManager(kernel_name="dying", kernel_spec_manager=specs)
    manager.autorestart = True
    await manager.start_kernel()
    manager._restarter.time_to_dead = 0.5
    manager._restarter.stop()
    manager._restarter._pcallback = None
    manager._restarter.start()
    client = manager.client()
    client.start_channels()
    try:
        await ready_at_last(client)
        reply, outputs = await execute(client, "1")
        assert reply["evalue"].startswith(
            "The kernel ended with status 1 within seconds after its start, twice in a row."
        )
        (text,) = (output["text"] for output in outputs if output.get("name") == "stderr")
        assert "no such symbol: cublasLtFoo" in text
        # The server's log has both last words, also those that were captured.
        assert capfd.readouterr().err.count("no such symbol: cublasLtFoo") == 2
        (dying / "bomb").unlink()
        await manager.restart_kernel()
        await client.wait_for_ready(timeout=PATIENCE)
        assert await printed(client, "print('alive')") == "alive\n"
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def test_deaths_on_request_and_late_ones_are_no_reason_to_explain(kernels: Path) -> None:
    async with running(kernels, "a") as (manager, client):
        for _ in range(3):
            await manager.restart_kernel(now=True)
        await client.wait_for_ready(timeout=PATIENCE)
        assert await printed(client, "print('alive')") == "alive\n"


def test_the_provisioner_needs_no_server_and_no_tool_of_the_build() -> None:
    heavy = ["jupyter_server", "rattler", "uv", "ipykernel", "pynvml", "msgspec"]
    modules = "jupyter_gpu_kernels.launch.provisioner, jupyter_gpu_kernels.launch.explanation"
    code = f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
