"""What is listed, also where manifests are damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.disk.inventory import Inventory
from jupyter_gpu_kernels.cli import text
from jupyter_gpu_kernels.errors import BrokenEnvironmentError
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
