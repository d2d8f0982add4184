"""What an environment takes on disk, compared with what ``du`` says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from jupyter_gpu_kernels.build.disk.usage import allocated, measure
from jupyter_gpu_kernels.models import DiskUsage


def du(path: Path) -> int:
    done = subprocess.run(["du", "-s", "-B1", str(path)], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def test_a_tree_is_measured_as_du_does_and_files_of_the_cache_are_not_freed(tmp_path: Path) -> None:
    cache, prefix = tmp_path / "cache", tmp_path / "prefix"
    cache.mkdir()
    (prefix / "lib" / "deep").mkdir(parents=True)
    (cache / "shared").write_bytes(b"s" * 50_000)
    os.link(cache / "shared", prefix / "lib" / "shared")
    os.link(cache / "shared", prefix / "lib" / "deep" / "shared")
    (prefix / "own").write_bytes(b"o" * 300_000)
    (prefix / "twice").write_bytes(b"t" * 70_000)
    os.link(prefix / "twice", prefix / "lib" / "twice")
    (prefix / "link").symlink_to(cache)
    with (prefix / "sparse").open("wb") as file:
        file.truncate(10_000_000)
    before = measure(prefix)
    assert before.bytes == du(prefix)
    assert 370_000 <= before.bytes - du(cache / "shared") < 1_000_000
    assert before.freed_bytes == before.bytes - du(cache / "shared")
    (tmp_path / "linked").symlink_to(prefix)
    assert measure(tmp_path / "linked") == before
    # What the whole tree takes, and what it takes once that one is gone.
    whole = du(tmp_path)
    shutil.rmtree(prefix)
    assert before.freed_bytes == whole - du(tmp_path)


def test_what_is_not_there_takes_nothing(tmp_path: Path) -> None:
    assert measure(tmp_path / "nothing") == DiskUsage(bytes=0, freed_bytes=0)


def test_where_blocks_are_not_told_lengths_count() -> None:
    told, untold = Path(__file__).stat(), os.stat_result((0o100644, 1, 1, 1, 0, 0, 123, 0, 0, 0))
    assert allocated(told) == told.st_blocks * 512
    assert allocated(untold) == 123
