"""The conda engine against the test channel: real environments, real damage."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from channel import Server
from channel.builder import ChannelBuilder
from channel.faults import Gate, Stall, Status, Trickle
from conftest import Caches
from patience import PATIENCE, eventually

from jupyter_gpu_kernels.build.conda.engine import CondaEngine
from jupyter_gpu_kernels.build.conda.settings import ChannelSettings, CondaRequest, CondaSolution
from jupyter_gpu_kernels.errors import ChannelError, DownloadError, InvalidInputError, SolveError
from jupyter_gpu_kernels.models import Progress, Stage


@dataclass
class Listener:
    """Remembers what it was told."""

    stages: list[Stage] = field(default_factory=list)
    told: dict[Stage, list[Progress]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    def stage(self, stage: Stage) -> None:
        self.stages.append(stage)

    def progress(self, progress: Progress) -> None:
        self.told.setdefault(self.stages[-1], []).append(progress)
        if progress.bytes_done or progress.packages_done:
            self.happened.set()

    def log(self, line: str) -> None:
        self.lines.append(line)


@dataclass
class Place:
    """Where an environment is built."""

    root: Path

    @property
    def generation(self) -> Path:
        return self.root / ".gen" / "env-1"

    @property
    def final(self) -> Path:
        return self.root / "env"

    def python(self, code: str) -> str:
        done = subprocess.run(
            [self.final / "bin" / "python", "-I", "-c", code], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "envs")


@pytest.fixture(scope="session")
def warm(caches: Caches) -> Path:
    """A cache that this module's tests share."""
    return caches.root


def request(url: str, *specs: str, **more: object) -> CondaRequest:
    return CondaRequest(specs=specs, settings=ChannelSettings(channels=(url,)), **more)  # type: ignore[arg-type]


def copy(cache: Path, place: Path, solution: CondaSolution) -> Path:
    """A cache of one's own to damage, with the packages of a solution."""
    for package in solution.packages:
        for found in (cache / "pkgs").glob(f"{package.name}-{package.version}-*"):
            if found.is_dir():
                shutil.copytree(found, place / "pkgs" / found.name, symlinks=True)
            else:
                (place / "pkgs").mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, place / "pkgs")
    return place


async def make(
    engine: CondaEngine, solution: CondaSolution, place: Place, listener: Listener | None = None, **more: object
) -> None:
    where = {"generation": place.generation, "final": place.final, "reporter": listener or Listener()}
    await engine.install(solution, **where, **more)  # type: ignore[arg-type]
    place.generation.rename(place.final)


def builders() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "conda.builder" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_the_engine_does_not_load_rattler() -> None:
    code = (
        "import sys, jupyter_gpu_kernels.build.conda.engine as e; e.CondaEngine;"
        "sys.exit(any(name.partition('.')[0] == 'rattler' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_an_environment_is_made_and_its_python_runs(channel: str, place: Place, tmp_path: Path) -> None:
    engine = CondaEngine(cache_dir=tmp_path / "cache")
    solution = await engine.solve(request(channel, "python", "six", "pip"))
    assert [package.name for package in solution.packages] == ["pip", "python", "six"]
    assert {package.source for package in solution.packages} == {channel}
    packed = sum(package.size for package in solution.packages)
    assert solution.download_bytes == packed
    assert solution.disk_bytes > packed

    listener = Listener()
    await make(engine, solution, place, listener)
    assert (
        place.python("import sys, six; print(sys.prefix, six.__file__.startswith(sys.prefix))") == f"{place.final} True"
    )
    # Scripts speak of the final place, nothing of the generation.
    pip = (place.final / "bin" / "pip").read_text()
    assert str(place.final) in pip.splitlines()[0]
    assert place.python("import subprocess, sys; subprocess.run([sys.prefix + '/bin/pip', '--version'], check=True)")
    assert not [path for path in place.final.rglob("conda-meta/*") if str(place.generation) in path.read_text()]

    assert listener.stages == [Stage.DOWNLOAD, Stage.LINK]
    first, last = listener.told[Stage.DOWNLOAD][0], listener.told[Stage.DOWNLOAD][-1]
    assert (first.bytes_total, first.packages_total) == (packed, 3)
    assert (last.bytes_done, last.packages_done, last.bytes_total) == (packed, 3, packed)
    done = [progress.bytes_done for progress in listener.told[Stage.DOWNLOAD]]
    assert done == sorted(done)
    assert (listener.told[Stage.LINK][-1].packages_done, listener.told[Stage.LINK][-1].packages_total) == (3, 3)

    again = await engine.solve(request(channel, "python", "six", "pip"))
    assert again.download_bytes == 0
    other = Place(place.root / "other")
    await make(engine, again, other, warm := Listener())
    assert other.python("import six; print(six.__name__)") == "six"
    assert warm.told[Stage.DOWNLOAD][-1].bytes_total == 0
    # Linked, not copied.
    assert (other.final / "bin" / "pip").exists()
    library = next((other.final / "lib").glob("libpython*.so.*"), None)
    assert library is None or library.stat().st_nlink > 1


async def test_exactly_what_was_solved_is_installed_even_if_the_channel_has_changed(
    channel: str, serve_channel: Callable[..., Server], place: Place, tmp_path: Path
) -> None:
    with ChannelBuilder(tmp_path / "lab") as builder:
        builder.add_package("thing", "1.0", files={"share/thing": "one"})
    server = serve_channel(tmp_path / "lab")
    engine = CondaEngine(cache_dir=tmp_path / "cache")
    solution = await engine.solve(request(server.url, "thing"))
    with ChannelBuilder(tmp_path / "lab") as builder:
        builder.add_package("thing", "2.0", files={"share/thing": "two"})
    await make(engine, solution, place)
    assert (place.final / "share" / "thing").read_text() == "one"


async def test_specs_are_read_as_conda_reads_them(channel: str, warm: Path) -> None:
    engine = CondaEngine(cache_dir=warm)
    for spec in ("six =1", "six=1.*", "six >=1,<2", "six[version='1.*']", f"{channel}::six"):
        assert "six" in [package.name for package in (await engine.solve(request(channel, spec))).packages]
    with pytest.raises(InvalidInputError, match=r"six==a=b=c=\["):
        await engine.solve(request(channel, "six==a=b=c=["))
    with pytest.raises(InvalidInputError, match="no conda channel"):
        await engine.solve(CondaRequest(specs=("six",), settings=ChannelSettings(channels=())))


async def test_cuda_is_what_the_request_says_whatever_the_machine_has(
    channel: str, warm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDA_OVERRIDE_CUDA", "12.8")
    engine = CondaEngine(cache_dir=warm)
    with pytest.raises(SolveError, match="there is no NVIDIA driver") as caught:
        await engine.solve(request(channel, "warpdrive=*=cuda*"))
    assert "├─" in caught.value.detail or "└─" in caught.value.detail
    solution = await engine.solve(request(channel, "warpdrive=*=cuda*", cuda="12.8"))
    (warpdrive,) = [package for package in solution.packages if package.name == "warpdrive"]
    assert warpdrive.build.startswith("cuda")
    with pytest.raises(SolveError, match="No channel has nosuchpackage"):
        await engine.solve(request(channel, "nosuchpackage"))


@pytest.mark.parametrize("platform", ["win-64", "osx-arm64"])
async def test_other_platforms_are_solved_for_too(platform: str, tmp_path: Path) -> None:
    condition = "__win" if platform == "win-64" else "__osx >=11"
    with ChannelBuilder(tmp_path / "lab", subdir=platform) as builder:
        builder.add_package("thing", "1.0", depends=[condition, "__archspec"])
    solution = await CondaEngine(cache_dir=tmp_path).solve(
        request((tmp_path / "lab").as_uri(), "thing", platform=platform)
    )
    assert [package.name for package in solution.packages] == ["thing"]


async def test_solving_never_blocks_the_loop(faulty_channel: Callable[..., Server], tmp_path: Path) -> None:
    server = faulty_channel()
    server.fail("*repodata*", gate := Gate())
    solving = asyncio.create_task(CondaEngine(cache_dir=tmp_path / "cache").solve(request(server.url, "ipykernel")))
    await eventually(lambda: server.asked("*repodata*"))
    # Another process asks and will compute; nothing goes on unless this loop runs meanwhile.
    assert builders()
    gate.opened.set()
    assert (await solving).packages


async def test_cancelling_leaves_no_process_and_the_next_build_sweeps_the_cache(
    faulty_channel: Callable[..., Server], place: Place, tmp_path: Path
) -> None:
    server = faulty_channel()
    engine = CondaEngine(cache_dir=tmp_path / "cache")
    solution = await engine.solve(request(server.url, "python", "six"))
    server.fail("*/python-*", Trickle(400_000))
    listener = Listener()
    task = asyncio.create_task(make(engine, solution, place, listener))
    await asyncio.wait_for(listener.happened.wait(), PATIENCE)
    assert builders()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert builders() == []
    leftovers = [path for path in (tmp_path / "cache" / "pkgs").glob(".*") if path.is_dir()]
    assert leftovers
    server.heal()
    await asyncio.to_thread(shutil.rmtree, place.generation)
    await make(engine, solution, place, listener)
    assert [path for path in (tmp_path / "cache" / "pkgs").glob(".*") if path.is_dir()] == []
    assert place.python("import six; print('ok')") == "ok"


async def test_a_stalled_download_is_started_again_and_keeps_what_it_has(
    faulty_channel: Callable[..., Server], place: Place, tmp_path: Path
) -> None:
    server = faulty_channel()
    # Longer than a busy machine is silent of itself.
    engine = CondaEngine(cache_dir=tmp_path / "cache", silence=4)
    solution = await engine.solve(request(server.url, "python", "six", "pip"))
    server.fail("*/pip-*", Stall(at=0.5), times=1)
    listener = Listener()
    await make(engine, solution, place, listener)
    assert any("Starting again" in line for line in listener.lines)
    assert listener.stages == [Stage.DOWNLOAD, Stage.DOWNLOAD, Stage.LINK]
    assert server.asked("*/python-*") == 1
    assert server.asked("*/pip-*") == 2
    assert place.python("import pip; print('ok')") == "ok"


async def test_a_channel_that_stalls_for_ever_is_given_up(
    faulty_channel: Callable[..., Server], place: Place, tmp_path: Path
) -> None:
    server = faulty_channel()
    engine = CondaEngine(cache_dir=tmp_path / "cache", silence=1, rounds=2)
    solution = await engine.solve(request(server.url, "six"))
    server.fail("*/six-*", Stall(at=0.5))
    with pytest.raises(DownloadError, match="Nothing came from the channel for 1 s"):
        await make(engine, solution, place)
    assert server.asked("*/six-*") <= 2
    assert builders() == []


async def test_a_killed_builder_is_succeeded_by_another(
    faulty_channel: Callable[..., Server], place: Place, tmp_path: Path
) -> None:
    server = faulty_channel()
    engine = CondaEngine(cache_dir=tmp_path / "cache")
    solution = await engine.solve(request(server.url, "python", "six"))
    server.fail("*/python-*", Trickle(2_000_000), times=1)
    listener = Listener()
    task = asyncio.create_task(make(engine, solution, place, listener))
    await asyncio.wait_for(listener.happened.wait(), PATIENCE)
    for process in builders():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "leash.py" not in " ".join(process.cmdline()):
                process.kill()
    await task
    assert any("process died" in line for line in listener.lines)
    assert place.python("import six; print('ok')") == "ok"


@pytest.mark.parametrize("damage", ["flip", "empty", "delete", "cut"])
async def test_a_damaged_cache_entry_is_repaired(
    damage: str, channel: str, warm: Path, place: Place, tmp_path: Path
) -> None:
    engine = CondaEngine(cache_dir=warm)
    solution = await engine.solve(request(channel, "six"))
    await make(engine, solution, Place(tmp_path / "first"))
    engine = CondaEngine(cache_dir=await asyncio.to_thread(copy, warm, tmp_path / "cache", solution))
    (victim,) = (tmp_path / "cache" / "pkgs").glob("six-*/site-packages/six.py")
    whole = victim.read_bytes()
    if damage == "flip":
        victim.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    elif damage == "delete":
        victim.unlink()
    else:
        victim.write_bytes(b"" if damage == "empty" else whole[:1000])
    await make(engine, await engine.solve(request(channel, "six")), place)
    (made,) = place.final.glob("lib/python*/site-packages/six.py")
    assert hashlib.sha256(made.read_bytes()).digest() == hashlib.sha256(whole).digest()


SECOND = """
import asyncio, sys
from pathlib import Path
from jupyter_gpu_kernels.build.conda.engine import CondaEngine
from jupyter_gpu_kernels.build.conda.settings import ChannelSettings, CondaRequest
from jupyter_gpu_kernels.build.reporting import SilentReporter
async def main(url, cache, generation, final):
    engine = CondaEngine(cache_dir=Path(cache))
    settings = ChannelSettings(channels=(url,))
    solution = await engine.solve(CondaRequest(specs=("python", "six", "pip"), settings=settings))
    await engine.install(solution, generation=Path(generation), final=Path(final), reporter=SilentReporter())
asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_share_a_cache(faulty_channel: Callable[..., Server], tmp_path: Path) -> None:
    server = faulty_channel()
    cache = tmp_path / "cache"
    runs = []
    for number in range(3):
        final = tmp_path / f"env-{number}"
        command = [sys.executable, "-c", SECOND, server.url, str(cache), str(final), str(final)]
        runs.append(await asyncio.create_subprocess_exec(*command))
    assert [await run.wait() for run in runs] == [0, 0, 0]
    for number in range(3):
        python = tmp_path / f"env-{number}" / "bin" / "python"
        done = subprocess.run([python, "-I", "-c", "import six, pip"], check=False)
        assert done.returncode == 0
    assert [path for path in (cache / "pkgs").glob(".*") if path.is_dir()] == []


@pytest.mark.parametrize("allowed", [False, True])
async def test_link_scripts_run_only_if_allowed(allowed: bool, channel: str, warm: Path, place: Place) -> None:
    engine = CondaEngine(cache_dir=warm, link_scripts=allowed)
    await make(engine, await engine.solve(request(channel, "link-scripted")), place, listener := Listener())
    assert (place.final / "post-link-was-here").exists() is allowed
    assert ("link-scripted has a post-link script, which was not run." in listener.lines) is not allowed


async def test_credentials_in_a_channel_reach_the_server_and_nothing_else(
    faulty_channel: Callable[..., Server], place: Place, tmp_path: Path
) -> None:
    server = faulty_channel()
    secret = "hunter2"
    url = server.url.replace("//", f"//me:{secret}@")
    engine = CondaEngine(cache_dir=tmp_path / "cache")
    solution = await engine.solve(request(url, "six"))
    listener = Listener()
    await make(engine, solution, place, listener)
    asked = [each for each in server.requests if each.path.endswith(".tar.bz2")]
    assert asked
    assert all(each.headers.get("authorization", "").startswith("Basic ") for each in asked)
    shown = [repr(solution), repr(listener.lines), repr(solution.packages)]
    written = [path.read_text(errors="replace") for path in place.final.glob("conda-meta/*")]
    assert written
    assert not [text for text in shown + written if secret in text]
    record = json.loads(next(place.final.glob("conda-meta/six-*.json")).read_text())
    assert record["url"].startswith(server.url)

    server.fail("*", Status(403))
    with pytest.raises(Exception, match="forbids") as caught:
        await CondaEngine(cache_dir=tmp_path / "cache2").solve(request(url, "six"))
    assert secret not in str(caught.value) + getattr(caught.value, "detail", "")


async def test_names_go_through_aliases_and_mirrors(channel_server: Server, warm: Path) -> None:
    engine = CondaEngine(cache_dir=warm)
    name, base = channel_server.name, channel_server.base_url
    for settings in (
        ChannelSettings(channels=(name,), channel_alias=base),
        ChannelSettings(
            channels=("defaults",), custom_multichannels={"defaults": (name,)}, custom_channels={name: base}
        ),
        ChannelSettings(channels=("http://no.invalid/c",), mirrors={"http://no.invalid/c": (channel_server.url,)}),
        ChannelSettings(channels=(channel_server.url,), priority="disabled"),
    ):
        solution = await engine.solve(CondaRequest(specs=("six",), settings=settings))
        assert "six" in [package.name for package in solution.packages]


async def test_a_proxy_is_asked_instead_of_the_channel(channel_server: Server, warm: Path) -> None:
    # The server is no proxy, but it can be asked like one: it sees a whole URL in place of a path.
    settings = ChannelSettings(channels=("http://no.invalid/c",), proxies={"http": channel_server.base_url}, retries=0)
    with pytest.raises(ChannelError):
        await CondaEngine(cache_dir=warm).solve(CondaRequest(specs=("six",), settings=settings))
    assert channel_server.asked("*no.invalid/c/noarch/*") + channel_server.asked("/c/noarch/*") > 0
    assert "http_proxy" not in os.environ


async def test_a_lock_is_held_while_the_builder_works(
    faulty_channel: Callable[..., Server], place: Place, tmp_path: Path
) -> None:
    import fcntl

    server = faulty_channel()
    engine = CondaEngine(cache_dir=tmp_path / "cache")
    solution = await engine.solve(request(server.url, "sluggish"))
    server.fail("*/sluggish-*", Trickle(2_000_000))
    listener = Listener()
    lock = tmp_path / "lock"
    task = asyncio.create_task(make(engine, solution, place, listener, lock=lock))
    await asyncio.wait_for(listener.happened.wait(), PATIENCE)
    with lock.open("a") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    await task
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
