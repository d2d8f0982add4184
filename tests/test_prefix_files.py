"""Files are replaced whole, or stay as they were."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jupyter_gpu_kernels.prefix import files
from jupyter_gpu_kernels.prefix.files import replace_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_written_with_its_permissions_and_nothing_beside_it(folder: Path, durable: bool) -> None:
    path = folder / "a.json"
    for mode in (0o644, stat.S_IFREG | 0o755):
        replace_file(path, b"new", mode=mode, durable=durable)
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", stat.S_IMODE(mode))
    assert os.listdir(folder) == ["a.json"]


def test_the_other_name_of_a_file_keeps_the_old_text(folder: Path) -> None:
    (folder / "cached").write_bytes(b"old")
    (folder / "linked").hardlink_to(folder / "cached")
    replace_file(folder / "linked", b"new", mode=0o644)
    assert ((folder / "cached").read_bytes(), (folder / "linked").read_bytes()) == (b"old", b"new")


def test_what_cannot_be_replaced_stays_and_nothing_is_left(folder: Path) -> None:
    (folder / "a").mkdir()
    with pytest.raises(OSError, match="a"):
        replace_file(folder / "a", b"new", mode=0o644)
    assert os.listdir(folder) == ["a"]


def test_a_directory_that_cannot_be_synced_stops_nothing(folder: Path) -> None:
    files.sync_directory(folder / "gone")
