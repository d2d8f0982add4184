"""Home directories that one may not look into, and configuration that no parser expects.

A name that is too long stands for them: its error is told as a refused permission is, to everybody, to root too.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from doctoring import examine, make_context

from jupyter_gpu_kernels.build.conda.condarc import read_condarc
from jupyter_gpu_kernels.build.disk.generations import Generations
from jupyter_gpu_kernels.build.planning.catalogue import Catalogue
from jupyter_gpu_kernels.build.wheels.pipconfig import Machine
from jupyter_gpu_kernels.build.wheels.uv import prepare
from jupyter_gpu_kernels.diagnosis.context import Practice
from jupyter_gpu_kernels.diagnosis.disk.places import Place
from jupyter_gpu_kernels.models import Hardware


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A directory of which nobody can say whether it is there."""
    return tmp_path / ("x" * 300)


def test_nothing_is_configured_where_one_may_not_look(closed: Path) -> None:
    found = read_condarc({}, home=closed, root=closed)
    assert (found.files, found.warnings, found.configured) == ((), (), False)
    machine = Machine(home=closed, root=closed, prefix=closed, platform="linux")
    assert prepare(environ={}, machine=machine).environment["UV_NO_CONFIG"] == "1"


def test_frameworks_that_cannot_be_looked_for_are_told_of(closed: Path) -> None:
    catalogue = Catalogue.load([closed])
    assert len(catalogue) == len(Catalogue.load([]))
    assert [f"in {closed} are left out" in warning for warning in catalogue.warnings] == [True]


def test_no_generations_are_where_no_directory_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert list(Generations(tmp_path / "file").abandoned()) == []


@pytest.mark.parametrize(
    "text",
    [
        "since: 2001-13-45",
        "[" * 20_000,
    ],
)
def test_a_condarc_that_makes_the_parser_stumble_is_left_out(text: str, tmp_path: Path) -> None:
    (tmp_path / ".condarc").write_text(text)
    found = read_condarc({}, home=tmp_path, root=tmp_path)
    assert found.warnings == (f"The file {tmp_path / '.condarc'} is not valid YAML and is left out.",)


def test_the_home_directory_of_nobody_is_a_name_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".condarc").write_text("envs_dirs: ['~nobody-of-this-name/envs']")
    assert read_condarc({"CONDARC": "~nobody-of-this-name/x"}).envs_dirs == (
        Path.cwd() / "~nobody-of-this-name" / "envs",
    )


def test_the_doctor_sees_that_nothing_can_be_written_there(
    closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Place(what="", path=closed / "envs").existing == tmp_path
    monkeypatch.setenv("HOME", str(closed))
    practice = Practice(conda_envs_dir=closed, virtualenvs_dir=closed, state_dir=closed, cache_dir=closed)
    environ = {"HOME": str(closed), "LD_LIBRARY_PATH": f"{closed}:{closed}/lib:relative", "PIP_CONFIG_FILE": ""}
    context = make_context(tmp_path, hardware=Hardware(), environ=environ, practice=practice)
    for check in (
        "disk-room",
        "disk-inodes",
        "disk-writing",
        "disk-steps",
        "pip-configuration",
        "stub-driver-library",
        "several-drivers",
        "foreign-cuda",
    ):
        assert [item.skipped for item in examine(check, context).examined] == [""], check
