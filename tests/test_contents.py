"""What is in an environment, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.contents.distributions import distributions
from jupyter_gpu_kernels.build.contents.installed import digest, installed
from jupyter_gpu_kernels.build.contents.pins import read_pins, write_pins
from jupyter_gpu_kernels.build.contents.records import conda_records
from jupyter_gpu_kernels.errors import BrokenEnvironmentError
from jupyter_gpu_kernels.models import (
    EnvironmentKind,
    EnvironmentSpec,
    Framework,
    Installer,
    Manifest,
    PackageOrigin,
    Plan,
    PlannedPackage,
    Recipe,
    Stage,
    Variant,
)
from jupyter_gpu_kernels.prefix.layout import Layout

SITE = "lib/python3.12/site-packages"
PLANNED = ("python", "ipykernel", "warpdrive", "numpy", "six", "tornado")
FRAMEWORK = Framework(
    id="warpdrive",
    title="Warpdrive",
    summary="A framework.",
    companions=("numpy",),
    recipes=(
        Recipe(variant=Variant.CPU, installer=Installer.CONDA, packages=("warpdrive[version='{version}']",)),
        Recipe(variant=Variant.GPU, installer=Installer.CONDA, packages=("warpdrive-gpu", "tornado")),
    ),
)


def link(prefix: Path, name: str, version: str = "1.0", **more: object) -> None:
    """Leave the record of a conda package behind."""
    base = "https://me:hunter2@example.org/t/secret/lab"
    record = {
        "name": name,
        "version": version,
        "build": "py312_0",
        "channel": f"{base}/noarch",
        "subdir": "noarch",
        "url": f"{base}/noarch/{name}-{version}-py312_0.conda",
        "sha256": "ab" * 32,
        "size": 5,
        "files": [f"{SITE}/{name}-{version}.dist-info/METADATA"],
        "paths_data": {"paths": [{"_path": "a", "size_in_bytes": 30}, {"_path": "b", "size_in_bytes": 12}]},
        **more,
    }
    (prefix / "conda-meta").mkdir(parents=True, exist_ok=True)
    (prefix / "conda-meta" / f"{name}-{version}-py312_0.json").write_text(json.dumps(record))
    distribute(prefix, name, version)


def distribute(prefix: Path, name: str, version: str = "1.0", direct: object = None, requires: str = "") -> Path:
    """Leave the metadata of a Python distribution behind."""
    path = prefix / SITE / f"{name.replace('-', '_')}-{version}.dist-info"
    path.mkdir(parents=True)
    (path / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\nWords.\n")
    (path / "RECORD").write_text(f"{name}/__init__.py,sha256=abc,40\n{name}/b.py,sha256=abc,2\n{path.name}/RECORD,,\n")
    if direct is not None:
        (path / "direct_url.json").write_text(json.dumps(direct))
    return path


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """A conda environment with wheels in it, some of which nobody planned."""
    prefix = tmp_path / "warp"
    for name in PLANNED:
        link(prefix, name)
    (prefix / "conda-meta" / "damaged.json").write_text("{")
    spec = EnvironmentSpec(name="warp", framework="warpdrive", packages=("six >=1",), pip=("Tea.Pot",))
    packages = [
        PlannedPackage(name=name, version="1.0", build="py312_0", source="our-lab", stage=Stage.LINK)
        for name in PLANNED
    ]
    packages += [PlannedPackage(name="tea-pot", version="2.0", stage=Stage.WHEELS)]
    plan = Plan(
        spec=spec,
        installer=Installer.CONDA,
        installer_reason="",
        variant=Variant.CPU,
        variant_reason="",
        packages=tuple(packages),
    )
    distribute(prefix, "tea-pot", "2.0")
    return Manifest(
        name="warp",
        kernel_name="warp",
        display_name="Warp",
        kind=EnvironmentKind.CONDA,
        prefix=str(prefix),
        generation="warp-1",
        spec=spec,
        plan=plan,
    )


def test_every_package_says_why_it_is_there(manifest: Manifest) -> None:
    prefix = Path(manifest.prefix)
    link(prefix, "added")
    distribute(prefix, "later", "3.0", requires="Requires-Dist: six\nRequires-Dist: rare; extra == 'all'")
    found = {package.name: package for package in installed(manifest, FRAMEWORK)}
    assert {name: package.origin.value for name, package in found.items()} == {
        "python": "framework",
        "ipykernel": "framework",
        "warpdrive": "framework",
        "numpy": "companion",
        "six": "asked",
        "tornado": "dependency",
        "tea-pot": "asked",
        "added": "outside",
        "later": "outside",
    }
    assert list(found) == sorted(found)
    assert (found["six"].build, found["six"].source, found["six"].size) == ("py312_0", "our-lab", 42)
    assert (found["later"].stage, found["later"].source, found["later"].size) == (Stage.WHEELS, "pypi", 42)
    without = {package.name: package.origin for package in installed(manifest)}
    assert without["warpdrive"] is PackageOrigin.DEPENDENCY
    bare = replace(manifest, spec=replace(manifest.spec, recipe=False))
    assert {package.name: package.origin for package in installed(bare, FRAMEWORK)} == {
        **without,
        "numpy": PackageOrigin.DEPENDENCY,
    }


def test_records_hold_no_credentials_and_are_read_past_damaged_ones(manifest: Manifest) -> None:
    records = {record.name: record for record in conda_records(Path(manifest.prefix))}
    assert set(records) == set(PLANNED)
    assert records["six"].channel == "https://example.org/lab"
    assert records["six"].url == "https://example.org/lab/noarch/six-1.0-py312_0.conda"
    assert (records["six"].subdir, records["six"].sha256, records["six"].size) == ("noarch", "ab" * 32, 5)
    assert conda_records(Path(manifest.prefix) / "share") == ()


def test_what_came_from_no_index_says_where_from(tmp_path: Path) -> None:
    prefix = tmp_path / "plain"
    vcs = {"vcs": "git", "commit_id": "abc"}
    distribute(prefix, "cloned", direct={"url": "https://me:pw@example.org/x.git", "vcs_info": vcs})
    distribute(prefix, "mine", direct={"url": "file:///home/me/mine", "dir_info": {"editable": True}})
    asked = distribute(prefix, "asked", requires="Requires-Dist: mine (>=1)\nRequires-Dist: rare; extra == 'all'")
    (asked / "REQUESTED").touch()
    # What pip leaves when it is killed.
    distribute(prefix, "~ked")
    (prefix / SITE / "empty-1.0.dist-info").mkdir()
    found = {item.name: item for item in distributions(Layout(prefix, EnvironmentKind.VIRTUALENV))}
    assert {name: item.origin for name, item in found.items()} == {
        "asked": "",
        "cloned": "git+https://example.org/x.git@abc",
        "mine": "/home/me/mine",
    }
    assert found["mine"].editable
    assert not found["cloned"].editable
    assert (found["asked"].requested, found["mine"].requested) == (True, None)
    assert found["asked"].needs() == {"mine"}


def test_the_digest_tells_packages_apart_and_nothing_else(manifest: Manifest) -> None:
    packages = installed(manifest, FRAMEWORK)
    assert digest(packages) == digest(reversed(installed(manifest))) == digest(manifest.plan.packages)
    for change in ({"version": "9"}, {"build": "other"}, {"name": "other"}, {"stage": Stage.WHEELS}):
        assert digest((replace(packages[0], **change), *packages[1:])) != digest(packages)


def test_pins_are_kept_and_read_again(tmp_path: Path) -> None:
    assert read_pins(tmp_path).lines == ()
    write_pins(tmp_path, ("six==1.17 --hash=sha256:ab", "rich==13.0"), ("rich==13.0",))
    pins = read_pins(tmp_path)
    assert pins.lines == ("rich==13.0", "six==1.17 --hash=sha256:ab")
    assert (pins.kept, pins.names) == (("rich==13.0",), {"rich", "six"})


def test_what_is_gone_has_no_contents(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(BrokenEnvironmentError):
        installed(replace(manifest, prefix=str(tmp_path / "gone")))
