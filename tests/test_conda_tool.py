"""A real conda looks at our environments; skipped where there is none."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import Caches
from manager import Recorder, make_manager

from jupyter_gpu_kernels.build.copying.copies import Copies
from jupyter_gpu_kernels.models import EnvironmentSpec, FileFormat, Manifest, Variant

pytestmark = pytest.mark.skipif(shutil.which("conda") is None, reason="there is no conda on PATH")

SPEC = EnvironmentSpec(name="warp", framework="warpdrive", variant=Variant.CPU, verify=False)


def conda(*words: str) -> str:
    done = subprocess.run(["conda", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def conda_json(*words: str) -> Any:
    return json.loads(conda(*words, "--json"))


@pytest.fixture
def manifest(channel: str, caches: Caches) -> Manifest:
    return asyncio.run(make_manager(channel, caches.root).workshop.create(SPEC, reporter=Recorder()))


def test_it_is_listed_with_its_packages(manifest: Manifest) -> None:
    assert manifest.prefix in conda_json("env", "list")["envs"]
    listed = {package["name"]: package["version"] for package in conda_json("list", "-n", "warp")}
    planned = {package.name: package.version for package in manifest.plan.packages}
    assert listed == planned


async def test_a_clone_is_listed_as_its_original_is(manifest: Manifest, channel: str, caches: Caches) -> None:
    manager = make_manager(channel, caches.root)
    copies = Copies(manager.equipment)
    copy = await copies.clone("warp", "twin", None, reporter=Recorder())
    assert copy.prefix in conda_json("env", "list")["envs"]
    assert conda_json("list", "-n", "twin") == conda_json("list", "-n", "warp")
    assert "warpdrive" in conda("env", "export", "-n", "twin", "--from-history")
    conda("install", "-n", "twin", "-y", "--override-channels", "-c", channel, "six")
    assert "six" not in {package["name"] for package in conda_json("list", "-n", "warp")}
    assert manifest.name == "warp"


def test_it_is_activated(manifest: Manifest) -> None:
    found = conda("run", "-n", "warp", "python", "-c", "import sys, warpdrive; print(sys.prefix)")
    assert found.strip() == manifest.prefix


def test_its_history_is_what_was_asked_for(manifest: Manifest) -> None:
    exported = conda("env", "export", "-n", "warp", "--from-history")
    assert "warpdrive" in exported
    assert "jupyter-client" not in exported


async def test_what_conda_installs_stays_through_a_rebuild(manifest: Manifest, channel: str, caches: Caches) -> None:
    conda("install", "-n", "warp", "-y", "--override-channels", "-c", channel, "six")
    workshop = make_manager(channel, caches.root).workshop
    assert workshop.environments()[0].registered
    rebuilt = await workshop.rebuild("warp", reporter=Recorder())
    assert "six" in {package.name for package in rebuilt.plan.packages}
    assert list(Path(rebuilt.prefix).glob("lib/python3*/site-packages/six.py"))


def test_what_conda_removes_is_gone(manifest: Manifest, channel: str, caches: Caches) -> None:
    conda("remove", "-n", "warp", "-y", "--all")
    assert make_manager(channel, caches.root).workshop.environments() == ()


async def test_what_is_exported_makes_the_same_environment(
    manifest: Manifest, channel: str, caches: Caches, tmp_path: Path
) -> None:
    sharing = make_manager(channel, caches.root).sharing
    asked = tmp_path / "asked.yml"
    asked.write_text((await sharing.export("warp", FileFormat.ENVIRONMENT_YML)).text)
    conda("env", "create", "-f", str(asked), "-n", "asked")
    listed = tmp_path / "listed.txt"
    listed.write_text((await sharing.export("warp", FileFormat.EXPLICIT)).text)
    conda("create", "-y", "-n", "listed", "--file", str(listed))
    planned = {(package.name, package.version) for package in manifest.plan.packages}
    for name in ("asked", "listed"):
        assert {(package["name"], package["version"]) for package in conda_json("list", "-n", name)} == planned
