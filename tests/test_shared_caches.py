"""Package caches of others as layers below one's own: what they have is not downloaded, and nothing they lack harms."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from channel import ChannelBuilder, Server
from doctoring import look, make_context
from manager import Recorder, make_manager

from jupyter_gpu_kernels.build.conda.engine import CondaEngine
from jupyter_gpu_kernels.build.conda.layers import hindrance, package_layers
from jupyter_gpu_kernels.build.conda.settings import ChannelSettings, CondaRequest, CondaSolution
from jupyter_gpu_kernels.diagnosis.disk import shared
from jupyter_gpu_kernels.models import Severity

#: A user who owns nothing here.
STRANGER = 54321

PACKAGES = {"rosetta": 400_000, "hayabusa": 300_000}


@dataclass
class Lab:
    """A channel, and the cache of somebody who has installed from it."""

    server: Server
    root: Path

    @property
    def shared(self) -> Path:
        return self.root / "shared"

    @property
    def packages(self) -> Path:
        return self.shared / "pkgs"

    def engine(self, *layers: Path) -> CondaEngine:
        return CondaEngine(cache_dir=self.root / "own", layers=lambda: layers)

    @property
    def own(self) -> set[str]:
        return {path.name for path in (self.root / "own" / "pkgs").glob("*-1.0-0")}

    async def solve(self, engine: CondaEngine) -> CondaSolution:
        settings = ChannelSettings(channels=(self.server.url,))
        return await engine.solve(CondaRequest(specs=tuple(PACKAGES), settings=settings))

    async def install(self, engine: CondaEngine, solution: CondaSolution, name: str = "env") -> tuple[Path, Recorder]:
        prefix, recorder = self.root / name, Recorder()
        prefix.mkdir()
        self.server.forget()
        await engine.install(solution, generation=prefix, final=prefix, reporter=recorder)
        for package, size in PACKAGES.items():
            assert (prefix / "share" / package).read_bytes() == bytes(size)
        return prefix, recorder

    async def build(self, engine: CondaEngine, name: str) -> None:
        await self.install(engine, await self.solve(engine), name)

    @property
    def fetched(self) -> int:
        return self.server.asked("*.tar.bz2")


@pytest.fixture
def lab(serve_channel: Callable[..., Server]) -> Iterator[Lab]:
    # Where another user may look: pytest's own directories are private.
    with tempfile.TemporaryDirectory(prefix="gpu-kernels-lab-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        with ChannelBuilder(root / "channel") as builder:
            for name, size in PACKAGES.items():
                builder.add_package(name, "1.0", noarch="generic", files={f"share/{name}": bytes(size)})
        lab = Lab(serve_channel(root / "channel"), root)
        engine = CondaEngine(cache_dir=lab.shared)
        asyncio.run(lab.build(engine, "first"))
        yield lab


async def test_what_a_layer_has_is_linked_and_not_downloaded(lab: Lab) -> None:
    engine = lab.engine(lab.shared)
    before = sorted(lab.shared.rglob("*"))

    solution = await lab.solve(engine)
    prefix, recorder = await lab.install(engine, solution)

    assert solution.download_bytes == 0
    assert solution.warnings == ()
    assert lab.fetched == 0
    assert lab.own == set()
    assert (prefix / "share" / "rosetta").samefile(lab.packages / "rosetta-1.0-0" / "share" / "rosetta")
    record = json.loads((prefix / "conda-meta" / "rosetta-1.0-0.json").read_text())
    assert record["extracted_package_dir"] == record["link"]["source"] == str(lab.packages / "rosetta-1.0-0")
    assert record["url"].startswith(lab.server.url)
    assert sorted(lab.shared.rglob("*")) == before
    assert list((lab.root / "own" / "pkgs").glob(".layers-*")) == []
    assert recorder.lines == []


@pytest.mark.parametrize("damages", [("flipped", "cut"), ("missing", "record")])
async def test_a_damaged_package_of_a_layer_is_fetched_anew_and_said(lab: Lab, damages: tuple[str, str]) -> None:
    engine = lab.engine(lab.shared)
    solution = await lab.solve(engine)
    for package, damage in zip(PACKAGES, damages, strict=True):
        file = lab.packages / f"{package}-1.0-0" / "share" / package
        # A file of its own: the first environment has links to it.
        data = bytearray(file.read_bytes())
        file.unlink()
        if damage == "flipped":
            data[1000] ^= 1
        if damage != "missing":
            file.write_bytes(data[:1000] if damage == "cut" else data)
        if damage == "record":
            (file.parents[1] / "info" / "paths.json").write_text("{")

    _, recorder = await lab.install(engine, solution)

    assert lab.fetched == len(PACKAGES)
    assert lab.own == {f"{package}-1.0-0" for package in PACKAGES}
    where = f"in the shared package cache {lab.packages} is damaged or cannot be read. It was fetched anew."
    assert sorted(recorder.lines) == sorted(f"{package} {where}" for package in PACKAGES)


async def test_a_layer_that_vanishes_costs_a_download_and_is_said(lab: Lab) -> None:
    engine = lab.engine(lab.shared)
    solution = await lab.solve(engine)
    shutil.rmtree(lab.shared)
    sentence = f"The shared package cache {lab.shared} is not used: it is not there."

    _, recorder = await lab.install(engine, solution)

    assert lab.fetched == len(PACKAGES)
    assert recorder.lines == [sentence]
    shutil.rmtree(lab.root / "own" / "pkgs")
    later = await lab.solve(engine)
    assert later.warnings == (sentence,)
    assert later.download_bytes == sum(package.size for package in later.packages)


async def test_a_package_of_the_same_name_and_another_content_is_not_taken(lab: Lab) -> None:
    lock = lab.packages / "rosetta-1.0-0.lock"
    lock.write_bytes(lock.read_bytes()[:-1] + b"?")

    solution = await lab.solve(lab.engine(lab.shared))

    rosetta = next(package for package in solution.packages if package.name == "rosetta")
    assert solution.download_bytes == rosetta.size


async def test_the_directories_of_conda_itself_are_layers_too(lab: Lab) -> None:
    for name in PACKAGES:
        (lab.packages / f"{name}-1.0-0.lock").unlink()
        record = json.loads((lab.root / "first" / "conda-meta" / f"{name}-1.0-0.json").read_text())
        said = {key: record[key] for key in ("name", "version", "build", "sha256", "url")}
        (lab.packages / f"{name}-1.0-0" / "info" / "repodata_record.json").write_text(json.dumps(said))
    engine = lab.engine(lab.packages)

    solution = await lab.solve(engine)
    await lab.install(engine, solution)

    assert solution.download_bytes == 0
    assert lab.fetched == 0


def test_what_anybody_may_write_into_is_no_layer(tmp_path: Path) -> None:
    open_to_all, file, good = tmp_path / "open", tmp_path / "file", tmp_path / "good"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    good.mkdir(mode=0o775)
    file.write_text("")

    assert "anybody may write into it" in hindrance(open_to_all)
    assert "it is no directory" in hindrance(file)
    assert hindrance(good) == ""
    # conda makes its directories when it needs them: one that is not there is no news.
    named = tmp_path / "named"
    assert package_layers([str(named)], [tmp_path / "none", open_to_all, good]) == (named, good)


def test_the_doctor_says_which_shared_caches_are_of_no_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "lab" / "pkgs"
    (packages / "six-1.0-0" / "info").mkdir(parents=True)
    sample = packages / "six-1.0-0" / "info" / "index.json"
    sample.write_text("{}")
    context = make_context(tmp_path)
    named = (tmp_path / "lab", tmp_path / "none")
    context = replace(context, practice=replace(context.practice, shared_package_caches=named))

    (gone,) = look("disk-shared", context)
    assert (gone.severity, gone.evidence) == (Severity.WARNING, (str(tmp_path / "none"),))
    assert gone.sentence.endswith("is not used: it is not there.")

    # As another user sees it where such links are forbidden.
    (context.path("/proc/sys/fs")).mkdir(parents=True)
    context.path(shared.PROTECTED).write_text("1\n")
    monkeypatch.setattr(os, "geteuid", lambda: sample.stat().st_uid + 1)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    _, copied = look("disk-shared", context)
    assert copied.severity is Severity.NOTE
    assert copied.evidence == (f"{shared.PROTECTED} is 1, and the files are another user's",)


def test_layers_come_from_the_trait_and_from_condarc(lab_home: Path, cold_cache: Path) -> None:
    manager = make_manager("https://example.org/lab", cold_cache, shared_package_caches=["~/lab"])

    assert manager.shared_package_caches == [str(lab_home / "lab")]
    assert manager.equipment.conda._layers() == (lab_home / "lab", lab_home / "conda-packages")


@pytest.fixture
def lab_home(jp_home_dir: Path) -> Path:
    (jp_home_dir / "conda-packages").mkdir()
    (jp_home_dir / ".condarc").write_text("pkgs_dirs: [~/conda-packages, ~/none]\n")
    return jp_home_dir


#: Installs as another user: everything is imported before, since that user may not read the Python that runs this.
AS_STRANGER = """
import asyncio, json, os, sys
from jupyter_gpu_kernels.build.conda.builder import installing
from jupyter_gpu_kernels.build.conda.tally import Voice
job = json.load(sys.stdin)
os.setgroups([])
os.setgid(job["user"])
os.setuid(job["user"])
try:
    asyncio.run(installing.install(job, Voice(2)))
except BaseException as error:
    print(repr(error), flush=True)
    os._exit(1)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("rights", ["read", "write", "none"])
async def test_another_user_takes_from_a_layer_what_the_kernel_allows(lab: Lab, rights: str) -> None:
    solution = await lab.solve(lab.engine(lab.shared))
    home = lab.root / "home"
    home.mkdir()
    os.chown(home, STRANGER, STRANGER)
    # Links to files that one may neither own nor write are forbidden where this says so; then files are copied.
    protected = Path("/proc/sys/fs/protected_hardlinks").read_text().strip() == "1"
    if rights == "write":
        for path in (lab.packages, *lab.packages.rglob("*")):
            os.chown(path, -1, STRANGER)
            path.chmod(path.stat().st_mode | 0o060)
    elif rights == "none":
        lab.packages.chmod(0o700)
    before = {path: path.read_bytes() for path in lab.packages.rglob("*") if path.is_file()}
    job = {
        "errand": "install",
        "request": {"specs": list(PACKAGES), "settings": {"channels": [lab.server.url]}},
        "payload": solution.payload,
        "packages": str(home / "pkgs"),
        "layers": [str(lab.packages)],
        "generation": str(home / "env"),
        "final": str(home / "env"),
        "link_scripts": False,
        "silence": 60,
        "user": STRANGER,
    }
    lab.server.forget()

    done = subprocess.run(
        [sys.executable, "-c", AS_STRANGER],
        input=json.dumps(job),
        env={**os.environ, "HOME": str(home)},
        cwd="/",
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    found = home / "env" / "share" / "rosetta"
    assert found.read_bytes() == bytes(PACKAGES["rosetta"])
    assert lab.fetched == (len(PACKAGES) if rights == "none" else 0)
    assert ("you may not look into it" in done.stderr) == (rights == "none")
    linked = found.stat().st_nlink > 1 and found.stat().st_uid != STRANGER
    assert linked == (rights == "write" or (rights == "read" and not protected))
    assert {path: path.read_bytes() for path in lab.packages.rglob("*") if path.is_file()} == before
