"""Clones and new names: real environments, a death at every point, and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Caches
from jupyter_core.paths import jupyter_data_dir
from jupyter_server.serverapp import ServerApp
from manager import Recorder, make_manager, traces
from patience import PATIENCE, eventually
from tornado.httpclient import HTTPResponse
from two_cudas import printed, running

from jupyter_gpu_kernels.build.conda import neighbour
from jupyter_gpu_kernels.build.copying.copies import Copies
from jupyter_gpu_kernels.build.copying.tree import StoppedError, TreeCopy
from jupyter_gpu_kernels.build.disk.generations import Generation, Generations
from jupyter_gpu_kernels.build.planning.planner import Planned
from jupyter_gpu_kernels.build.reporting import Reporter
from jupyter_gpu_kernels.build.wheels.scripts import rewrite_scripts
from jupyter_gpu_kernels.cli import main
from jupyter_gpu_kernels.cli.exits import Exit
from jupyter_gpu_kernels.errors import (
    EnvironmentBusyError,
    InstallError,
    InvalidNameError,
    KernelsRunningError,
    NameTakenError,
    NotFoundError,
)
from jupyter_gpu_kernels.hardware.processes import identity
from jupyter_gpu_kernels.models import (
    BenchmarkResult,
    CloneRequest,
    EnvironmentKind,
    EnvironmentSpec,
    Installer,
    Job,
    JobKind,
    JobState,
    Manifest,
    Plan,
    ProcessIdentity,
    Variant,
    now,
)
from jupyter_gpu_kernels.prefix.layout import Layout
from jupyter_gpu_kernels.prefix.manifest import write_manifest
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

#: A process that is no more.
DEAD = ProcessIdentity(host=identity().host, pid=2**22 + 1, started=1.0)


@pytest.fixture
def manager(jp_asyncio_loop: asyncio.AbstractEventLoop, caches: Caches) -> Iterator[GpuKernelsManager]:
    """A manager whose only channel does not exist: no copy needs one."""
    made = make_manager("http://127.0.0.1:1/none", caches.root)
    yield made
    jp_asyncio_loop.run_until_complete(made.close(timeout=1))


def kernels() -> Path:
    return Path(jupyter_data_dir()) / "kernels"


def registered() -> list[str]:
    return sorted(path.name for path in kernels().iterdir()) if kernels().is_dir() else []


async def tiny(manager: GpuKernelsManager, name: str, **more: object) -> Manifest:
    """An environment of ours without any package, and without verification: made in a moment."""
    spec = EnvironmentSpec(name=name, installer=Installer.PYPI, verify=False, **more)  # type: ignore[arg-type]
    reason = {"installer_reason": "", "variant_reason": "", "variant": Variant.CPU}
    plan = Plan(spec=spec, installer=Installer.PYPI, python=".".join(map(str, sys.version_info[:3])), **reason)  # type: ignore[arg-type]
    framework = manager.equipment.planner.catalogue.get("python")

    async def planning() -> Planned:
        return Planned(plan=plan, framework=framework)

    async def fill(generation: Generation, reporter: Reporter) -> None:
        python = getattr(sys, "_base_executable", sys.executable)
        command = [python, "-m", "venv", "--without-pip", "--prompt", name, str(generation.path)]
        await asyncio.to_thread(subprocess.run, command, check=True)
        layout = Layout(generation.path, EnvironmentKind.VIRTUALENV)
        await asyncio.to_thread(rewrite_scripts, layout, generation.final)
        (layout.site_packages()[0] / "mine.py").write_text(f"CONTENT = {name!r}\n")

    return await manager.equipment.construction.build(planning, Recorder(), fill=fill)


async def finished(manager: GpuKernelsManager, asked: Awaitable[Job]) -> Job:
    return await manager.runner.wait((await asked).id)


async def test_a_clone_works_without_network_and_without_its_original(
    channel: str, caches: Caches, manager: GpuKernelsManager, wheel_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel_dir))
    spec = EnvironmentSpec(name="warp", framework="warpdrive", variant=Variant.CPU, pip=("six",), verify=False)
    online = make_manager(channel, caches.root)
    original = await online.workshop.create(replace(spec, display_name="Mine"), reporter=Recorder())
    old = Path(original.prefix)
    with (old / "conda-meta" / "history").open("a") as history:
        history.write("==> 2030-01-01 00:00:00 <==\n# cmd: conda install zlib\n# update specs: ['zlib']\n")
    (old / "etc" / "mine.conf").write_text(f"path = {old}/share\n")
    # A clone verifies though its original did not: what its user wished for a moment ago is not the question here.
    await asyncio.to_thread(write_manifest, old, replace(original, spec=replace(original.spec, verify=True)))
    monkeypatch.setenv("UV_FIND_LINKS", "/nowhere")
    job = await finished(manager, manager.copies.clone("warp", CloneRequest(name="warp-two-of-a-kind")))
    assert (job.state, job.name, job.source) == (JobState.SUCCEEDED, "warp-two-of-a-kind", "warp"), job.error
    assert job.verification is not None
    copy = await manager.get(job.name)
    new = Path(copy.prefix)
    assert copy.display_name == "warp-two-of-a-kind (Warpdrive 1.5 · CPU)"
    assert [package.name for package in copy.plan.packages] == [package.name for package in original.plan.packages]
    # Shared is what nobody edits; nothing speaks of the original.
    shared = [path for path in old.rglob("*.py") if (new / path.relative_to(old)).samefile(path)]
    assert len(shared) > 1000
    assert [path for path in new.rglob("*.json") if path.stat().st_nlink > 1 and path.parent.name == "conda-meta"] == []
    said = subprocess.run(["grep", "-rlFa", f"{old}/", str(new)], check=False, capture_output=True, text=True).stdout
    assert said == ""
    assert (new / "etc" / "mine.conf").read_text() == f"path = {new}/share\n"
    assert copy.disk_bytes > 0
    usage = await manager.usage(job.name)
    assert usage.freed_bytes < usage.bytes / 4, "the rest is shared"
    # conda knows it, with what was added from outside.
    assert str(new) in (Path.home() / ".conda" / "environments.txt").read_text().splitlines()
    assert neighbour.added_specs(new) == ("zlib",)
    assert sorted(path.name for path in (new / "conda-meta").iterdir()) == sorted(
        path.name for path in (old / "conda-meta").iterdir()
    )
    await online.workshop.remove("warp", reporter=Recorder())
    async with running(kernels(), job.name) as (_, client):
        code = "import sys, six, warpdrive; print(sys.prefix, six.__file__, warpdrive.__version__)"
        prefix, six, version = (await printed(client, code)).split()
    assert (prefix, Path(six).is_relative_to(new), version) == (str(new), True, "1.5.0")
    for script in ("pip", "warpdrive-info"):
        first = (new / "bin" / script).read_text().splitlines()[0]
        assert str(new) in first or first.startswith("#!/usr/bin/env")
    done = subprocess.run([new / "bin" / "pip", "check"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_an_environment_gets_another_name(manager: GpuKernelsManager) -> None:
    original = await tiny(manager, "old", display_name="Mine")
    result = BenchmarkResult(framework="NumPy 2.3", timings=(), finished="2026-01-01T00:00:00Z")
    await asyncio.to_thread(write_manifest, Path(original.prefix), replace(original, benchmark=result))
    notebooks = Path(manager.state_dir) / "benchmarks" / "old"
    notebooks.mkdir(parents=True)
    job = await finished(manager, manager.copies.rename("old", "new"))
    assert (job.state, job.name, job.source) == (JobState.SUCCEEDED, "new", "old"), job.error
    manifest = await manager.get("new")
    assert (manifest.display_name, manifest.benchmark) == ("Mine", result)
    assert [item.name for item in await manager.environments()] == ["new"]
    assert registered() == ["new"]
    assert traces("old") == []
    assert not notebooks.exists()
    assert notebooks.with_name("new").is_dir()
    assert "prompt = 'new'" in Path(manifest.prefix, "pyvenv.cfg").read_text()
    activate = Path(manifest.prefix, "bin", "activate").read_text()
    # Pythons quote it differently, or not at all.
    assert f"VIRTUAL_ENV={manifest.prefix}" in re.sub("[\"']", "", activate)
    assert original.prefix not in activate
    assert "by their recipe" in await manager.job_log(job.id)


@pytest.mark.parametrize("new", ["Warp-One", "warp_one", "WARP-ONE-2"])
async def test_names_may_differ_in_case_or_hyphens_only(manager: GpuKernelsManager, new: str) -> None:
    await tiny(manager, "warp-one")
    job = await finished(manager, manager.copies.rename("warp-one", new))
    assert job.state is JobState.SUCCEEDED, job.error
    assert [item.name for item in await manager.environments()] == [new]
    (listed,) = await manager.environments()
    assert listed.registered
    assert registered() == [new.lower()]
    assert sorted(path.name for path in Path(listed.prefix).parent.iterdir()) == [".gen", new]


def died(manager: GpuKernelsManager, source: str, name: str) -> Job:
    """Leave the record of a rename as a process that was killed leaves it."""
    job = Job(id="20260101-000000-00000000", kind=JobKind.RENAME, name=name, source=source, owner=DEAD)
    job = replace(job, state=JobState.RUNNING, created=now(), started=now(), attempts=1, revision=3)
    manager.runner.ledger.records.save(job)
    return job


async def nothing(manager: GpuKernelsManager, copies: Copies) -> None:
    """Killed before anything was made."""


async def half(manager: GpuKernelsManager, copies: Copies) -> None:
    """Killed while files were copied."""
    nursery = Path(manager.virtualenvs_dir) / ".gen" / "new-0123abcd"
    (nursery / "bin").mkdir(parents=True)


async def both(manager: GpuKernelsManager, copies: Copies) -> None:
    """Killed once the copy was in its place."""
    await copies.clone("old", "new", None, reporter=Recorder())


async def orphaned(manager: GpuKernelsManager, copies: Copies) -> None:
    """Killed once the original had left its place, with all that others know of it."""
    await both(manager, copies)
    await asyncio.to_thread(manager.equipment.generations[EnvironmentKind.VIRTUALENV].trash, "old")


@pytest.mark.parametrize("point", [nothing, half, both, orphaned])
async def test_a_rename_that_was_killed_is_brought_to_its_end(
    manager: GpuKernelsManager, point: Callable[[GpuKernelsManager, Copies], Awaitable[None]]
) -> None:
    await tiny(manager, "old")
    copies = Copies(manager.equipment)
    left = died(manager, "old", "new")
    await point(manager, copies)
    (taken,) = await manager.recover()
    assert taken.id == left.id
    job = await manager.runner.wait(left.id)
    assert job.state is JobState.SUCCEEDED, job.error
    assert [item.name for item in await manager.environments()] == ["new"]
    assert registered() == ["new"]
    assert traces("old") == []
    layout = Layout.of_prefix(Path((await manager.get("new")).prefix))
    assert (layout.site_packages()[0] / "mine.py").read_text() == "CONTENT = 'old'\n"


async def test_between_two_spellings_too(manager: GpuKernelsManager) -> None:
    await tiny(manager, "warp")
    died(manager, "warp", "Warp")
    copies = Copies(manager.equipment)
    old = await manager.get("warp")
    # Killed between the move and the registration: the kernel is still the original's.
    await copies._copy(old, "Warp", None, Recorder(), heir=True)
    manager.equipment.construction.register(old, succeeds=Path(old.prefix).with_name("Warp"))
    (taken,) = await manager.recover()
    job = await manager.runner.wait(taken.id)
    assert job.state is JobState.SUCCEEDED, job.error
    (listed,) = await manager.environments()
    assert (listed.name, listed.registered) == ("Warp", True)


async def test_an_original_that_cannot_go_stays_and_the_copy_goes(
    manager: GpuKernelsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tiny(manager, "old")
    trash = Generations.trash

    def stuck(self: Generations, name: str) -> Path:
        if name == "old":
            msg = "old cannot be removed: something is mounted there."
            raise InstallError(msg, cure="Unmount it.")
        return trash(self, name)

    monkeypatch.setattr(Generations, "trash", stuck)
    for new in ("new", "OLD"):
        job = await finished(manager, manager.copies.rename("old", new))
        assert job.state is JobState.FAILED
        (listed,) = await manager.environments()
        assert (listed.name, listed.registered) == ("old", True)
        assert registered() == ["old"]


async def test_a_clone_that_is_cancelled_leaves_nothing(
    manager: GpuKernelsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tiny(manager, "one")
    begun = threading.Event()

    def make(self: TreeCopy) -> None:
        (Path(self._target) / "half").write_text("made")
        begun.set()
        assert self._tally.stop.wait(PATIENCE)
        raise StoppedError

    monkeypatch.setattr(TreeCopy, "make", make)
    job = await manager.copies.clone("one", CloneRequest(name="two"))
    await eventually(begun.is_set)
    assert (await manager.cancel(job.id)).state is JobState.CANCELLED
    assert traces("two") == []
    assert registered() == ["one"]


@contextlib.asynccontextmanager
async def busy(prefix: str) -> AsyncIterator[None]:
    """Something that runs from an environment."""
    process = await asyncio.create_subprocess_exec(
        str(Path(prefix, "bin", "python")), "-c", "import sys; print(1, flush=True); sys.stdin.read()",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield
    finally:
        process.kill()
        await process.communicate()


async def test_what_cannot_be_copied_or_renamed_is_refused_before_there_is_a_job(manager: GpuKernelsManager) -> None:
    one = await tiny(manager, "one")
    await tiny(manager, "two")

    def clone(name: str, new: str) -> Awaitable[Job]:
        return manager.copies.clone(name, CloneRequest(name=new))

    for ask in (clone, manager.copies.rename):
        with pytest.raises(NotFoundError):
            await ask("three", "four")
        with pytest.raises(InvalidNameError):
            await ask("one", "../four")
        with pytest.raises(InvalidNameError):
            await ask("../one", "four")
        with pytest.raises(NameTakenError, match="two"):
            await ask("one", "TWO")
        with pytest.raises(NameTakenError):
            await ask("one", "one")
    with pytest.raises(NameTakenError):
        await clone("one", "One")
    async with busy(one.prefix):
        with pytest.raises(KernelsRunningError, match="'one'"):
            await manager.copies.rename("one", "three")
        async with manager.equipment.writing("one", "verify"):
            job = await finished(manager, clone("one", "three"))
            assert job.error is not None
            assert job.error.code == EnvironmentBusyError.code
    assert len(await manager.jobs()) == 1
    assert [item.name for item in await manager.environments()] == ["one", "two"]
    assert registered() == ["one", "two"]


async def test_over_rest(jp_fetch: Callable[..., Awaitable[HTTPResponse]], jp_serverapp: ServerApp) -> None:
    served: GpuKernelsManager = jp_serverapp.web_app.settings["gpu_kernels_manager"]
    await tiny(served, "one")
    for verb, body in (("clone", {"name": "two", "display_name": "Two"}), ("rename", {"name": "three"})):
        place = ("jupyter-gpu-kernels", "environments", "one", verb)
        response = await jp_fetch(*place, method="POST", body=json.dumps(body))
        assert response.code == 202
        job = await served.runner.wait(json.loads(response.body)["id"])
        assert job.state is JobState.SUCCEEDED, job.error
    assert [(item.name, item.display_name) for item in await served.environments()] == [
        ("three", f"three (Python 3.{sys.version_info[1]})"),
        ("two", "Two"),
    ]


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    async def prepare() -> None:
        await tiny(GpuKernelsManager(), "one")

    def call(*words: str) -> tuple[int, str]:
        code = main(words)
        return code, capsys.readouterr().out

    asyncio.run(prepare())
    code, answer = call("clone", "one", "two", "--json")
    assert (code, json.loads(answer)["source"]) == (0, "one")
    assert call("rename", "two", "three", "--display-name", "Third") == (
        0,
        "two is now named three.\nthree is now shown as Third.\n",
    )
    assert call("rename", "one", "One") == (
        0,
        "one is now named One. Notebooks find its kernel again by their recipe.\n",
    )
    assert call("clone", "one", "four")[0] == Exit.NOT_FOUND
    assert call("rename", "One", "three")[0] == Exit.CONFLICT
    assert [line.split()[0] for line in call("list")[1].splitlines()] == ["NAME", "One", "three"]
