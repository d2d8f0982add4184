"""The manager: what is configured, what is refused before there is a job, and what a death leaves to decide."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from scripted import VERIFICATION, ScriptedManager, ScriptedWorkshop, manifest_of

from jupyter_gpu_kernels.errors import (
    BrokenEnvironmentError,
    EnvironmentBusyError,
    InvalidNameError,
    NameTakenError,
    NotFoundError,
    UnknownFrameworkError,
)
from jupyter_gpu_kernels.models import (
    EnvironmentChange,
    EnvironmentSpec,
    Installer,
    Job,
    JobKind,
    JobState,
    Manifest,
    Verification,
    VerificationOutcome,
)
from jupyter_gpu_kernels.serve.jobs import JobResult
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

SPEC = EnvironmentSpec(name="tf", framework="tensorflow")


@pytest.fixture
def manager(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[ScriptedManager]:
    manager = ScriptedManager()
    yield manager
    jp_asyncio_loop.run_until_complete(manager.close(timeout=1))


def test_places_are_jupyter_s_and_the_user_s(
    jp_data_dir: Path, jp_home_dir: Path, jp_config_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    manager = GpuKernelsManager()
    assert manager.state_dir == str(jp_data_dir / "gpu-kernels")
    assert manager.virtualenvs_dir == str(jp_data_dir / "gpu-kernels" / "envs")
    assert manager.conda_envs_dir == str(jp_home_dir / ".conda" / "envs")
    assert manager.catalogue_dirs[:2].count(str(jp_config_dir / "gpu-kernels" / "frameworks")) == 1
    assert not (jp_data_dir / "gpu-kernels").exists(), "looking makes nothing"
    if os.name == "posix" and os.uname().sysname == "Linux":
        assert manager.cache_dir == str(jp_home_dir / ".cache" / "jupyter-gpu-kernels")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert GpuKernelsManager().cache_dir == str(tmp_path / "xdg" / "jupyter-gpu-kernels")
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")
        assert GpuKernelsManager().cache_dir == str(jp_home_dir / ".cache" / "jupyter-gpu-kernels")


def test_conda_s_own_configuration_says_where_environments_go(jp_home_dir: Path, tmp_path: Path) -> None:
    # A file stands where the first directory would have to be made, so it cannot be, whoever we are.
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o400)
    (jp_home_dir / ".condarc").write_text(f"envs_dirs:\n  - {tmp_path / 'file' / 'envs'}\n  - {tmp_path / 'mine'}\n")
    assert GpuKernelsManager().conda_envs_dir == str(tmp_path / "mine")


@pytest.mark.parametrize("trait", ["conda_envs_dir", "virtualenvs_dir", "state_dir", "cache_dir"])
@pytest.mark.parametrize("written", ["~/mine", "mine"])
def test_directories_are_configured_as_a_person_writes_them(
    jp_home_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trait: str, written: str
) -> None:
    monkeypatch.chdir(tmp_path)
    place = str((jp_home_dir if written.startswith("~") else tmp_path) / "mine")
    assert getattr(GpuKernelsManager(**{trait: written}), trait) == place
    assert GpuKernelsManager(catalogue_dirs=[written]).catalogue_dirs == [place]


async def test_the_configured_installer_serves_whoever_asks_for_none(manager: ScriptedManager) -> None:
    manager.default_installer = "pypi"
    job = await manager.create(SPEC)
    assert job.spec is not None
    assert job.spec.installer is Installer.PYPI
    for spec in (replace(SPEC, installer=Installer.CONDA), replace(SPEC, channels=("conda-forge",))):
        assert (await manager.plan(replace(spec, name="b"))).spec.installer is spec.installer


#: Verbs that may be the first to be asked for, with what they take.
VERBS: dict[str, list[object]] = {
    "plan": [SPEC],
    "create": [SPEC],
    "get": ["tf"],
    "environments": [],
    "frameworks": [],
    "logo": ["tensorflow"],
    "check_name": ["tf"],
    "suggest_name": ["tensorflow"],
    "usage": ["tf"],
    "notebook": ["tf"],
    "keep_benchmark": ["tf", {}],
    "change": ["tf", EnvironmentChange(display_name="Mine")],
    "hardware": [],
    "recover": [],
}


async def test_the_workshop_is_never_made_on_the_event_loop() -> None:
    made: list[int] = []

    class Manager(ScriptedManager):
        def _workshop_default(self) -> ScriptedWorkshop:
            made.append(threading.get_ident())
            return super()._workshop_default()

    for verb, arguments in VERBS.items():
        manager = Manager()
        with contextlib.suppress(NotFoundError):
            await getattr(manager, verb)(*arguments)
        await manager.close(timeout=1)
    assert len(made) == len(VERBS)
    assert threading.get_ident() not in made


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (replace(SPEC, name="../x"), InvalidNameError),
        (replace(SPEC, framework="nonsense"), UnknownFrameworkError),
        (replace(SPEC, name="OLD"), NameTakenError),
    ],
)
async def test_what_cannot_be_is_refused_before_there_is_a_job(
    manager: ScriptedManager, spec: EnvironmentSpec, error: type[Exception]
) -> None:
    manager.workshop.built["old"] = manifest_of(replace(SPEC, name="old"))
    with pytest.raises(error):
        await manager.create(spec)
    assert await manager.jobs() == ()
    assert manager.workshop.called == []


async def test_names_are_checked_before_they_become_paths(manager: ScriptedManager) -> None:
    asked: list[str] = []
    renamed = functools.partial(manager.change, change=EnvironmentChange(display_name="x"))
    manager.workshop.manifest = asked.append  # type: ignore[assignment, method-assign]
    manager.workshop.usage = asked.append  # type: ignore[assignment, method-assign]
    checked = (manager.get, manager.usage, manager.verify, manager.rebuild, manager.benchmark, manager.remove, renamed)
    for verb in checked:
        with pytest.raises(InvalidNameError):
            await verb("../../etc")
    assert asked == []


async def test_a_rebuild_asks_for_what_was_asked_for(manager: ScriptedManager) -> None:
    manager.workshop.built["tf"] = manifest_of(SPEC)
    job = await manager.rebuild("tf")
    assert job.spec == SPEC
    assert (await manager.runner.wait(job.id)).verification == VERIFICATION


async def test_a_damaged_environment_can_be_removed(manager: ScriptedManager, monkeypatch: pytest.MonkeyPatch) -> None:
    manager.workshop.built["tf"] = manifest_of(SPEC)

    def damaged(name: str) -> Manifest:
        msg = "Its manifest is damaged."
        raise BrokenEnvironmentError(msg, cure="Remove it.")

    monkeypatch.setattr(manager.workshop, "manifest", damaged)
    with pytest.raises(BrokenEnvironmentError):
        await manager.get("tf")
    job = await manager.remove("tf")
    assert (await manager.runner.wait(job.id)).state is JobState.SUCCEEDED
    assert manager.workshop.built == {}


async def test_a_verification_that_failed_fails_its_job(
    manager: ScriptedManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def verify(name: str, *, reporter: object) -> Verification:
        return Verification(outcome=VerificationOutcome.FAILED, sentence="It does not import.")

    manager.workshop.built["tf"] = manifest_of(SPEC)
    monkeypatch.setattr(manager.workshop, "verify", verify)
    done = await manager.runner.wait((await manager.verify("tf")).id)
    assert done.error is not None
    assert (done.state, done.error.code) == (JobState.FAILED, "verification_failed")
    assert done.error.message == "It does not import."


async def test_one_verb_at_a_time_on_an_environment(manager: ScriptedManager) -> None:
    manager.workshop.built["tf"] = manifest_of(SPEC)
    manager.workshop.hold = True
    await manager.verify("tf")
    for verb in (manager.verify, manager.rebuild, manager.benchmark, manager.remove):
        with pytest.raises(EnvironmentBusyError):
            await verb("tf")


LONG_AGO, LATER = "2026-11-20T10:00:00.000+00:00", "2026-11-20T11:00:00.000+00:00"


@pytest.mark.parametrize(
    ("kind", "found", "expected"),
    [
        (JobKind.CREATE, None, None),
        (JobKind.CREATE, LATER, JobResult(verification=VERIFICATION)),
        (JobKind.CREATE, LONG_AGO, None),
        (JobKind.REBUILD, LATER, JobResult(verification=VERIFICATION)),
        (JobKind.REBUILD, LONG_AGO, None),
        (JobKind.REMOVE, None, JobResult()),
        (JobKind.REMOVE, LONG_AGO, None),
    ],
)
async def test_after_a_death_only_what_is_missing_is_done_again(
    manager: ScriptedManager, kind: JobKind, found: str | None, expected: JobResult | None
) -> None:
    manager.workshop.recovered = replace(manifest_of(SPEC), created=found) if found else None
    job = Job(id="1", kind=kind, name="tf", spec=SPEC, created="2026-11-20T10:30:00.000+00:00")
    assert await manager.work.recover_after(job) == expected
    assert manager.workshop.called == ["recover tf"]


async def test_what_is_not_there_is_not_found(manager: ScriptedManager) -> None:
    for verb in (manager.get, manager.usage, manager.verify, manager.rebuild, manager.benchmark, manager.remove):
        with pytest.raises(NotFoundError):
            await verb("nothing")


async def test_closing_what_never_worked_starts_nothing(manager: ScriptedManager) -> None:
    await manager.close()
    assert not manager.trait_has_value("runner")
    assert not manager.trait_has_value("workshop")
