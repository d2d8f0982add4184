"""Packs: one file with an environment's packages, of which it is built again with no network and no cache."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import wheels_index
from channel import ChannelBuilder, Drop, Flip, Server, Stall, Status
from jupyter_server.serverapp import ServerApp
from manager import Recorder, make_manager, traces
from patience import PATIENCE, eventually
from scripted import ScriptedManager, manifest_of
from test_packing_tape import label
from tornado.httpclient import HTTPResponse
from traitlets.config import Config

from jupyter_gpu_kernels.build.conda.engine import CondaEngine
from jupyter_gpu_kernels.build.conda.pins import Archive
from jupyter_gpu_kernels.build.conda.settings import ChannelSettings
from jupyter_gpu_kernels.build.contents.distributions import Distribution
from jupyter_gpu_kernels.build.packing import gathering
from jupyter_gpu_kernels.build.packing.label import PackedFile
from jupyter_gpu_kernels.build.packing.tape import write_pack
from jupyter_gpu_kernels.errors import (
    ConflictError,
    DownloadError,
    GpuKernelsError,
    InvalidInputError,
    NotFoundError,
    RefusedError,
)
from jupyter_gpu_kernels.models import (
    EnvironmentKind,
    EnvironmentSpec,
    FileFormat,
    ImportRequest,
    Installer,
    Job,
    JobState,
    Placement,
    Stage,
    Variant,
)
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

CONDA = EnvironmentSpec(
    name="Warp", framework="warpdrive", variant=Variant.CPU, installer=Installer.CONDA, pip=("six",), verify=False
)
PYPI = EnvironmentSpec(name="Wheels", installer=Installer.PYPI, packages=("six",), companions=False, verify=False)


@pytest.fixture
def index(wheel_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[wheels_index.Index]:
    """A package index that is the only one."""
    with wheels_index.serve(wheel_dir) as index:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("UV_NO_CONFIG", "1")
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        yield index


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Take the network away, and every cache of wheels."""

    def cut() -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "no-wheels"))
        monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")

    return cut


async def done(manager: GpuKernelsManager, job: Job) -> Job:
    job = await asyncio.wait_for(manager.runner.wait(job.id), PATIENCE)
    assert job.state is JobState.SUCCEEDED, (job.error, job.log)
    return job


def packages(manifest: object) -> list[tuple[str, str, str]]:
    return [(item.name, item.version, item.build) for item in manifest.plan.packages]  # type: ignore[attr-defined]


async def test_a_conda_kernel_is_packed_and_built_again_with_no_network_and_no_cache(
    faulty_channel: Callable[..., Server],
    index: wheels_index.Index,
    nowhere: Callable[[], None],
    tmp_path: Path,
    caches,
    cold_cache: Path,
) -> None:
    server, share = faulty_channel(), tmp_path / "contents" / "packs"
    share.mkdir(parents=True)
    manager = make_manager(server.url, caches.root, silence=PATIENCE)
    manager.contents_root = share.parent
    made = await manager.workshop.create(CONDA, reporter=Recorder())

    job = await done(manager, await manager.packing.pack_into("Warp", "packs/"))

    assert job.file == "packs/Warp-linux-64.gpu-kernel.tar"
    pack = share.parent / job.file
    assert [path.name for path in share.iterdir()] == [pack.name]
    size = pack.stat().st_size
    assert sum(package.size for package in made.plan.packages) == job.progress.bytes_total < size
    assert job.progress.bytes_done == job.progress.bytes_total
    assert list((caches.root / "archives").iterdir()) == []
    with pytest.raises(ConflictError, match="There is a file"):
        await manager.packing.pack_into("Warp", "packs")
    with pytest.raises(NotFoundError, match="There is no directory"):
        await manager.packing.pack_into("Warp", "packs/new")
    with pytest.raises(NotFoundError, match="nobody"):
        await manager.packing.pack_into("nobody", "packs")

    # Who cancels finds nothing of it but what has come whole, for whoever tries again.
    server.fail("*/python-3*", Stall(at=0.5))
    job = await manager.packing.pack_into("Warp", "")
    live = manager.runner._live[job.id]
    await eventually(lambda: live.job.stage is Stage.DOWNLOAD and live.job.progress.bytes_done)
    await eventually(lambda: list((caches.root / "archives" / "warp").rglob("*.tar.bz2")))
    assert (await manager.cancel(job.id)).state is JobState.CANCELLED
    assert [path.name for path in share.parent.iterdir()] == ["packs"]
    assert list((caches.root / "archives" / "warp").rglob("*.tar.bz2")) != []

    # The channel has thrown a package away: said, and nothing is left.
    server.heal()
    server.fail("*/python-3*", Status(404))
    job = await manager.runner.wait((await manager.packing.pack_into("Warp", "")).id)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "Warp cannot be packed, since a package of it cannot be fetched again. python-3" in job.error.message
    assert "rebuild the environment" in job.error.cure
    assert [path.name for path in share.parent.iterdir()] == ["packs"]

    # Another machine, or as good as.
    url = server.url
    server.close()
    await manager.workshop.remove("Warp", reporter=Recorder())
    nowhere()
    other = make_manager("http://127.0.0.1:9/lab", cold_cache)
    other.contents_root = share.parent
    request = ImportRequest(path=f"packs/{pack.name}", name="again", verify=False)
    preview = await other.sharing.plan_import(request)
    assert (preview.format, preview.exact, preview.plan.download_bytes) == (FileFormat.PACK, True, 0)
    assert not (cold_cache / "pkgs").exists() or list((cold_cache / "pkgs").glob("numpy*")) == []

    await done(other, await other.sharing.import_(request))

    manifest = await other.get("again")
    assert packages(manifest) == packages(made)
    prefix = Path(manifest.prefix)
    records = [json.loads(path.read_text()) for path in prefix.glob("conda-meta/*.json")]
    assert {record["url"].rsplit("/", 2)[0] for record in records} == {url}
    assert {record["link"]["source"].rsplit("/", 1)[0] for record in records} == {str(cold_cache / "pkgs")}
    wished = (prefix / "conda-meta" / "history").read_text().partition("# update specs: ")[2]
    assert "warpdrive" in wished
    assert not (prefix / ".pack").exists()
    assert pack.stat().st_size == size
    code = "import warpdrive, six; print(warpdrive.__version__, six.__version__)"
    assert subprocess.check_output([prefix / "bin" / "python", "-I", "-c", code], text=True).startswith("1.5.0 1.")


async def test_a_virtual_environment_is_packed_and_built_again_with_no_network_and_no_cache(
    index: wheels_index.Index, nowhere: Callable[[], None], tmp_path: Path, caches, cold_cache: Path
) -> None:
    manager = make_manager("http://127.0.0.1:9/lab", caches.root)
    made = await manager.workshop.create(PYPI, reporter=Recorder())

    job = await done(manager, await manager.packing.pack("Wheels", tmp_path / "all.tar"))

    assert job.file == str(tmp_path / "all.tar")
    nowhere()
    other = make_manager("http://127.0.0.1:9/lab", cold_cache)
    request = ImportRequest(path=job.file, verify=False)
    await done(other, imported := await other.sharing.import_(request))
    assert imported.name != "Wheels"
    manifest = await other.get(imported.name)
    assert packages(manifest) == packages(made)
    found = Path(manifest.prefix) / "lib" / f"python{'.'.join(manifest.plan.python.split('.')[:2])}" / "site-packages"
    assert (found / "six.py").is_file()
    assert list(found.glob("six-*/direct_url.json")) == []


class Fetcher:
    """Fetches two archives of a small channel."""

    def __init__(self, server: Server, directory: Path) -> None:
        self.server, self.directory, self.recorder = server, directory, Recorder()
        self.archives = tuple(
            Archive(
                name=record["name"],
                url=f"{server.url}/noarch/{file}",
                file=f"conda/noarch/{file}",
                size=record["size"],
                digest=record["sha256"],
            )
            for file, record in self.repodata.items()
        )

    @property
    def repodata(self) -> dict[str, dict[str, object]]:
        data = json.loads((self.server.directory / "noarch" / "repodata.json").read_text())
        return {**data["packages"], **data["packages.conda"]}

    async def fetch(self, silence: float = 60) -> None:
        engine = CondaEngine(cache_dir=self.directory / "cache", silence=silence)
        settings = ChannelSettings(channels=(), retries=1)
        self.server.forget()
        await engine.fetch(self.archives, self.directory, settings, self.recorder)

    @property
    def whole(self) -> list[str]:
        return sorted(path.name.split("-")[0] for path in self.directory.rglob("*.tar.bz2"))


@pytest.fixture
def fetcher(tmp_path: Path, serve_channel: Callable[..., Server]) -> Fetcher:
    with ChannelBuilder(tmp_path / "channel") as builder:
        for name in ("rosetta", "hayabusa"):
            builder.add_package(name, "1.0", noarch="generic", files={f"share/{name}": os.urandom(400_000)})
    return Fetcher(serve_channel(tmp_path / "channel"), tmp_path / "fetched")


async def test_archives_are_fetched_with_progress_in_bytes_and_not_twice(fetcher: Fetcher) -> None:
    fetcher.server.fail("*/rosetta-*", Drop(at=0.5), times=1)
    await fetcher.fetch()

    assert fetcher.whole == ["hayabusa", "rosetta"]
    assert fetcher.server.asked("*/rosetta-*") == 2
    assert fetcher.recorder.stages == [Stage.DOWNLOAD]
    last = fetcher.recorder.steps[-1][1]
    assert last.bytes_done == last.bytes_total == sum(archive.size for archive in fetcher.archives)
    await fetcher.fetch()
    assert fetcher.server.requests == []


async def test_an_archive_that_is_not_what_it_must_be_is_none(fetcher: Fetcher) -> None:
    fetcher.server.fail("*/rosetta-*", Flip())

    with pytest.raises(DownloadError, match=r"rosetta-1\.0-0 could not be downloaded: what came is not what"):
        await fetcher.fetch()

    assert "rosetta" not in fetcher.whole


async def test_a_fetch_that_stands_still_is_begun_anew(fetcher: Fetcher) -> None:
    fetcher.server.fail("*/rosetta-*", Stall(at=0.5), times=1)

    await fetcher.fetch(silence=1)

    assert fetcher.whole == ["hayabusa", "rosetta"]
    assert any("Starting again; what has been downloaded is kept." in line for line in fetcher.recorder.lines)


def test_what_came_from_no_index_is_not_packed_but_named() -> None:
    here = Distribution(name="mine", version="1.0", origin="/home/me/mine", editable=True, path=Path())
    there = Distribution(name="theirs", version="2.0", origin="git+https://example.org/theirs@abc", path=Path())
    fine = Distribution(name="six", version="1.17.0", path=Path())

    with pytest.raises(RefusedError) as caught:
        gathering.requirements([here, fine, there])

    assert "mine (from /home/me/mine), theirs (from git+https://example.org/theirs@abc)" in caught.value.message
    assert "six" not in caught.value.message
    assert gathering.requirements([fine]) == ("six==1.17.0",)


@pytest.mark.parametrize("path", ["../..", "/etc/../../..", "packs/../../..", "\x00"])
async def test_a_pack_is_written_below_the_contents_and_nowhere_else(
    tmp_path: Path, cold_cache: Path, path: str
) -> None:
    manager = make_manager("https://example.org/lab", cold_cache)
    manager.contents_root = tmp_path / "contents"

    with pytest.raises(InvalidInputError):
        await manager.packing.pack_into("any", path)

    manager.contents_root = None
    with pytest.raises(RefusedError, match="not on a disk of this machine"):
        await manager.packing.pack_into("any", path)


class TestServer:
    """Over HTTP."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config) -> Config:
        jp_server_config.GpuKernelsExtension.manager_class = ScriptedManager
        return jp_server_config

    async def test_a_pack_is_asked_for(self, jp_fetch, jp_serverapp: ServerApp, jp_root_dir: Path) -> None:
        manager: ScriptedManager = jp_serverapp.web_app.settings["gpu_kernels_manager"]
        manager.workshop.built["tf"] = manifest_of(EnvironmentSpec(name="tf", framework="tensorflow"))
        (jp_root_dir / "packs").mkdir()

        async def post(name: str, body: object) -> HTTPResponse:
            place = ("jupyter-gpu-kernels", "environments", name, "pack")
            return await jp_fetch(*place, method="POST", body=json.dumps(body), raise_error=False)

        answer = await post("tf", {"path": "packs"})
        job = json.loads(answer.body)
        assert (answer.code, job["kind"], job["name"]) == (202, "pack", "tf")
        assert job["file"] == "packs/tf-linux-64.gpu-kernel.tar"
        assert job["source"] == str(jp_root_dir / job["file"])
        await manager.runner.wait(job["id"])
        assert (await post("tf", {"path": "../.."})).code == 400
        assert (await post("tf", {"path": "none/there"})).code == 404
        assert (await post("nobody", {})).code == 404
        assert (await post("tf", {"target": "packs"})).code == 400


async def test_a_damaged_pack_is_refused_and_leaves_nothing(tmp_path: Path, cold_cache: Path) -> None:
    manager = make_manager("https://example.org/lab", cold_cache)
    file = tmp_path / "bad.gpu-kernel.tar"
    file.write_bytes(b"gpu-kernel.json".ljust(512, b"\0") + b"x" * 5000)

    with pytest.raises(GpuKernelsError):
        await manager.sharing.import_(ImportRequest(path=str(file), name="bad"))

    assert traces("bad") == []


LOCK = """\
version: 7
platforms:
- name: linux-64
environments:
  default:
    channels: []
    packages:
      linux-64:
      - conda: https://example.org/evil/noarch/six-1.17.0-pyh0_0.tar.bz2
packages:
- conda: https://example.org/evil/noarch/six-1.17.0-pyh0_0.tar.bz2
  sha256: {sha256}
  license: MIT
"""


@pytest.fixture
def forged(tmp_path: Path) -> Callable[..., Path]:
    """Write packs as nobody's tools write them."""

    def write(lock_sha256: str = "", file: str = "conda/noarch/six-1.17.0-pyh0_0.tar.bz2", **spec: Any) -> Path:
        path = tmp_path / "archive"
        path.write_bytes(b"six")
        packed = PackedFile(path=file, size=3, sha256=hashlib.sha256(b"six").hexdigest())
        plain = label(kind=EnvironmentKind.CONDA, files=(packed,), specs=("six",))
        recipe = replace(plain.recipe, spec=replace(plain.recipe.spec, **spec), name=spec.get("name", "warp"))
        target = tmp_path / "forged.gpu-kernel.tar"
        lock = LOCK.format(sha256=lock_sha256 or packed.sha256)
        write_pack(target, replace(plain, recipe=recipe), lock, lambda name: path, lambda done, what: None)
        return target

    return write


async def test_a_pack_has_no_say_in_what_concerns_this_machine(forged: Callable[..., Path], cold_cache: Path) -> None:
    manager = make_manager("https://example.org/lab", cold_cache)
    placement = Placement(devices=("GPU-12345678-1234-1234-1234-123456789abc",))
    pack = forged(placement=placement, sys_prefix=True, cuda="12.9", framework="elsewhere", extras=("odd",))

    spec = await manager.packing.spec_of(ImportRequest(path=str(pack)))

    assert (spec.placement, spec.sys_prefix, spec.cuda) == (Placement(), False, None)
    assert (spec.framework, spec.recipe, spec.extras) == ("python", False, ())
    for odd in ({"name": "../x"}, {"name": "a", "packages": ("--channel=evil",)}, {"name": "a", "pip": ("-r /etc/x",)}):
        with pytest.raises(InvalidInputError):
            await manager.packing.spec_of(ImportRequest(path=str(forged(**odd))))


async def test_the_lock_of_a_pack_must_be_that_of_its_packages(forged: Callable[..., Path], cold_cache: Path) -> None:
    manager = make_manager("https://example.org/lab", cold_cache)
    for pack in (lambda: forged(lock_sha256="0" * 64), lambda: forged(file="conda/noarch/other-1.0-0.conda")):
        with pytest.raises(InvalidInputError, match="no pack of a kernel, or it is damaged"):
            await manager.packing.plan_import(ImportRequest(path=str(pack())), "warp")


async def test_a_pack_from_a_channel_that_is_not_allowed_is_refused(
    forged: Callable[..., Path], cold_cache: Path, jp_home_dir: Path
) -> None:
    (jp_home_dir / ".condarc").write_text("denylist_channels: [https://example.org/evil]\n")
    manager = make_manager("https://example.org/lab", cold_cache)

    with pytest.raises(RefusedError, match=r"does not allow the channel https://example\.org/evil"):
        await manager.packing.plan_import(ImportRequest(path=str(forged())), "warp")
