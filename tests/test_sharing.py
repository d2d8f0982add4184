"""What is exported is imported again as it was: the same packages under another home, from every format."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from conftest import Caches
from manager import FRAMEWORKS, Recorder, make_manager
from tornado.httpclient import HTTPClientError, HTTPResponse
from wheels_index import Index, make_wheel

from jupyter_gpu_kernels.build.contents.installed import installed
from jupyter_gpu_kernels.cli.arguments import parse
from jupyter_gpu_kernels.cli.exits import Exit
from jupyter_gpu_kernels.cli.run import run
from jupyter_gpu_kernels.errors import InvalidInputError, NameTakenError, NotFoundError, RefusedError
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
            FileFormat.ENVIRONMENT_YML if kind is FileFormat.EXACT_YML else kind,
            kind is not FileFormat.ENVIRONMENT_YML,
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
    found = await friend.sharing.plan_import(ImportRequest(text=yml.text))
    assert found.plan.installer is Installer.PYPI
    assert {item.name for item in found.plan.packages} == {name for name, *_ in there(built)}
    # Of somebody else's, the channels decide: a port where nobody listens is none.
    theirs = ImportRequest(text="\n".join(line for line in yml.text.splitlines() if line[:1] != "#"))
    assert (await friend.sharing.plan_import(theirs)).plan.installer is Installer.CONDA
    alone = make_manager("http://127.0.0.1:9/lab", caches.root)
    assert (await alone.sharing.plan_import(theirs)).plan.installer is Installer.PYPI
    made = await imported(friend, ImportRequest(text=file.text, file_name="plain-requirements.txt", verify=False))
    assert made.name == "plain"
    assert there(made) == there(built)
    with pytest.raises(NameTakenError):
        await friend.sharing.import_(ImportRequest(text=file.text, name="plain"))


def explicit(channel: str, *files: str) -> str:
    return "@EXPLICIT\n" + "".join(f"{channel}/{file}\n" for file in files)


async def test_files_that_cannot_become_kernels_are_refused_and_nothing_is_touched(
    channel: str, caches: Caches, tmp_path: Path
) -> None:
    manager = make_manager(channel, caches.root)
    root = tmp_path / "contents"
    root.mkdir()
    (tmp_path / "outside.yml").write_text("dependencies: [python]\n")
    (root / "link.yml").symlink_to(tmp_path / "outside.yml")
    (root / "good.yml").write_text("name: base\ndependencies: [python=3, warpdrive]\n")
    manager.contents_root = root
    python = explicit(channel, "linux-64/python-3.12.4-h1_0.conda")
    cases = [
        (ImportRequest(path="../outside.yml"), InvalidInputError, "no file below"),
        (ImportRequest(path="link.yml"), InvalidInputError, "no file below"),
        (ImportRequest(path=str(tmp_path / "outside.yml")), NotFoundError, "There is no file"),
        (ImportRequest(path="missing.yml"), NotFoundError, "There is no file"),
        (ImportRequest(path="\0"), InvalidInputError, "is none"),
        (ImportRequest(), InvalidInputError, "Either a text is given"),
        (ImportRequest(text="six\n", path="good.yml"), InvalidInputError, "Either a text is given"),
        (ImportRequest(text="six\n", name="../x"), InvalidInputError, "cannot be the name"),
        (ImportRequest(text=python), RefusedError, "has no ipykernel"),
        (ImportRequest(text=explicit(channel, "noarch/ipykernel-7.3.0-0.conda")), RefusedError, "has no python"),
        (
            ImportRequest(text="six==1 --hash=sha256:{0}\nsix==2 --hash=sha256:{0}\n".format("0" * 64)),
            InvalidInputError,
            "six twice",
        ),
        (ImportRequest(text="dependencies: ['--file=/etc/passwd']\n"), InvalidInputError, "options, paths"),
        (ImportRequest(text="dependencies: ['/tmp/evil.conda']\n"), InvalidInputError, "options, paths"),
        (ImportRequest(text="dependencies: ['a[url=x]']\n"), InvalidInputError, "is not a conda package"),
        (ImportRequest(text="channels: ['ftp://example.org']\ndependencies: []\n"), InvalidInputError, "not a conda"),
    ]
    for request, error, sentence in cases:
        for ask in (manager.sharing.plan_import, manager.sharing.import_):
            with pytest.raises(error, match=sentence):
                await ask(request)
    assert await manager.jobs() == ()
    assert not (Path(manager.state_dir) / "imports").exists()
    # A name that no environment may have is exchanged for one like the file's.
    found = await manager.sharing.plan_import(ImportRequest(path="/good.yml"))
    assert (found.spec.name, found.spec.framework, found.plan.framework_version) == ("good", "warpdrive", "1.5.0")


async def test_channels_that_are_not_allowed_are_refused(channel: str, caches: Caches, tmp_path: Path) -> None:
    Path(Path.home(), ".condarc").write_text("denylist_channels: ['https://example.org/evil', nasty]\n")
    manager = make_manager(channel, caches.root)
    files = "linux-64/python-3.12.4-h1_0.conda", "noarch/ipykernel-7.3.0-pyh1_0.conda"
    for place in ("https://example.org/evil", "https://example.org/nasty"):
        with pytest.raises(RefusedError, match=f"does not allow the channel {place}"):
            await manager.sharing.plan_import(ImportRequest(text=explicit(place, *files)))
        found = await manager.sharing.plan_import(
            ImportRequest(text=f"channels: ['{place}']\ndependencies: [python]\n")
        )
        assert found.plan.refusal is not None
        assert "does not allow" in found.plan.refusal.reason


async def test_hashes_that_are_not_the_channels_are_refused(channel: str, caches: Caches, channel_dir: Path) -> None:
    manager = make_manager(channel, caches.root)
    kernels = [*channel_dir.glob("noarch/ipykernel-*"), *channel_dir.glob("linux-64/python-3*")]
    good = explicit(channel, *(f"{path.parent.name}/{path.name}" for path in kernels))
    Path(Path.home(), ".condarc").write_text(f"allowlist_channels: ['{channel}']\n")
    found = await make_manager(channel, caches.root, channels=[]).sharing.plan_import(ImportRequest(text=good))
    # The usual channel is not allowed, so that the file's own is named for later.
    assert found.spec.channels == (channel,)
    found = await manager.sharing.plan_import(ImportRequest(text=good))
    assert found.spec.channels == ()
    assert (found.exact, len(found.plan.packages)) == (True, 2)
    assert all(package.size for package in found.plan.packages)
    bad = good.replace(".tar.bz2\n", f".tar.bz2#{'0' * 32}\n").replace(".conda\n", f".conda#{'0' * 32}\n")
    with pytest.raises(RefusedError, match=r"hash of .* is not that of the package which the channel has"):
        await manager.sharing.plan_import(ImportRequest(text=bad))


async def test_an_import_is_taken_up_again_by_the_next_server(channel: str, caches: Caches) -> None:
    manager = make_manager(channel, caches.root)
    text = "name: study\ndependencies: [python, warpdrive=1.5=*cpu*]\n"
    job = await manager.sharing.import_(ImportRequest(text=text, verify=False))
    await manager.close()
    # As if its process were gone, which is this one.
    left = await manager.job(job.id)
    manager.runner.ledger.records.save(replace(left, owner=None, revision=left.revision + 1))
    (kept,) = (Path(manager.state_dir) / "imports").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    successor = make_manager(channel, caches.root)
    (taken,) = await successor.recover()
    assert taken.id == job.id
    done = await successor.runner.wait(job.id)
    assert (done.state, done.error) == (JobState.SUCCEEDED, None)
    assert not kept.exists()
    made = await successor.get("study")
    assert (made.spec.recipe, made.spec.framework, made.plan.variant) == (False, "warpdrive", Variant.CPU)
    # Cancelled by its user, nothing is kept of it.
    job = await successor.sharing.import_(ImportRequest(text=text, name="again"))
    await successor.cancel(job.id)
    assert not list(kept.parent.iterdir())


def test_the_command_line_says_what_would_be_built(
    channel: str, caches: Caches, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Manager(GpuKernelsManager):
        def __init__(self, **traits: object) -> None:
            vars_ = {"channels": [channel], "cache_dir": str(caches.root), "catalogue_dirs": [str(FRAMEWORKS)]}
            super().__init__(**{**traits, **vars_})

    def call(*words: str) -> tuple[int, str]:
        code = run(*parse(words), manager_class=Manager)
        return code, "".join(capsys.readouterr())

    file = tmp_path / "study.yml"
    file.write_text("dependencies: [python, warpdrive]\n")
    code, said = call("import", str(file), "--dry-run")
    assert code == Exit.DONE
    assert "of the format environment.yml: packages that are chosen for this machine" in said
    assert "warpdrive" in said
    assert call("import", "https://example.org/study.yml")[0] == Exit.USAGE
    assert call("import", str(tmp_path / "none.yml"))[0] == Exit.NOT_FOUND
    # Nobody can be asked.
    code, said = call("import", str(file))
    assert (code, "Add --yes" in said) == (Exit.USAGE, True)
    assert call("export", "none")[0] == Exit.NOT_FOUND


async def test_files_come_over_rest(jp_serverapp, jp_fetch, channel: str, caches: Caches) -> None:
    async def ask(*path: str, **more) -> tuple[int, dict]:
        try:
            answer = await jp_fetch("jupyter-gpu-kernels", *path, **more)
        except HTTPClientError as error:
            answer = cast(HTTPResponse, error.response)
        return answer.code, json.loads(answer.body)

    manager = jp_serverapp.web_app.settings["gpu_kernels_manager"]
    manager.channels, manager.cache_dir, manager.catalogue_dirs = [channel], str(caches.root), [str(FRAMEWORKS)]
    file = Path(jp_serverapp.root_dir) / "study.yml"
    file.write_text("dependencies: [python, warpdrive]\n")
    code, found = await ask("imports", "plan", method="POST", body=json.dumps({"path": "study.yml"}))
    assert (code, found["format"], found["spec"]["name"]) == (200, "environment.yml", "study")
    # Locks are longer than other requests; what is too long is said of the file.
    long = json.dumps({"text": "dependencies:\n" + "  - numpy\n" * 40_000})
    code, found = await ask("imports", "plan", method="POST", body=long)
    assert (code, "The file is" in found["message"]) == (413, True)
    code, found = await ask("imports", method="POST", body=json.dumps({"text": "-r /etc/passwd\nsix"}))
    assert (code, "reads another file" in found["message"]) == (400, True)
    body = json.dumps({"path": "study.yml", "verify": False})
    code, job = await ask("imports", method="POST", body=body)
    assert (code, job["kind"], job["name"]) == (202, "import", "study")
    assert job["file"] == "study.yml"
    assert (await manager.runner.wait(job["id"])).state is JobState.SUCCEEDED
    code, found = await ask("environments", "study", "export", params={"format": "pixi.lock", "platforms": "osx-arm64"})
    assert (code, found["file_name"]) == (200, "study-pixi.lock")
    assert "/warpdrive-1.5.0" in found["text"]
    assert [warning.split(":")[0] for warning in found["warnings"]] == ["Nothing is locked for osx-arm64"]
    code, found = await ask("environments", "study", "export", params={"platforms": "osx-arm64"})
    assert (code, "Only a pixi.lock" in found["message"]) == (400, True)
    code, found = await ask("environments", "none", "export", params={"format": "pixi.lock"})
    assert code == 404
    code, found = await ask("environments", "none", "export", params={"format": "docx"})
    assert (code, "There is no format" in found["message"]) == (400, True)
