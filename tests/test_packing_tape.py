"""Packs as files: whole or not there at all; and what others put into one gets nowhere."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.packing import opening
from jupyter_gpu_kernels.build.packing.label import LABEL, LOCK, Label, PackedFile, read_label, write_label
from jupyter_gpu_kernels.build.packing.tape import is_pack, open_pack, unpack, write_pack
from jupyter_gpu_kernels.errors import InvalidInputError, NotFoundError, RefusedError
from jupyter_gpu_kernels.models import EnvironmentKind, EnvironmentSpec, Installer, KernelRecipe, Original, Variant

CONTENT = bytes(range(256)) * 4096
NAME = "wheels/six-1.17.0-py3-none-any.whl"


def label(**changes: object) -> Label:
    recipe = KernelRecipe(
        name="warp",
        display_name="Warp",
        spec=EnvironmentSpec(name="warp"),
        original=Original(platform="linux-64", installer=Installer.PYPI, variant=Variant.CPU, python="3.11.7"),
    )
    files = (PackedFile(path=NAME, size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest()),)
    found = Label(
        platform=opening.platform_name(),
        kind=EnvironmentKind.VIRTUALENV,
        python="3.11.7",
        recipe=recipe,
        files=files,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def quiet(done: int, what: str) -> None:
    """Tell nobody."""


@pytest.fixture
def source(tmp_path: Path) -> Callable[[str], Path]:
    file = tmp_path / "six.whl"
    file.write_bytes(CONTENT)
    return lambda path: file


@pytest.fixture
def pack(tmp_path: Path, source: Callable[[str], Path]) -> Path:
    target = tmp_path / "packs" / "warp.gpu-kernel.tar"
    target.parent.mkdir()
    write_pack(target, label(), "version: 7\n", source, quiet)
    return target


def test_what_is_packed_is_unpacked(pack: Path, tmp_path: Path) -> None:
    told: list[int] = []
    unpack(pack, tmp_path / "there", lambda done, what: told.append(done))

    assert (tmp_path / "there" / NAME).read_bytes() == CONTENT
    assert told[-1] == len(CONTENT)
    assert [path.name for path in pack.parent.iterdir()] == [pack.name]
    assert is_pack(pack)
    with open_pack(pack) as (_, found, lock):
        assert (found, lock) == (label(), "version: 7\n")


def test_any_tar_shows_a_pack_and_tells_nothing_of_its_maker(pack: Path) -> None:
    with tarfile.open(pack) as tar:
        members = tar.getmembers()
    assert [member.name for member in members] == [LABEL, LOCK, NAME]
    assert {(member.uid, member.uname, member.mtime, member.mode) for member in members} == {(0, "", 0, 0o644)}


def test_a_pack_that_fails_half_way_leaves_nothing(tmp_path: Path, source: Callable[[str], Path]) -> None:
    target = tmp_path / "packs" / "warp.tar"
    target.parent.mkdir()

    def fail(done: int, what: str) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_pack(target, label(), "", source, fail)
    with pytest.raises(FileNotFoundError):
        write_pack(target, label(), "", lambda path: tmp_path / "none", quiet)

    assert list(target.parent.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file has a name from the beginning")
def test_a_packer_that_is_killed_leaves_nothing(tmp_path: Path, source: Callable[[str], Path]) -> None:
    target = tmp_path / "packs" / "warp.tar"
    target.parent.mkdir()
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from test_packing_tape import label, write_pack\n"
        "die = lambda done, what: os.kill(os.getpid(), 9)\n"
        "write_pack(Path(sys.argv[2]), label(), '', lambda path: Path(sys.argv[3]), die)\n"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(target), str(source(""))]

    killed = subprocess.run(command, check=False)

    assert killed.returncode == -9
    assert list(target.parent.iterdir()) == []


def written(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def members(found: Label | None = None) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [
        (tarfile.TarInfo(LABEL), write_label(found or label())),
        (tarfile.TarInfo(LOCK), b"version: 7\n"),
        (tarfile.TarInfo(NAME), CONTENT),
    ]


def odd(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@pytest.mark.parametrize(
    "strange",
    [
        odd("../outside"),
        odd("/outside"),
        odd("wheels/../../outside"),
        odd(NAME, tarfile.SYMTYPE, "/outside"),
        odd(NAME, tarfile.LNKTYPE, "../outside"),
        odd(NAME, tarfile.CHRTYPE),
        odd(NAME, tarfile.FIFOTYPE),
        odd(NAME, tarfile.DIRTYPE),
    ],
    ids=lambda member: f"{member.name} {member.type.decode()}",
)
@pytest.mark.parametrize("place", [0, 2, 3])
def test_what_is_no_plain_file_of_its_name_is_refused(tmp_path: Path, strange: tarfile.TarInfo, place: int) -> None:
    found = members()
    # In place of a package it has a package's bytes.
    data = b"" if strange.type != tarfile.REGTYPE else CONTENT
    found[place : place + 1] = [(strange, data)] + ([] if place == 2 else found[place : place + 1])
    file = written(tmp_path / "bad.tar", found)
    directory = tmp_path / "inside" / "there"

    with pytest.raises(InvalidInputError, match="no pack of a kernel, or it is damaged"):
        unpack(file, directory, quiet)

    assert not (tmp_path / "outside").exists()
    assert not Path("/outside").exists()
    assert not (tmp_path / "inside" / "outside").exists()
    assert [path for path in directory.rglob("*") if path.is_symlink()] == []


@pytest.mark.parametrize("end", [0, 100, 700, 3000, 200_000, 1_000_000])
def test_a_pack_that_was_cut_off_is_refused(pack: Path, tmp_path: Path, end: int) -> None:
    cut = tmp_path / "cut.tar"
    cut.write_bytes(pack.read_bytes()[:end])

    with pytest.raises(InvalidInputError):
        unpack(cut, tmp_path / "there", quiet)


def test_a_damaged_package_is_named(pack: Path, tmp_path: Path) -> None:
    data = bytearray(pack.read_bytes())
    data[data.index(CONTENT[:512]) + 9999] ^= 1
    pack.write_bytes(data)

    with pytest.raises(InvalidInputError, match=r"six-1\.17\.0-py3-none-any\.whl is damaged: its hash"):
        unpack(pack, tmp_path / "there", quiet)


@pytest.mark.parametrize(
    "path", ["../x.whl", "/x.whl", "wheels/../x.whl", "wheels/.x.whl", "conda/x.conda", "wheels/x.sh", "wheels/a/x.whl"]
)
def test_a_label_names_packages_and_nothing_else(path: str) -> None:
    found = json.loads(write_label(label()))
    found["files"][0]["path"] = path

    with pytest.raises(InvalidInputError, match="no pack"):
        read_label(json.dumps(found).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"schema_version": 1}', b"[" * 100_000, b"\xff\xfe"])
def test_a_label_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="no pack"):
        read_label(data)


def test_a_pack_of_a_newer_version_is_refused() -> None:
    found = {**json.loads(write_label(label())), "schema_version": 99}

    with pytest.raises(InvalidInputError, match="newer version"):
        read_label(json.dumps(found).encode())


def test_a_pack_for_another_platform_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "mac.tar", members(label(platform="osx-arm64")))

    with pytest.raises(RefusedError, match=r"The pack is for osx-arm64, and this machine is linux-64\."):
        opening._read(file)


def test_other_files_are_no_packs(tmp_path: Path) -> None:
    other = tmp_path / "notes.tar"
    with tarfile.open(other, "w") as tar:
        tar.addfile(tarfile.TarInfo("notes.txt"))

    assert not is_pack(other)
    assert not is_pack(tmp_path)
    assert not is_pack(tmp_path / "none")
    with pytest.raises(NotFoundError, match="cannot be read"), open_pack(tmp_path / "none"):
        pass
    with pytest.raises(InvalidInputError, match="no pack"), open_pack(tmp_path):
        pass


@pytest.mark.timeout(60)
def test_headers_that_take_python_hours_are_not_read(tmp_path: Path) -> None:
    header = odd("x", tarfile.XHDTYPE)
    path = written(tmp_path / "x.tar", [(header, b"1" * 1_000_000), *members()])
    with pytest.raises(InvalidInputError, match="no pack"), open_pack(path):
        pass


def test_nobody_waits_at_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_pack(tmp_path / "pipe")
