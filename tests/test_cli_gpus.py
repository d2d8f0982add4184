"""The command ``gpus``: what it says once, and what it goes on to say until Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

from jupyter_gpu_kernels.build.planning.catalogue import Catalogue
from jupyter_gpu_kernels.cli.arguments import parse
from jupyter_gpu_kernels.cli.gpus import described, without_gpu
from jupyter_gpu_kernels.cli.run import run
from jupyter_gpu_kernels.hardware.fake import VARIABLE
from jupyter_gpu_kernels.models import GpuUsage, Hardware, KernelShare, Vendor, from_json

GIB = 2**30

DRIVER: dict[str, Any] = {
    "driver": "580.65.06",
    "cuda": "13.0",
    "gpus": [
        {
            "uuid": "GPU-whole",
            "name": "NVIDIA H200",
            "memory_total": 141 * GIB,
            "memory_used": 5 * GIB,
            "utilization": 37,
            "compute_capability": "9.0",
            "compute_mode": "exclusive",
            "processes": [{"pid": 2**22 + 1, "memory": 3 * GIB}],
        },
        {
            "uuid": "GPU-split",
            "name": "NVIDIA A100",
            "memory_total": 40 * GIB,
            "instances": [
                {"uuid": "MIG-a", "profile": "3g.20gb", "memory_total": 20 * GIB, "memory_used": GIB},
                {"uuid": "MIG-b", "profile": "1g.5gb", "memory_total": 5 * GIB, "processes": None, "memory_used": None},
            ],
        },
    ],
}

Say = Callable[..., str]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    def say(*words: str, driver: dict[str, Any]) -> str:
        monkeypatch.setenv(VARIABLE, json.dumps(driver))
        assert run(*parse(["gpus", *words])) == 0
        return capsys.readouterr().out

    return say


def test_gpus_their_instances_and_what_they_are_doing_are_a_table(say: Say) -> None:
    first, *lines = say(driver=DRIVER).splitlines()
    assert first.startswith("Driver 580.65.06, CUDA up to 13.0")
    assert [re.split(r" {2,}", line.strip()) for line in lines[:5]] == [
        ["GPU", "NAME", "MEMORY", "BUSY", "PROCESSES", "MODE", "COMPUTE", "UUID"],
        ["0", "NVIDIA H200", "5.0/141.0 GiB", "37 %", "1", "exclusive", "9.0", "GPU-whole"],
        ["1", "NVIDIA A100", "40.0 GiB", "-", "-", "split", "8.6", "GPU-split"],
        ["MIG 3g.20gb", "1.0/20.0 GiB", "-", "0", "MIG-a"],
        ["MIG 1g.5gb", "5.0 GiB", "-", "-", "MIG-b"],
    ]


def test_who_has_memory_is_a_table_too(say: Say) -> None:
    lines = say(driver=DRIVER).splitlines()
    assert re.split(r" {2,}", lines[lines.index("") + 2]) == ["0", str(2**22 + 1), "3.0 GiB", "(another process)"]


def test_kernels_are_named_by_their_notebooks() -> None:
    found = hardware_of(DRIVER)
    shares = (
        KernelShare(kernel_id="1", kernel_name="tf", title="train.ipynb", gpu="MIG-a", pid=7, memory=GIB),
        KernelShare(kernel_id="2", kernel_name="torch", gpu="GPU-whole", leased=True),
    )
    text = described(found, GpuUsage(taken="", shares=shares, notes=("Some are not told.",)))
    assert re.search(r"^1 +7 +1\.0 GiB +train\.ipynb$", text, re.MULTILINE)
    assert re.search(r"^0 +- +- +torch$", text, re.MULTILINE)
    assert text.endswith("Note: Some are not told.\n")


def test_json_is_what_the_machine_has(say: Say) -> None:
    assert from_json(Hardware, json.loads(say("--json", driver=DRIVER))) == hardware_of(DRIVER)


def test_a_machine_without_a_gpu_says_why_and_is_not_watched(say: Say) -> None:
    out = say("--watch", driver={"error": "NVML_ERROR_LIB_RM_VERSION_MISMATCH"})
    assert "reboot" in out


@pytest.mark.parametrize(
    ("vendor", "title", "word"),
    [(Vendor.APPLE, "PyTorch", "mps"), (Vendor.AMD, "JAX", "ROCm"), (Vendor.NONE, "CuPy", "numpy")],
)
def test_other_machines_say_what_becomes_of_each_framework(vendor: Vendor, title: str, word: str) -> None:
    text = without_gpu(Hardware(vendor=vendor, reason="There is none."), tuple(Catalogue.load()))
    assert text.startswith("There is none.\n\nFRAMEWORK")
    assert re.search(rf"^{title} .*{word}", text, re.MULTILINE)


def test_nvidias_own_machines_say_nothing_of_others() -> None:
    text = without_gpu(Hardware(vendor=Vendor.NVIDIA, reason="It has no driver."), tuple(Catalogue.load()))
    assert text == "It has no driver.\n"


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon", "1e9"])
def test_a_time_that_is_none_is_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(["gpus", f"--watch={seconds}"])
    assert refused.value.code == 2
    assert "--watch" in capsys.readouterr().err


@contextmanager
def watching(tmp_path: Path, *words: str, **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The command in a process of its own, over a driver in a file; it must end well once it is interrupted."""
    describe(tmp_path, 11)
    environ = {**os.environ, VARIABLE: str(tmp_path / "driver.json"), "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    command = [sys.executable, "-m", "jupyter_gpu_kernels", "gpus", "--watch", "0.1", *words]
    with subprocess.Popen(command, env=environ, **streams) as process:
        try:
            yield process
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def describe(tmp_path: Path, utilization: int) -> None:
    whole = {**DRIVER["gpus"][0], "utilization": utilization}
    (tmp_path / "new.json").write_text(json.dumps({**DRIVER, "gpus": [whole]}))
    (tmp_path / "new.json").replace(tmp_path / "driver.json")


needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")


@needs_signals
def test_readings_go_on_line_by_line_until_ctrl_c(tmp_path: Path) -> None:
    with watching(tmp_path, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = from_json(GpuUsage, json.loads(process.stdout.readline()))
        assert (first.readings[0].utilization, first.readings[0].memory_used) == (11, 5 * GIB)
        describe(tmp_path, 99)
        for line in process.stdout:
            if from_json(GpuUsage, json.loads(line)).readings[0].utilization == 99:
                break
    assert process.stderr is not None


@needs_signals
def test_tables_follow_each_other_where_there_is_no_terminal(tmp_path: Path) -> None:
    with watching(tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, b"")
        assert next(lines).startswith(b"Driver ")
        assert any(line.startswith(b"Driver ") for line in lines)


@needs_signals
def test_a_terminal_is_drawn_anew(tmp_path: Path) -> None:
    leader, follower = os.openpty()
    try:
        with watching(tmp_path, stdout=follower) as process:
            seen = read_until(leader, b"11 %")
            assert b"UUID" not in seen
            describe(tmp_path, 99)
            # The second picture takes the place of the first.
            assert b"\x1b[" in read_until(leader, b"99 %")
        assert process.returncode == 0
    finally:
        os.close(leader)
        os.close(follower)


def read_until(descriptor: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        ready, _, _ = select.select([descriptor], [], [], PATIENCE)
        assert ready, seen
        seen += os.read(descriptor, 4096)
    return seen


def hardware_of(driver: dict[str, Any]) -> Hardware:
    from jupyter_gpu_kernels.hardware.probe import hardware

    return replace(hardware(environ={VARIABLE: json.dumps(driver)}), vendor=Vendor.NVIDIA)
