"""Kernels made elsewhere: adopted they load their own CUDA, given back they are as they were."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import uv
from conftest import Caches
from doctoring import look, make_context
from jupyter_core.paths import jupyter_data_dir
from manager import make_manager
from two_cudas import STANZA, cuda_runtime, inside, make_decoy, running, write_kernel

from jupyter_gpu_kernels.build.adoption.handover import ORIGINAL, Released, adopt, release
from jupyter_gpu_kernels.build.disk.filesystem import remove_tree
from jupyter_gpu_kernels.build.kernelspec.registry import read
from jupyter_gpu_kernels.build.kernelspec.removal import remove
from jupyter_gpu_kernels.errors import ConflictError, NotFoundError, RefusedError

RUNTIME = "nvidia-cuda-runtime-cu12==12.9.79"


@dataclass(frozen=True)
class Foreign:
    """A virtual environment that its user made, and another CUDA 12 on the machine."""

    prefix: Path
    decoy: Path

    @property
    def python(self) -> Path:
        return self.prefix / "bin" / "python"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory, wheel_dir: Path, caches: Caches, base_python: Path) -> Foreign:
    root = tmp_path_factory.mktemp("foreign")
    environ = {**os.environ, "UV_CACHE_DIR": str(caches.uv)}
    made = Foreign(root / "mine", root / "decoy" / "nvidia" / "cuda_runtime" / "lib")
    wheels = ("--no-index", "--find-links", str(wheel_dir))
    for words in (
        ("venv", "-q", "--python", base_python, made.prefix),
        ("pip", "install", "-q", "--python", made.prefix, *wheels, "ipykernel", RUNTIME),
    ):
        subprocess.run([uv.find_uv_bin(), *words], check=True, env=environ)
    assert make_decoy(root / "decoy", made.python, caches.uv) == made.decoy
    return made


@pytest.fixture
def kernels(tmp_path: Path, foreign: Foreign) -> Path:
    """The user's kernels: one as ``ipykernel install`` writes it."""
    folder = tmp_path / "user" / "kernels"
    write_kernel(folder, "mine", foreign.python, provisioner=False)
    (folder / "mine" / "logo-64x64.png").write_bytes(b"a drawing")
    return folder


def state(folder: Path) -> dict[str, tuple[int, bytes, float]]:
    """All that a directory holds: modes, contents and times."""
    files = sorted(folder.rglob("*"))
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes(), path.stat().st_mtime)
        for path in files
        if path.is_file()
    }


async def test_a_kernel_loads_what_lies_about_before_it_is_adopted_and_its_own_after(
    kernels: Path, foreign: Foreign
) -> None:
    server = {**os.environ, "LD_LIBRARY_PATH": str(foreign.decoy)}
    environment, kernelspec = state(foreign.prefix), state(kernels)
    async with running(kernels, "mine", env=server) as (_, client):
        before = await cuda_runtime(client, "libcudart.so.12")
    assert (before["version"], before["mapped"]) == (12010, [str(foreign.decoy / "libcudart.so.12")])
    assert adopt(kernels / "mine", [kernels]) == kernels / "mine"
    async with running(kernels, "mine", env=server) as (_, client):
        after = await cuda_runtime(client, "libcudart.so.12")
    assert after["version"] == 12090
    assert inside(after["mapped"][0], str(foreign.prefix))
    # The environment is untouched (but for bytecode, which Python itself writes), and there is a way back.
    assert {path: is_ for path, is_ in state(foreign.prefix).items() if "__pycache__" not in path} == {
        path: was for path, was in environment.items() if "__pycache__" not in path
    }
    assert release(kernels / "mine", [kernels]) == Released(found=kernels / "mine")
    assert state(kernels) == kernelspec
    async with running(kernels, "mine", env=server) as (_, client):
        assert (await cuda_runtime(client, "libcudart.so.12"))["version"] == 12010


def test_nothing_but_the_metadata_changes(kernels: Path) -> None:
    before = read(kernels / "mine")
    original = (kernels / "mine" / "kernel.json").read_bytes()
    adopt(kernels / "mine", [kernels])
    after = read(kernels / "mine")
    assert after["metadata"].pop("jupyter_gpu_kernels_adopted") == {}
    assert after.pop("metadata") == STANZA
    before.pop("metadata")
    assert after == before
    assert (kernels / "mine" / ORIGINAL).read_bytes() == original
    # Once more changes nothing: the original stays the original.
    adopt(kernels / "mine", [kernels])
    assert (kernels / "mine" / ORIGINAL).read_bytes() == original


def test_what_somebody_changed_since_stays_changed(kernels: Path) -> None:
    place = kernels / "mine"
    adopt(place, [kernels])
    spec = read(place)
    spec["display_name"] = "My best kernel"
    (place / "kernel.json").write_text(json.dumps(spec))
    release(place, [kernels])
    spec["metadata"] = {}
    assert read(place) == spec
    assert sorted(os.listdir(place)) == ["kernel.json", "logo-64x64.png"]


def test_without_its_original_a_kernel_is_given_back_too(kernels: Path) -> None:
    before = read(kernels / "mine")
    adopt(kernels / "mine", [kernels])
    (kernels / "mine" / ORIGINAL).unlink()
    release(kernels / "mine", [kernels])
    assert read(kernels / "mine") == before


def closed(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """Let nobody write in a directory: root may everywhere, so the answer to the question is all there is to change."""
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: may(path, mode) and not (mode & os.W_OK and path == place))


def test_a_kernel_of_all_users_is_copied_for_one(
    kernels: Path, foreign: Foreign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system" / "kernels"
    write_kernel(system, "shared", foreign.python, provisioner=False)
    (system / "shared" / "logo-svg.svg").write_text("<svg/>")
    closed(monkeypatch, system / "shared")
    before = state(system)
    directories = (kernels, system)
    (finding,) = [
        item
        for item in look("adoptable-kernel", make_context(tmp_path, kernel_dirs=directories))
        if item.subject != "mine"
    ]
    assert f"a copy in {kernels} takes its place, for you alone" in finding.cure
    copy = adopt(system / "shared", directories)
    assert copy == kernels / "shared"
    assert sorted(os.listdir(copy)) == ["kernel.json", "logo-svg.svg"]
    assert state(system) == before
    # What a release deletes is said before it does.
    (finding,) = look("adopted-kernel", make_context(tmp_path, kernel_dirs=directories))
    assert finding.remedy is not None
    assert f"delete the kernelspec {copy}" in finding.remedy.question
    # What is hidden by its adopted copy is not offered again.
    assert [item.subject for item in look("adoptable-kernel", make_context(tmp_path, kernel_dirs=directories))] == [
        "mine"
    ]
    assert release(copy, directories) == Released(found=system / "shared", deleted=copy)
    assert not copy.exists()
    assert state(system) == before


def test_where_nothing_can_be_written_nothing_is_offered(
    foreign: Foreign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system" / "kernels"
    write_kernel(system, "shared", foreign.python, provisioner=False)
    closed(monkeypatch, system / "shared")
    (finding,) = look("adoptable-kernel", make_context(tmp_path, kernel_dirs=(system,)))
    assert finding.remedy is None
    with pytest.raises(RefusedError, match="you may not write"):
        adopt(system / "shared", [system])


def test_packages_of_the_user_are_found_as_before(kernels: Path, foreign: Foreign, tmp_path: Path) -> None:
    settings = foreign.prefix / "pyvenv.cfg"
    was = settings.read_text()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    own = Path.home() / ".local" / "lib" / f"python{version}" / "site-packages"
    own.mkdir(parents=True)
    (own / "mine.py").write_text("")
    try:
        settings.write_text(was.replace("include-system-site-packages = false", "include-system-site-packages = true"))
        adopt(kernels / "mine", [kernels])
    finally:
        settings.write_text(was)
    stanza = read(kernels / "mine")["metadata"]["kernel_provisioner"]
    assert stanza["config"] == {"launch_policy": {"user_site": True}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metadata": {"jupyter_gpu_kernels": {"prefix": "/envs/a"}}}, "it was made here"),
        ({"metadata": {"kernel_provisioner": {"provisioner_name": "slurm"}}}, "slurm starts it"),
        ({"argv": ["/opt/conda/bin/python", "-m", "nb_conda_kernels.runner", "/envs/a"]}, "another program starts it"),
        ({"argv": ["/bin/bash", "-c", "exec python -m ipykernel_launcher"]}, "another program starts it"),
        ({"argv": ["/gone/bin/python", "-m", "ipykernel_launcher"]}, "its Python is in no environment"),
        ({"argv": []}, "cannot be read"),
    ],
)
def test_only_plain_kernels_are_adopted(kernels: Path, tmp_path: Path, change: dict[str, object], reason: str) -> None:
    file = kernels / "mine" / "kernel.json"
    file.write_text(json.dumps({**read(kernels / "mine"), **change}))
    before = state(kernels)
    with pytest.raises(RefusedError, match=reason):
        adopt(kernels / "mine", [kernels])
    assert state(kernels) == before
    assert look("adoptable-kernel", make_context(tmp_path, kernel_dirs=(kernels,))) == ()


def test_only_kernelspecs_that_jupyter_finds_are_touched(kernels: Path, tmp_path: Path) -> None:
    for place in (tmp_path / "user", kernels / ".." / "kernels" / "mine", kernels / "other"):
        for deed in (adopt, release, remove):
            with pytest.raises(NotFoundError):
                deed(place, [kernels])
    with pytest.raises(RefusedError, match="not adopted"):
        release(kernels / "mine", [kernels])


def test_a_kernel_that_is_removed_is_gone_with_all_it_had(kernels: Path) -> None:
    remove(kernels / "mine", [kernels])
    assert list(kernels.iterdir()) == []
    assert list((kernels.parent / "gpu-kernels" / "staging").iterdir()) == []


def test_the_doctor_offers_to_adopt_what_would_gain(kernels: Path, foreign: Foreign, tmp_path: Path) -> None:
    context = make_context(tmp_path, kernel_dirs=(kernels,))
    (finding,) = look("adoptable-kernel", context)
    assert finding.severity.value == "note"
    assert finding.sentence == (
        "The kernel 'mine' uses the GPU, but is started without its environment's activation and libraries."
    )
    assert finding.remedy is not None
    assert (finding.remedy.id, finding.remedy.subject) == ("adopt-kernelspec", str(kernels / "mine"))
    assert look("adopted-kernel", context) == ()
    # With another CUDA on the path it is more than that.
    bad = make_context(tmp_path, kernel_dirs=(kernels,), environ={"LD_LIBRARY_PATH": f"/nowhere:{foreign.decoy}"})
    (finding,) = look("adoptable-kernel", bad)
    assert finding.severity.value == "warning"
    assert finding.sentence == (
        f"The kernel 'mine' loads libcudart.so.12 from {foreign.decoy}, and not its environment's own."
    )
    adopt(kernels / "mine", [kernels])
    assert look("adoptable-kernel", bad) == ()
    (finding,) = look("adopted-kernel", bad)
    assert finding.remedy is not None
    assert (finding.remedy.id, finding.remedy.subject) == ("release-kernelspec", str(kernels / "mine"))


def test_who_shares_a_kernel_with_others_is_asked(foreign: Foreign, tmp_path: Path) -> None:
    user = Path(jupyter_data_dir()) / "kernels"
    for folder in (user, tmp_path / "system"):
        write_kernel(folder, folder.name, foreign.python, provisioner=False)
    own, shared = look("adoptable-kernel", make_context(tmp_path, kernel_dirs=(user, tmp_path / "system")))
    assert own.remedy is not None
    assert shared.remedy is not None
    assert own.remedy.question == ""
    assert shared.remedy.question == (
        f"Let the provisioner start system for all who use {tmp_path / 'system' / 'system'}? Only Jupyters with "
        "jupyter_gpu_kernels offer it then."
    )


async def test_what_the_doctor_offers_is_done_when_it_is_asked_for(
    foreign: Foreign, channel: str, caches: Caches
) -> None:
    user = Path(jupyter_data_dir()) / "kernels"
    write_kernel(user, "mine", foreign.python, provisioner=False)
    before = state(user)
    doctoring = make_manager(channel, caches.root).doctoring
    for wanted in ("adopt-kernelspec", "release-kernelspec"):
        found = (await doctoring.diagnose()).findings
        (remedy,) = [item.remedy for item in found if item.remedy and item.remedy.id == wanted]
        await doctoring.apply(remedy)
        with pytest.raises(ConflictError):
            await doctoring.apply(remedy)
    assert state(user) == before


def test_a_kernel_without_anything_for_gpus_is_left_in_peace(tmp_path: Path) -> None:
    kernels = tmp_path / "kernels"
    write_kernel(kernels, "server", Path(sys.executable), provisioner=False)
    write_kernel(kernels, "r", Path("/usr/bin/R"), provisioner=False, language="R")
    assert look("adoptable-kernel", make_context(tmp_path, kernel_dirs=(kernels,))) == ()


def test_frameworks_are_known_by_their_builds(tmp_path: Path) -> None:
    prefix = tmp_path / "conda"
    packages = prefix / "lib" / "python3.12" / "site-packages"
    (packages / "ipykernel-7.4.0.dist-info").mkdir(parents=True)
    (packages / "tensorflow-2.19.0.dist-info").mkdir()
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(sys.executable)
    (prefix / "conda-meta").mkdir()
    records = prefix / "conda-meta"
    (records / "python-3.12.4-h0.json").write_text("{}")
    (records / "tensorflow-base-2.19.0-cpu_py312_0.json").write_text("{}")
    kernels = tmp_path / "kernels"
    write_kernel(kernels, "conda", prefix / "bin" / "python", provisioner=False)
    context = make_context(tmp_path, kernel_dirs=(kernels,))
    assert look("adoptable-kernel", context) == ()
    (records / "pytorch-2.7.1-cuda126_generic_py312_0.json").write_text("{}")
    (finding,) = look("adoptable-kernel", context)
    assert f"PyTorch for GPUs is installed in {prefix}" in finding.evidence
    remove_tree(prefix)
    assert look("adoptable-kernel", context) == ()
