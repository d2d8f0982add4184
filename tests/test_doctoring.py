"""Asking for a diagnosis and for cures: of the manager, by REST, and on the command line."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from patience import eventually
from scripted import ScriptedManager, ScriptedWorkshop, manifest_of
from tornado.httpclient import HTTPClientError, HTTPResponse
from traitlets.config import Config

from jupyter_gpu_kernels.cli.arguments import parse
from jupyter_gpu_kernels.cli.diagnosing import described
from jupyter_gpu_kernels.cli.exits import Exit
from jupyter_gpu_kernels.cli.run import run
from jupyter_gpu_kernels.diagnosis import checks, remedies
from jupyter_gpu_kernels.diagnosis.check import Check, EnvironmentCheck, MachineCheck, note, problem, warning
from jupyter_gpu_kernels.diagnosis.context import Context
from jupyter_gpu_kernels.errors import ConflictError, InstallError, InvalidInputError, NotFoundError
from jupyter_gpu_kernels.models import (
    Diagnosis,
    Environment,
    EnvironmentSpec,
    Examined,
    Finding,
    JobKind,
    Remedy,
    Severity,
    from_json,
    to_json,
)
from jupyter_gpu_kernels.prefix.layout import Layout
from jupyter_gpu_kernels.serve.doctoring import Doctoring

Fetch = Callable[..., Awaitable[HTTPResponse]]


@dataclass
class Ward:
    """What ails: environments that want a rebuild, kernelspecs that are dead, and a note that can be acted upon.

    Attributes:
        unbuilt: Names of environments that want a rebuild, until they are rebuilt.
        dead: Directories of kernelspecs that offer their removal.
        odd: Names of environments of which something odd can be verified.
        looked: How often the machine was looked at.
        hold: Whether to wait, at the machine, for :attr:`go`.
    """

    unbuilt: set[str] = field(default_factory=set)
    dead: list[Path] = field(default_factory=list)
    odd: set[str] = field(default_factory=set)
    looked: int = 0
    hold: bool = False
    go: threading.Event = field(default_factory=threading.Event)

    def checks(self) -> tuple[Check, ...]:
        return (
            MachineCheck(
                id="dead", title="Dead", look=self._dead, remedies=(remedies.REMOVE_KERNELSPEC,), always=False
            ),
            EnvironmentCheck(id="odd", title="Odd", look=self._odd, remedies=(remedies.VERIFY,)),
            EnvironmentCheck(id="unbuilt", title="Unbuilt", look=self._unbuilt, remedies=(remedies.REBUILD,)),
            MachineCheck(id="undeclared", title="Undeclared", look=self._undeclared),
        )

    def _dead(self, context: Context) -> Iterator[Finding]:
        self.looked += 1
        if self.hold:
            self.go.wait()
        for place in self.dead:
            if place.exists():
                remedy = remedies.remove_kernelspec(place)
                yield warning("A kernel is dead.", cure="Remove it.", evidence=[str(place)], remedy=remedy)

    def _odd(self, context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
        if environment.name in self.odd:
            yield note("It is odd.", cure="Verify it.", remedy=remedies.verify(environment.name))

    def _unbuilt(self, context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
        if environment.name in self.unbuilt:
            yield problem("It is out of date.", cure="Rebuild it.", remedy=remedies.rebuild(environment.name))

    def _undeclared(self, context: Context) -> Iterator[Finding]:
        yield note("It is.", cure="Nothing.", remedy=remedies.remove_environment("tf"))


class HealingWorkshop(ScriptedWorkshop):
    """A rebuild heals."""

    def __init__(self, ward: Ward) -> None:
        super().__init__()
        self.ward = ward

    async def rebuild(self, name: str, **options: Any) -> Any:
        built = await super().rebuild(name, **options)
        self.ward.unbuilt.discard(name)
        return built


@pytest.fixture
def ward() -> Ward:
    return Ward()


@pytest.fixture
def workshop(ward: Ward) -> HealingWorkshop:
    workshop = HealingWorkshop(ward)
    for name in ("tf", "jax"):
        workshop.built[name] = manifest_of(EnvironmentSpec(name=name, framework="tensorflow"))
    return workshop


@pytest.fixture
def manager_class(ward: Ward, workshop: HealingWorkshop) -> type[ScriptedManager]:
    class Manager(ScriptedManager):
        def _workshop_default(self) -> ScriptedWorkshop:
            return workshop

        def _doctoring_default(self) -> Doctoring:
            return Doctoring(self, self, ward.checks())

    return Manager


@pytest.fixture
def manager(manager_class: type[ScriptedManager]) -> ScriptedManager:
    return manager_class()


@pytest.fixture
def dead(ward: Ward, jp_data_dir: Path) -> Path:
    """A kernelspec that is to be removed."""
    place = jp_data_dir / "kernels" / "dead"
    place.mkdir(parents=True)
    (place / "kernel.json").write_text('{"argv": ["/nowhere/python"], "display_name": "Dead", "language": "python"}')
    ward.dead.append(place)
    return place


def found_by(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    return [(finding.check, finding.subject) for finding in diagnosis.findings if finding.check != "undeclared"]


async def test_all_environments_are_looked_at_or_the_one_that_was_asked_for(
    manager: ScriptedManager, ward: Ward, dead: Path
) -> None:
    ward.unbuilt = {"tf", "jax"}
    found = await manager.diagnose()
    assert found_by(found) == [("unbuilt", "jax"), ("unbuilt", "tf"), ("dead", "")]
    one = await manager.diagnose("tf")
    assert (one.subject, found_by(one)) == ("tf", [("unbuilt", "tf")])
    with pytest.raises(NotFoundError, match="no environment named 'nothing'"):
        await manager.diagnose("nothing")


async def test_those_who_ask_meanwhile_get_the_same_answer(manager: ScriptedManager, ward: Ward) -> None:
    ward.hold = True
    first = asyncio.ensure_future(manager.diagnose())
    others = [asyncio.ensure_future(manager.diagnose()) for _ in range(3)]
    leaving = asyncio.ensure_future(manager.diagnose())
    await asyncio.sleep(0)
    leaving.cancel()
    ward.go.set()
    answers = await asyncio.gather(first, *others)
    assert all(answer is answers[0] for answer in answers)
    assert ward.looked == 1
    await manager.diagnose()
    assert ward.looked == 2


async def test_a_remedy_that_takes_long_is_a_job(
    manager: ScriptedManager, ward: Ward, workshop: HealingWorkshop
) -> None:
    ward.unbuilt = {"tf"}
    job = await manager.doctoring.apply(remedies.rebuild("tf"))
    assert (job.kind, job.name) == (JobKind.REBUILD, "tf")
    await manager.runner.wait(job.id)
    assert "rebuild tf" in workshop.called
    assert found_by(await manager.diagnose()) == []


async def test_a_remedy_that_is_done_at_once_is_seen_in_the_answer(manager: ScriptedManager, dead: Path) -> None:
    assert found_by(await manager.diagnose()) == [("dead", "")]
    assert found_by(await manager.apply(remedies.remove_kernelspec(dead))) == []
    assert not dead.exists()


async def test_only_what_is_offered_now_is_done(
    manager: ScriptedManager, ward: Ward, workshop: HealingWorkshop, dead: Path, jp_data_dir: Path
) -> None:
    ward.unbuilt = {"tf"}
    sound = jp_data_dir / "kernels" / "sound"
    sound.mkdir()
    (sound / "kernel.json").write_text("{}")
    forged = [
        remedies.rebuild("jax"),
        remedies.verify("tf"),
        remedies.rebuild("../tf"),
        remedies.remove_kernelspec(sound),
        remedies.remove_kernelspec(dead / ".." / "sound"),
        remedies.remove_kernelspec(jp_data_dir),
        remedies.adopt_kernelspec(dead),
        remedies.end_process("1@1.00", "init"),
        remedies.sweep(jp_data_dir),
        # Found, but its check does not say that it offers such a thing.
        remedies.remove_environment("tf"),
    ]
    for remedy in forged:
        with pytest.raises(ConflictError, match="Nothing that is found now is cured by"):
            await manager.apply(remedy)
    with pytest.raises(InvalidInputError, match="There is no remedy 'rm -rf'"):
        await manager.apply(Remedy(id="rm -rf", subject="/", label=""))
    assert workshop.called == []
    assert sound.exists()
    assert dead.exists()
    # What is offered is offered once.
    await manager.apply(remedies.remove_kernelspec(dead))
    with pytest.raises(ConflictError):
        await manager.apply(remedies.remove_kernelspec(dead))


async def test_every_remedy_of_the_table_is_known(manager_class: type[ScriptedManager]) -> None:
    doctoring = Doctoring(manager_class(), manager_class())
    offered = {remedy for check in checks.CHECKS for remedy in check.remedies}
    assert offered <= {*doctoring._jobs, *doctoring._deeds}
    assert set(doctoring._jobs) == remedies.JOBS


def test_a_server_that_starts_loads_no_checks() -> None:
    program = (
        "import sys, jupyter_gpu_kernels.serve.app, jupyter_gpu_kernels.serve.handlers.routes\n"
        "from jupyter_gpu_kernels.serve.manager import GpuKernelsManager\n"
        "GpuKernelsManager()\n"
        "print([name for name in sys.modules if name.startswith('jupyter_gpu_kernels.diagnosis')])"
    )
    found = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert found.stdout == "[]\n"


# By REST.


@pytest.fixture
def jp_server_config(jp_server_config: Config, manager_class: type[ScriptedManager]) -> Config:
    jp_server_config.GpuKernelsExtension.manager_class = manager_class
    return jp_server_config


@pytest.fixture
def fetch(jp_fetch: Fetch, jp_serverapp: ServerApp) -> Fetch:
    async def call(method: str = "GET", body: Any = None, **params: str) -> HTTPResponse:
        text = None if body is None else json.dumps(to_json(body))
        return await jp_fetch("jupyter-gpu-kernels", "diagnosis", method=method, body=text, params=params)

    return call


def diagnosis_of(response: HTTPResponse) -> Diagnosis:
    return from_json(Diagnosis, json.loads(response.body))


async def test_rest_diagnoses_and_applies(fetch: Fetch, ward: Ward, workshop: HealingWorkshop, dead: Path) -> None:
    ward.unbuilt = {"tf"}
    found = diagnosis_of(await fetch())
    assert found_by(found) == [("unbuilt", "tf"), ("dead", "")]
    assert found_by(diagnosis_of(await fetch(environment="tf"))) == [("unbuilt", "tf")]
    remedy = found.findings[1].remedy
    assert remedy is not None
    assert found_by(diagnosis_of(await fetch("POST", remedy))) == [("unbuilt", "tf")]
    assert not dead.exists()
    await fetch("POST", remedies.rebuild("tf"))
    await eventually(lambda: "rebuild tf" in workshop.called)


@pytest.mark.parametrize(
    ("remedy", "status"),
    [
        (remedies.rebuild("jax"), 409),
        (remedies.remove_kernelspec(Path("/etc")), 409),
        (Remedy(id="format", subject="/dev/sda", label=""), 400),
    ],
)
async def test_rest_refuses_what_is_not_offered(fetch: Fetch, remedy: Remedy, status: int) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await fetch("POST", remedy)
    assert caught.value.code == status


async def test_rest_knows_no_environment_of_that_name(fetch: Fetch) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await fetch(environment="nothing")
    assert caught.value.code == 404


# On the command line.


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Result:
    code: int
    out: str
    err: str


Call = Callable[..., Result]


@pytest.fixture
def call(manager_class: type[ScriptedManager], capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*words: str) -> Result:
        code = run(*parse(words), manager_class=manager_class)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


def test_a_finding_is_read_from_the_sentence_to_the_cure() -> None:
    first = Finding(
        check="a",
        severity=Severity.PROBLEM,
        subject="tf",
        sentence="It fails.",
        evidence=("One.", "Two."),
        cure="Mend it.",
        remedy=remedies.rebuild("tf"),
        link="https://a.example",
    )
    second = Finding(check="b", severity=Severity.NOTE, subject="jax", sentence="jax is odd.", cure="Nothing.")
    examined = (
        Examined(check="a", title="A", findings=1),
        Examined(check="b", title="B", findings=1),
        Examined(check="c", title="C", skipped="It cannot be seen."),
    )
    assert described(Diagnosis(taken="", findings=(first, second), examined=examined)) == (
        "Problem (tf): It fails.\n"
        "    One.\n"
        "    Two.\n"
        "  Mend it.\n"
        "  To have it done: jupyter gpu-kernels diagnose --fix a\n"
        "  See https://a.example\n"
        "\n"
        "Note: jax is odd.\n"
        "  Nothing.\n"
        "\n"
        "2 checks made: 1 problem, 1 note.\n"
        "Not looked at: C (c). It cannot be seen.\n"
    )
    assert described(Diagnosis(taken="", examined=examined[:2])) == "2 checks made: nothing is wrong.\n"


def test_the_exit_code_tells_whether_something_does_not_work(call: Call, ward: Ward, dead: Path) -> None:
    result = call("diagnose")
    assert (result.code, result.err) == (Exit.DONE, "")
    assert "A kernel is dead." in result.out
    ward.unbuilt = {"tf"}
    result = call("diagnose")
    assert result.code == Exit.FAILED
    assert result.out.startswith("Problem (tf): It is out of date.\n")
    assert call("diagnose", "jax").code == Exit.DONE
    assert call("diagnose", "nothing").code == Exit.NOT_FOUND


def test_json_is_the_model(call: Call, ward: Ward) -> None:
    ward.unbuilt = {"tf"}
    result = call("diagnose", "tf", "--json")
    assert found_by(from_json(Diagnosis, json.loads(result.out))) == [("unbuilt", "tf")]
    assert (result.code, result.err) == (Exit.FAILED, "")


def test_fix_cures_what_is_more_than_a_note_and_looks_again(
    call: Call, ward: Ward, workshop: HealingWorkshop, dead: Path
) -> None:
    ward.unbuilt, ward.odd = {"tf"}, {"jax"}
    result = call("diagnose", "--fix", "--yes")
    assert result.code == Exit.DONE
    assert [done for done in workshop.called if done in ("rebuild tf", "verify jax")] == ["rebuild tf"]
    assert not dead.exists()
    assert "Rebuild: tf: done.\n" in result.err
    assert f"Remove the kernel: {dead}: done.\n" in result.err
    assert "out of date" not in result.out
    # A note is acted upon where its check is named.
    result = call("diagnose", "jax", "--fix", "odd")
    assert "verify jax" in workshop.called


@pytest.fixture(autouse=True)
def checks_of_the_command_line(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be named after ``--fix``."""
    monkeypatch.setattr(checks, "CHECKS", (*checks.CHECKS, *ward.checks()))


def test_what_cannot_be_undone_is_asked_before(
    call: Call, ward: Ward, dead: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = call("diagnose", "--fix", "dead")
    assert "not done, as it has to be confirmed. Add --yes" in result.err
    assert dead.exists()
    for words, left in (("n\n", True), ("\n", True), ("y\n", False)):
        stdin, stderr = Terminal(words), Terminal()
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stderr", stderr)
        call("diagnose", "--fix", "dead")
        assert f"Remove the kernel dead ({dead})? Notebooks and environments stay. [y/N]" in stderr.getvalue()
        assert dead.exists() is left


@pytest.mark.parametrize(
    ("check", "words"), [("nothing", "There is no check 'nothing'"), ("foreign-cuda", "can be cured here")]
)
def test_a_check_that_cures_nothing_is_refused(call: Call, workshop: HealingWorkshop, check: str, words: str) -> None:
    result = call("diagnose", "--fix", check)
    assert (result.code, result.out) == (Exit.USAGE, "")
    assert words in result.err
    assert "driver-too-old" in result.err


def test_a_cure_that_fails_hinders_no_other(call: Call, ward: Ward, workshop: HealingWorkshop, dead: Path) -> None:
    ward.unbuilt = {"tf"}
    workshop.failure = InstallError("The disk is full.", cure="Make room.")
    result = call("diagnose", "--fix", "--yes")
    assert result.code == Exit.FAILED
    assert "The disk is full." in result.err
    assert not dead.exists()
    assert "Problem (tf): It is out of date." in result.out


def test_where_nothing_can_be_cured_it_is_said(call: Call) -> None:
    result = call("diagnose", "--fix")
    assert (result.code, result.err) == (Exit.DONE, "There is nothing that can be cured here.\n")
