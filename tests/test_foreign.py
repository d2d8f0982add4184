"""Environments that were made elsewhere: found without starting anything, adopted, released byte for byte."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import uv
from conftest import Caches
from jupyter_server.serverapp import ServerApp
from manager import Recorder, make_manager
from tornado.httpclient import HTTPClientError, HTTPResponse
from two_cudas import STANZA, printed, running, write_kernel

from jupyter_gpu_kernels.build.adoption.additions import Addition, from_metadata, noted, take_out
from jupyter_gpu_kernels.build.adoption.adoption import Adoption
from jupyter_gpu_kernels.build.adoption.begun import Notes
from jupyter_gpu_kernels.build.adoption.discovery import Foreign, name_of
from jupyter_gpu_kernels.build.adoption.framework import framework_of
from jupyter_gpu_kernels.build.adoption.handover import make
from jupyter_gpu_kernels.build.kernelspec.registry import read
from jupyter_gpu_kernels.build.wheels.adding import add
from jupyter_gpu_kernels.cli import main
from jupyter_gpu_kernels.cli.exits import Exit
from jupyter_gpu_kernels.errors import (
    EnvironmentBusyError,
    InvalidNameError,
    KernelsRunningError,
    NameTakenError,
    NotFoundError,
    RefusedError,
)
from jupyter_gpu_kernels.models import (
    AdoptionRequest,
    EnvironmentKind,
    ForeignEnvironment,
    Job,
    JobState,
    VerificationOutcome,
)
from jupyter_gpu_kernels.prefix.layout import Layout
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

VERSION = ".".join(map(str, sys.version_info[:3]))


@pytest.fixture
def manager(jp_asyncio_loop: asyncio.AbstractEventLoop, caches: Caches) -> Iterator[GpuKernelsManager]:
    made = make_manager("http://127.0.0.1:1/none", caches.root)
    yield made
    jp_asyncio_loop.run_until_complete(made.close(timeout=1))


@pytest.fixture
def kernels(jp_data_dir: Path) -> Path:
    """The user's directory of kernels."""
    folder = jp_data_dir / "kernels"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def project(tmp_path: Path, base_python: Path) -> Path:
    """A virtual environment of a project, which has its own script and no ipykernel."""
    prefix = tmp_path / "My Project" / ".venv"
    subprocess.run([uv.find_uv_bin(), "venv", "-q", "--python", str(base_python), str(prefix)], check=True)
    (prefix / "bin" / "mine").write_text(f"#!{prefix}/bin/python\nprint('mine')\n")
    return prefix


def contents(prefix: Path) -> dict[str, tuple[str, int]]:
    """Everything in an environment but bytecode: hashes and modes, targets of links, and empty directories."""
    found: dict[str, tuple[str, int]] = {}
    for path in sorted(prefix.rglob("*")):
        if "__pycache__" in path.parts:
            continue
        mode = path.lstat().st_mode
        if path.is_symlink():
            found[str(path)] = (str(path.readlink()), 0)
        elif path.is_file():
            found[str(path)] = (hashlib.sha256(path.read_bytes()).hexdigest(), mode)
        else:
            found[str(path)] = ("directory", mode)
    return found


def conda(prefix: Path, *distributions: str) -> Path:
    """What looks like a conda environment with Python 3.12."""
    site = prefix / "lib" / "python3.12" / "site-packages"
    for folder in (
        prefix / "conda-meta",
        prefix / "bin",
        site,
        *(site / f"{name}.dist-info" for name in distributions),
    ):
        folder.mkdir(parents=True, exist_ok=True)
    (prefix / "conda-meta" / "python-3.12.4-h0_0.json").write_text("{}")
    (prefix / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    (prefix / "bin" / "python").chmod(0o755)
    return prefix


def the(found: tuple[ForeignEnvironment, ...], prefix: Path) -> ForeignEnvironment:
    (one,) = [item for item in found if item.prefix == str(prefix)]
    return one


async def finished(manager: GpuKernelsManager, request: AdoptionRequest) -> Job:
    return await manager.runner.wait((await manager.foreign.adopt(request)).id)


async def test_a_virtual_environment_without_ipykernel_is_adopted_and_released_as_it_was(
    manager: GpuKernelsManager, project: Path, kernels: Path, wheel_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel_dir))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    before = contents(project)
    with pytest.raises(RefusedError, match="has no ipykernel") as caught:
        await manager.foreign.adopt(AdoptionRequest(prefix=str(project)))
    assert "--install-ipykernel" in caught.value.cure
    assert contents(project) == before
    job = await finished(manager, AdoptionRequest(prefix=str(project), install_ipykernel=True))
    assert (job.state, job.name, job.source) == (JobState.SUCCEEDED, "my-project", str(project)), job.error
    assert job.verification is not None
    assert job.verification.outcome is VerificationOutcome.VERIFIED, job.verification
    assert "Installed, and taken out again on release: " in await manager.job_log(job.id)
    spec = read(kernels / "my-project")
    assert spec["display_name"] == f"My Project (Python {VERSION.rpartition('.')[0]})"
    assert spec["argv"][0] == str(project / "bin" / "python")
    assert spec["metadata"]["kernel_provisioner"] == STANZA["kernel_provisioner"]
    assert "jupyter_gpu_kernels" not in spec["metadata"], "it is none of ours"
    async with running(kernels, "my-project") as (_, client):
        assert (await printed(client, "import sys; print(sys.prefix)")).strip() == str(project)
        with pytest.raises(KernelsRunningError, match="would be taken out"):
            await manager.foreign.release("my-project")
    found = await manager.foreign.environments()
    adopted = the(found, project)
    assert (adopted.adopted, adopted.kernel_name, adopted.obstacle) == (True, "my-project", "")
    assert adopted.ipykernel is not None
    assert f"ipykernel {adopted.ipykernel}" in adopted.added
    # Only additions: what was there is as it was.
    assert {path: is_ for path, is_ in contents(project).items() if path in before} == before
    assert await manager.environments() == (), "it is in nobody's list of environments"
    # What somebody has changed since stays, and is named.
    layout = Layout.of_prefix(project)
    changed = layout.site_packages()[0] / "comm" / "__init__.py"
    text = changed.read_text()
    changed.write_text("changed = True\n")
    (released,) = await manager.foreign.release(str(project))
    assert [name.split()[0] for name in released.left] == ["comm"]
    assert released.deleted == kernels / "my-project"
    assert list(kernels.iterdir()) == []
    changed.write_text(text)
    info = next(layout.site_packages()[0].glob("comm-*.dist-info"))
    digest = hashlib.sha256((info / "RECORD").read_bytes()).hexdigest()
    take_out(layout, [Addition(metadata=info.relative_to(project).as_posix(), record=digest)])
    assert contents(project) == before
    assert not [path for path in project.rglob("__pycache__") if "site-packages" in path.parts]
    with pytest.raises(NotFoundError, match="no adopted kernel"):
        await manager.foreign.release(str(project))


async def test_an_installation_that_fails_leaves_nothing(
    manager: GpuKernelsManager, project: Path, kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "empty"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    before = contents(project)
    job = await finished(manager, AdoptionRequest(prefix=str(project), install_ipykernel=True))
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.cure
    assert contents(project) == before
    assert list(kernels.iterdir()) == []


async def test_what_an_installer_left_that_was_killed_is_taken_out(
    project: Path, tmp_path: Path, wheel_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel_dir))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    before = contents(project)
    layout, notes = Layout.of_prefix(project), Notes(tmp_path / "notes")
    version = next(wheel_dir.glob("comm-*.whl")).name.split("-")[1]
    notes.begin(layout, [f"comm=={version}"])
    (site,) = layout.site_packages()
    (site / f"comm-{version}.dist-info").mkdir()
    (site / "comm").mkdir()
    (site / "comm" / "__init__.py").write_text("half")
    (project / ".lock").touch()
    await Adoption(tuple, tmp_path / "notes").recover(project, Recorder())
    assert contents(project) == before
    # Nor of one who was killed while he took it out.
    await add(["comm"], layout, Recorder())
    additions = noted(layout, ["comm"])
    (site / "comm" / "__init__.py").unlink()
    assert take_out(layout, additions) == ((f"comm {version}",), ())
    assert contents(project) == before
    assert notes.of(layout) is None


def test_what_another_kernel_needs_is_not_taken_out(tmp_path: Path, kernels: Path) -> None:
    prefix = conda(tmp_path / "mine", "ipykernel-6.29.5")
    layout = Layout.of_prefix(prefix)
    make(layout, "one", "One", (Addition(metadata="lib/python3.12/site-packages/x.dist-info", record="0"),))
    make(layout, "two", "Two")
    adoption = Adoption(tuple, tmp_path / "notes")
    with pytest.raises(RefusedError, match="also needed by the kernel two"):
        adoption.release("one")
    with Notes(tmp_path / "notes").alone(prefix), pytest.raises(EnvironmentBusyError, match="being adopted or rele"):
        adoption.release("two")
    assert len(adoption.release(str(prefix))) == 2
    assert list(kernels.iterdir()) == []


def test_environments_are_found_without_starting_anything(
    tmp_path: Path, kernels: Path, jp_home_dir: Path, project: Path
) -> None:
    listed = conda(tmp_path / "listed")
    with_kernel = conda(tmp_path / "envs" / "with-kernel", "ipykernel-6.29.5")
    conda(tmp_path / "envs" / "without-python").joinpath("bin", "python").unlink()
    ours = conda(tmp_path / "envs" / "ours", "ipykernel-6.29.5") / "share" / "jupyter-gpu-kernels" / "manifest.json"
    ours.parent.mkdir(parents=True)
    ours.write_text("{}")
    conda(tmp_path / "envs" / ".gen" / "half-12345678")
    (tmp_path / "envs" / "no-environment").mkdir()
    places = jp_home_dir / ".conda" / "environments.txt"
    places.parent.mkdir(exist_ok=True)
    places.write_text(f"{listed}\n{listed}/\n{tmp_path}/gone\nrelative\n\n{with_kernel}\n")
    write_kernel(kernels, "wk", with_kernel / "bin" / "python", provisioner=False, display_name="With kernel")
    write_kernel(kernels, "slurm", listed / "bin" / "python", provisioner=False)
    spec = read(kernels / "slurm")
    spec["metadata"] = {"kernel_provisioner": {"provisioner_name": "slurm"}}
    (kernels / "slurm" / "kernel.json").write_text(json.dumps(spec))
    write_kernel(kernels, "project", project / "bin" / "python", provisioner=False)
    write_kernel(kernels, "system", Path("/usr/bin/python3"), provisioner=False)
    found = Foreign([tmp_path / "envs"], (kernels,), {}).all()
    assert [(item.name, item.kind, item.python, item.ipykernel, item.kernel_name) for item in found] == [
        ("listed", EnvironmentKind.CONDA, "3.12.4", None, "slurm"),
        ("My Project", EnvironmentKind.VIRTUALENV, VERSION, None, "project"),
        ("with-kernel", EnvironmentKind.CONDA, "3.12.4", "6.29.5", "wk"),
    ]
    assert [bool(item.obstacle) for item in found] == [True, False, False]
    assert "slurm starts it" in found[0].obstacle
    assert the(found, with_kernel).display_name == "With kernel"
    assert the(found, with_kernel).kernelspec == str(kernels / "wk")


async def test_an_existing_kernelspec_is_taken_and_given_back(
    manager: GpuKernelsManager, tmp_path: Path, kernels: Path
) -> None:
    prefix = conda(tmp_path / "mine", "ipykernel-6.29.5")
    write_kernel(kernels, "mine", prefix / "bin" / "python", provisioner=False, display_name="Mine")
    before = contents(kernels)
    adoption = Adoption(tuple, tmp_path / "notes")
    recorder = Recorder()
    request = AdoptionRequest(prefix=str(prefix), display_name="Other")
    name = adoption.kernel_name(request, manager.workshop.check_free)
    assert name == "mine"
    assert await adoption.adopt(request, name, recorder) == kernels / "mine"
    assert read(kernels / "mine")["display_name"] == "Other"
    assert adoption.environment(prefix).adopted
    (released,) = adoption.release("mine")
    assert (released.found, released.deleted) == (kernels / "mine", None)
    assert contents(kernels) == before
    # Under another name it gets a kernelspec besides, which is gone after the release.
    other = AdoptionRequest(prefix=str(prefix), name="Another")
    assert adoption.kernel_name(other, manager.workshop.check_free) == "another"
    await adoption.adopt(other, "another", recorder)
    assert read(kernels / "another")["display_name"] == "mine (Python 3.12)"
    (released,) = adoption.release(str(prefix))
    assert (released.found, released.deleted) == (None, kernels / "another")
    assert contents(kernels) == before


async def test_what_cannot_be_adopted_is_refused_before_there_is_a_job(
    manager: GpuKernelsManager, tmp_path: Path, kernels: Path
) -> None:
    prefix = conda(tmp_path / "mine", "ipykernel-6.29.5")
    write_kernel(kernels, "taken", Path("/usr/bin/python3"), provisioner=False)
    cases = (
        (AdoptionRequest(prefix=str(tmp_path / "gone")), NotFoundError),
        (AdoptionRequest(prefix="relative"), NotFoundError),
        (AdoptionRequest(prefix=str(tmp_path)), NotFoundError),
        (AdoptionRequest(prefix=f"{prefix}/../mine"), NotFoundError),
        (AdoptionRequest(prefix=f"{prefix}\0"), NotFoundError),
        (AdoptionRequest(prefix=str(prefix), name="taken"), NameTakenError),
        (AdoptionRequest(prefix=str(prefix), name="../evil"), InvalidNameError),
        (AdoptionRequest(prefix=str(prefix), name="python3"), InvalidNameError),
    )
    for request, error in cases:
        with pytest.raises(error):
            await manager.foreign.adopt(request)
    assert await manager.jobs() == ()
    for subject in ("", ".", str(prefix), "taken", "/"):
        with pytest.raises(NotFoundError):
            await manager.foreign.release(subject)
    assert sorted(os.listdir(kernels)) == ["taken"]


def test_names_are_made_of_what_people_call_an_environment(tmp_path: Path, kernels: Path) -> None:
    assert [name_of(Path(path)) for path in ("/p/tool/.venv", "/p/tool/env", "/opt/conda", "/envs/torch")] == [
        "tool",
        "tool",
        "conda",
        "torch",
    ]
    taken: list[str] = []

    def free(name: str) -> None:
        if name in taken:
            msg = "taken"
            raise NameTakenError(msg, cure="another")
        taken.append(name)

    request = AdoptionRequest(prefix=str(conda(tmp_path / "Ümläut & Co.", "ipykernel-7.0.0")))
    adoption = Adoption(tuple, tmp_path / "notes")
    assert [adoption.kernel_name(request, free) for _ in range(3)] == ["ml-ut-co", "ml-ut-co-2", "ml-ut-co-3"]


@pytest.mark.parametrize(
    "kept",
    [
        None,
        7,
        "text",
        [["a"]],
        [["/etc/x.dist-info", "0"]],
        [["../x.dist-info", "0"]],
        [["lib/passwd", "0"]],
        [[1, 2]],
    ],
)
def test_what_somebody_wrote_into_a_kernelspec_takes_nothing_out(kept: object) -> None:
    assert from_metadata(kept) == ()


def test_a_list_of_files_that_leads_out_of_the_environment_is_not_followed(project: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    layout = Layout.of_prefix(project)
    info = layout.site_packages()[0] / "evil-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text(f"{'../' * 20}{str(victim).lstrip('/')},,\n")
    digest = hashlib.sha256((info / "RECORD").read_bytes()).hexdigest()
    addition = Addition(metadata=info.relative_to(project).as_posix(), record=digest)
    assert take_out(layout, [addition]) == ((), ("evil 1.0",))
    assert victim.read_text() == "precious"


def test_the_framework_of_an_environment_is_told_by_its_files(manager: GpuKernelsManager, project: Path) -> None:
    frameworks = tuple(manager.equipment.planner.catalogue)
    assert framework_of(project, frameworks).id == "python"
    (Layout.of_prefix(project).site_packages()[0] / "torch").mkdir()
    assert framework_of(project, frameworks).id == "pytorch"


async def test_over_rest(
    jp_fetch: Callable[..., Awaitable[HTTPResponse]], jp_serverapp: ServerApp, tmp_path: Path, kernels: Path
) -> None:
    served: GpuKernelsManager = jp_serverapp.web_app.settings["gpu_kernels_manager"]
    prefix = conda(tmp_path / "mine", "ipykernel-6.29.5")
    write_kernel(kernels, "mine", prefix / "bin" / "python", provisioner=False)
    before = contents(kernels)
    response = await jp_fetch("jupyter-gpu-kernels", "foreign")
    assert str(prefix) in [item["prefix"] for item in json.loads(response.body)]
    body = json.dumps({"prefix": str(prefix)})
    response = await jp_fetch("jupyter-gpu-kernels", "foreign", method="POST", body=body)
    job = await served.runner.wait(json.loads(response.body)["id"])
    # Its Python starts nothing, which the job tells; the kernel is adopted all the same.
    assert (response.code, job.state, job.name) == (202, JobState.SUCCEEDED, "mine")
    assert job.verification is not None
    assert job.verification.outcome is VerificationOutcome.FAILED
    response = await jp_fetch("jupyter-gpu-kernels", "foreign", method="DELETE", params={"prefix": str(prefix)})
    assert (response.code, response.body) == (204, b"")
    assert contents(kernels) == before
    with pytest.raises(HTTPClientError, match="404"):
        await jp_fetch("jupyter-gpu-kernels", "foreign", method="DELETE")


def test_on_the_command_line(
    tmp_path: Path, kernels: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(*words: str) -> tuple[int, str]:
        code = main(words)
        return code, capsys.readouterr().out

    prefix = conda(tmp_path / "mine", "ipykernel-6.29.5")
    write_kernel(kernels, "mine", prefix / "bin" / "python", provisioner=False)
    assert "can be adopted" in call("adopt")[1]
    monkeypatch.chdir(tmp_path)
    code, answer = call("adopt", "mine", "--name", "second")
    assert code == 0
    assert answer.startswith("The kernel second is adopted.\n")
    assert answer.endswith("`jupyter gpu-kernels release second` gives it back as it was.\n")
    listed = json.loads(call("adopt", "--json")[1])
    assert [(item["kernel_name"], item["adopted"]) for item in listed if item["name"] == "mine"] == [("second", True)]
    assert call("release", "./mine") == (
        0,
        f"The kernelspec {kernels / 'second'}, which was made for the adoption, is deleted.\n",
    )
    assert call("release", "./mine")[0] == Exit.NOT_FOUND
    assert call("adopt", "--name", "x")[0] == Exit.USAGE
