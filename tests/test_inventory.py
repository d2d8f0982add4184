"""What is listed, also where manifests are damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from scripted import manifest_of

from jupyter_gpu_kernels.build.disk.inventory import Inventory
from jupyter_gpu_kernels.cli import text
from jupyter_gpu_kernels.errors import BrokenEnvironmentError
from jupyter_gpu_kernels.models import EnvironmentSpec, to_json
from jupyter_gpu_kernels.prefix.manifest import MANIFEST


@pytest.mark.parametrize("content", ["", '{"schema_version": 1, "name": "wa', "[]", '{"name": "warp"}'])
def test_a_damaged_environment_is_seen_and_can_be_found_for_removal(tmp_path: Path, content: str) -> None:
    manifest = tmp_path / "Warp" / MANIFEST
    manifest.parent.mkdir(parents=True)
    manifest.write_text(content)
    inventory = Inventory((tmp_path,), dict)
    for _ in range(2):
        (listed,) = inventory.environments()
        assert (listed.name, listed.kernel_name, listed.registered) == ("Warp", "warp", False)
        assert "remove the environment" in listed.damaged
    assert "damaged" in text.environments([listed])
    assert inventory.prefix("Warp") == tmp_path / "Warp"
    with pytest.raises(BrokenEnvironmentError) as caught:
        inventory.manifest("Warp")
    assert "Rebuild" not in caught.value.cure
    assert "emove the environment and create it again" in caught.value.cure


def test_an_older_manifest_says_nothing_of_its_size(tmp_path: Path) -> None:
    manifest = manifest_of(EnvironmentSpec(name="tf", framework="tensorflow"))
    old = to_json(manifest)
    del old["disk_bytes"]
    for name, data in (("new", to_json(manifest)), ("old", old)):
        path = tmp_path / name / MANIFEST
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(data))
    inventory = Inventory((tmp_path,), dict)
    assert {found.disk_bytes for found in inventory.environments()} == {0, 1_500_000_000}
    assert inventory.manifest("old") == replace(manifest, disk_bytes=0)
    assert "  -  " in text.environments([inventory.environment("old")])
    assert "On disk    unknown" in text.manifest(inventory.manifest("old"))
