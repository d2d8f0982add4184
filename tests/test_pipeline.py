"""The pipeline with real parts: the test channel, real kernels, real provisioner."""

from __future__ import annotations

import asyncio
import errno
import functools
import json
import shutil
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from channel import Server, Stall
from jupyter_core.paths import jupyter_data_dir
from manager import Recorder, make_manager, traces
from test_benchmark import GOOD, QUICK
from two_cudas import STANZA, printed, running

from jupyter_gpu_kernels.benchmark import run
from jupyter_gpu_kernels.benchmark.run import run_benchmark
from jupyter_gpu_kernels.build import changing
from jupyter_gpu_kernels.build.disk.generations import Generation, Generations
from jupyter_gpu_kernels.build.disk.locks import EnvironmentLock
from jupyter_gpu_kernels.errors import (
    DownloadError,
    EnvironmentBusyError,
    GpuKernelsError,
    InstallError,
    NameTakenError,
    NotFoundError,
    RefusedError,
    VerificationError,
)
from jupyter_gpu_kernels.models import (
    EnvironmentChange,
    EnvironmentKind,
    EnvironmentSpec,
    Installer,
    LaunchPolicy,
    LibraryOrigin,
    MemoryPreset,
    Stage,
    Variant,
    VerificationOutcome,
)
from jupyter_gpu_kernels.serve.wiring import BenchmarkingWorkshop

SPEC = EnvironmentSpec(name="Warp", framework="warpdrive", variant=Variant.CPU)


@pytest.fixture
def workshop(channel: str, caches) -> BenchmarkingWorkshop:
    return make_manager(channel, caches.root).workshop


def kernels() -> Path:
    return Path(jupyter_data_dir()) / "kernels"


async def test_a_conda_environment_is_built_verified_and_registered(workshop, channel: str) -> None:
    recorder = Recorder()
    manifest = await workshop.create(SPEC, reporter=recorder)
    assert list(dict.fromkeys(recorder.stages)) == [
        Stage.SOLVE,
        Stage.DOWNLOAD,
        Stage.LINK,
        Stage.COMPILE,
        Stage.VERIFY,
        Stage.REGISTER,
    ]
    assert manifest.kind is EnvironmentKind.CONDA
    assert manifest.prefix == str(Path.home() / ".conda" / "envs" / "Warp")
    assert manifest.display_name == "Warp (Warpdrive 1.5 · CPU)"
    assert (manifest.plan.installer, manifest.plan.variant, manifest.plan.cuda) == (Installer.CONDA, Variant.CPU, None)
    assert manifest.plan.channels == (channel,)
    assert manifest.verification is not None
    assert manifest.verification.outcome is VerificationOutcome.VERIFIED
    assert manifest.verification.framework_version == "1.5.0"
    assert recorder.plans == [manifest.plan]
    usage = workshop.usage("Warp")
    assert 0 < usage.freed_bytes < manifest.disk_bytes, "the cache of packages keeps the rest"
    assert usage.bytes == pytest.approx(manifest.disk_bytes, rel=0.02), "what came later is small"
    assert workshop.manifest("Warp") == manifest
    (listed,) = workshop.environments()
    assert listed.disk_bytes == manifest.disk_bytes
    assert (listed.name, listed.registered, listed.kernelspec) == ("Warp", True, str(kernels() / "warp"))
    spec = json.loads((kernels() / "warp" / "kernel.json").read_text())
    assert spec["argv"][0] == f"{manifest.prefix}/bin/python"
    assert spec["metadata"]["kernel_provisioner"] == STANZA["kernel_provisioner"]
    assert (Path.home() / ".conda" / "environments.txt").read_text().splitlines() == [manifest.prefix]
    async with running(kernels(), "warp") as (_, client):
        assert "1.5.0" in await printed(client, "import warpdrive; print(warpdrive.__version__)")


async def test_download_progress_is_in_bytes_and_ends_at_the_total(channel: str, cold_cache: Path) -> None:
    recorder = Recorder()
    await make_manager(channel, cold_cache).workshop.create(replace(SPEC, verify=False), reporter=recorder)
    downloads = [step for stage, step in recorder.steps if stage is Stage.DOWNLOAD]
    planned = sum(package.size for package in recorder.plans[0].packages)
    assert recorder.plans[0].download_bytes == planned
    assert downloads[-1].bytes_done == downloads[-1].bytes_total == planned
    assert [step.bytes_done for step in downloads] == sorted(step.bytes_done for step in downloads)


async def test_a_virtual_environment_is_built_where_pypi_is_asked_for(workshop, wheel_dir: Path, monkeypatch) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel_dir))
    recorder = Recorder()
    spec = EnvironmentSpec(name="plain", installer=Installer.PYPI, packages=("six",))
    manifest = await workshop.create(spec, reporter=recorder)
    assert manifest.kind is EnvironmentKind.VIRTUALENV
    assert list(dict.fromkeys(recorder.stages))[-4:] == [Stage.WHEELS, Stage.COMPILE, Stage.VERIFY, Stage.REGISTER]
    scripts = [path for path in Path(manifest.prefix, "bin").iterdir() if not path.is_symlink()]
    assert not [path for path in scripts if ".gen" in path.read_text(errors="replace")]
    async with running(kernels(), "plain") as (_, client):
        prefix = await printed(client, "import six, sys; print(sys.prefix)")
    assert prefix.strip() == manifest.prefix


async def test_wheels_come_on_top_of_conda_packages(workshop, wheel_dir: Path, monkeypatch) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel_dir))
    recorder = Recorder()
    manifest = await workshop.create(
        EnvironmentSpec(name="both", installer=Installer.CONDA, pip=("nvidia-cuda-runtime-cu12==12.9.79",)),
        reporter=recorder,
    )
    stages = list(dict.fromkeys(recorder.stages))
    assert stages.index(Stage.LINK) < stages.index(Stage.WHEELS) < stages.index(Stage.COMPILE)
    wheels = {package.name for package in manifest.plan.packages if package.stage is Stage.WHEELS}
    assert wheels == {"nvidia-cuda-runtime-cu12"}


async def test_a_password_for_a_channel_is_kept_nowhere(workshop, channel: str) -> None:
    secret = channel.replace("://", "://me:hunter2@")
    spec = EnvironmentSpec(name="secretive", channels=(secret,), companions=False)
    manifest = await workshop.create(spec, reporter=Recorder())
    assert manifest.spec.channels == manifest.plan.spec.channels == (channel,)
    for place in (Path(manifest.prefix, "share"), Path(manifest.prefix, "conda-meta"), kernels() / "secretive"):
        files = [path for path in place.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if b"hunter2" in path.read_bytes()]


async def test_libraries_are_named_by_the_path_that_lasts(workshop) -> None:
    spec = EnvironmentSpec(name="named", framework="warpdrive", variant=Variant.GPU, target_cuda="12.9")
    manifest = await workshop.create(spec, reporter=Recorder())
    assert manifest.verification is not None
    paths = [library.path for library in manifest.verification.libraries]
    assert [Path(path).name for path in paths] == ["libcudart.so.12.9.79"]
    assert all(path.startswith(manifest.prefix + "/") and Path(path).exists() for path in paths)
    assert {library.origin for library in manifest.verification.libraries} == {LibraryOrigin.ENVIRONMENT}


async def test_a_framework_that_does_not_import_leaves_nothing(workshop) -> None:
    spec = EnvironmentSpec(name="broken", framework="broken", variant=Variant.CPU)
    with pytest.raises(VerificationError, match="does not import") as caught:
        await workshop.create(spec, reporter=Recorder())
    assert caught.value.cure
    assert traces("broken") == []


async def test_a_gpu_that_is_not_seen_keeps_the_environment_and_says_why(workshop) -> None:
    spec = replace(SPEC, name="hopeful", variant=Variant.GPU, target_cuda="12.9")
    manifest = await workshop.create(spec, reporter=Recorder())
    assert manifest.plan.cuda == "12.9"
    assert manifest.display_name == "hopeful (Warpdrive 1.5 · CUDA 12.9)"
    assert manifest.verification is not None
    assert manifest.verification.outcome is VerificationOutcome.GPU_NOT_SEEN
    assert "driver" in manifest.verification.sentence
    assert workshop.environments()[0].registered


async def test_what_cannot_run_here_is_refused_before_anything_is_made(workshop) -> None:
    with pytest.raises(RefusedError) as caught:
        await workshop.create(replace(SPEC, name="refused", variant=Variant.GPU), reporter=Recorder())
    assert caught.value.cure
    assert traces("refused") == []


STAGES = [Stage.SOLVE, Stage.DOWNLOAD, Stage.LINK, Stage.COMPILE, Stage.VERIFY]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.value)
async def test_cancelled_in_any_stage_it_leaves_nothing(channel: str, caches, cold_cache: Path, stage: Stage) -> None:
    reached = asyncio.Event()

    class Watching(Recorder):
        def stage(self, now: Stage) -> None:
            super().stage(now)
            if now is stage:
                reached.set()

    # A cache of its own where the downloads should take a while.
    workshop = make_manager(channel, cold_cache if stage is Stage.DOWNLOAD else caches.root).workshop
    task = asyncio.create_task(workshop.create(replace(SPEC, name="cut"), reporter=Watching()))
    await asyncio.wait_for(reached.wait(), 120)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert traces("cut") == []
    EnvironmentLock(workshop.state_dir / "locks", "cut").acquire("create")


async def test_cancelled_while_room_is_made_it_leaves_nothing(workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, begin = threading.Event(), Generations.begin

    def slowly(self: Generations, name: str) -> Generation:
        begun.set()
        time.sleep(0.3)
        return begin(self, name)

    monkeypatch.setattr(Generations, "begin", slowly)
    task = asyncio.create_task(workshop.create(replace(SPEC, name="room"), reporter=Recorder()))
    await asyncio.to_thread(begun.wait, 120)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert traces("room") == []


async def test_a_stalled_download_fails_in_words_and_leaves_nothing(faulty_channel, cold_cache: Path) -> None:
    server: Server = faulty_channel()
    server.fail("*/numpy-*", Stall(at=0.5))
    workshop = make_manager(server.url, cold_cache, silence=1).workshop
    with pytest.raises(DownloadError) as caught:
        await workshop.create(replace(SPEC, name="stalled"), reporter=Recorder())
    assert "1" in caught.value.message
    assert caught.value.cure
    assert traces("stalled") == []


async def test_names_are_taken_whatever_their_case(workshop) -> None:
    await workshop.create(replace(SPEC, verify=False), reporter=Recorder())
    for name in ("Warp", "warp", "WARP"):
        with pytest.raises(NameTakenError, match=r"Warp"):
            await workshop.create(replace(SPEC, name=name), reporter=Recorder())
    foreign = Path.home() / ".conda" / "envs" / "theirs" / "conda-meta"
    foreign.mkdir(parents=True)
    with pytest.raises(NameTakenError, match="theirs"):
        await workshop.create(replace(SPEC, name="theirs"), reporter=Recorder())
    assert foreign.is_dir()


async def test_there_is_one_writer_at_a_time(workshop) -> None:
    held = EnvironmentLock(workshop.state_dir / "locks", "warp").hold("create")
    with held, pytest.raises(EnvironmentBusyError, match="being built by process"):
        await workshop.create(SPEC, reporter=Recorder())
    assert traces("warp") == []


async def test_a_rebuild_keeps_what_was_added_and_lets_running_kernels_be(workshop, channel: str) -> None:
    old = await workshop.create(replace(SPEC, verify=False), reporter=Recorder())
    # What `conda install six` leaves behind.
    history = Path(old.prefix, "conda-meta", "history")
    history.write_text(history.read_text() + "==> 2026-01-01 00:00:00 <==\n# update specs: ['six']\n")
    async with running(kernels(), "warp") as (_, client):
        new = await workshop.rebuild("Warp", reporter=Recorder())
        assert new.generation != old.generation
        assert new.plan.installer_reason == old.plan.installer_reason
        assert new.spec == old.spec
        assert "six" in {package.name for package in new.plan.packages}
        assert (await printed(client, "print(6 * 7)")).strip() == "42"
    code = "import six, warpdrive, sys; print(sys.prefix)"
    done = subprocess.run([f"{new.prefix}/bin/python", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == new.prefix


async def test_a_rebuild_that_fails_leaves_the_old_environment_as_it_was(
    channel_dir, serve_channel, cold_cache
) -> None:
    server: Server = serve_channel(channel_dir)
    workshop = make_manager(server.url, cold_cache).workshop
    old = await workshop.create(replace(SPEC, verify=False), reporter=Recorder())
    server.close()
    with pytest.raises(GpuKernelsError):
        await workshop.rebuild("Warp", reporter=Recorder())
    assert workshop.manifest("Warp") == old
    async with running(kernels(), "warp") as (_, client):
        assert (await printed(client, "import warpdrive; print(1)")).strip() == "1"


async def test_a_verification_is_repeated_and_kept(workshop) -> None:
    await workshop.create(replace(SPEC, verify=False), reporter=Recorder())
    assert workshop.manifest("Warp").verification is None
    verification = await workshop.verify("Warp", reporter=Recorder())
    assert verification.outcome is VerificationOutcome.VERIFIED
    assert workshop.manifest("Warp").verification == verification
    broken = next(Path(workshop.manifest("Warp").prefix).glob("lib/python3*/site-packages/warpdrive/__init__.py"))
    broken.unlink()
    broken.write_text("raise ImportError('gone')")
    assert (await workshop.verify("Warp", reporter=Recorder())).outcome is VerificationOutcome.FAILED


async def test_a_verification_puts_a_removed_kernelspec_back(workshop) -> None:
    await workshop.create(replace(SPEC, verify=False), reporter=Recorder())
    shutil.rmtree(kernels() / "warp")
    assert not workshop.environments()[0].registered
    with pytest.raises(NameTakenError) as caught:
        await workshop.create(SPEC, reporter=Recorder())
    assert caught.value.cure == "To have its kernel back, run `jupyter gpu-kernels verify Warp`."
    await workshop.verify("Warp", reporter=Recorder())
    assert workshop.environments()[0].registered
    async with running(kernels(), "warp") as (_, client):
        assert (await printed(client, "import warpdrive; print(1)")).strip() == "1"


async def test_a_benchmark_is_kept_and_goes_with_its_environment(workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run_benchmark", functools.partial(run_benchmark, parameters=QUICK))
    await workshop.create(EnvironmentSpec(name="timed", packages=("numpy",), companions=False), reporter=Recorder())
    result = await workshop.benchmark("timed", reporter=Recorder())
    assert [timing.workload for timing in result.timings] == ["convolution", "matmul"]
    assert workshop.manifest("timed").benchmark == result
    assert workshop.environments()[0].benchmark == result
    submitted = await workshop.keep_benchmark("timed", GOOD)
    assert workshop.manifest("timed").benchmark == submitted != result
    with EnvironmentLock(workshop.state_dir / "locks", "timed").hold("verify"), pytest.raises(EnvironmentBusyError):
        await workshop.keep_benchmark("timed", GOOD)
    notebooks = workshop.state_dir / "benchmarks" / "timed"
    assert [path.name for path in notebooks.iterdir()] == ["cpu-vs-gpu-timed.ipynb"]
    await workshop.remove("timed", reporter=Recorder())
    assert not notebooks.exists()


async def test_the_memory_preset_reaches_the_kernel_and_can_be_changed(workshop) -> None:
    show = "import os; print(os.environ.get('TF_FORCE_GPU_ALLOW_GROWTH'))"
    spec = EnvironmentSpec(name="grown", companions=False, verify=False, memory=MemoryPreset.GROW)
    manifest = await workshop.create(spec, reporter=Recorder())
    hook = Path(manifest.prefix, "etc/conda/activate.d/jupyter-gpu-kernels.sh")
    assert (manifest.launch, workshop.environments()[0].memory) == (
        LaunchPolicy(memory=MemoryPreset.GROW),
        MemoryPreset.GROW,
    )
    assert "TF_FORCE_GPU_ALLOW_GROWTH" in hook.read_text()
    async with running(kernels(), "grown") as (_, client):
        assert (await printed(client, show)).strip() == "true"
    changed = await workshop.change("grown", EnvironmentChange(memory=MemoryPreset.DEFAULT))
    assert changed.memory is workshop.manifest("grown").spec.memory is MemoryPreset.DEFAULT
    assert "TF_FORCE_GPU_ALLOW_GROWTH" not in hook.read_text()
    async with running(kernels(), "grown") as (_, client):
        assert (await printed(client, show)).strip() == "None"


async def test_a_part_of_the_memory_reaches_the_kernel_as_its_torch_understands_it(workshop) -> None:
    names = ("XLA_CLIENT_MEM_FRACTION", "CUPY_GPU_MEMORY_LIMIT", "PYTORCH_CUDA_ALLOC_CONF")
    show = f"import os; print([os.environ.get(name) for name in {names}])"
    spec = EnvironmentSpec(
        name="part", companions=False, verify=False, memory=MemoryPreset.FRACTION, memory_fraction=0.4
    )
    manifest = await workshop.create(spec, reporter=Recorder())
    assert (workshop.environments()[0].memory, workshop.environments()[0].memory_fraction) == (spec.memory, 0.4)
    packages = next(Path(manifest.prefix).glob("lib/python*/site-packages"))
    old, new = (packages / f"torch-{version}.dist-info" for version in ("2.9.1", "2.10.0"))
    old.mkdir()
    async with running(kernels(), "part") as (_, client):
        assert eval(await printed(client, show)) == ["0.4", "40%", None]
    old.rename(new)
    changed = await workshop.change("part", EnvironmentChange(memory_fraction=0.25))
    assert (changed.memory, changed.memory_fraction) == (MemoryPreset.FRACTION, 0.25)
    assert workshop.manifest("part").spec.memory_fraction == 0.25
    hook = Path(manifest.prefix, "etc/conda/activate.d/jupyter-gpu-kernels.sh").read_text()
    assert "per_process_memory_fraction:0.25" in hook
    async with running(kernels(), "part") as (_, client):
        assert eval(await printed(client, show)) == ["0.25", "25%", "per_process_memory_fraction:0.25"]


async def test_a_changed_display_name_stays(workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    name, specification = "Warp", kernels() / "warp" / "kernel.json"
    spec = EnvironmentSpec(name=name, companions=False, verify=False)
    old = await workshop.create(spec, reporter=Recorder())
    before = json.loads(specification.read_text())

    changed = await workshop.change(name, EnvironmentChange(display_name="Mine"))
    assert (changed, changed.display_name) == (workshop.environments()[0], "Mine")
    assert json.loads(specification.read_text()) == {**before, "display_name": "Mine"}
    manifest = workshop.manifest(name)
    assert manifest.spec == manifest.plan.spec == replace(spec, display_name="Mine")
    assert replace(manifest, display_name=old.display_name, spec=old.spec, plan=old.plan) == old

    def full(prefix: Path, manifest: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(changing, "write_manifest", full)
        with pytest.raises(InstallError, match="disk is full"):
            await workshop.change(name, EnvironmentChange(display_name="Lost"))
    assert json.loads(specification.read_text())["display_name"] == workshop.manifest(name).display_name == "Mine"
    with EnvironmentLock(workshop.state_dir / "locks", name).hold("rebuild"), pytest.raises(EnvironmentBusyError):
        await workshop.change(name, EnvironmentChange(display_name="Lost"))
    with pytest.raises(NotFoundError):
        await workshop.change("nothing", EnvironmentChange(display_name="Lost"))

    await workshop.rebuild(name, reporter=Recorder())
    assert json.loads(specification.read_text())["display_name"] == workshop.manifest(name).display_name == "Mine"
    shutil.rmtree(kernels() / "warp")
    await workshop.change(name, EnvironmentChange(display_name="Yours"))
    assert not specification.exists(), "a change is no verification"
    await workshop.verify(name, reporter=Recorder())
    assert json.loads(specification.read_text())["display_name"] == workshop.manifest(name).display_name == "Yours"


async def test_removal_leaves_nothing(workshop) -> None:
    await workshop.create(replace(SPEC, name="warp", verify=False), reporter=Recorder())
    assert traces("warp")
    await workshop.remove("warp", reporter=Recorder())
    assert traces("warp") == []
    with pytest.raises(NotFoundError):
        await workshop.remove("warp", reporter=Recorder())


@pytest.mark.parametrize("written", ["~/my envs", "envs"])
async def test_directories_may_be_configured_as_people_write_them(
    written: str, channel: str, caches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    workshop = make_manager(channel, caches.root, conda_envs_dir=written).workshop
    manifest = await workshop.create(replace(SPEC, name="warp", verify=False), reporter=Recorder())
    assert Path(manifest.prefix).parent == Path(written).expanduser().absolute()
    assert workshop.environments()[0].registered
    await workshop.remove("warp", reporter=Recorder())
    assert not Path(manifest.prefix).exists()
    assert workshop.environments() == ()


async def test_a_damaged_environment_can_be_removed(workshop) -> None:
    manifest = await workshop.create(replace(SPEC, name="warp", verify=False), reporter=Recorder())
    Path(manifest.prefix, "share/jupyter-gpu-kernels/manifest.json").write_text("{")
    await workshop.remove("warp", reporter=Recorder())
    assert traces("warp") == []


async def test_recovery_registers_what_was_built_whole_and_removes_the_rest(workshop) -> None:
    manifest = await workshop.create(replace(SPEC, name="warp", verify=False), reporter=Recorder())
    (kernels() / "warp" / "kernel.json").unlink()
    (kernels() / "warp" / "logo-svg.svg").unlink()
    (kernels() / "warp").rmdir()
    half = Path(manifest.prefix).parent / ".gen" / "other-01234567"
    half.mkdir(parents=True)
    assert await workshop.recover("warp") == manifest
    assert workshop.environments()[0].registered
    assert await workshop.recover("other") is None
    assert traces("other") == []


async def test_a_kernel_without_its_environment_is_unregistered_by_recovery(workshop) -> None:
    manifest = await workshop.create(replace(SPEC, name="warp", verify=False), reporter=Recorder())
    Path(manifest.prefix).rename(Path(manifest.prefix).with_name("moved"))
    assert await workshop.recover("warp") is None
    assert not (kernels() / "warp").exists()


async def test_what_is_left_of_a_kernel_is_in_nobody_s_way_and_stays_until_the_name_is_taken(workshop) -> None:
    manifest = await workshop.create(replace(SPEC, name="warp", verify=False), reporter=Recorder())
    shutil.rmtree(manifest.prefix)
    # As if it had been a virtual environment.
    specification = kernels() / "warp" / "kernel.json"
    other = str(Path(jupyter_data_dir()) / "gpu-kernels" / "envs" / "warp")
    text = specification.read_text().replace(f'"prefix": "{manifest.prefix}"', f'"prefix": "{other}"')
    specification.write_text(text)
    assert other in text
    workshop.check_free("warp")
    assert specification.exists(), "asking changes nothing"
    again = await workshop.create(EnvironmentSpec(name="warp", companions=False, verify=False), reporter=Recorder())
    assert workshop.environments()[0].kernelspec == str(kernels() / "warp")
    assert json.loads(specification.read_text())["display_name"] == again.display_name
