"""Virtual environments from a package index: real uv, a small index over loopback, and its faults."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from patience import PATIENCE, eventually
from wheels_index import Index, make_wheel, serve

from jupyter_gpu_kernels.build.wheels.engine import WheelsEngine
from jupyter_gpu_kernels.build.wheels.fetching import Listener
from jupyter_gpu_kernels.build.wheels.settings import WheelsRequest, WheelsSolution
from jupyter_gpu_kernels.errors import ChannelError, DownloadError, GpuKernelsError, InstallError, SolveError
from jupyter_gpu_kernels.models import Progress, Stage

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
SECRET = "s3cret-Pa55"

EngineMaker = Callable[..., WheelsEngine]


class Notes:
    """A reporter that keeps everything."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.seen: list[tuple[Stage, Progress]] = []
        self.lines: list[str] = []

    def stage(self, stage: Stage) -> None:
        self.stages.append(stage)

    def progress(self, progress: Progress) -> None:
        self.seen.append((self.stages[-1], progress))

    def log(self, line: str) -> None:
        self.lines.append(line)

    @property
    def bytes_seen(self) -> list[int]:
        return [progress.bytes_done for stage, progress in self.seen if stage is not Stage.LINK]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheels")
    make_wheel(directory, "alpha", requires=("beta>=1",), payload=3_000_000, script="alpha-says")
    make_wheel(directory, "alpha", "0.5", tag="cp39-cp39-any")
    make_wheel(directory, "beta", payload=20_000)
    make_wheel(directory, "gamma", requires=("beta<1",))
    make_wheel(directory, "elsewhere", tag="cp39-cp39-win_amd64")
    make_wheel(directory, "foreign", tag="py3-none-macosx_11_0_arm64")
    return directory


@pytest.fixture
def index(wheels: Path) -> Iterator[Index]:
    with serve(wheels) as server:
        yield server


@pytest.fixture
def engine(index: Index, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> EngineMaker:
    # uv remembers the Pythons of a machine in its cache; the wheels of each test are at another address.
    cache = tmp_path_factory.getbasetemp() / "uv-of-engine-tests"

    def make(*, silence: float = 60, rounds: int = 3, **environ: str) -> WheelsEngine:
        base = getattr(sys, "_base_executable", sys.executable)
        inherited = {"PATH": f"{Path(base).parent}{os.pathsep}/usr/bin{os.pathsep}/bin", "HOME": str(tmp_path)}
        settings = {"UV_DEFAULT_INDEX": index.url, "UV_HTTP_RETRIES": "0"} | environ
        return WheelsEngine(cache_dir=cache, environ=inherited | settings, silence=silence, rounds=rounds)

    return make


def request_for(*requirements: str, python: str | None = HERE, **more: object) -> WheelsRequest:
    return WheelsRequest(requirements=requirements, python=python, pip=False, **more)  # type: ignore[arg-type]


async def install(
    engine: WheelsEngine, solution: WheelsSolution, tmp_path: Path, name: str = "lab"
) -> tuple[Path, Notes]:
    notes = Notes()
    generation = tmp_path / "envs" / ".gen" / f"{name}-0123abcd"
    generation.parent.mkdir(parents=True, exist_ok=True)
    await engine.install(solution, generation=generation, final=tmp_path / "envs" / name, reporter=notes)
    return generation, notes


async def output(*command: str | Path) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    return (await process.communicate())[0].decode()


def processes_about(text: str) -> list[str]:
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if text in line:
            found.append(line)
    return found


async def test_a_plan_names_every_package_with_its_size_and_installs_nothing(
    engine: EngineMaker, index: Index, wheels: Path
) -> None:
    solution = await engine().solve(request_for("alpha"))
    sizes = {name: (wheels / f"{name}-1.0-py3-none-any.whl").stat().st_size for name in ("alpha", "beta")}
    assert [(item.name, item.version, item.size, item.stage) for item in solution.packages] == [
        ("alpha", "1.0", sizes["alpha"], Stage.WHEELS),
        ("beta", "1.0", sizes["beta"], Stage.WHEELS),
    ]
    assert solution.download_bytes == sum(sizes.values())
    assert solution.python.startswith(f"{HERE}.")
    assert "pyenv/shims" not in solution.interpreter
    assert solution.indexes == (index.url,)
    assert solution.warnings == ()


async def test_an_index_that_does_not_tell_sizes_is_asked_for_them(
    engine: EngineMaker, index: Index, wheels: Path
) -> None:
    index.with_sizes = False
    solution = await engine().solve(request_for("beta"))
    assert solution.download_bytes == (wheels / "beta-1.0-py3-none-any.whl").stat().st_size
    assert ("HEAD", "/files/beta-1.0-py3-none-any.whl") in index.requests


async def test_local_wheels_need_no_download(engine: EngineMaker, wheels: Path) -> None:
    solution = await engine(UV_FIND_LINKS=str(wheels), UV_DEFAULT_INDEX="", PIP_NO_INDEX="1").solve(request_for("beta"))
    assert solution.packages[0].size == (wheels / "beta-1.0-py3-none-any.whl").stat().st_size
    assert (solution.download_bytes, solution.missing) == (0, ())


async def test_an_environment_is_built_in_a_generation_and_refers_to_its_final_path(
    engine: EngineMaker, tmp_path: Path
) -> None:
    maker = engine()
    solution = await maker.solve(request_for("alpha"))
    generation, notes = await install(maker, solution, tmp_path)
    final = tmp_path / "envs" / "lab"
    assert notes.stages == [Stage.DOWNLOAD, Stage.WHEELS]
    assert notes.bytes_seen[0] == 0
    assert max(notes.bytes_seen) == solution.download_bytes
    assert {progress.packages_total for _, progress in notes.seen} == {2}
    left = await output("grep", "-rIl", str(generation), str(generation))
    assert left == ""
    shutil.move(generation, final)
    assert await output(final / "bin" / "alpha-says") == "1.0\n"
    activated = f". {final}/bin/activate && command -v python && echo $VIRTUAL_ENV"
    said = (await output("sh", "-c", activated)).split()
    assert said == [str(final / "bin" / "python"), str(final)]
    settings = (final / "pyvenv.cfg").read_text()
    assert re.search(r"^prompt = lab$", settings, re.MULTILINE)


async def test_what_is_in_the_cache_is_not_downloaded_again(engine: EngineMaker, index: Index, tmp_path: Path) -> None:
    maker = engine()
    await install(maker, await maker.solve(request_for("alpha")), tmp_path)
    again = await maker.solve(request_for("alpha"))
    assert (again.download_bytes, again.missing) == (0, ())
    index.requests.clear()
    await install(maker, again, tmp_path, "second")
    assert [path for method, path in index.requests if path.startswith("/files/")] == []


async def test_the_plan_is_installed_even_when_the_index_has_moved_on(
    engine: EngineMaker, index: Index, wheels: Path, tmp_path: Path
) -> None:
    index.directory = tmp_path / "moving"
    shutil.copytree(wheels, index.directory)
    maker = engine()
    solution = await maker.solve(request_for("beta"))
    make_wheel(index.directory, "beta", "2.0")
    generation, _ = await install(maker, solution, tmp_path)
    assert [path.name for path in generation.glob("lib/*/site-packages/beta-*")] == ["beta-1.0.dist-info"]


async def test_a_wheel_that_was_exchanged_after_the_plan_is_refused(
    engine: EngineMaker, index: Index, wheels: Path, tmp_path: Path
) -> None:
    index.directory = tmp_path / "exchanged"
    shutil.copytree(wheels, index.directory)
    solution = await engine().solve(request_for("beta"))
    make_wheel(index.directory, "beta", payload=20_001)
    fresh = WheelsEngine(cache_dir=tmp_path / "cache", environ=dict(os.environ) | {"UV_DEFAULT_INDEX": index.url})
    with pytest.raises(DownloadError):
        await install(fresh, solution, tmp_path)


@pytest.mark.parametrize(
    ("requirements", "message"),
    [
        (("nowhere-to-be-found",), "The package index has no package named nowhere-to-be-found."),
        (("beta==9",), "The package index has no beta 9."),
        (("alpha==0.5",), f"alpha 0.5 has no wheel for Python {HERE}; it has for 3.9."),
        (("elsewhere",), f"elsewhere 1.0 has no wheel for Python {HERE}; it has for 3.9."),
        (("foreign",), "foreign 1.0 has no wheel for this kind of machine; it has for macosx_11_0_arm64."),
        (("alpha", "gamma"), "gamma needs beta<1, but alpha needs beta>=1."),
    ],
)
async def test_what_cannot_be_solved_is_said_in_one_sentence(
    engine: EngineMaker, requirements: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SolveError) as caught:
        await engine().solve(request_for(*requirements))
    assert caught.value.message == message
    assert "No solution found" in caught.value.detail


async def test_a_python_that_is_not_here_is_said_at_once_with_those_that_are(engine: EngineMaker, index: Index) -> None:
    with pytest.raises(SolveError, match=rf"No Python 3\.6 on this machine: found .*{HERE}"):
        await engine().solve(request_for("beta", python="3.6"))
    assert index.requests == [], "nothing was looked up for it"


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ({"simple/alpha": 500}, ChannelError, "does not answer as it should (HTTP 500)"),
        ({"simple/alpha": 403}, ChannelError, "refuses access (HTTP 403)"),
        ({"simple/alpha": 401}, ChannelError, "refuses access (HTTP 401)"),
    ],
)
async def test_an_index_that_fails_is_named_with_its_answer(
    engine: EngineMaker, index: Index, fault: dict[str, int], error: type[GpuKernelsError], words: str
) -> None:
    index.faults.update(fault)
    with pytest.raises(error) as caught:
        await engine().solve(request_for("alpha"))
    assert caught.value.message == f"{index.host} {words}."


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}, "127.0.0.1:9 cannot be used: it refuses connections."),
        ({"UV_DEFAULT_INDEX": "https://index.invalid/"}, "index.invalid cannot be used: its name is not known here."),
        (
            {"UV_DEFAULT_INDEX": "https://index.invalid/", "HTTPS_PROXY": "http://127.0.0.1:9"},
            "The proxy does not let uv through to index.invalid.",
        ),
    ],
)
async def test_an_index_out_of_reach_is_said_with_the_reason(
    engine: EngineMaker, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(ChannelError) as caught:
        await engine(**environ).solve(request_for("alpha"))
    assert caught.value.message == message


async def test_an_index_that_speaks_no_tls_is_a_matter_of_certificates(engine: EngineMaker, index: Index) -> None:
    with pytest.raises(ChannelError, match="certificate"):
        await engine(UV_DEFAULT_INDEX=index.url.replace("http:", "https:")).solve(request_for("alpha"))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (404, "alpha 1.0 could not be downloaded (HTTP 404)."),
        (500, "alpha 1.0 could not be downloaded (HTTP 500)."),
        ("drop", "the connection broke."),
        ("flip", "The wheel of alpha 1.0 arrived damaged, or is not the file that the index lists."),
    ],
)
async def test_a_download_that_fails_is_said_plainly(
    engine: EngineMaker, index: Index, tmp_path: Path, fault: int | str, words: str
) -> None:
    maker = engine(UV_HTTP_RETRIES="0")
    solution = await maker.solve(request_for("alpha"))
    index.faults["files/alpha"] = fault
    with pytest.raises(DownloadError) as caught:
        await install(maker, solution, tmp_path)
    assert caught.value.message.endswith(words)


async def test_a_damaged_file_is_fetched_once_more(engine: EngineMaker, index: Index, tmp_path: Path) -> None:
    maker = engine()
    solution = await maker.solve(request_for("alpha"))
    index.faults["files/alpha"] = ["flip"]
    generation, notes = await install(maker, solution, tmp_path)
    assert list(generation.glob("lib/*/site-packages/alpha/payload.bin"))
    assert any(line.endswith("Trying again.") for line in notes.lines)


async def test_dropped_connections_are_mended_by_retries(engine: EngineMaker, index: Index, tmp_path: Path) -> None:
    maker = engine(UV_HTTP_RETRIES="3")
    solution = await maker.solve(request_for("alpha"))
    index.faults["files/alpha"] = ["drop", 503]
    generation, _ = await install(maker, solution, tmp_path)
    assert list(generation.glob("lib/*/site-packages/alpha/payload.bin"))


async def test_a_download_that_stands_still_is_started_again_and_goes_on(
    engine: EngineMaker, index: Index, tmp_path: Path
) -> None:
    # Longer than a busy machine is silent of itself.
    maker = engine(silence=4)
    solution = await maker.solve(request_for("alpha"))
    index.faults["files/alpha"] = ["hang"]
    generation, notes = await install(maker, solution, tmp_path)
    assert list(generation.glob("lib/*/site-packages/alpha/payload.bin"))
    assert any("trying again, round 2 of 3" in line for line in notes.lines)


async def test_a_download_that_always_stands_still_fails_after_its_rounds(
    engine: EngineMaker, index: Index, tmp_path: Path
) -> None:
    maker = engine(silence=1, rounds=2)
    solution = await maker.solve(request_for("alpha"))
    index.faults["files/alpha"] = "hang"
    with pytest.raises(DownloadError, match=r"stood still for 1 s, 2 times"):
        await install(maker, solution, tmp_path)


async def test_progress_counts_real_bytes_while_they_come(engine: EngineMaker, index: Index, tmp_path: Path) -> None:
    maker = engine()
    solution = await maker.solve(request_for("alpha"))
    index.faults["files/alpha"] = "trickle"
    notes = Notes()
    generation = tmp_path / ".gen" / "x"
    work = asyncio.ensure_future(maker.install(solution, generation=generation, final=tmp_path / "x", reporter=notes))
    # Half of the file comes at once, the rest in small pieces.
    await eventually(lambda: len(set(notes.bytes_seen)) >= 4 and notes.bytes_seen[-1] > 1_500_000)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert notes.bytes_seen == sorted(notes.bytes_seen)
    assert notes.bytes_seen[-1] < solution.download_bytes
    assert notes.seen[-1][1].bytes_total == solution.download_bytes
    assert notes.seen[-1][1].bytes_per_second > 0


async def test_cancelling_ends_uv_and_all_it_started_and_leaves_no_litter(
    engine: EngineMaker,
    index: Index,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: set[Path] = set()
    take = Listener.take

    def noting(listener: Listener, line: str) -> None:
        take(listener, line)
        told.update(listener.temporaries)

    monkeypatch.setattr(Listener, "take", noting)
    maker = engine()
    solution = await maker.solve(request_for("alpha"))
    cache = tmp_path_factory.getbasetemp() / "uv-of-engine-tests"
    before = set(cache.glob(".tmp*"))
    index.faults["files/alpha"] = "hang"
    index.requests.clear()
    work = asyncio.ensure_future(install(maker, solution, tmp_path))
    await eventually(lambda: ("GET", "/files/alpha-1.0-py3-none-any.whl") in index.requests)
    assert len(processes_about(str(tmp_path))) >= 2
    # What uv unpacks into is known a moment after it is there.
    made = await eventually(lambda: made if (made := set(cache.glob(".tmp*")) - before) <= told else None)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(work, PATIENCE)
    assert processes_about(str(tmp_path)) == []
    assert not made & set(cache.glob(".tmp*"))


async def test_a_killed_uv_is_a_clean_error(engine: EngineMaker, index: Index, tmp_path: Path) -> None:
    maker = engine()
    solution = await maker.solve(request_for("alpha"))
    index.faults["files/alpha"] = "hang"
    index.requests.clear()
    work = asyncio.ensure_future(install(maker, solution, tmp_path))
    await eventually(lambda: ("GET", "/files/alpha-1.0-py3-none-any.whl") in index.requests)
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() == "uv":
                process.kill()
    with pytest.raises(InstallError, match="was killed"):
        await work
    assert processes_about(str(tmp_path)) == []


async def test_a_directory_that_cannot_be_written_is_named(engine: EngineMaker, tmp_path: Path) -> None:
    maker = engine()
    solution = await maker.solve(request_for("beta"))
    (tmp_path / "envs").write_text("a file")
    with pytest.raises(InstallError):
        await maker.install(
            solution, generation=tmp_path / "envs" / "x", final=tmp_path / "x", reporter=Notes()
        )  # fmt: skip


async def test_credentials_work_and_never_show(engine: EngineMaker, index: Index, tmp_path: Path) -> None:
    index.credentials = f"bob:{SECRET}"
    index.with_sizes = False
    maker = engine(UV_DEFAULT_INDEX=index.url.replace("//", f"//bob:{SECRET}@"))
    solution = await maker.solve(request_for("alpha"))
    assert solution.indexes == (index.url.replace("//", "//***@"),)
    assert solution.download_bytes > 3_000_000
    _, notes = await install(maker, solution, tmp_path)
    said = [repr(solution), str(solution.pins), *notes.lines]
    for fault, requirements in ((500, ("alpha",)), (404, ("alpha",)), (403, ("alpha",)), (None, ("alpha", "gamma"))):
        index.faults = {"simple/alpha": fault} if fault else {}
        with pytest.raises(GpuKernelsError) as caught:
            await maker.solve(request_for(*requirements))
        said += [repr(caught.value.to_json()), str(caught.value)]
    written = [path for path in (tmp_path / "envs").rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
    assert SECRET not in "".join(said)


async def test_wrong_credentials_are_named_as_such(engine: EngineMaker, index: Index) -> None:
    index.credentials = "bob:right"
    with pytest.raises(ChannelError, match="refuses access"):
        await engine(UV_DEFAULT_INDEX=index.url.replace("//", f"//bob:{SECRET}@")).solve(request_for("alpha"))


@pytest.mark.parametrize(
    "requirement", ["--index-url=http://evil", "-r /etc/passwd", "beta\n-e .", "beta @ file:///tmp/x", "./beta", ""]
)
async def test_what_is_no_plain_requirement_never_reaches_uv(
    engine: EngineMaker, index: Index, requirement: str
) -> None:
    with pytest.raises(GpuKernelsError) as caught:
        await engine().solve(request_for(requirement))
    assert caught.value.code == "invalid_input"
    assert index.requests == []


async def test_the_cache_is_never_written_through_hard_links(engine: EngineMaker, tmp_path: Path) -> None:
    maker = engine()
    generation, _ = await install(maker, await maker.solve(request_for("alpha")), tmp_path)
    for path in (generation / "bin").iterdir():
        if path.is_file() and not path.is_symlink():
            assert path.stat().st_nlink == 1
            assert not (path.name == "alpha-says" and not path.stat().st_mode & stat.S_IXUSR)


async def test_two_builds_at_the_same_time_do_not_disturb_each_other(engine: EngineMaker, tmp_path: Path) -> None:
    maker = engine()
    solution = await maker.solve(request_for("alpha"))
    built = await asyncio.gather(*(install(maker, solution, tmp_path, f"n{number}") for number in range(3)))
    for generation, _ in built:
        assert list(generation.glob("lib/*/site-packages/alpha/payload.bin"))


async def test_a_real_package_comes_from_the_configured_index(tmp_path: Path) -> None:
    maker = WheelsEngine()
    solution = await maker.solve(WheelsRequest(requirements=("six",), python=HERE))
    assert [package.name for package in solution.packages] == ["pip", "six"]
    generation, _ = await install(maker, solution, tmp_path)
    said = await output(generation / "bin" / "python", "-c", "import six, pip; print(six.__version__)")
    assert said.strip() == solution.packages[1].version


async def test_must_copy_tells_filesystems_apart(engine: EngineMaker, tmp_path: Path) -> None:
    assert not await engine().must_copy(tmp_path / "not" / "yet")


SERVER = """
import asyncio, pathlib, sys
from jupyter_gpu_kernels.build.reporting import SilentReporter
from jupyter_gpu_kernels.build.wheels.engine import WheelsEngine
from jupyter_gpu_kernels.build.wheels.settings import WheelsRequest

async def main(directory):
    engine = WheelsEngine(cache_dir=directory / "cache")
    solution = await engine.solve(WheelsRequest(requirements=("alpha",), pip=False))
    print("solved", flush=True)
    place = directory / ".gen" / "x"
    await engine.install(solution, generation=place, final=directory / "x", reporter=SilentReporter())

asyncio.run(main(pathlib.Path(sys.argv[1])))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_killed_server_takes_uv_with_it(index: Index, tmp_path: Path) -> None:
    index.faults["files/alpha"] = "hang"
    environ = os.environ | {"UV_DEFAULT_INDEX": index.url, "PIP_CONFIG_FILE": os.devnull}
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, tmp_path), env=environ, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    assert await server.stdout.readline() == b"solved\n"
    index.requests.clear()
    await eventually(lambda: ("GET", "/files/alpha-1.0-py3-none-any.whl") in index.requests)

    def left() -> list[str]:
        return [name for name in (_command(pid) for pid in psutil.pids()) if str(tmp_path) in name]

    assert any("pip sync" in line for line in left())
    server.kill()
    await server.wait()
    await eventually(lambda: not left())


def _command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""
