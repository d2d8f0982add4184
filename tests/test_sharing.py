"""What is exported is imported again as it was: the same packages under another home, from every format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Caches
from manager import Recorder, make_manager
from wheels_index import Index, make_wheel

from jupyter_gpu_kernels.build.contents.installed import installed
from jupyter_gpu_kernels.errors import NameTakenError, RefusedError
from jupyter_gpu_kernels.models import (
    EnvironmentSpec,
    FileFormat,
    ImportRequest,
    Installer,
    JobState,
    Manifest,
    PackageOrigin,
    Variant,
)
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

WARP = EnvironmentSpec(
    name="warp", framework="warpdrive", variant=Variant.CPU, packages=("activating",), pip=("lodestar",), verify=False
)
PLAIN = EnvironmentSpec(name="plain", installer=Installer.PYPI, packages=("six",), pip=("lodestar",), verify=False)


@pytest.fixture
def index(tmp_path: Path, wheel_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """A package index with what kernels need and a package of its own; no other is asked."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for wheel in wheel_dir.glob("*.whl"):
        (wheels / wheel.name).symlink_to(wheel)
    make_wheel(wheels, "lodestar", "1.5", script="lodestar")
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_")) and name != "UV_CACHE_DIR"]:
        monkeypatch.delenv(name)
    with Index(wheels) as served:
        monkeypatch.setenv("UV_DEFAULT_INDEX", served.url)
        yield served


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Go to another home, where nobody has built anything."""

    def go() -> None:
        for name, place in (("HOME", "friend"), ("JUPYTER_DATA_DIR", "friend/data")):
            (tmp_path / place).mkdir(parents=True)
            monkeypatch.setenv(name, str(tmp_path / place))

    return go


def there(manifest: Manifest) -> set[tuple[str, str, str]]:
    return {(item.name, item.version, item.build) for item in installed(manifest)}


async def imported(manager: GpuKernelsManager, request: ImportRequest) -> Manifest:
    job = await manager.sharing.import_(request)
    done = await manager.runner.wait(job.id)
    assert (done.state, done.error) == (JobState.SUCCEEDED, None)
    assert not list((Path(manager.state_dir) / "imports").iterdir())
    return await manager.get(done.name)


async def test_a_conda_environment_with_wheels_comes_back_from_every_format(
    channel: str, caches: Caches, index: Index, elsewhere
) -> None:
    here = make_manager(channel, caches.root)
    built = await here.workshop.create(WARP, reporter=Recorder())
    formats = [FileFormat.ENVIRONMENT_YML, FileFormat.EXACT_YML, FileFormat.EXPLICIT, FileFormat.LOCK]
    files = {kind: await here.sharing.export("warp", kind) for kind in formats}
    recipe = await here.sharing.export("warp", FileFormat.RECIPE)
    assert all(not file.warnings for file in files.values())
    packages = there(built)
    assert {"lodestar", "activating", "ipykernel"} <= {name for name, *_ in packages}

    elsewhere()
    friend = make_manager(channel, caches.root)
    for kind, file in files.items():
        found = await friend.sharing.plan_import(ImportRequest(text=file.text, file_name=file.file_name))
        assert (found.format, found.exact) == (
            (FileFormat.ENVIRONMENT_YML, False) if kind is FileFormat.EXACT_YML else (kind, "yml" not in kind.value)
        )
        assert found.plan.refusal is None
        assert {(item.name, item.version, item.build) for item in found.plan.packages} == packages, kind
        assert (found.spec.name, found.spec.framework) == ("warp", "warpdrive")
        assert found.plan.download_bytes == 0
    found = await friend.sharing.plan_import(ImportRequest(text=recipe.text, name="beamed"))
    assert (found.format, found.spec.name, found.plan.framework_version) == (FileFormat.RECIPE, "beamed", "1.5.0")

    # Nothing but the lock and the cache is needed.
    made = await imported(friend, ImportRequest(text=files[FileFormat.LOCK].text, name="beamed", verify=True))
    assert there(made) == packages
    assert made.verification is not None
    assert made.display_name == "beamed (Warpdrive 1.5 · CPU)"
    assert replace(made.spec, name="warp", verify=False) == replace(WARP, variant=Variant.CPU)
    origins = {item.name: item.origin for item in installed(made, friend.workshop.framework("warpdrive"))}
    assert (origins["activating"], origins["lodestar"]) == (PackageOrigin.ASKED, PackageOrigin.ASKED)
    # What was made of a file can be given on like all else.
    again = await friend.sharing.export("beamed", FileFormat.EXPLICIT)
    assert sorted(again.text.splitlines()[3:]) == sorted(files[FileFormat.EXPLICIT].text.splitlines()[3:])


async def test_a_virtual_environment_comes_back_with_its_hashes(
    channel: str, caches: Caches, index: Index, elsewhere
) -> None:
    here = make_manager(channel, caches.root)
    built = await here.workshop.create(PLAIN, reporter=Recorder())
    file = await here.sharing.export("plain", FileFormat.REQUIREMENTS)
    yml = await here.sharing.export("plain", FileFormat.ENVIRONMENT_YML)
    assert file.text.count("--hash=sha256:") >= len(there(built)) - 1
    assert "- lodestar" in yml.text
    assert "channels" not in yml.text
    with pytest.raises(RefusedError, match="of conda packages"):
        await here.sharing.export("plain", FileFormat.LOCK)

    elsewhere()
    friend = make_manager(channel, caches.root)
    made = await imported(friend, ImportRequest(text=file.text, file_name="plain-requirements.txt", verify=False))
    assert made.name == "plain"
    assert there(made) == there(built)
    with pytest.raises(NameTakenError):
        await friend.sharing.import_(ImportRequest(text=file.text, name="plain"))
