"""Which GPUs a kernel is given, and what is said where it is given none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from jupyter_gpu_kernels.errors import NoGpuFreeError, RefusedError
from jupyter_gpu_kernels.hardware.processes import identity
from jupyter_gpu_kernels.hardware.visible import Device
from jupyter_gpu_kernels.launch.holders import unplaced, when
from jupyter_gpu_kernels.launch.placing import Candidate, Decision, candidates, decide
from jupyter_gpu_kernels.models import ComputeMode, GpuPolicy, GpuProcess, GpuReading, Lease, Placement

GIB = 1024**3
MINE = GpuProcess(pid=os.getpid(), memory=GIB)

AUTO, ALL = Placement(), Placement(policy=GpuPolicy.ALL)
LEAST, TWO = Placement(policy=GpuPolicy.LEAST_USED), Placement(policy=GpuPolicy.LEAST_USED, count=2)
ALONE, TWO_ALONE = Placement(policy=GpuPolicy.EXCLUSIVE), Placement(policy=GpuPolicy.EXCLUSIVE, count=2)


def fixed(*names: str) -> Placement:
    return Placement(policy=GpuPolicy.FIXED, devices=names)


def device(name: str) -> Device:
    """``g0`` is a GPU, ``m1`` an instance of a split one."""
    return Device(uuid=name, gpu_index=int(name[1]), name="NVIDIA H200", memory_total=GIB, mig=name.startswith("m"))


def lease(name: str, *, alone: bool = False, title: str = "/home/me/train.ipynb", since: str = "") -> Lease:
    return Lease(
        kernel_id=f"k-{name}-{title}",
        kernel_name="tf-warp-speed",
        title=title,
        devices=(name,),
        exclusive=alone,
        server=identity(),
        since=since,
    )


def reading(name: str, used: int = 0, *processes: GpuProcess) -> GpuReading:
    return GpuReading(uuid=name, utilization=0, memory_used=used, memory_total=GIB, processes=processes)


PROHIBITED, EXCLUSIVE_MODE = ComputeMode.PROHIBITED, ComputeMode.EXCLUSIVE


@pytest.mark.parametrize(
    ("wish", "there", "leases", "modes", "readings", "given"),
    [
        # One device: all of it, whatever else runs on it.
        (AUTO, "g0", [], {}, [], "g0"),
        (AUTO, "g0", [lease("g0")], {}, [reading("g0", GIB, MINE)], "g0"),
        (AUTO, "g0", [lease("g0", alone=True)], {}, [], ""),
        # Several: the fewest leases, then the least memory, then the order of the mask.
        (AUTO, "g0 g1", [], {}, [], "g0"),
        (AUTO, "g1 g0", [], {}, [], "g1"),
        (LEAST, "g0 g1", [lease("g0")], {}, [reading("g1", GIB, MINE)], "g1"),
        (LEAST, "g0 g1", [], {}, [reading("g0", GIB), reading("g1")], "g1"),
        (LEAST, "g0 g1", [lease("g1", alone=True), lease("g0")], {}, [], "g0"),
        (LEAST, "g0", [lease("g0")], {}, [], "g0"),
        (TWO, "g0 g1 g2", [lease("g0")], {}, [], "g1 g2"),
        (TWO, "g0 g1 g2", [], {}, [reading("g0", GIB), reading("g1")], "g1 g2"),
        (TWO, "g2 g0 g1", [], {}, [], "g2 g0"),
        (TWO, "g0 g1", [lease("g1", alone=True)], {}, [], ""),
        # All that can be had.
        (ALL, "g0 g1", [lease("g0")], {}, [], "g0 g1"),
        (ALL, "g0 g1", [lease("g0", alone=True)], {}, [], "g1"),
        (ALL, "g0 g1", [lease("g0", alone=True), lease("g1", alone=True)], {}, [], ""),
        # For itself alone: nobody there, neither kernels of ours nor anybody else.
        (ALONE, "g0 g1", [], {}, [reading("g0"), reading("g1")], "g0"),
        (ALONE, "g0 g1", [lease("g0")], {}, [], "g1"),
        (ALONE, "g0 g1", [], {}, [reading("g0", GIB, MINE)], "g1"),
        (ALONE, "g0", [lease("g0")], {}, [], ""),
        (ALONE, "g0", [], {}, [reading("g0", GIB, replace(MINE, graphics=True))], "g0"),
        # Where nobody is listed, memory in use tells nothing: the driver takes some itself.
        (ALONE, "g0", [], {}, [replace(reading("g0", GIB), processes=None)], "g0"),
        (TWO_ALONE, "g0 g1 g2", [lease("g1")], {}, [], "g0 g2"),
        (TWO_ALONE, "g0 g1 g2", [lease("g1"), lease("g2")], {}, [], ""),
        # Instances of split GPUs: one at most.
        (AUTO, "m0 m1 m2", [lease("m0")], {}, [], "m1"),
        (TWO, "m0 m1", [], {}, [], "m0"),
        (TWO, "m0 m1", [lease("m0", alone=True), lease("m1", alone=True)], {}, [], ""),
        (TWO_ALONE, "m0 m1", [lease("m0"), lease("m1")], {}, [], ""),
        (TWO, "m0 g1 g2", [], {}, [], "g1 g2"),
        (TWO_ALONE, "m0 g1 g2", [lease("g2")], {}, [], ""),
        (ALL, "m0 m1", [lease("m0")], {}, [], "m1"),
        (ALL, "m0 g1 g2", [], {}, [], "g1 g2"),
        (ALONE, "m0 m1", [lease("m0")], {}, [], "m1"),
        # The driver's modes.
        (AUTO, "g0 g1", [], {0: PROHIBITED}, [], "g1"),
        (ALL, "g0 g1", [], {0: PROHIBITED}, [], "g1"),
        (AUTO, "g0 g1", [], {0: PROHIBITED, 1: PROHIBITED}, [], "never: no process may compute on any GPU here"),
        (LEAST, "g0 g1", [], {0: EXCLUSIVE_MODE}, [reading("g0", 0, MINE), reading("g1", GIB, MINE)], "g1"),
        (LEAST, "g0 g1", [lease("g0")], {0: EXCLUSIVE_MODE, 1: EXCLUSIVE_MODE}, [], "g1"),
        (AUTO, "g0", [lease("g0")], {0: EXCLUSIVE_MODE}, [], ""),
        # What was named, and nothing else.
        (fixed("g1"), "g0 g1", [lease("g1")], {}, [reading("g1", GIB, MINE)], "g1"),
        (fixed("G1", "g0"), "g0 g1", [], {}, [], "g1 g0"),
        (fixed("g1"), "g0 g1", [lease("g1", alone=True)], {}, [], ""),
        (fixed("g7"), "g0 g1", [], {}, [], "never: it wants g7, which this server cannot give"),
        (fixed("g1"), "g0 g1", [], {1: PROHIBITED}, [], "never: it wants g1, and no process may compute there"),
        # More than there are.
        (TWO, "g0", [], {}, [], "never: it wants 2 GPUs, and 1 GPU is visible here"),
        (TWO, "m0 g1", [], {}, [], "never: it wants 2 GPUs, and 1 GPU is visible here"),
        (TWO_ALONE, "g0 m1", [lease("m1")], {}, [], "never: it wants 2 GPUs, and 1 GPU is visible here"),
    ],
)
def test_the_choice(
    wish: Placement,
    there: str,
    leases: Sequence[Lease],
    modes: Mapping[int, ComputeMode],
    readings: Sequence[GpuReading],
    given: str,
) -> None:
    among = candidates([device(name) for name in there.split()], leases, modes, readings)
    decision = decide(wish, among)
    if given.startswith("never: "):
        assert decision.reason.startswith(given.removeprefix("never: "))
        assert not decision.devices
        assert isinstance(unplaced(decision, wish), RefusedError)
        return
    assert [found.uuid for found in decision.devices] == given.split()
    assert decision.exclusive is (bool(given) and wish.policy is GpuPolicy.EXCLUSIVE)
    if not given:
        assert decision.taken
        assert not decision.reason
        assert isinstance(unplaced(decision, wish), NoGpuFreeError)


def test_fifty_choices_are_balanced() -> None:
    leases: list[Lease] = []
    for number in range(50):
        (given,) = decide(AUTO, candidates([device(f"g{n}") for n in range(4)], leases, {}, [])).devices
        leases.append(lease(given.uuid, title=str(number)))
    assert [sum(name in held.devices for held in leases) for name in ("g0", "g1", "g2", "g3")] == [13, 13, 12, 12]


def told(wish: Placement, *taken: Candidate) -> str:
    error = unplaced(Decision(taken=taken), wish)
    assert isinstance(error, NoGpuFreeError)
    assert error.code == "no_gpu_free"
    return f"{error}"


def test_a_refusal_names_notebook_kernel_and_time() -> None:
    since = datetime(2026, 3, 1, 12, 5).astimezone()
    words = told(LEAST, Candidate(device=device("g0"), leases=(lease("g0", alone=True, since=since.isoformat()),)))
    assert words == (
        "No GPU is free for this kernel: GPU 0 (NVIDIA H200) is kept for itself by train.ipynb (kernel tf-warp-speed, "
        "since 2026-03-01 12:05). Shut down a kernel that is named here; then restart this kernel."
    )


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("2026-03-01T22:30:00+00:00", "00:30"),
        ("2026-03-01T21:59:00.123+00:00", "2026-03-01 23:59"),
        ("2026-02-27T10:05:00+00:00", "2026-02-27 12:05"),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_a_time_of_another_day_has_its_date(time: str, words: str) -> None:
    present = datetime(2026, 3, 2, 8, 0, tzinfo=timezone(timedelta(hours=2)))
    assert when(time, present) == words


def test_what_is_not_known_is_not_said() -> None:
    held = replace(lease("g0", title="", since="?"), kernel_name="")
    words = told(TWO_ALONE, Candidate(device=device("g0"), leases=(held,)))
    assert words.startswith(
        "There are no 2 GPUs free for this kernel: GPU 0 (NVIDIA H200) is used by a kernel. Shut down a kernel that is "
        "named here, or choose the placement least-used to share one; then restart this kernel."
    )


def test_many_are_counted() -> None:
    held = tuple(lease("g0", title=f"{number}.ipynb") for number in range(6))
    taken = [Candidate(device=device(f"g{number}"), leases=held) for number in range(8)]
    words = told(ALONE, *taken)
    assert "2.ipynb (kernel tf-warp-speed) and 3 more" in words
    assert "and 5 more. Shut" in words
    assert "3.ipynb" not in words


def test_other_peoples_processes_are_not_named() -> None:
    mine = told(ALONE, Candidate(device=device("g0"), processes=(MINE,)))
    assert f"GPU 0 (NVIDIA H200) is used by your process {os.getpid()} (" in mine
    assert "Wait until they are free, or choose the placement least-used" in mine
    elsewhere = GpuProcess(pid=None, memory=None)
    gone = GpuProcess(pid=2**22 + 1, memory=None)
    words = told(ALONE, Candidate(device=device("g0"), processes=(elsewhere, gone)))
    assert "is used by another process. " in words


def test_another_users_process_is_just_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    words = told(ALONE, Candidate(device=device("g0"), processes=(MINE,)))
    assert "is used by another user's process. " in words
    assert str(os.getpid()) not in words
