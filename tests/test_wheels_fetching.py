"""From what the relay tells to progress that people see; and locks."""

from __future__ import annotations

import json

import pytest

from jupyter_gpu_kernels.build.reporting import SilentReporter
from jupyter_gpu_kernels.build.wheels.fetching import Listener
from jupyter_gpu_kernels.build.wheels.lock import Locked, read_lock
from jupyter_gpu_kernels.models import Progress, Stage

LOCK = """
lock-version = "1.0"

[[packages]]
name = "Debug.Py"
version = "1.8"
wheels = [
    { url = "https://h/debug_py-1.8-py2.py3-none-any.whl", size = 5, hashes = { sha256 = "aa" } },
    { url = "https://h/debug_py-1.8-cp312-cp312-manylinux_2_17_x86_64.whl", size = 7, hashes = { sha256 = "bb" } },
]

[[packages]]
name = "bare"
version = "1"
wheels = [{ url = "file:///w/bare-1-py3-none-any.whl" }]

[[packages]]
name = "source"
version = "2"
sdist = { url = "https://h/source-2.tar.gz", size = 9, hashes = { sha256 = "cc" } }
"""


class Notes(SilentReporter):
    def __init__(self) -> None:
        self.told: list[object] = []

    def stage(self, stage: Stage) -> None:
        self.told.append(stage)

    def progress(self, progress: Progress) -> None:
        shown = (progress.packages_done, progress.packages_total, progress.bytes_done, progress.bytes_total)
        self.told.append(shown)

    def log(self, line: str) -> None:
        self.told.append(line)


def bars(prepared: tuple[int, int], linked: tuple[int, int] = (0, 0), **sizes: tuple[int, int]) -> str:
    return json.dumps({"bars": sizes, "prepared": prepared, "linked": linked})


def test_bytes_and_packages_are_counted_through_both_stages() -> None:
    notes = Notes()
    listener = Listener(notes, {"big": 1000, "small": 10}, 3, Stage.DOWNLOAD)
    listener.begin()
    listener.take(bars((0, 2), big=(500, 1024)))
    listener.take(bars((1, 2), big=(1024, 1024), small=(4, 11)))
    listener.take(json.dumps({"text": "Prepared 2 packages in 1s"}))
    listener.take(bars((2, 2), (2, 3), big=(1024, 1024)))
    assert notes.told == [
        Stage.DOWNLOAD,
        (1, 3, 0, 1010),
        (1, 3, 500, 1010),
        (2, 3, 1004, 1010),
        (3, 3, 1010, 1010),
        Stage.WHEELS,
        "Prepared 2 packages in 1s",
        (2, 3, 0, 0),
    ]


def test_without_a_terminal_whole_packages_are_counted() -> None:
    notes = Notes()
    listener = Listener(notes, {"big": 1000, "unknown": 0}, 2, Stage.WHEELS)
    listener.begin()
    listener.take("Downloading big (0.1MiB)")
    listener.take(" Downloaded big")
    assert notes.told == [Stage.WHEELS, (0, 2, 0, 1000), (1, 2, 1000, 1000)]


def test_a_size_that_no_index_told_is_learned_from_the_bar() -> None:
    notes = Notes()
    listener = Listener(notes, {"big": 0}, 1, Stage.DOWNLOAD)
    listener.take(bars((0, 1), big=(5, 50)))
    assert notes.told == [(0, 1, 5, 50)]


@pytest.mark.parametrize(
    "line", ["no json", "[]", "3", '{"bars": 1, "prepared": 1, "linked": [1]}', '{"bars": {"a": 1}}']
)
def test_what_is_not_understood_is_text_and_does_no_harm(line: str) -> None:
    notes = Notes()
    listener = Listener(notes, {}, 1, Stage.DOWNLOAD)
    listener.take(line)
    assert listener.text == [line]


def test_the_log_holds_no_credentials_and_no_chatter() -> None:
    notes = Notes()
    listener = Listener(notes, {}, 1, Stage.DOWNLOAD)
    for text in (" + six==1.17.0", "warning: see https://bob:pw@host/x", "warning: Failed to hardlink files"):
        listener.take(json.dumps({"text": text}))
    assert notes.told == ["warning: see https://***@host/x"]


def test_a_lock_is_read_for_one_python_of_this_platform() -> None:
    bare, debug, source = read_lock(LOCK, "3.12.4")
    assert bare == Locked(name="bare", version="1", url="file:///w/bare-1-py3-none-any.whl", size=0)
    assert (bare.local, bare.pin) == (True, "bare==1")
    assert (debug.name, debug.local) == ("debug-py", False)
    assert debug.pin == "debug-py==1.8 --hash=sha256:aa --hash=sha256:bb"
    assert (source.url, source.size) == ("https://h/source-2.tar.gz", 9)
    assert read_lock(LOCK, "3.9.1")[1].size == 5
