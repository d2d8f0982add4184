"""The package cache's hygiene, and the builder's account of its work."""

from __future__ import annotations

import fcntl
import json
import os
import queue
import threading
from pathlib import Path

import pytest
from patience import PATIENCE

from jupyter_gpu_kernels.build.conda import cache
from jupyter_gpu_kernels.build.conda.tally import Tally, Voice


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return tmp_path / "pkgs"


def litter(directory: Path) -> None:
    (directory / ".six-1.0-0AbCdEf" / "info").mkdir(parents=True)
    (directory / "six-1.0-0").mkdir()
    (directory / ".cache.lock").write_text("")


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_leftovers_are_swept_when_nobody_else_works(packages: Path) -> None:
    litter(packages)
    with cache.in_use(packages) as swept:
        assert swept == 1
    assert names(packages) == {"six-1.0-0", ".cache.lock", cache.LOCK}


def test_what_another_builder_may_be_unpacking_is_left_alone(packages: Path) -> None:
    with cache.in_use(packages):
        litter(packages)
        with cache.in_use(packages) as swept:
            assert swept == 0
    assert ".six-1.0-0AbCdEf" in names(packages)
    with (packages / cache.LOCK).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_without_shared_locks_only_old_leftovers_go(packages: Path) -> None:
    litter(packages)
    assert cache.sweep(packages, older_than=60) == 0
    os.utime(packages / ".six-1.0-0AbCdEf", (0, 0))
    assert cache.sweep(packages, older_than=60) == 1


def test_the_tally_counts_each_byte_once_and_never_too_many() -> None:
    reading, writing = os.pipe()
    tally = Tally({"six": 100, "pip": 50}, 3, Voice(writing), silence=1)
    tally.loading("six", 80)
    tally.loading("six", 20)
    tally.loading("pip", 70)
    tally.tell()
    tally.cached("six")
    tally.cached("pip")
    tally.cached("python")
    tally.linked("six")
    tally.tell()
    os.close(writing)
    with os.fdopen(reading) as lines:
        first, second = map(json.loads, lines)
    assert (first["bytes"], first["bytes_total"], first["fetched"], first["to_fetch"]) == (70, 150, 0, 2)
    assert (second["bytes"], second["fetched"], second["cached"], second["linked"]) == (150, 2, 3, 1)
    assert (second["packages"], second["latest"]) == (3, "six")


def test_the_tally_names_what_is_waited_for() -> None:
    reading, writing = os.pipe()
    tally = Tally({"six": 100, "pip": 50}, 3, Voice(writing), silence=1)
    tally.loading("six", 80)
    tally.loading("pip", 50)
    tally.tell()
    tally.loaded("pip")
    tally.tell()
    os.close(writing)
    with os.fdopen(reading) as lines:
        assert [json.loads(line)["latest"] for line in lines] == ["pip", "six"]


def test_a_tally_is_silent_only_while_bytes_are_awaited() -> None:
    reading, writing = os.pipe()
    events: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        with os.fdopen(reading) as lines:
            for line in lines:
                events.put(json.loads(line)["event"])

    listener = threading.Thread(target=listen)
    listener.start()
    tally = Tally({"six": 100}, 1, Voice(writing), silence=0.4)
    with tally.telling():
        assert [events.get(timeout=PATIENCE) for _ in range(2)] == ["progress", "alive"]
        tally.loading("six", 10)
        while events.get(timeout=PATIENCE) != "progress":
            pass
        with pytest.raises(queue.Empty):
            events.get(timeout=0.8)
        tally.cached("six")
        assert [events.get(timeout=PATIENCE) for _ in range(2)] == ["progress", "alive"]
    os.close(writing)
    listener.join()
    assert events.queue[-1] == "progress"
