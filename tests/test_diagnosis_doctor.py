"""How checks are made: each within its time, none in the way of another, the worst first."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from doctoring import make_context
from scripted import environment_of, manifest_of

from jupyter_gpu_kernels.diagnosis.check import (
    Check,
    EnvironmentCheck,
    MachineCheck,
    NotApplicable,
    note,
    problem,
    warning,
)
from jupyter_gpu_kernels.diagnosis.checks import CHECKS
from jupyter_gpu_kernels.diagnosis.context import Context
from jupyter_gpu_kernels.diagnosis.doctor import Doctor
from jupyter_gpu_kernels.models import Diagnosis, Environment, EnvironmentSpec, Finding, Remedy, Severity
from jupyter_gpu_kernels.prefix.layout import Layout

REMEDY = Remedy(id="rebuild", subject="tf", label="Rebuild")


def noted(context: Context) -> Iterator[Finding]:
    yield note("It is odd.", cure="Nothing.")


def warned(context: Context) -> Iterator[Finding]:
    yield warning("It may fail.", cure="Mind it.", evidence=("a", "b"), link="https://a.example")


def broken(context: Context) -> Iterator[Finding]:
    yield problem("It fails.", cure="Mend it.", remedy=REMEDY)
    yield problem("It fails again.", cure="Mend it.", subject="other")


def each(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    if environment.name != "sound":
        yield warning(f"{layout.prefix} is odd.", cure="Mind it.")


def environment(name: str, **changes: str) -> Environment:
    return replace(environment_of(manifest_of(EnvironmentSpec(name=name))), **changes)


async def examine(context: Context, *checks: Check, limit: float = 60.0) -> Diagnosis:
    return await Doctor(checks, limit=limit).examine(context)


async def test_the_worst_comes_first_then_the_order_of_the_checks(tmp_path: Path) -> None:
    checks = [
        MachineCheck(id="c", title="C", look=noted),
        MachineCheck(id="a", title="A", look=warned),
        MachineCheck(id="b", title="B", look=broken),
        MachineCheck(id="d", title="D", look=noted),
    ]
    found = await examine(make_context(tmp_path), *checks)
    assert [(finding.check, finding.severity) for finding in found.findings] == [
        ("b", Severity.PROBLEM),
        ("b", Severity.PROBLEM),
        ("a", Severity.WARNING),
        ("c", Severity.NOTE),
        ("d", Severity.NOTE),
    ]
    assert found.findings[0].remedy == REMEDY
    assert (found.findings[2].evidence, found.findings[2].link) == (("a", "b"), "https://a.example")
    assert [finding.subject for finding in found.findings] == ["", "other", "", "", ""]
    assert [(item.check, item.title, item.findings, item.skipped) for item in found.examined] == [
        ("c", "C", 1, ""),
        ("a", "A", 1, ""),
        ("b", "B", 2, ""),
        ("d", "D", 1, ""),
    ]
    assert found.taken
    assert found.subject == ""


async def test_environments_are_looked_at_one_by_one_but_for_damaged_ones(tmp_path: Path) -> None:
    names = {"a": "", "sound": "", "b": "", "gone": "Its manifest is damaged."}
    context = make_context(
        tmp_path, environments=tuple(environment(name, damaged=damaged) for name, damaged in names.items())
    )
    found = await examine(context, EnvironmentCheck(id="each", title="Each", look=each))
    assert [(finding.subject, finding.sentence) for finding in found.findings] == [
        ("a", "/nowhere/a is odd."),
        ("b", "/nowhere/b is odd."),
    ]
    assert [(item.findings, item.skipped) for item in found.examined] == [(2, "")]


async def test_a_check_that_fails_hides_no_other(tmp_path: Path) -> None:
    def fails(context: Context) -> Iterator[Finding]:
        yield problem("Half of it.", cure="None.")
        raise OSError(5, "Input/output error")

    def cannot(context: Context) -> Iterator[Finding]:
        msg = "There is no such thing here."
        raise NotApplicable(msg)

    checks = [
        MachineCheck(id="fails", title="Fails", look=fails),
        MachineCheck(id="cannot", title="Cannot", look=cannot),
        MachineCheck(id="noted", title="Noted", look=noted),
    ]
    found = await examine(make_context(tmp_path), *checks)
    assert [finding.check for finding in found.findings] == ["noted"]
    assert [item.skipped for item in found.examined] == [
        "It failed (OSError: [Errno 5] Input/output error).",
        "There is no such thing here.",
        "",
    ]


async def test_what_fails_in_one_environment_is_found_in_the_others(tmp_path: Path) -> None:
    def look(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
        if environment.name == "b":
            msg = "b cannot be read"
            raise OSError(msg)
        yield from each(context, environment, layout)

    context = make_context(tmp_path, environments=(environment("a"), environment("b")))
    found = await examine(context, EnvironmentCheck(id="each", title="Each", look=look))
    assert [finding.subject for finding in found.findings] == ["a"]
    assert found.examined[0].skipped == "It failed (OSError: b cannot be read)."


async def test_a_check_that_hangs_is_given_up(tmp_path: Path) -> None:
    released = threading.Event()

    def hangs(context: Context) -> Iterator[Finding]:
        released.wait()
        yield problem("Too late.", cure="None.")

    checks = [MachineCheck(id="hangs", title="Hangs", look=hangs), MachineCheck(id="noted", title="N", look=noted)]
    try:
        found = await examine(make_context(tmp_path), *checks, limit=3)
    finally:
        released.set()
    assert [item.skipped for item in found.examined] == ["It was given up after 3 seconds.", ""]
    assert [finding.check for finding in found.findings] == ["noted"]


async def test_a_few_checks_are_made_at_a_time(tmp_path: Path) -> None:
    lock, meeting = threading.Lock(), threading.Barrier(3)
    at_work, most = 0, 0

    def look(context: Context) -> Iterator[Finding]:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        # Three at a time, or they would wait for each other in vain.
        meeting.wait(timeout=90)
        with lock:
            at_work -= 1
        yield from ()

    checks = [MachineCheck(id=str(number), title="", look=look) for number in range(6)]
    found = await Doctor(checks, limit=120, at_once=3).examine(make_context(tmp_path))
    assert [item.skipped for item in found.examined] == [""] * 6
    assert most == 3


async def test_some_checks_are_not_made_for_one_environment(tmp_path: Path) -> None:
    checks = [
        MachineCheck(id="machine", title="", look=noted),
        MachineCheck(id="all", title="", look=noted, always=False),
    ]
    context = make_context(tmp_path, environments=(environment("a"),))
    assert [item.check for item in (await examine(context, *checks)).examined] == ["machine", "all"]
    one = await examine(replace(context, subject="a"), *checks)
    assert ([item.check for item in one.examined], one.subject) == (["machine"], "a")


def test_files_of_the_system_are_read_below_the_root(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    assert context.path("/dev/nvidia0") == tmp_path / "dev" / "nvidia0"
    assert context.text("/proc/version") == ""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "version").write_text("Linux")
    assert context.text("/proc/version") == "Linux"


@pytest.mark.parametrize("name", ["tensorflow", "nothing"])
def test_a_framework_that_left_the_catalogue_is_none(tmp_path: Path, name: str) -> None:
    from scripted import ScriptedWorkshop

    context = make_context(tmp_path, frameworks=ScriptedWorkshop().frameworks())
    found = context.framework(name)
    assert (found.id if found else "nothing") == name


def test_the_documentation_has_every_check_and_remedy_and_no_other() -> None:
    text = (Path(__file__).parent.parent / "docs" / "doctor.md").read_text()
    cures, looked, told = (text.partition(f"## {title}")[2] for title in ("Cures", "What it looks at", "The failures"))
    name = re.compile(r"`([a-z]+(?:-[a-z]+)*)`")
    ids = {check.id for check in CHECKS}
    assert ids - set(name.findall(looked.removesuffix(told))) == set()
    # What has a hyphen is meant to be a check.
    assert {word for word in name.findall(looked) if "-" in word} - ids - {"nvidia-smi"} == set()
    assert {remedy for check in CHECKS for remedy in check.remedies} - set(name.findall(cures)) == set()
