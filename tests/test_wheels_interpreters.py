"""Which Python a virtual environment is made of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from jupyter_gpu_kernels.build.wheels.interpreters import Candidate, candidates, choose, wanted_versions
from jupyter_gpu_kernels.build.wheels.uv import find_uv, prepare
from jupyter_gpu_kernels.errors import InvalidInputError, SolveError


def python(directory: Path, version: str, *, final: bool = True, threaded: bool = False, prefix: str = "") -> str:
    """Make a script that answers as an interpreter of that version would."""
    directory.mkdir(parents=True, exist_ok=True)
    script = directory / "python"
    answer = f'{{"version": "{version}", "final": {str(final).lower()}, "threaded": {str(threaded).lower()}, '
    answer += f'"executable": "{script}", "prefix": "{prefix or directory}"}}'
    script.write_text(f"#!/bin/sh\necho '{answer}'\n")
    script.chmod(0o755)
    return str(script)


def candidate(version: str, path: str, rank: int = 2) -> Candidate:
    return Candidate(version=Version(version), path=path, rank=rank)


@pytest.mark.parametrize(
    ("wished", "allowed", "fits", "fails"),
    [
        ("3.12", "", "3.12.4", "3.13.0"),
        ("3.12.4", "", "3.12.4", "3.12.5"),
        ("3", "", "3.11.1", "2.7.18"),
        (None, ">=3.10,<3.13", "3.12.9", "3.13.0"),
        ("3.11", ">=3.10,<3.13", "3.11.0", "3.12.0"),
    ],
)
def test_a_version_and_a_range_both_count(wished: str | None, allowed: str, fits: str, fails: str) -> None:
    wanted = wanted_versions(wished, allowed)
    assert wanted.contains(fits)
    assert not wanted.contains(fails)


@pytest.mark.parametrize("wished", ["three", "3.x", "3.12; rm", "", "../python"])
def test_what_is_no_version_is_refused(wished: str) -> None:
    if wished == "":
        assert str(wanted_versions(wished, "")) == ""
    else:
        with pytest.raises(InvalidInputError):
            wanted_versions(wished, "")


async def test_the_newest_that_fits_is_taken_and_older_ones_kept_in_reserve(tmp_path: Path) -> None:
    found = [candidate(f"3.{minor}.1", python(tmp_path / str(minor), f"3.{minor}.1")) for minor in (14, 13, 12, 11)]
    chosen = await choose(found, wanted_versions(None, "<3.14"), os.environ)
    assert [item.version for item in chosen] == ["3.13.1", "3.12.1", "3.11.1"]


@pytest.mark.parametrize("what", ["prerelease", "threaded", "conda", "venv", "dead", "gone", "other"])
async def test_a_python_that_may_vanish_or_is_special_is_passed_over(tmp_path: Path, what: str) -> None:
    odd = tmp_path / "odd"
    path = python(
        odd, "3.12.3" if what != "other" else "3.9.1", final=what != "prerelease", threaded=what == "threaded"
    )
    if what == "conda":
        (odd / "conda-meta").mkdir()
    if what == "venv":
        (odd / "pyvenv.cfg").touch()
    if what == "dead":
        (odd / "python").write_text("#!/bin/sh\nexit 127\n")
    if what == "gone":
        (odd / "python").unlink()
    good = python(tmp_path / "good", "3.12.1")
    chosen = await choose(
        [candidate("3.12.3", path), candidate("3.12.1", good)], wanted_versions("3.12", ""), os.environ
    )
    assert [(item.version, item.path, item.warning) for item in chosen] == [("3.12.1", good, "")]


async def test_our_own_borrowed_python_is_the_last_resort_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    (own / "conda-meta").mkdir(parents=True)
    monkeypatch.setattr(sys, "base_prefix", str(own))
    found = [candidate("3.12.3", python(own, "3.12.3"))]
    (chosen,) = await choose(found, wanted_versions(None, ""), os.environ)
    assert chosen.version == "3.12.3"
    assert str(own) in chosen.warning


async def test_without_any_that_fits_those_that_are_here_are_named(tmp_path: Path) -> None:
    found = [candidate("3.11.2", python(tmp_path, "3.11.2")), candidate("3.9.1", "/nowhere")]
    with pytest.raises(SolveError) as caught:
        await choose(found, wanted_versions("3.12", ""), os.environ, python="3.12")
    assert caught.value.message == "No Python 3.12 on this machine: found 3.9, 3.11."


async def test_pythons_of_this_machine_are_found_through_shims_and_environments(
    tmp_path: Path, base_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    shim = tmp_path / "shims" / f"python{here}"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{base_python}" "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent), prepend=os.pathsep)
    environment = tmp_path / "env"
    command = [find_uv(), "venv", "--quiet", "--python", sys.executable, environment]
    subprocess.run(command, check=True)
    uv = prepare()
    found = await candidates(uv, tmp_path, {"PYENV_ROOT": str(tmp_path)})
    borrowed = candidate(here + ".0", str(environment / "bin" / "python"), rank=-1)
    chosen = await choose([borrowed, *found], wanted_versions(here, ""), uv.environment)
    assert not (Path(chosen[0].path).parent.parent / "pyvenv.cfg").exists()
    assert "shims" not in chosen[0].path


async def test_versions_that_pyenv_has_built_are_found(tmp_path: Path) -> None:
    for name in ("3.12.1", "3.13.0t", "3.14.0a1", "miniconda3"):
        python(tmp_path / "versions" / name / "bin", name)
    found = await candidates(prepare(), tmp_path, {"PYENV_ROOT": str(tmp_path)})
    assert [str(item.version) for item in found if str(tmp_path) in item.path] == ["3.12.1"]
