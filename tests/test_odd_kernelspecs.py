"""Kernelspecs that are no files, not JSON, not what anybody expects, or written to do harm."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from doctoring import examine, look, make_context
from jupyter_core.paths import jupyter_data_dir
from two_cudas import write_kernel

from jupyter_gpu_kernels.build.kernelspec.kernel_json import KEY, PROVISIONER
from jupyter_gpu_kernels.build.kernelspec.registry import Registry, read
from jupyter_gpu_kernels.diagnosis.check import MachineCheck, note
from jupyter_gpu_kernels.diagnosis.checks import CHECKS
from jupyter_gpu_kernels.diagnosis.context import Context
from jupyter_gpu_kernels.diagnosis.doctor import Doctor
from jupyter_gpu_kernels.diagnosis.remedies import remove_kernelspec
from jupyter_gpu_kernels.hardware.threads import within
from jupyter_gpu_kernels.models import Diagnosis, Finding, to_json

RUNS = sys.executable

ODD: dict[str, object] = {
    "number": 5,
    "nothing": None,
    "list": [],
    "empty": {},
    "argv-number": {"argv": 5},
    "argv-odd": {"argv": [None, 1, {}]},
    "numbers": {"argv": [RUNS], "display_name": 5, "metadata": 5, "env": 5, "language": []},
    "lists": {"argv": [RUNS], "display_name": {"a": 1}, "metadata": [1], "env": [1]},
    "nul": {"argv": ["/usr/bin/py\0thon3", "-m", "ipykernel_launcher"], "display_name": "nul\0"},
    "surrogate": {"argv": ["a\ud800b"], "display_name": "half \ud800", "language": "python"},
    "provisioner": {"argv": [RUNS], "metadata": {"kernel_provisioner": {"provisioner_name": 7}}},
    "variables": {"argv": [RUNS], "env": {"PATH": "/a\0b", "CUDA_HOME": "/" + "x" * 5000, "XLA_FLAGS": None}},
    "long": {"argv": ["/" + "x" * 5000], "metadata": {KEY: {"prefix": "/" + "y" * 5000}}},
    "prefix-nul": {"argv": [RUNS], "metadata": {KEY: {"prefix": "/a\0b"}}},
    "prefix-list": {"argv": [RUNS], "metadata": {KEY: {"prefix": ["x"]}}},
    "adopted": {
        "argv": ["python3", "-m", "ipykernel_launcher"],
        "metadata": {"kernel_provisioner": {"provisioner_name": PROVISIONER}, "jupyter_gpu_kernels_adopted": 7},
    },
    "encrypted": {"argv": [RUNS], "metadata": {"supported_encryption": {"curve": 1}}},
}

DAMAGED: dict[str, bytes] = {
    "not-utf-8": b'{"argv": ["/nope/\xff"]}',
    "never-closed": b"[" * 200_000,
    "deep": b'{"argv":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.fixture
def user() -> Path:
    """Where the user's kernels are."""
    return Path(jupyter_data_dir()) / "kernels"


def _run(doctor: Doctor, context: Context) -> Diagnosis:
    return asyncio.run(doctor.examine(context))


def place(user: Path, name: str) -> Path:
    """An empty directory of a kernelspec."""
    folder = user / name
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def odd(user: Path) -> Path:
    """The kernels' directory with everything odd in it."""
    for name, content in ODD.items():
        (place(user, name) / "kernel.json").write_text(json.dumps(content))
    for name, data in DAMAGED.items():
        (place(user, name) / "kernel.json").write_bytes(data)
    (place(user, "zero") / "kernel.json").symlink_to("/dev/zero")
    (place(user, "memory") / "kernel.json").symlink_to("/proc/self/mem")
    (place(user, "loop") / "kernel.json").symlink_to("kernel.json")
    (place(user, "folder") / "kernel.json").mkdir()
    os.mkfifo(place(user, "pipe") / "kernel.json")
    return user


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="devices and pipes of Linux")
async def test_a_pipe_or_a_device_in_the_place_of_a_kernelspec_holds_nobody_up(odd: Path) -> None:
    assert await within(30, Registry()) == {"/" + "y" * 5000: str(odd / "long"), "/a\0b": str(odd / "prefix-nul")} | {
        "['x']": str(odd / "prefix-list")
    }
    for name in ("zero", "memory", "loop", "folder", "pipe", *DAMAGED):
        assert await within(30, lambda name=name: read(odd / name)) == {}, name  # type: ignore[misc]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="devices and pipes of Linux")
@pytest.mark.parametrize("check", [check.id for check in CHECKS if ".kernelspecs." in check.look.__module__])
def test_odd_kernelspecs_hide_nothing_from_the_doctor(check: str, odd: Path, tmp_path: Path) -> None:
    diagnosis = examine(check, make_context(tmp_path, kernel_dirs=(odd,)))
    assert [item.skipped for item in diagnosis.examined] == [""]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="devices and pipes of Linux")
def test_a_dead_kernel_is_found_among_odd_ones(odd: Path, tmp_path: Path) -> None:
    write_kernel(odd, "absent", Path("no-such-program"), provisioner=False)
    found = {finding.subject: finding.sentence for finding in look_at_dead(odd, tmp_path)}
    assert found["absent"] == "The kernel 'absent' cannot start: there is no program no-such-program on the PATH."
    assert found["nul"].endswith("/usr/bin/py?thon3 is gone.")
    assert {"never-closed", "deep", "not-utf-8"} <= found.keys()
    assert not {"numbers", "lists", "provisioner", "variables", "encrypted"} & found.keys()


def look_at_dead(folder: Path, tmp_path: Path) -> tuple[Finding, ...]:
    return look("dead-kernelspec", make_context(tmp_path, kernel_dirs=(folder,)))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may look everywhere")
def test_what_one_may_not_look_into_is_not_gone(user: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    write_kernel(user, "theirs", private / "bin" / "python", provisioner=False)
    write_kernel(private, "hidden", Path("no-such-program"), provisioner=False)
    private.chmod(0)
    try:
        (finding,) = look("dead-kernelspec", make_context(tmp_path, kernel_dirs=(private, user)))
    finally:
        private.chmod(0o755)
    assert finding.sentence == f"The kernel 'theirs' cannot start: {private / 'bin' / 'python'} cannot be run."


def test_what_a_finding_quotes_is_one_line_that_no_terminal_obeys(tmp_path: Path) -> None:
    evil = "a\x1b[2J\r\nProblem: \u202eb\ud800"
    shown = r"a\x1b[2J\r\nProblem: \u202eb\ud800"
    odd = tmp_path / evil.replace("\ud800", "")

    def look_around(context: Context) -> list[Finding]:
        return [note(evil, cure=evil, evidence=[evil, "x" * 5000], subject=evil, remedy=remove_kernelspec(odd))]

    def fail(context: Context) -> list[Finding]:
        raise OSError(evil)

    checks = [MachineCheck(id="evil", title="Evil", look=look_around), MachineCheck(id="bad", title="Bad", look=fail)]
    diagnosis = _run(Doctor(checks), make_context(tmp_path))
    (finding,) = diagnosis.findings
    assert (finding.sentence, finding.cure, finding.subject, finding.evidence[0]) == (shown, shown, shown, shown)
    assert finding.evidence[1] == "x" * 1000 + "…"
    assert finding.remedy is not None
    # Cured is what was found, whatever its name.
    assert finding.remedy.subject == str(odd)
    assert "\x1b" not in finding.remedy.question
    assert shown in diagnosis.examined[1].skipped


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names that are not text")
def test_a_directory_whose_name_is_not_text_can_be_told_of(user: Path, tmp_path: Path) -> None:
    write_kernel(user, os.fsdecode(b"caf\xe9"), Path("/gone/python"), provisioner=False, display_name="Old")
    (finding,) = look_at_dead(user, tmp_path)
    # Nobody could ask for it by that name: JSON has none for it.
    assert finding.remedy is None
    assert r"caf\udce9" in finding.evidence[0]
    assert msgspec.json.encode(to_json(finding))


def test_a_diagnosis_can_be_shown_to_others(user: Path, tmp_path: Path) -> None:
    variables = {"API_KEY": "hush-1", "LIBRARIES": "${NOWHERE}/lib"}
    write_kernel(user, "secretive", Path(RUNS), provisioner=False, env=variables)
    (finding,) = look("frozen-variables", make_context(tmp_path, kernel_dirs=(user,)))
    assert finding.evidence == (f"{user / 'secretive' / 'kernel.json'} has LIBRARIES=${{NOWHERE}}/lib",)
    write_kernel(user, "url", Path("/gone/python"), provisioner=False, display_name="https://me:hush-2@host/")
    (finding,) = look_at_dead(user, tmp_path)
    assert "https://***@host" in finding.sentence
    assert "hush" not in str(finding)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes")
def test_programs_of_wherever_one_is_are_not_asked_and_pipes_not_waited_for(
    user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_kernel(user, "mine", Path(sys.executable))
    (tmp_path / "near").mkdir()
    (tmp_path / "pipes").mkdir()
    os.mkfifo(tmp_path / "pipes" / "jupyter-lab")
    python, run = tmp_path / "near" / "python", tmp_path / "near" / "was-run"
    python.write_text(f"#!/bin/sh\ntouch '{run}'\nexit 3\n")
    python.chmod(0o755)
    (tmp_path / "near" / "jupyter-lab").write_text(f"#!{python}\n")
    monkeypatch.chdir(tmp_path)
    context = make_context(tmp_path, kernel_dirs=(user,), environ={"PATH": f"near:.:{tmp_path / 'pipes'}"})
    assert look("provisioner-missing-elsewhere", context) == ()
    assert not run.exists()
    named = make_context(tmp_path, kernel_dirs=(user,), environ={"PATH": str(tmp_path / "near")})
    assert len(look("provisioner-missing-elsewhere", named)) == 1


def test_words_of_other_scripts_are_left_alone(tmp_path: Path) -> None:
    words = "Größe, 日本語, \u0641\u0627\u0631\u0633\u06cc\u200c\u0647\u0627, 👩‍🔬"

    def look_around(context: Context) -> list[Finding]:
        return [note(words, cure=words)]

    diagnosis = _run(Doctor([MachineCheck(id="a", title="A", look=look_around)]), make_context(tmp_path))
    assert diagnosis.findings[0].sentence == words


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_terminal_that_has_not_all_characters_is_told_all_the_same(options: list[str], user: Path) -> None:
    write_kernel(user, "omega", Path("/gone/Ω"), provisioner=False, display_name="Ω 🙂")
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_gpu_kernels", "diagnose", *options],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert b"Traceback" not in done.stderr
    said = done.stdout.decode("ascii")
    if options:
        assert any("Ω 🙂" in finding["sentence"] for finding in json.loads(said)["findings"])
    else:
        assert r"'\u03a9 \U0001f642'" in said
