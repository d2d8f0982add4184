"""The offline channel and its servers: what the other tests stand on."""

from __future__ import annotations

import asyncio
import http.client
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import rattler
from channel import (
    PLACEHOLDER,
    ChannelBuilder,
    Drop,
    Flip,
    Hang,
    Portal,
    RedirectLoop,
    Replace,
    Server,
    Stall,
    Status,
    Trickle,
    Truncate,
)
from conftest import Caches
from rattler.exceptions import SolverError
from uv import find_uv_bin

Faulty = Callable[..., Server]

NUMPY = "*/numpy-*.tar.bz2"


async def solve(channel: str, *specs: str, cuda: str | None = None) -> dict[str, rattler.RepoDataRecord]:
    virtual = []
    if cuda is not None:
        version, build = rattler.Version(cuda), rattler.package.BuildString("0")
        virtual.append(rattler.GenericVirtualPackage(rattler.PackageName("__cuda"), version, build))
    records = await rattler.solve(
        [channel],
        list(specs),
        platforms=[rattler.Subdir.current(), "noarch"],
        virtual_packages=virtual,
    )
    return {record.name.normalized: record for record in records}


async def install(channel: str, prefix: Path, caches: Caches, *specs: str, cuda: str | None = None) -> None:
    records = await solve(channel, *specs, cuda=cuda)
    await rattler.install(list(records.values()), prefix, cache_dir=caches.packages, show_progress=False)


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def fetch(url: str, *, timeout: float = 10) -> bytes:
    with urllib.request.urlopen(url, timeout=timeout) as response:
        content: bytes = response.read()
    return content


async def test_a_prefix_from_the_channel_is_a_python_with_ipykernel(
    channel: str, caches: Caches, tmp_path: Path
) -> None:
    prefix = tmp_path / "prefix"
    await install(channel, prefix, caches, "python", "ipykernel", "pip", "numpy")
    python = prefix / "bin" / "python"
    paths = json.loads(
        run(
            python,
            "-c",
            "import json, site, sys, sysconfig, ipykernel.kernelapp, numpy, pip, sqlite3, ssl, ctypes, venv\n"
            "print(json.dumps([sys.prefix, sys.base_prefix, sysconfig.get_path('purelib'), site.getsitepackages()[0],"
            " sysconfig.get_path('scripts'), numpy.__file__.split('/numpy/')[0]]))",
        )
    )
    minor = ".".join(run(python, "-V").split()[1].split(".")[:2])
    site_packages = str(prefix / "lib" / f"python{minor}" / "site-packages")
    assert paths == [str(prefix), str(prefix), site_packages, site_packages, str(prefix / "bin"), site_packages]


async def test_pip_and_uv_work_in_a_prefix_as_they_do_in_a_conda_environment(
    channel: str, caches: Caches, wheel_dir: Path, tmp_path: Path
) -> None:
    prefix = tmp_path / "prefix"
    await install(channel, prefix, caches, "python", "pip", "warpdrive")
    python = prefix / "bin" / "python"
    run(find_uv_bin(), "pip", "install", "--python", python, "--no-index", "--find-links", wheel_dir, "six")
    listed = json.loads(run(python, "-m", "pip", "list", "--format", "json"))
    assert {package["name"] for package in listed} == {"pip", "six", "warpdrive", "warpdrive-core"}
    run(find_uv_bin(), "venv", "--python", python, tmp_path / "venv")
    assert run(tmp_path / "venv" / "bin" / "python", "-c", "import sys; print(sys.base_prefix)") == str(prefix)
    run(python, "-m", "pip", "uninstall", "--yes", "warpdrive-core")
    assert not list(prefix.rglob("warpdrive_core*.py"))


async def test_entry_points_run_and_warpdrive_computes(channel: str, caches: Caches, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    await install(channel, prefix, caches, "warpdrive 1.5.*", cuda="13.1")
    assert run(prefix / "bin" / "warpdrive-info") == "warpdrive 1.5.0 cuda 13.0"
    said = "import warpdrive as w; print(w.built_with_cuda(), w.gpus(), w.runtime_version(), w.compute())"
    assert run(prefix / "bin" / "python", "-c", said).split()[-2:] == ["13000", "32.0"]
    assert (prefix / "lib" / "libcudart.so.13").resolve().parent == prefix / "targets" / "x86_64-linux" / "lib"


@pytest.mark.parametrize(
    ("cuda", "build", "cudart"),
    [
        ("12.9", "cuda129", "12.9.79"),
        ("13.0", "cuda130", "13.0.48"),
        ("12.4", "cuda129", "12.9.79"),
        (None, "cpu", None),
    ],
)
async def test_the_driver_decides_which_build_is_solved(
    channel: str, cuda: str | None, build: str, cudart: str | None
) -> None:
    records = await solve(channel, "warpdrive", cuda=cuda)
    assert str(records["warpdrive"].version) == "1.5.0"
    assert str(records["warpdrive"].build).partition("_")[0] == build
    assert (str(records["cuda-cudart"].version) if "cuda-cudart" in records else None) == cudart


async def test_a_gpu_build_cannot_be_solved_without_a_driver(channel: str) -> None:
    with pytest.raises(SolverError, match="__cuda"):
        await solve(channel, "warpdrive * cuda*")


async def test_placeholders_and_link_scripts_are_as_in_real_packages(
    channel: str, caches: Caches, tmp_path: Path
) -> None:
    prefix = tmp_path / "prefix"
    await install(channel, prefix, caches, "prefixed", "activating", "link-scripted")
    assert run(prefix / "bin" / "prefixed") == str(prefix)
    assert (prefix / "share" / "prefixed" / "text").read_text() == f"home = {prefix}/share\n"
    binary = (prefix / "share" / "prefixed" / "binary").read_bytes()
    assert f"{prefix}/lib\0".encode() in binary
    assert PLACEHOLDER.encode() not in binary
    assert (prefix / "etc" / "conda" / "activate.d" / "activating.sh").exists()
    assert (prefix / "bin" / ".link-scripted-post-link.sh").exists()
    assert not (prefix / "post-link-was-here").exists()


async def test_a_channel_can_be_made_and_extended_inside_a_test(
    channel: str, serve_channel: Faulty, caches: Caches, tmp_path: Path
) -> None:
    lab = tmp_path / "channel"
    for version in ("1.0", "2.0"):
        with ChannelBuilder(lab) as builder:
            builder.add_package("rosetta", version, depends=["six"], files={"share/rosetta": version})
    server = serve_channel(lab, name="private")
    assert server.url.endswith("/private")
    records = await rattler.solve([server.url, channel], ["rosetta"], platforms=[rattler.Subdir.current(), "noarch"])
    assert {"rosetta", "six", "python"} <= {record.name.normalized for record in records}
    assert server.asked("/private/noarch/repodata*") > 0


def test_a_fault_lasts_as_long_as_it_was_programmed(faulty_channel: Faulty) -> None:
    server = faulty_channel()
    url = f"{server.url}/noarch/repodata.json"
    server.fail("*/repodata.json", Status(503), times=2, after=1)
    answers = []
    for _ in range(4):
        try:
            fetch(url)
            answers.append(200)
        except urllib.error.HTTPError as error:
            answers.append(error.code)
    assert answers == [200, 503, 503, 200]
    assert [request.status for request in server.requests] == answers
    server.fail("*", Status(403))
    server.heal()
    assert json.loads(fetch(url))["info"]["subdir"] == "noarch"


@pytest.mark.parametrize("code", [403, 404, 429, 500])
def test_errors_are_answered_as_such(faulty_channel: Faulty, code: int) -> None:
    server = faulty_channel()
    server.fail("*", Status(code, {"Retry-After": "1"}))
    with pytest.raises(urllib.error.HTTPError) as raised:
        fetch(f"{server.url}/noarch/repodata.json")
    assert (raised.value.code, raised.value.headers["Retry-After"]) == (code, "1")
    raised.value.close()


def test_bodies_can_be_cut_bent_and_replaced(faulty_channel: Faulty, channel_dir: Path) -> None:
    server = faulty_channel()
    (archive,) = channel_dir.glob("*/numpy-*.tar.bz2")
    content = archive.read_bytes()
    url = f"{server.url}/{archive.relative_to(channel_dir).as_posix()}"
    for fault in (Truncate(at=0.25), Flip(), Replace(b"other"), Portal()):
        server.fail(NUMPY, fault, times=1)
    assert fetch(url) == content[: len(content) // 4]
    bent = fetch(url)
    assert len(bent) == len(content)
    assert 0 < sum(map(int.__ne__, bent, content)) <= 8
    assert fetch(url) == b"other"
    assert b"<html>" in fetch(url)
    server.fail(NUMPY, Truncate(honest=False), times=1)
    with pytest.raises(http.client.IncompleteRead):
        fetch(url)
    server.fail(NUMPY, Drop(at=0.5), times=1)
    with pytest.raises(ConnectionResetError):
        fetch(url)
    server.fail(NUMPY, RedirectLoop())
    with pytest.raises(urllib.error.HTTPError, match="infinite loop"):
        fetch(url)


def test_a_trickle_is_slow_and_closing_waits_for_nobody(faulty_channel: Faulty) -> None:
    server = faulty_channel()
    server.fail("*/sluggish-*", Trickle(20_000))
    for fault in (Hang(), Stall()):
        server.fail("*/repodata.json", fault, times=1)
        with pytest.raises(TimeoutError):
            fetch(f"{server.url}/noarch/repodata.json", timeout=0.3)
    with urllib.request.urlopen(f"{server.url}/noarch/sluggish-1.0-0.tar.bz2", timeout=5) as response:
        assert len(response.read(10_000)) == 10_000
        server.close()
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()


async def test_a_dropped_package_is_fetched_again(faulty_channel: Faulty, tmp_path: Path) -> None:
    server = faulty_channel()
    server.fail("*/sluggish-*", Drop(at=0.5), times=1)
    records = await solve(server.url, "sluggish")
    await rattler.install(
        list(records.values()), tmp_path / "prefix", cache_dir=tmp_path / "cache", show_progress=False
    )
    assert server.asked("*/sluggish-*") == 2
    assert (tmp_path / "prefix" / "share" / "sluggish").stat().st_size == 2_000_000


async def test_a_stalled_package_never_ends_by_itself(faulty_channel: Faulty, tmp_path: Path) -> None:
    server = faulty_channel()
    server.fail("*/sluggish-*", Stall(at=0.5))
    records = await solve(server.url, "sluggish")
    installing = rattler.install(
        list(records.values()), tmp_path / "prefix", cache_dir=tmp_path / "cache", show_progress=False
    )
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(installing, 1)
