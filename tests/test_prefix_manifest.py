"""The manifest is written whole or not at all, and read with suspicion."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from jupyter_gpu_kernels.errors import BrokenEnvironmentError
from jupyter_gpu_kernels.models import (
    EnvironmentKind,
    EnvironmentSpec,
    Installer,
    LaunchPolicy,
    Manifest,
    MemoryPreset,
    Plan,
    Variant,
    from_json,
)
from jupyter_gpu_kernels.prefix.manifest import (
    MANIFEST,
    override_policy,
    read_launch,
    read_manifest,
    write_manifest,
)

SPEC = EnvironmentSpec(name="warp")
PLAN = Plan(
    spec=SPEC, installer=Installer.PYPI, installer_reason="", variant=Variant.CPU, variant_reason="", python="3.12.4"
)
WARP = Manifest(
    name="warp",
    kernel_name="warp",
    display_name="Wärp",
    kind=EnvironmentKind.VIRTUALENV,
    prefix="/envs/warp",
    generation="warp-00000000",
    spec=SPEC,
    plan=PLAN,
    launch=LaunchPolicy(user_site=True, memory=MemoryPreset.GROW),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_manifest(tmp_path, WARP)
    assert from_json(Manifest, read_manifest(tmp_path)) == WARP
    assert read_launch(tmp_path)[0] == WARP.launch
    assert os.listdir((tmp_path / MANIFEST).parent) == ["manifest.json"]
    assert (tmp_path / MANIFEST).stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_the_old_one(tmp_path: Path) -> None:
    write_manifest(tmp_path, WARP)
    with pytest.raises(TypeError):
        write_manifest(tmp_path, dataclasses.replace(WARP, created=object()))  # type: ignore[arg-type]
    assert read_manifest(tmp_path)["name"] == "warp"
    assert os.listdir((tmp_path / MANIFEST).parent) == ["manifest.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"', '{"schema_version": "1"}', '{"schema_version": true}'])
def test_a_damaged_manifest_is_told_from_a_missing_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(BrokenEnvironmentError, match="There is no manifest"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).parent.mkdir(parents=True)
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(BrokenEnvironmentError, match=r"cannot be read|is damaged"):
        read_manifest(tmp_path)


def test_a_newer_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).parent.mkdir(parents=True)
    (tmp_path / MANIFEST).write_text(json.dumps({"schema_version": 2}))
    with pytest.raises(BrokenEnvironmentError, match="newer version"):
        read_manifest(tmp_path)


def test_without_a_manifest_kernels_start_by_default(tmp_path: Path) -> None:
    assert read_launch(tmp_path) == (LaunchPolicy(), True)


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"activate": False}, LaunchPolicy(activate=False)),
        ({"user_site": True, "unknown": 1}, LaunchPolicy(user_site=True)),
        ({"activate": "no", "user_site": 1}, LaunchPolicy()),
        ({"memory": "grow"}, LaunchPolicy(memory=MemoryPreset.GROW)),
        ({"memory": "all"}, LaunchPolicy()),
        ({"memory": ["grow"]}, LaunchPolicy()),
        (None, LaunchPolicy()),
        ([("activate", False)], LaunchPolicy()),
    ],
)
def test_a_policy_takes_what_it_understands(wishes: object, expected: LaunchPolicy) -> None:
    assert override_policy(LaunchPolicy(), wishes) == expected
