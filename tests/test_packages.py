"""Packages of environments over REST and on the command line, with an editor that builds nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from jupyter_server.serverapp import ServerApp
from scripted import ScriptedManager, ScriptedWorkshop, manifest_of, plan_of
from test_cli import Call, Terminal, call, workshop
from test_handlers import Fetch, failing, fetch, job_of, jp_server_config, manager

from jupyter_gpu_kernels.build.reporting import BuildReporter
from jupyter_gpu_kernels.errors import NotFoundError, RefusedError, SolveError
from jupyter_gpu_kernels.models import (
    EditPlan,
    EnvironmentSpec,
    InstalledPackage,
    JobKind,
    Manifest,
    PackageDifference,
    PackageEdit,
    PackageOrigin,
    Refusal,
    Stage,
)
from jupyter_gpu_kernels.serve.kernels import RunningKernel
from jupyter_gpu_kernels.serve.packages import EnvironmentPackages

__all__ = ["call", "fetch", "jp_server_config", "manager", "workshop"]

SPEC = EnvironmentSpec(name="old", framework="tensorflow")
PRESENT = (
    InstalledPackage(name="numpy", version="2.1.0", build="py312_0", source="conda-forge", size=21_000_000),
    InstalledPackage(
        name="rich", version="13.0", source="pypi", stage=Stage.WHEELS, origin=PackageOrigin.OUTSIDE, size=0
    ),
)
DIFFERENCES = (
    PackageDifference(name="numpy", stage=Stage.LINK, before="2.1.0", after="2.2.0", size=8_000_000),
    PackageDifference(name="rich", stage=Stage.WHEELS, before="13.0"),
    PackageDifference(name="six", stage=Stage.LINK, after="1.17.0"),
)


class ScriptedEditor:
    """Obeys build/editing/editor.py, remembers what it was asked, and would change what it is told to."""

    def __init__(self) -> None:
        self.called: list[tuple[str, PackageEdit]] = []
        self.differences = DIFFERENCES
        self.refusal: RefusedError | None = None
        self.failure: Exception | None = None

    def packages(self, name: str) -> tuple[InstalledPackage, ...]:
        self._look(name)
        return PRESENT

    def check(self, name: str, edit: PackageEdit) -> None:
        self._look(name)
        if self.refusal:
            raise self.refusal

    async def plan(self, name: str, edit: PackageEdit) -> EditPlan:
        self._look(name)
        self.called.append(("plan", edit))
        refusal = self.refusal and Refusal(reason=self.refusal.message, cure=self.refusal.cure)
        plan = replace(plan_of(SPEC, refusal or None), warnings=("Read this.",))
        return EditPlan(plan=plan, differences=() if refusal else self.differences)

    async def edit(self, name: str, edit: PackageEdit, *, reporter: BuildReporter) -> tuple[Manifest, bool]:
        self.called.append(("edit", edit))
        if self.failure:
            raise self.failure
        return manifest_of(SPEC), bool(self.differences)

    def _look(self, name: str) -> None:
        if name != "old":
            msg = f"There is no environment {name!r}."
            raise NotFoundError(msg, cure="Look at the list.")


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> ScriptedEditor:
    editor = ScriptedEditor()
    monkeypatch.setattr(EnvironmentPackages, "_editor", lambda packages: editor)
    return editor


async def test_packages_are_listed_previewed_and_changed_over_http(fetch: Fetch, editor: ScriptedEditor) -> None:
    listed = json.loads((await fetch("environments/old/packages")).body)
    assert [(item["name"], item["origin"], item["stage"]) for item in listed] == [
        ("numpy", "dependency", "link"),
        ("rich", "outside", "wheels"),
    ]
    edit = {"install": ["six"], "uninstall": ["rich"]}
    preview = json.loads((await fetch("environments/old/packages/plan", "POST", edit)).body)
    assert [(item["name"], item["before"], item["after"]) for item in preview["differences"]] == [
        ("numpy", "2.1.0", "2.2.0"),
        ("rich", "13.0", None),
        ("six", None, "1.17.0"),
    ]
    response = await fetch("environments/old/packages", "POST", edit)
    job = job_of(response)
    wanted = PackageEdit(install=("six",), uninstall=("rich",))
    assert (response.code, job.kind, job.name, job.edit) == (202, JobKind.EDIT, "old", wanted)
    assert response.headers["Location"].endswith(f"/jobs/{job.id}")


async def test_what_cannot_be_changed_is_refused_over_http(fetch: Fetch, editor: ScriptedEditor) -> None:
    editor.refusal = RefusedError("pip is part of every kernel, and stays.", cure="Leave it.")
    preview = json.loads((await fetch("environments/old/packages/plan", "POST", {"uninstall": ["pip"]})).body)
    assert preview["plan"]["refusal"]["reason"] == editor.refusal.message
    status, error = await failing(fetch("environments/old/packages", "POST", {"uninstall": ["pip"]}))
    assert (status, error["code"]) == (422, "refused")
    for path in ("environments/new/packages", "environments/-x/packages"):
        status, error = await failing(fetch(path))
        assert (status, error["code"]) in ((404, "not_found"), (400, "invalid_name"))
    for body in ("[]", '{"instal": ["six"]}', '{"install": "six"}', '{"update_all": "yes"}'):
        status, error = await failing(fetch("environments/old/packages/plan", "POST", body))
        assert (status, error["code"]) == (400, "invalid_input")


async def test_running_kernels_start_anew_only_where_something_was_built(
    jp_serverapp: ServerApp, manager: ScriptedManager, editor: ScriptedEditor
) -> None:
    class Kernels:
        def of(self, kernel_name: str, prefix: str) -> tuple[RunningKernel, ...]:
            return (RunningKernel("k1", 1),)

    manager.kernels = Kernels()

    async def edited() -> tuple[str, ...]:
        job = await manager.packages.edit("old", PackageEdit(install=("six",)))
        await manager.runner.wait(job.id)
        return (await manager.environments())[0].restart_needed

    editor.differences = ()
    assert await edited() == ()
    editor.differences = DIFFERENCES
    assert await edited() == ("k1",)


@pytest.fixture
def old(workshop: ScriptedWorkshop) -> None:
    workshop.built["old"] = manifest_of(SPEC)


@pytest.mark.usefixtures("old")
def test_the_commands_show_ask_and_follow(call: Call, editor: ScriptedEditor, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = call("packages", "old")
    assert "rich   13.0              pypi         added from outside" in listed.out
    assert [item["name"] for item in json.loads(call("packages", "old", "--json").out)] == ["numpy", "rich"]

    shown = call("install", "old", "--pip", "gauge", "--dry-run", "six")
    wanted = PackageEdit(install=("six",), pip=("gauge",))
    assert (shown.code, editor.called) == (0, [("plan", wanted)])
    assert "numpy         2.1.0   2.2.0   8.0 MB" in shown.out
    assert "-  rich (wheel)  13.0" in shown.out
    assert "8.0 MB to download\nNote: Read this.\n" in shown.out

    # Nobody can be asked, then somebody says no, and yes.
    assert call("uninstall", "old", "rich").code == 2
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert call("uninstall", "old", "rich").code == 130
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert "old is changed" in call("uninstall", "old", "rich").out
    assert editor.called[-1] == ("edit", PackageEdit(uninstall=("rich",)))
    assert call("update", "old", "--all", "--yes").code == 0
    assert editor.called[-1] == ("edit", PackageEdit(update_all=True))

    editor.differences = ()
    assert "Nothing would change in old." in call("update", "old", "six", "--dry-run").out
    assert "Nothing had to change in old." in call("update", "old", "six").out


@pytest.mark.usefixtures("old")
def test_the_commands_fail_with_a_sentence_and_a_code(call: Call, editor: ScriptedEditor) -> None:
    for words in (("install", "old"), ("update", "old"), ("update", "old", "six", "--all")):
        assert call(*words).code == 2
    editor.failure = SolveError("No such six.", cure="Ask for another.")
    failed = call("install", "old", "six", "--yes")
    assert (failed.code, failed.out) == (1, "")
    assert "No such six." in failed.err
    editor.refusal = RefusedError("pip is part of every kernel, and stays.", cure="Leave it.")
    refused = call("uninstall", "old", "pip", "--yes")
    assert refused.code == 3
    assert "It cannot be changed: pip is part of every kernel" in refused.out
    assert call("packages", "new").code == 4
