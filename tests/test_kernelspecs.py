"""Kernelspecs: written whole, found by Jupyter, never over somebody else's."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from jupyter_gpu_kernels.build.kernelspec.kernel_json import KEY, kernel_json, logo
from jupyter_gpu_kernels.build.kernelspec.kernelspecs import (
    check_name_free,
    check_place,
    register,
    staged,
    unregister,
)
from jupyter_gpu_kernels.build.kernelspec.registry import Registry, kernels_directory
from jupyter_gpu_kernels.build.planning.catalogue import Catalogue
from jupyter_gpu_kernels.errors import InstallError, NameTakenError
from jupyter_gpu_kernels.models import EnvironmentKind, EnvironmentSpec, Installer, Manifest, Plan, Variant

#: One process per crash point, as in test_generations.
CRASH = """
import os, sys, pickle
from jupyter_gpu_kernels.build.kernelspec import kernelspecs

manifest, left, swapping = pickle.loads(bytes.fromhex(sys.argv[1])), int(sys.argv[2]), sys.argv[3]
if swapping == "replace":
    kernelspecs.exchange = lambda one, other: False

def crash(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "ctypes.dlopen") and armed:
        left -= 1
        if left < 0:
            os._exit(9)

armed = False
sys.addaudithook(crash)
armed = True
kernelspecs.register(manifest)
os._exit(0)
"""


def environment(prefix: Path, *, ipykernel: str = "7.4.0", python: str = "3.12.4") -> Path:
    """Make what a virtual environment with ipykernel looks like."""
    site = prefix / "lib" / f"python{python.rpartition('.')[0]}" / "site-packages"
    (site / f"ipykernel-{ipykernel}.dist-info").mkdir(parents=True)
    (prefix / "pyvenv.cfg").write_text(f"version_info = {python}\n")
    return prefix


def manifest_of(prefix: Path, name: str = "TF-Warp", **changes: object) -> Manifest:
    spec = EnvironmentSpec(name=name, framework="tensorflow")
    plan = Plan(
        spec=spec,
        installer=Installer.PYPI,
        installer_reason="",
        variant=Variant.GPU,
        variant_reason="",
        python="3.12.4",
        framework_version="2.19.0",
        cuda="12.9",
    )
    manifest = Manifest(
        name=name,
        kernel_name=name.lower(),
        display_name=f"{name} (TensorFlow 2.19 · CUDA 12.9)",
        kind=EnvironmentKind.VIRTUALENV,
        prefix=str(prefix),
        generation=f"{name}-0",
        spec=spec,
        plan=plan,
    )
    return replace(manifest, **changes)  # type: ignore[arg-type]


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return manifest_of(environment(tmp_path / "envs" / "TF-Warp"))


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server's environment of the test's own."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "system"))
    return tmp_path / "system" / "share" / "jupyter" / "kernels"


def foreign(folder: Path, name: str, spec: object = None) -> Path:
    """Write somebody else's kernelspec."""
    (folder / name).mkdir(parents=True)
    content = {"argv": ["true"], "display_name": "Mine", "language": "python"} if spec is None else spec
    (folder / name / "kernel.json").write_text(json.dumps(content))
    return folder / name


def read(folder: Path) -> dict[str, object]:
    return dict(json.loads((folder / "kernel.json").read_text()))


def staging() -> list[str]:
    folder = kernels_directory().parent / "gpu-kernels" / "staging"
    return os.listdir(folder) if folder.exists() else []


def test_a_registered_kernelspec_holds_what_jupyter_needs_and_no_more(manifest: Manifest) -> None:
    folder = register(manifest)
    assert folder == kernels_directory() / "tf-warp"
    assert sorted(os.listdir(folder)) == ["kernel.json", "logo-svg.svg"]
    assert read(folder) == {
        "argv": [
            f"{manifest.prefix}/bin/python",
            "-Xfrozen_modules=off",
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
        ],
        "display_name": "TF-Warp (TensorFlow 2.19 · CUDA 12.9)",
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {
            "debugger": True,
            "supported_encryption": ["curve"],
            "kernel_provisioner": {"provisioner_name": "gpu-kernels-provisioner", "config": {}},
            "jupyter_gpu_kernels": {
                "environment": "TF-Warp",
                "prefix": manifest.prefix,
                "framework": "tensorflow",
                "framework_version": "2.19.0",
                "variant": "gpu",
                "cuda": "12.9",
            },
        },
    }
    assert (folder / "logo-svg.svg").read_bytes() == logo("tensorflow").read_bytes()
    assert staging() == []


def test_jupyter_finds_it_and_makes_our_provisioner_of_it(manifest: Manifest) -> None:
    folder = register(manifest)
    specs = KernelSpecManager().get_all_specs()
    assert specs["tf-warp"]["resource_dir"] == str(folder)
    assert specs["tf-warp"]["spec"]["env"] == {}
    manager = KernelManager(kernel_name="tf-warp")
    assert manager._kernel_supports_curve_encryption()


@pytest.mark.parametrize(
    ("ipykernel", "python", "curve", "debugger", "frozen"),
    [
        ("7.3.0", "3.10.2", True, True, False),
        ("7.3.0rc1", "3.11.0", False, True, True),
        ("7.2.0", "3.13.1", False, True, True),
        ("6.16.2", "3.7.12", False, True, False),
        ("5.5.6", "3.6.15", False, False, False),
        ("none.of.it", "3.12.0", False, False, True),
    ],
)
def test_what_an_old_ipykernel_cannot_do_is_not_declared(
    tmp_path: Path, ipykernel: str, python: str, *, curve: bool, debugger: bool, frozen: bool
) -> None:
    prefix = environment(tmp_path / "old", ipykernel=ipykernel, python=python)
    spec = kernel_json(manifest_of(prefix), prefix)
    assert ("supported_encryption" in spec["metadata"], spec["metadata"]["debugger"]) == (curve, debugger)
    assert ("-Xfrozen_modules=off" in spec["argv"]) == frozen


def test_registering_again_replaces_the_kernelspec(manifest: Manifest) -> None:
    register(manifest)
    folder = register(replace(manifest, display_name="Second"), framework_logo=b"<svg/>")
    assert read(folder)["display_name"] == "Second"
    assert (folder / "logo-svg.svg").read_bytes() == b"<svg/>"
    assert (os.listdir(folder.parent), staging()) == (["tf-warp"], [])


@pytest.mark.parametrize("swapping", ["exchange", "replace"])
@pytest.mark.parametrize("first", [True, False])
def test_a_crash_at_any_point_leaves_a_whole_kernelspec_or_none(
    manifest: Manifest, swapping: str, *, first: bool
) -> None:
    import pickle

    folder = kernels_directory() / "tf-warp"
    folder.parent.mkdir(parents=True)
    seen: set[object] = set()
    for point in range(100):
        unregister("tf-warp")
        if not first:
            register(manifest)
        argument = pickle.dumps(replace(manifest, display_name="new")).hex()
        command = [sys.executable, "-c", CRASH, argument, str(point), swapping]
        status = subprocess.run(command, check=False).returncode
        assert status in (0, 9)
        if folder.exists():
            assert (folder / "logo-svg.svg").stat().st_size > 0
            seen.add(read(folder)["display_name"])
        else:
            seen.add("none")
        assert set(os.listdir(folder.parent)) <= {"tf-warp"}
        if status == 0:
            break
    assert status == 0
    assert seen == {"none" if first else manifest.display_name, "new"}


def test_a_reader_never_finds_half_a_kernelspec(manifest: Manifest) -> None:
    folder = register(manifest)
    stop, problems = threading.Event(), list[str]()

    def look() -> None:
        while not stop.is_set():
            try:
                read(folder)
                (folder / "logo-svg.svg").read_bytes()
            except (OSError, ValueError) as error:
                problems.append(str(error))

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(100):
        register(replace(manifest, display_name=str(number)))
    stop.set()
    reader.join()
    assert problems == []


def test_the_servers_environment_is_another_place(manifest: Manifest, system: Path) -> None:
    first = register(manifest)
    folder = register(manifest, sys_prefix=True)
    assert folder == system / "tf-warp"
    assert not first.exists()
    assert register(replace(manifest, spec=replace(manifest.spec, sys_prefix=True))) == folder
    assert Registry()() == {manifest.prefix: str(folder)}
    assert unregister("TF-warp") == (folder,)
    assert Registry()() == {}


@pytest.mark.parametrize("name", ["python", "python3", "PYTHON3", "python2", "python314"])
def test_names_of_the_native_kernel_are_reserved(name: str) -> None:
    with pytest.raises(NameTakenError, match="reserved for Jupyter's own"):
        check_name_free(name)


@pytest.mark.parametrize("name", ["pythonic", "python-gpu", "my-python3", "tf"])
def test_names_like_it_are_not(name: str) -> None:
    check_name_free(name)


def test_a_clash_names_the_owner_whichever_the_letters_case(tmp_path: Path) -> None:
    place = foreign(tmp_path / "jupyter" / "kernels", "TF-Warp")
    with pytest.raises(NameTakenError) as caught:
        check_name_free("tf-warp", directories=[place.parent])
    assert caught.value.message == f"The kernel name 'tf-warp' belongs to the kernel \"Mine\" in {place}."
    assert caught.value.cure == "Choose another name, or remove that kernel with `jupyter kernelspec remove tf-warp`."
    check_name_free("tf-warp2", directories=[place.parent])


def test_kernels_are_looked_for_wherever_jupyter_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = foreign(tmp_path / "lab" / "kernels", "tf")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "lab"))
    with pytest.raises(NameTakenError, match=str(place)):
        check_name_free("tf")


def test_the_kernel_of_another_environment_is_told_from_our_own(manifest: Manifest, tmp_path: Path) -> None:
    folder = register(manifest)
    check_name_free("tf-warp", prefix=Path(manifest.prefix))
    with pytest.raises(NameTakenError) as caught:
        check_name_free("tf-warp", prefix=tmp_path / "other")
    check_name_free("tf-warp", gone=[tmp_path / "other", Path(manifest.prefix)])
    with pytest.raises(NameTakenError):
        check_name_free("tf-warp", gone=[tmp_path / "other"])
    assert f"belongs to the GPU kernel of the environment {manifest.prefix}, in {folder}." in caught.value.message
    assert f"`jupyter gpu-kernels remove {Path(manifest.prefix).name}`" in caught.value.cure
    Path(manifest.prefix).rename(tmp_path / "elsewhere")
    with pytest.raises(NameTakenError, match=f"{manifest.prefix}, which is gone, in") as caught:
        check_name_free("tf-warp")
    assert "`jupyter kernelspec remove tf-warp`" in caught.value.cure
    with pytest.raises(NameTakenError):
        check_name_free("TF-WARP")


@pytest.mark.parametrize("spec", ["", [], {"metadata": []}, {"metadata": {"jupyter_gpu_kernels": "?"}}])
def test_a_damaged_kernelspec_is_somebody_elses(manifest: Manifest, spec: object) -> None:
    place = foreign(kernels_directory(), "tf-warp", spec)
    before = (place / "kernel.json").read_bytes()
    for attempt in (
        lambda: check_name_free("tf-warp", prefix=Path(manifest.prefix)),
        lambda: register(manifest),
    ):
        with pytest.raises(NameTakenError):
            attempt()
    assert unregister("tf-warp", prefix=Path(manifest.prefix)) == ()
    assert (place / "kernel.json").read_bytes() == before


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_whatever_is_in_the_way_stays(manifest: Manifest, make: Callable[[Path], None]) -> None:
    place = kernels_directory() / "tf-warp"
    place.parent.mkdir(parents=True)
    make(place)
    with pytest.raises(NameTakenError, match="holds no kernel"):
        check_name_free("tf-warp")
    with pytest.raises(NameTakenError):
        register(manifest)
    assert os.path.lexists(place)
    assert staging() == []


def test_only_ours_is_unregistered(manifest: Manifest, tmp_path: Path) -> None:
    mine = foreign(kernels_directory(), "mine")
    folder = register(manifest)
    assert unregister("mine") == ()
    assert unregister("nothing") == ()
    assert unregister("tf-warp", prefix=tmp_path / "other") == ()
    assert unregister("tf-warp", prefix=Path(manifest.prefix)) == (folder,)
    assert os.listdir(kernels_directory()) == [mine.name]
    assert staging() == []


def test_a_staged_kernelspec_starts_the_generation_and_nobody_sees_it(manifest: Manifest, tmp_path: Path) -> None:
    generation = environment(tmp_path / "envs" / ".gen" / "tf-0", ipykernel="6.29.0")
    place = tmp_path / "state" / "staging"
    with staged(manifest, generation, place) as folder:
        specs = KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False).get_all_specs()
        assert list(specs) == ["tf-warp"]
        assert specs["tf-warp"]["spec"]["argv"][0] == str(generation / "bin" / "python")
        assert "supported_encryption" not in specs["tf-warp"]["spec"]["metadata"]
        assert "tf-warp" not in KernelSpecManager().find_kernel_specs()
    assert os.listdir(place) == []
    with contextlib.suppress(RuntimeError), staged(manifest, generation, place):
        raise RuntimeError
    assert os.listdir(place) == []


def test_what_a_killed_verification_has_left_is_forgotten_in_time(manifest: Manifest, tmp_path: Path) -> None:
    place = tmp_path / "staging"
    for name, age in (("old", 2 * 86400), ("young", 60)):
        (place / name).mkdir(parents=True)
        os.utime(place / name, (time.time() - age,) * 2)
    with staged(manifest, Path(manifest.prefix), place):
        pass
    assert os.listdir(place) == ["young"]


def test_a_place_that_cannot_be_written_is_refused_beforehand(jp_data_dir: Path, system: Path) -> None:
    check_place(sys_prefix=False)
    check_place(sys_prefix=True)
    # Root may write anywhere, but nobody can make a directory in a file.
    jp_data_dir.mkdir(parents=True, exist_ok=True)
    kernels_directory().write_text("")
    with pytest.raises(InstallError, match="No kernel can be registered in") as caught:
        check_place(sys_prefix=False)
    assert caught.value.cure


def test_a_directory_that_cannot_be_written_is_an_error_with_a_cure(manifest: Manifest) -> None:
    kernels_directory().parent.mkdir(parents=True, exist_ok=True)
    kernels_directory().touch()
    with pytest.raises(InstallError, match="cannot be registered") as caught:
        register(manifest)
    assert caught.value.cure


def test_a_registry_notices_every_change_and_reads_nothing_twice(manifest: Manifest, tmp_path: Path) -> None:
    registry = Registry()
    assert registry() == {}
    folder = register(manifest)
    foreign(kernels_directory(), "mine")
    assert registry() == {manifest.prefix: str(folder)}
    for number in range(300):
        ours = {"metadata": {KEY: {"prefix": f"/envs/{number}"}}}
        foreign(kernels_directory(), f"k{number}", ours)
    assert len(registry()) == 301
    # Long since as it is: from now on only the directory is looked at.
    os.utime(kernels_directory(), (0, 0))
    assert registry() == registry()
    (kernels_directory() / "k7" / "kernel.json").write_text("{}")
    unregister("tf-warp")
    assert sorted(registry()) == sorted(f"/envs/{number}" for number in range(300) if number != 7)


def test_every_framework_has_a_drawing() -> None:
    for framework in Catalogue.load(()):
        path = logo(framework.logo)
        assert path.stem == framework.logo
        root = ET.fromstring(path.read_text())
        assert root.get("viewBox") == "0 0 64 64"
    assert logo("nothing").name == "python.svg"
    assert logo("../../../secret").name == "python.svg"
