"""What is computed before a kernel starts, and what happens when it cannot be."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_gpu_kernels.errors import BrokenEnvironmentError
from jupyter_gpu_kernels.launch.preparation import Prepared, prepare, startable_layout
from jupyter_gpu_kernels.models import Placement
from jupyter_gpu_kernels.prefix.hooks import write_hooks
from jupyter_gpu_kernels.prefix.layout import Layout
from jupyter_gpu_kernels.prefix.manifest import MANIFEST

SERVER = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def conda(tmp_path: Path) -> Path:
    """A conda prefix with an interpreter, a CUDA library and an activation script."""
    prefix = tmp_path / "envs" / "warp"
    for folder in ("conda-meta", "bin", "lib", "etc/conda/activate.d"):
        (prefix / folder).mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(sys.executable)
    (prefix / "lib" / "libcudart.so.12").touch()
    (prefix / "etc/conda/activate.d/a.sh").write_text("export ACTIVATED=1\n")
    return prefix


def prepared(prefix: Path, cache: Path, policy: object = None, **inherited: str) -> Prepared:
    command = [str(prefix / "bin" / "python"), "-c", "pass"]
    return prepare(command, {**SERVER, **inherited}, wishes={}, policy_wishes=policy, cache=cache)


def test_activation_and_links_come_together(conda: Path, tmp_path: Path) -> None:
    found = prepared(conda, tmp_path / "cache")
    (links,) = (tmp_path / "cache" / "cuda-links").iterdir()
    assert found == Prepared(
        placement=Placement(),
        environ={
            "PATH": f"{conda}/bin:/usr/bin:/bin",
            "CONDA_PREFIX": str(conda),
            "CONDA_DEFAULT_ENV": "warp",
            "CONDA_PROMPT_MODIFIER": "(warp) ",
            "CONDA_SHLVL": "1",
            "ACTIVATED": "1",
            "LD_LIBRARY_PATH": str(links),
            "PYTHONNOUSERSITE": "1",
        },
    )


def test_activation_can_be_switched_off(conda: Path, tmp_path: Path) -> None:
    assert "ACTIVATED" not in prepared(conda, tmp_path / "cache", {"activate": False}).environ


def test_user_packages_may_bring_cuda_where_the_policy_allows_them(conda: Path, tmp_path: Path) -> None:
    base = str(tmp_path / "user")
    (conda / "conda-meta" / "python-3.12.4-h0_0.json").touch()
    library = tmp_path / "user/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12"
    library.parent.mkdir(parents=True)
    library.touch()
    path = prepared(conda, tmp_path / "cache", {"user_site": True}, PYTHONUSERBASE=base).environ["LD_LIBRARY_PATH"]
    assert path.endswith(f":{library.parent}")
    path = prepared(conda, tmp_path / "cache", PYTHONUSERBASE=base).environ["LD_LIBRARY_PATH"]
    assert str(library.parent) not in path


@pytest.mark.parametrize("text", ["{", '{"schema_version": 99}'])
def test_a_damaged_manifest_is_a_warning(conda: Path, tmp_path: Path, text: str) -> None:
    (conda / MANIFEST).parent.mkdir(parents=True)
    (conda / MANIFEST).write_text(text)
    found = prepared(conda, tmp_path / "cache")
    assert found.environ["ACTIVATED"] == "1"
    (warning,) = found.warnings
    assert "default launch policy" in warning


def test_without_a_cache_the_links_of_the_hooks_are_used(conda: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    found = prepared(conda, tmp_path / "cache")
    assert "LD_LIBRARY_PATH" not in found.environ
    assert len(found.warnings) == 2
    write_hooks(Layout.of_prefix(conda), conda)
    found = prepared(conda, tmp_path / "cache")
    assert found.environ["LD_LIBRARY_PATH"] == f"{conda}/share/jupyter-gpu-kernels/cuda-links"


def test_launches_of_one_environment_wait_for_each_other(conda: Path, tmp_path: Path) -> None:
    (conda / "etc/conda/activate.d/a.sh").write_text(
        f"mkdir '{tmp_path}/alone' || export MET=1\nsleep 0.1\nrmdir '{tmp_path}/alone'\n"
    )
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: prepared(conda, tmp_path / "cache"), range(4)))
    assert not any("MET" in one.environ or one.warnings for one in found)


def test_an_interpreter_on_the_path_is_found(conda: Path) -> None:
    assert startable_layout(["python"], {"PATH": f"{conda}/bin"}).prefix == conda


@pytest.mark.parametrize("command", [[], ["/no/such/bin/python"], ["python"], ["/usr/bin/env", "python"]])
def test_what_leads_to_no_environment_is_refused(command: list[str]) -> None:
    with pytest.raises(BrokenEnvironmentError):
        startable_layout(command, {"PATH": "/nowhere"})


def test_an_environment_without_ipykernel_is_refused_if_it_needs_one(conda: Path, tmp_path: Path) -> None:
    (conda / "lib/python3.12/site-packages").mkdir(parents=True)
    command = [str(conda / "bin" / "python"), "-m", "ipykernel_launcher"]
    with pytest.raises(BrokenEnvironmentError, match="has no ipykernel"):
        prepare(command, SERVER, wishes={}, policy_wishes=None, cache=tmp_path / "cache")
    (conda / "lib/python3.12/site-packages/ipykernel-7.3.dist-info").mkdir()
    with pytest.raises(BrokenEnvironmentError) as caught:
        prepare(command, SERVER, wishes={}, policy_wishes=None, cache=tmp_path / "cache")
    assert f"`jupyter gpu-kernels rebuild {conda.name}`" in caught.value.cure, "metadata alone start nothing"
    (conda / "lib/python3.12/site-packages/_ipykernel.pth").touch()
    assert prepare(command, SERVER, wishes={}, policy_wishes=None, cache=tmp_path / "cache").warnings == ()


def test_the_own_process_is_left_alone(conda: Path, tmp_path: Path) -> None:
    before = dict(os.environ)
    prepared(conda, tmp_path / "cache")
    assert dict(os.environ) == before
