"""Scripts of a generation come to refer to the final path, and nothing else is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.wheels.scripts import rewrite_scripts
from jupyter_gpu_kernels.models import EnvironmentKind
from jupyter_gpu_kernels.prefix.layout import Layout


@pytest.fixture
def generation(tmp_path: Path) -> Layout:
    prefix = tmp_path / "envs" / ".gen" / "lab-1"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    return Layout(prefix, EnvironmentKind.VIRTUALENV, "linux")


def test_a_script_shared_with_a_cache_is_replaced_and_keeps_its_mode(generation: Layout, tmp_path: Path) -> None:
    cached = tmp_path / "cached"
    cached.write_text(f"#!{generation.prefix}/bin/python\nprint('{generation.prefix}')\n")
    cached.chmod(0o755)
    script = generation.bin / "tool"
    os.link(cached, script)
    final = tmp_path / "envs" / "lab"
    assert rewrite_scripts(generation, final) == (script,)
    assert script.read_text() == f"#!{final}/bin/python\nprint('{final}')\n"
    assert script.stat().st_mode & 0o777 == 0o755
    assert str(generation.prefix) in cached.read_text()
    assert sorted(path.name for path in generation.bin.iterdir()) == ["tool"]


def test_links_programs_and_foreign_scripts_stay_as_they_are(generation: Layout, tmp_path: Path) -> None:
    program = generation.bin / "program"
    program.write_bytes(b"\x7fELF\0" + os.fsencode(generation.prefix))
    foreign = generation.bin / "foreign"
    foreign.write_text("#!/usr/bin/env python\n")
    (generation.bin / "python").symlink_to("/usr/bin/python3")
    before = {path.name: path.lstat() for path in generation.bin.iterdir()}
    assert rewrite_scripts(generation, tmp_path / "lab") == ()
    assert {path.name: path.lstat() for path in generation.bin.iterdir()} == before


def test_only_the_record_of_the_distribution_that_owns_the_script_changes(generation: Layout, tmp_path: Path) -> None:
    site = generation.site_packages()[0]
    (generation.bin / "tool").write_text(f"#!{generation.prefix}/bin/python\n")
    for name, lines in (("tool", "../../../bin/tool,sha256=old,7\ntool.py,sha256=x,1\n"), ("other", "other.py,,\n")):
        (site / f"{name}-1.dist-info").mkdir()
        (site / f"{name}-1.dist-info" / "RECORD").write_text(lines)
    rewrite_scripts(generation, tmp_path / "lab")
    size = (generation.bin / "tool").stat().st_size
    lines = (site / "tool-1.dist-info" / "RECORD").read_text().splitlines()
    assert lines[0].startswith("../../../bin/tool,sha256=")
    assert lines[0].endswith(f",{size}")
    assert lines[1] == "tool.py,sha256=x,1"
    assert (site / "other-1.dist-info" / "RECORD").read_text() == "other.py,,\n"


def test_an_environment_without_scripts_is_left_alone(tmp_path: Path) -> None:
    assert rewrite_scripts(Layout(tmp_path / "none", EnvironmentKind.CONDA, "linux"), tmp_path / "lab") == ()
