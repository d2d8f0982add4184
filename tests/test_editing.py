"""Packages added, removed and updated: all of an edit or nothing, and nothing else moves."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from channel import ChannelBuilder, Hang, Server, Status
from jupyter_core.paths import jupyter_data_dir
from manager import Recorder, make_manager, traces
from patience import PATIENCE, eventually
from two_cudas import printed, running
from wheels_index import Index, make_wheel, serve

from jupyter_gpu_kernels.build.conda.builder.records import linked
from jupyter_gpu_kernels.build.conda.settings import Channel
from jupyter_gpu_kernels.build.contents.distributions import Distribution
from jupyter_gpu_kernels.build.contents.installed import Contents, contents
from jupyter_gpu_kernels.build.contents.outside import outside
from jupyter_gpu_kernels.build.contents.pins import read_pins
from jupyter_gpu_kernels.build.contents.records import CondaRecord
from jupyter_gpu_kernels.build.editing.editor import Editor, as_built
from jupyter_gpu_kernels.build.editing.wishes import change, check
from jupyter_gpu_kernels.errors import (
    DownloadError,
    GpuKernelsError,
    InstallError,
    InvalidInputError,
    SolveError,
    VerificationError,
)
from jupyter_gpu_kernels.models import (
    EnvironmentKind,
    EnvironmentSpec,
    Framework,
    InstalledPackage,
    Installer,
    Manifest,
    PackageEdit,
    PackageOrigin,
    Plan,
    PlannedPackage,
    Stage,
    Variant,
)
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

#: Kills kernels as they start, and no other Python.
SABOTAGE = "import os, sys; 'ipykernel_launcher' in ' '.join(sys.orig_argv) and os._exit(3)\n"


def fill(directory: Path, *versions: str) -> None:
    """Add packages to a channel: a library in some versions, tools that need it, and two that do harm."""
    with ChannelBuilder(directory) as lab:
        for version in versions:
            lab.add_package("base", version, noarch="generic", files={"share/base": version})
            needed = [f"base >={version}"]
            lab.add_package("tool", version, depends=needed, noarch="generic", files={"share/tool": version})
        lab.add_package("guest", "1.0", noarch="generic", files={"share/guest": "1"})
        # Tests share a cache of packages; this one never gets into it.
        lab.add_package("stranger", "1.0", noarch="generic", files={"share/stranger": "1"})
        lab.add_package("saboteur", "1.0", noarch="python", files={"site-packages/sabotage.pth": SABOTAGE})
        lab.add_package("clumsy", "1.0", noarch="generic", files={"conda-meta/history/inside": "1"})


@dataclass
class Place:
    """A channel and an index of this test's own, and who builds from them."""

    lab: Server
    index: Index
    wheels: Path
    channel: str
    manager: GpuKernelsManager

    @property
    def editor(self) -> Editor:
        return Editor(self.manager.equipment)

    async def create(self, **spec: object) -> None:
        given = {"name": "warp", "companions": False, "verify": False, **spec}
        if given.get("installer") is not Installer.PYPI:
            given.setdefault("channels", (self.lab.url, self.channel))
        await self.manager.workshop.create(EnvironmentSpec(**given), reporter=Recorder())  # type: ignore[arg-type]

    async def edit(self, **edit: object) -> Recorder:
        recorder = Recorder()
        await self.editor.edit("warp", PackageEdit(**edit), reporter=recorder)  # type: ignore[arg-type]
        return recorder

    async def preview(self, **edit: object) -> dict[str, tuple[str | None, str | None]]:
        plan = await self.editor.plan("warp", PackageEdit(**edit))  # type: ignore[arg-type]
        assert plan.plan.refusal is None, plan.plan.refusal
        return {item.name: (item.before, item.after) for item in plan.differences}

    async def refusal(self, **edit: object) -> str:
        plan = await self.editor.plan("warp", PackageEdit(**edit))  # type: ignore[arg-type]
        assert plan.plan.refusal is not None
        assert plan.plan.refusal.cure
        assert (plan.differences, plan.plan.packages) == ((), ())
        with pytest.raises(GpuKernelsError) as caught:
            self.editor.check("warp", PackageEdit(**edit))  # type: ignore[arg-type]
        assert caught.value.message == plan.plan.refusal.reason
        return plan.plan.refusal.reason

    @property
    def packages(self) -> dict[str, InstalledPackage]:
        return {item.name: item for item in self.editor.packages("warp")}

    @property
    def versions(self) -> dict[str, str]:
        return {name: item.version for name, item in self.packages.items()}

    @property
    def prefix(self) -> Path:
        return Path(self.manager.workshop.manifest("warp").prefix)


@pytest.fixture
def place(
    tmp_path: Path,
    channel: str,
    caches,
    serve_channel: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    fill(tmp_path / "lab", "1.0")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "metrics", "1.0", requires=("gauge",))
    make_wheel(wheels, "gauge", "1.0")
    make_wheel(wheels, "later", "1.0", requires=("needle",), payload=20_000)
    make_wheel(wheels, "needle", "1.0")
    lab = serve_channel(tmp_path / "lab")
    with serve(wheels) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        # What an index answered is believed for ten minutes otherwise.
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
        yield Place(lab, index, wheels, channel, make_manager(channel, caches.root))


def add_outside(prefix: Path, name: str, *, requested: bool = True, direct: object = None) -> None:
    """Leave behind what `pip install` does."""
    (packages,) = prefix.glob("lib/python3.*/site-packages")
    info = packages / f"{name}-1.0.dist-info"
    info.mkdir()
    needs = "Requires-Dist: needle\n" if name == "later" else ""
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}")
    if requested:
        (info / "REQUESTED").touch()
    if direct is not None:
        (info / "direct_url.json").write_text(json.dumps(direct))


async def test_an_edit_that_fails_in_any_stage_changes_nothing(place: Place) -> None:
    await place.create(packages=("tool",), pip=("metrics",), verify=True)
    manifest, before = place.manager.workshop.manifest("warp"), place.packages
    marks = {path: path.stat().st_mtime_ns for path in place.prefix.rglob("*") if path.is_file()}

    async def fails(error: type[GpuKernelsError], *stages: Stage, **edit: object) -> None:
        recorder = Recorder()
        with pytest.raises(error) as caught:
            await place.editor.edit("warp", PackageEdit(**edit), reporter=recorder)  # type: ignore[arg-type]
        assert caught.value.cure
        assert recorder.stages[-1] in stages
        assert place.manager.workshop.manifest("warp") == manifest
        assert place.packages == before
        assert not [trace for trace in traces("warp") if ".gen" in trace]

    await fails(SolveError, Stage.SOLVE, install=("nowhere",))
    place.lab.fail("*/stranger-*", Status(404))
    await fails(DownloadError, Stage.DOWNLOAD, install=("stranger",))
    place.lab.heal()
    # Packages are linked while others are still being looked for in the cache.
    await fails(InstallError, Stage.DOWNLOAD, Stage.LINK, install=("clumsy",))
    place.index.faults["/files/later"] = "flip"
    await fails(DownloadError, Stage.WHEELS, pip=("later",))
    place.index.faults.clear()
    await fails(VerificationError, Stage.VERIFY, install=("saboteur",))
    # And killed half-way, from which nobody can tidy up.
    place.lab.fail("*/stranger-*", Hang())
    words = [f"--GpuKernelsManager.cache_dir={place.manager.cache_dir}", "install", "warp", "stranger", "--yes"]
    asked = place.lab.asked("*/stranger-*")
    command = [sys.executable, "-m", "jupyter_gpu_kernels", *words]
    killed = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    await eventually(lambda: place.lab.asked("*/stranger-*") > asked)
    killed.kill()
    await killed.wait()
    assert (place.manager.workshop.manifest("warp"), place.packages) == (manifest, before)
    assert [trace for trace in traces("warp") if ".gen" in trace]
    deadline = time.monotonic() + PATIENCE
    # The builder is gone a moment after whoever had sent for it.
    while [trace for trace in traces("warp") if ".gen" in trace]:
        assert await place.manager.workshop.recover("warp") == manifest
        assert time.monotonic() < deadline
    assert marks == {path: path.stat().st_mtime_ns for path in place.prefix.rglob("*") if path.is_file()}
    async with running(Path(jupyter_data_dir()) / "kernels", "warp") as (_, client):
        assert (await printed(client, "import metrics; print(metrics.__version__)")).strip() == "1.0"


async def test_packages_are_added_updated_and_removed_and_no_other_moves(place: Place, tmp_path: Path) -> None:
    await place.create(
        framework="warpdrive", variant=Variant.CPU, companions=True, packages=("tool",), pip=("metrics",)
    )
    before = place.versions
    # What is newer now is no reason to move what is there.
    fill(tmp_path / "lab", "1.0", "2.0")
    for name in ("metrics", "gauge"):
        make_wheel(place.wheels, name, "2.0", requires=("gauge",) if name == "metrics" else ())
    assert await place.preview(install=("guest",), pip=("later",)) == {
        "guest": (None, "1.0"),
        "later": (None, "1.0"),
        "needle": (None, "1.0"),
    }
    assert await place.preview(update=("tool",)) == {"base": ("1.0", "2.0"), "tool": ("1.0", "2.0")}
    assert await place.preview(update=("metrics",)) == {"metrics": ("1.0", "2.0")}
    moved = dict.fromkeys(("base", "tool", "metrics", "gauge"), ("1.0", "2.0"))
    assert await place.preview(update_all=True) == moved

    for name in ("ipykernel", "python", "pip"):
        assert await place.refusal(uninstall=(name,)) == f"{name} is part of every kernel, and stays."
    assert "belongs to Warpdrive" in await place.refusal(uninstall=("warpdrive",))
    assert "comes along with Warpdrive" in await place.refusal(uninstall=("numpy",))
    assert await place.refusal(uninstall=("base",)) == "base has to stay: tool needs it."
    assert await place.refusal(uninstall=("gauge",)) == "gauge has to stay: metrics needs it."
    assert await place.refusal(update=("nowhere",)) == "nowhere is not in warp."

    # Added from outside: with conda, with pip from an index, and with pip from a directory.
    history = place.prefix / "conda-meta" / "history"
    history.write_text(history.read_text() + "==> 2026-01-01 00:00:00 <==\n# update specs: ['activating']\n")
    add_outside(place.prefix, "later")
    add_outside(place.prefix, "needle", requested=False)
    add_outside(place.prefix, "mine", direct={"url": "file:///home/me/mine", "dir_info": {"editable": True}})
    assert {place.packages[name].origin for name in ("later", "needle", "mine")} == {PackageOrigin.OUTSIDE}
    recorder = await place.edit(install=("guest", "tool >=2"), uninstall=("metrics",))
    assert {"  tool 1.0 → 2.0", "+ guest 1.0", "- metrics (wheel) 1.0", "- mine (wheel) 1.0"} <= set(recorder.lines)
    assert any(
        "mine was installed as an editable installation from /home/me/mine" in text
        for text in recorder.plans[-1].warnings
    )
    manifest = place.manager.workshop.manifest("warp")
    assert (manifest.spec.packages, manifest.spec.pip) == (("guest", "tool >=2"), ())
    changed = {"base": "2.0", "tool": "2.0", "guest": "1.0", "activating": "1.0", "later": "1.0", "needle": "1.0"}
    expected = {name: version for name, version in before.items() if name not in ("metrics", "gauge")} | changed
    assert place.versions == expected
    assert {name: place.packages[name].origin.value for name in ("guest", "activating", "later", "needle")} == {
        "guest": "asked",
        "activating": "outside",
        "later": "outside",
        "needle": "dependency",
    }
    assert [line.partition(" ")[0] for line in read_pins(place.prefix).lines] == ["later==1.0", "needle==1.0"]
    # They are still known to be from outside, would outlast a rebuild, and may go.
    more = outside(contents(manifest))
    assert (more.specs, more.requirements) == (("activating",), ("later==1.0",))
    gone = {"activating": ("1.0", None), "later": ("1.0", None), "needle": ("1.0", None)}
    assert await place.preview(uninstall=("activating", "later")) == gone

    # What is held is fetched from where it is now, by whoever may.
    paths = [str(path) for path in (place.prefix / "conda-meta").glob("*.json")]
    mirror = Channel("mirror", "http://me:secret@example.org/a/lab")
    assert {record.url.rsplit("/", 2)[0] for record in linked(paths, [mirror])} == {mirror.location}

    recorder = await place.edit(update=("guest",))
    assert recorder.stages == [Stage.SOLVE]
    assert recorder.lines[-2:] == [
        "There is no newer guest that fits with the rest.",
        "The environment is as it was asked to be: nothing was built.",
    ]
    assert place.manager.workshop.manifest("warp") == manifest


async def test_wheels_of_a_virtual_environment_are_changed_alike(
    place: Place, wheel_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel_dir))
    await place.create(installer=Installer.PYPI, packages=("metrics",))
    for name in ("metrics", "gauge"):
        make_wheel(place.wheels, name, "2.0", requires=("gauge",) if name == "metrics" else ())
    make_wheel(place.wheels, "needle", "2.0", requires=("gauge >=2",))
    # The newer needle would have gauge moved; the older one does as well.
    assert await place.preview(install=("later",)) == {"later": (None, "1.0"), "needle": (None, "1.0")}
    assert await place.preview(install=("needle >=2",)) == {"needle": (None, "2.0"), "gauge": ("1.0", "2.0")}
    assert await place.preview(update_all=True) == dict.fromkeys(("metrics", "gauge"), ("1.0", "2.0"))
    add_outside(place.prefix, "needle")
    before = place.versions
    await place.edit(install=("later",))
    assert place.versions == {**before, "later": "1.0"}
    assert read_pins(place.prefix).kept == ("needle==1.0",)
    assert place.packages["needle"].origin is PackageOrigin.OUTSIDE


@pytest.mark.parametrize(
    "edit",
    [
        PackageEdit(),
        PackageEdit(install=("--help",)),
        PackageEdit(install=("six @ file:///etc/passwd",)),
        PackageEdit(pip=("-r /etc/passwd",)),
        PackageEdit(uninstall=("six>=1",)),
        PackageEdit(update=("six[all]",)),
        PackageEdit(install=("six",), uninstall=("Six",)),
        PackageEdit(install=("six",), pip=("six",)),
    ],
    ids=str,
)
def test_malformed_edits_are_refused(edit: PackageEdit) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check(edit, manifest_of())
    assert caught.value.cure


def manifest_of(**spec: object) -> Manifest:
    """The manifest of an environment that is nowhere."""
    wanted = EnvironmentSpec(name="warp", **spec)  # type: ignore[arg-type]
    reasons = {"installer_reason": "", "variant_reason": "The driver is there."}
    packages = tuple(PlannedPackage(name=name, version="1.0") for name in ("base", "other", "six", "tool"))
    plan = Plan(
        spec=wanted, installer=Installer.CONDA, variant=Variant.GPU, target_cuda="12.9", packages=packages, **reasons
    )
    fields = {"kernel_name": "warp", "display_name": "Warp", "prefix": "", "generation": ""}
    return Manifest(name="warp", kind=EnvironmentKind.CONDA, spec=wanted, plan=plan, **fields)


def contents_of(*names: str) -> Contents:
    """What is in it."""
    records = (CondaRecord(name=name, version="1.0", build="0", path=Path(name)) for name in names)
    return Contents(records=tuple(records), distributions=())


FRAMEWORK = Framework(id="python", title="Python", summary="", recipes=())


def test_a_newer_wish_takes_the_place_of_an_older_one() -> None:
    manifest = manifest_of(packages=("Six ==1.0", "tool"), pip=("gauge>=1", "rich"))
    edit = PackageEdit(install=("six >=2", "rich"), uninstall=("gauge",))
    changed = change(manifest, contents_of("six", "tool", "other"), FRAMEWORK, edit)
    assert (changed.spec.packages, changed.spec.pip) == (("tool", "six >=2", "rich"), ())
    assert (changed.preference.hold, changed.preference.firm) == (("tool", "other"), ("tool", "other"))
    # What is updated may take along what is merely needed, and nothing that somebody asked for.
    changed = change(manifest, contents_of("six", "tool", "other"), FRAMEWORK, PackageEdit(update=("six",)))
    assert changed.spec == manifest.spec
    assert (changed.preference.hold, changed.preference.firm) == (("tool", "other"), ("tool",))
    changed = change(manifest, contents_of("six"), FRAMEWORK, PackageEdit(update_all=True))
    assert (changed.preference.hold, changed.preference.firm) == ((), ())


def test_what_cannot_be_carried_may_go_without_a_word(tmp_path: Path) -> None:
    cloned = Distribution(name="mine", version="1.0", origin="git+https://example.org/mine@abc", path=tmp_path)
    found = replace(contents_of("six"), distributions=(cloned,))
    kept = change(manifest_of(), found, FRAMEWORK, PackageEdit(install=("tool",)))
    assert kept.lost == {"mine"}
    assert kept.preference.remarks == (
        "mine was installed from git+https://example.org/mine@abc, and will be missing: "
        "install it from there again afterwards.",
    )
    gone = change(manifest_of(), found, FRAMEWORK, PackageEdit(uninstall=("mine",)))
    assert (gone.lost, gone.preference.remarks) == (frozenset(), ())


def test_exact_versions_that_were_brought_along_may_be_updated() -> None:
    brought = ("six=1.17.0=pyhd8ed1ab_0", "tool ==1.0", "base >=1,<2", "other=1")
    manifest = manifest_of(packages=brought, recipe=False)
    found = contents_of("six", "tool", "base", "other")
    one = change(manifest, found, FRAMEWORK, PackageEdit(update=("six",)))
    assert one.spec.packages == ("six", *brought[1:])
    every = change(manifest, found, FRAMEWORK, PackageEdit(update_all=True))
    assert every.spec.packages == ("six", "tool", "base >=1,<2", "other=1")


def test_an_environment_for_gpus_stays_one_where_there_is_none() -> None:
    manifest = manifest_of()
    spec = as_built(manifest.spec, manifest, has_driver=False)
    assert (spec.variant, spec.target_cuda, spec.installer) == (Variant.GPU, "12.9", Installer.CONDA)
    assert as_built(manifest.spec, manifest, has_driver=True).target_cuda is None
    bare = manifest_of(recipe=False)
    assert as_built(bare.spec, bare, has_driver=False).variant is Variant.AUTO
