"""What the doctor says of kernelspecs and environments that are broken, each broken in earnest."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import uv
from conftest import Caches
from doctoring import look, make_context
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning import KernelProvisionerBase, LocalProvisioner
from jupyter_core.paths import jupyter_data_dir
from manager import Recorder, make_manager
from test_kernelspecs import environment, manifest_of
from two_cudas import STANZA, write_kernel

from jupyter_gpu_kernels.build.adoption.handover import adopt
from jupyter_gpu_kernels.build.disk.generations import Generations
from jupyter_gpu_kernels.build.disk.inventory import Inventory
from jupyter_gpu_kernels.build.kernelspec.kernelspecs import register, unregister
from jupyter_gpu_kernels.build.kernelspec.registry import Registry
from jupyter_gpu_kernels.build.kernelspec.removal import remove
from jupyter_gpu_kernels.diagnosis.context import Context
from jupyter_gpu_kernels.diagnosis.kernelspecs import starters
from jupyter_gpu_kernels.models import EnvironmentSpec, Finding, Installer, Manifest, Severity
from jupyter_gpu_kernels.prefix.manifest import MANIFEST, write_manifest

KERNELSPEC_CHECKS = (
    "dead-kernelspec",
    "unregistered-kernel",
    "shadowed-kernel",
    "same-title",
    "damaged-environment",
    "half-deleted-environment",
    "leftovers",
    "provisioner-missing",
    "provisioner-missing-elsewhere",
    "encryption-promised",
    "frozen-variables",
)


@pytest.fixture
def user() -> Path:
    """Where the user's kernels are."""
    return Path(jupyter_data_dir()) / "kernels"


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """A registered environment of ours."""
    prefix = environment(tmp_path / "envs" / "TF-Warp")
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(sys.executable)
    made = manifest_of(prefix)
    (prefix / MANIFEST).parent.mkdir(parents=True)
    write_manifest(prefix, made)
    register(made)
    return made


def seen(tmp_path: Path, user: Path, *more: Path, **changes: object) -> Context:
    """The context of a machine as it is now."""
    found = Inventory([tmp_path / "envs"], Registry()).environments()
    return make_context(tmp_path, kernel_dirs=(user, *more), environments=found, **changes)


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


def remedy(finding: Finding) -> tuple[str, str]:
    assert finding.remedy is not None
    return finding.remedy.id, finding.remedy.subject


@pytest.mark.parametrize("check", KERNELSPEC_CHECKS)
def test_a_sound_machine_is_met_with_silence(check: str, manifest: Manifest, user: Path, tmp_path: Path) -> None:
    write_kernel(user, "other", Path(sys.executable), provisioner=False)
    write_kernel(user, "bare", Path("python"), provisioner=False, display_name="Python 3")
    write_kernel(user, "script", Path("{resource_dir}/start"), provisioner=False)
    (user / "script" / "start").write_text("#!/bin/sh\n")
    (user / "script" / "start").chmod(0o755)
    far = {"kernel_provisioner": {"provisioner_name": "local-provisioner"}}
    write_kernel(user, "local", Path(sys.executable), metadata=far, provisioner=False)
    write_kernel(tmp_path / "system", "other", Path("/gone"), provisioner=False)
    assert look(check, seen(tmp_path, user, tmp_path / "system")) == ()
    assert look(check, make_context(tmp_path)) == ()


async def test_an_environment_as_it_is_built_is_met_with_silence(
    channel: str, caches: Caches, user: Path, tmp_path: Path
) -> None:
    manager = make_manager(channel, caches.root, conda_envs_dir=str(tmp_path / "envs"))
    spec = EnvironmentSpec(name="sound", installer=Installer.CONDA)
    await manager.workshop.create(spec, reporter=Recorder())
    for check in KERNELSPEC_CHECKS:
        assert await asyncio.to_thread(look, check, seen(tmp_path, user)) == (), check


def test_a_kernel_whose_environment_is_gone_is_removed_without_a_question(
    manifest: Manifest, user: Path, tmp_path: Path
) -> None:
    shutil.rmtree(manifest.prefix)
    finding = only(look("dead-kernelspec", seen(tmp_path, user)))
    assert finding.severity is Severity.PROBLEM
    assert finding.sentence == f"The environment of the kernel {manifest.display_name!r} is gone."
    assert f"{tmp_path / 'envs'} is all of that path that is there" in finding.evidence
    assert remedy(finding) == ("remove-kernelspec", str(user / "tf-warp"))
    assert finding.remedy is not None
    assert finding.remedy.question == ""
    remove(user / "tf-warp", [user])
    assert look("dead-kernelspec", seen(tmp_path, user)) == ()


def test_a_kernel_whose_interpreter_is_gone_is_built_anew(manifest: Manifest, user: Path, tmp_path: Path) -> None:
    python = Path(manifest.prefix) / "bin" / "python"
    python.unlink()
    python.symlink_to("/gone/python3.12")
    finding = only(look("dead-kernelspec", seen(tmp_path, user)))
    assert f"{python} leads to /gone/python3.12, which is gone" in finding.sentence
    assert remedy(finding) == ("rebuild", "TF-Warp")
    part = only(look("half-deleted-environment", seen(tmp_path, user)))
    assert part.evidence == (f"its Python, {python}, leads to /gone/python3.12, which is gone",)


def test_a_kernel_of_somebody_else_is_removed_after_a_question(user: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    write_kernel(user, "old", python, provisioner=False, display_name="Old project")
    write_kernel(user, "absent", Path("no-such-program"), provisioner=False)
    (user / "broken").mkdir()
    (user / "broken" / "kernel.json").write_text("{")
    absent, broken, old = look("dead-kernelspec", make_context(tmp_path, kernel_dirs=(user,)))
    assert absent.sentence == "The kernel 'absent' cannot start: there is no program no-such-program on the PATH."
    assert broken.sentence == "The kernel 'broken' cannot be read, so Jupyter does not offer it."
    assert old.sentence == f"The kernel 'Old project' cannot start: {python} is gone."
    for finding in (absent, broken, old):
        assert finding.severity is Severity.WARNING
        assert remedy(finding) == ("remove-kernelspec", str(user / finding.subject))
        assert finding.remedy is not None
        assert finding.remedy.question


def test_a_program_of_another_machine_is_not_looked_for_here(user: Path, tmp_path: Path) -> None:
    far = {"kernel_provisioner": {"provisioner_name": "slurm-provisioner"}}
    write_kernel(user, "far", Path("/cluster/python"), provisioner=False, metadata=far)
    assert look("dead-kernelspec", make_context(tmp_path, kernel_dirs=(user,))) == ()


def test_an_adopted_kernel_can_be_dead_too(user: Path, tmp_path: Path) -> None:
    write_kernel(user, "mine", tmp_path / "gone" / "bin" / "python")
    assert "is gone" in only(look("dead-kernelspec", make_context(tmp_path, kernel_dirs=(user,)))).sentence


def test_an_environment_without_its_kernelspec_gets_it_back(manifest: Manifest, user: Path, tmp_path: Path) -> None:
    unregister("tf-warp")
    finding = only(look("unregistered-kernel", seen(tmp_path, user)))
    assert finding.sentence == (
        "The kernel of the environment 'TF-Warp' is not registered, so Jupyter does not offer it."
    )
    assert remedy(finding) == ("verify", "TF-Warp")


def test_a_name_that_is_taken_earlier_hides_a_kernel(manifest: Manifest, user: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    write_kernel(first, "TF-Warp", Path(sys.executable), provisioner=False, display_name="Somebody's")
    finding = only(look("shadowed-kernel", seen(tmp_path, first, user)))
    assert finding.sentence == "The GPU kernel 'tf-warp' is hidden by another kernel of that name, \"Somebody's\"."
    assert finding.evidence == (f"Jupyter takes {first / 'TF-Warp'}", f"and passes over {user / 'tf-warp'}")
    assert remedy(finding) == ("remove-kernelspec", str(first / "TF-Warp"))


def test_two_kernels_of_one_title_are_hard_to_tell_apart(manifest: Manifest, user: Path, tmp_path: Path) -> None:
    write_kernel(user, "other", Path(sys.executable), provisioner=False, display_name=manifest.display_name)
    finding = only(look("same-title", seen(tmp_path, user)))
    assert finding.sentence == f"2 kernels are shown as {manifest.display_name!r}: 'other' and 'tf-warp'."
    # Others' names are others' business.
    unregister("tf-warp")
    write_kernel(user, "third", Path(sys.executable), provisioner=False, display_name=manifest.display_name)
    assert look("same-title", seen(tmp_path, user)) == ()


def test_a_damaged_manifest_makes_a_dead_environment(manifest: Manifest, user: Path, tmp_path: Path) -> None:
    file = Path(manifest.prefix) / MANIFEST
    file.write_bytes(file.read_bytes()[:100])
    finding = only(look("damaged-environment", seen(tmp_path, user)))
    assert finding.sentence == "Nothing is known of the environment 'TF-Warp': its manifest cannot be read."
    assert remedy(finding) == ("remove-environment", "TF-Warp")


def test_an_environment_that_was_half_deleted_is_built_anew(manifest: Manifest, user: Path, tmp_path: Path) -> None:
    prefix = Path(manifest.prefix)
    shutil.rmtree(prefix / "lib")
    shutil.rmtree(prefix / "bin")
    (prefix / "pyvenv.cfg").unlink()
    finding = only(look("half-deleted-environment", seen(tmp_path, user)))
    assert finding.sentence == "Parts of the environment 'TF-Warp' are gone."
    assert finding.subject == "TF-Warp"
    assert finding.evidence == (
        f"neither conda-meta nor pyvenv.cfg is in {prefix}",
        f"its Python, {prefix / 'bin' / 'python'}, is missing or cannot be run",
        f"{prefix} has no directory of Python packages",
    )
    assert remedy(finding) == ("rebuild", "TF-Warp")


def test_what_a_dead_build_has_left_is_found_and_a_living_one_is_not(user: Path, tmp_path: Path) -> None:
    generations = Generations(tmp_path / "envs")
    alive = generations.begin("alive")
    dead = generations.nursery / "dead-01234567"
    dead.mkdir()
    (dead / "file").write_bytes(b"x" * 5_000_000)
    fresh, forgotten = generations.nursery / ".trash-1", generations.nursery / ".trash-2"
    fresh.mkdir()
    forgotten.mkdir()
    os.utime(forgotten, (time.time() - 3600,) * 2)
    finding = only(look("leftovers", seen(tmp_path, user)))
    assert finding.sentence == (
        f"Builds that were broken off, or replaced since, have left 5.0 MB in {tmp_path / 'envs'}."
    )
    assert finding.evidence == (str(dead), str(forgotten))
    assert remedy(finding) == ("sweep", str(tmp_path / "envs"))
    generations.sweep()
    assert alive.path.is_dir()
    assert look("leftovers", seen(tmp_path, user)) == ()
    generations.discard(alive)


def test_a_kernel_whose_starter_is_not_installed_is_hidden(user: Path, tmp_path: Path) -> None:
    stanza = {"kernel_provisioner": {"provisioner_name": "slurm-provisioner"}}
    write_kernel(user, "far", Path(sys.executable), metadata=stanza, display_name="Far away")
    finding = only(look("provisioner-missing", make_context(tmp_path, kernel_dirs=(user,))))
    assert finding.sentence == (
        "Jupyter hides the kernel 'Far away': slurm-provisioner, which starts it, is not installed here."
    )
    # Jupyter does hide it.
    words = [sys.executable, "-m", "jupyter_client.kernelspecapp", "list", "--json"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True)
    assert "far" not in json.loads(listed.stdout)["kernelspecs"]


def test_our_own_starter_can_be_missing_here(user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_kernel(user, "mine", Path(sys.executable), display_name="Mine")
    # Where this runs, this package is installed: what is not, is the entry point of another name.
    monkeypatch.setattr(starters, "entry_points", lambda group: ())
    finding = only(look("provisioner-missing", make_context(tmp_path, kernel_dirs=(user,))))
    assert "gpu-kernels-provisioner, which starts it, is not installed here" in finding.sentence
    assert remedy(finding) == ("release-kernelspec", str(user / "mine"))


def test_another_jupyter_without_this_package_hides_its_kernels(
    manifest: Manifest, user: Path, tmp_path: Path, base_python: Path
) -> None:
    # An interpreter's own path may be too long for a first line, or have spaces: then a shell is in between.
    for name, first in (("bare", "#!{python}\n"), ("with spaces", '#!/bin/sh\n\'\'\'exec\' "{python}" "$0" "$@"\n')):
        prefix = tmp_path / name
        subprocess.run([uv.find_uv_bin(), "venv", "-q", "--python", base_python, prefix], check=True)
        python = prefix / "bin" / "python"
        script = prefix / "bin" / "jupyter-nbconvert"
        script.write_text(first.format(python=python) + "print()\n")
        context = seen(tmp_path, user, environ={"PATH": f"{prefix / 'bin'}{os.pathsep}{tmp_path}"})
        finding = only(look("provisioner-missing-elsewhere", context))
        assert finding.sentence == "jupyter-nbconvert of another installation hides your GPU kernels (tf-warp)."
        assert finding.cure == f"Install it there too: `{python} -m pip install jupyter_gpu_kernels`."
        site = next(prefix.glob("lib/python3*/site-packages"))
        (site / "jupyter_gpu_kernels.py").write_text("raise SystemExit('imported')")
        assert look("provisioner-missing-elsewhere", context) == ()
        (site / "jupyter_gpu_kernels.py").unlink()
        unregister("tf-warp")
        assert look("provisioner-missing-elsewhere", context) == ()
        register(manifest)


def test_an_ipykernel_that_cannot_encrypt_must_not_promise_to(tmp_path: Path, user: Path) -> None:
    prefix = environment(tmp_path / "envs" / "old", ipykernel="6.29.5")
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(sys.executable)
    made = manifest_of(prefix, "old")
    register(made)
    # As it is registered it promises nothing.
    assert look("encryption-promised", seen(tmp_path, user)) == ()
    file = user / "old" / "kernel.json"
    spec = json.loads(file.read_text())
    spec["metadata"]["supported_encryption"] = ["curve"]
    file.write_text(json.dumps(spec))
    finding = only(look("encryption-promised", seen(tmp_path, user)))
    assert finding.sentence.startswith(
        f"The kernel {made.display_name!r} promises to encrypt what it sends, and its ipykernel 6.29.5 cannot:"
    )
    assert finding.remedy is None
    assert finding.cure.startswith("Install ipykernel 7.3 or newer in")
    (prefix / MANIFEST).parent.mkdir(parents=True)
    write_manifest(prefix, made)
    assert remedy(only(look("encryption-promised", seen(tmp_path, user)))) == ("rebuild", "old")


def test_variables_of_a_kernelspec_that_nobody_sets_arrive_to_the_letter(user: Path, tmp_path: Path) -> None:
    write_kernel(user, "mine", Path(sys.executable), provisioner=False, env={"LD_LIBRARY_PATH": "/usr:${CUDA_LIBS}"})
    finding = only(look("frozen-variables", make_context(tmp_path, kernel_dirs=(user,))))
    assert finding.sentence == "The kernel 'mine' gets ${CUDA_LIBS} to the letter, as that variable is not set here."
    # So jupyter_client does it.
    spec = KernelSpecManager(kernel_dirs=[str(user)]).get_kernel_spec("mine")
    provisioner = LocalProvisioner(kernel_spec=spec, kernel_id="1")
    launch = asyncio.run(KernelProvisionerBase.pre_launch(provisioner, env={}))
    assert launch["env"]["LD_LIBRARY_PATH"] == "/usr:${CUDA_LIBS}"
    assert look("frozen-variables", make_context(tmp_path, kernel_dirs=(user,), environ={"CUDA_LIBS": "/usr"})) == ()


def test_variables_of_a_kernelspec_outlive_what_they_lead_to(user: Path, tmp_path: Path) -> None:
    old, older = tmp_path / "cuda-10.1", tmp_path / "cuda-9.0"
    gone = {
        "LD_LIBRARY_PATH": f"{older}/lib64:/usr/lib:${{LD_LIBRARY_PATH}}",
        "XLA_FLAGS": f"--xla_gpu_cuda_data_dir={old} --other",
        "COLOUR": "/not/a/directory",
    }
    write_kernel(user, "mine", Path(sys.executable), provisioner=False, env=gone)
    context = make_context(tmp_path, kernel_dirs=(user,), environ={"LD_LIBRARY_PATH": "/gone/from/the/server"})
    finding = only(look("frozen-variables", context))
    assert finding.sentence == (
        f"The kernel 'mine' is started with LD_LIBRARY_PATH from a day when {older}/lib64 was there."
    )
    assert finding.evidence[1:] == (
        f"LD_LIBRARY_PATH: {older}/lib64 is gone",
        f"XLA_FLAGS: {old} is gone",
    )
    write_kernel(user, "mine", Path(sys.executable), provisioner=False, env={"PATH": f"/usr/bin:{tmp_path}"})
    assert look("frozen-variables", context) == ()


def test_whoever_asks_about_one_environment_hears_of_that_one(manifest: Manifest, user: Path, tmp_path: Path) -> None:
    shutil.rmtree(manifest.prefix)
    write_kernel(user, "old", tmp_path / "gone", provisioner=False)
    context = seen(tmp_path, user)
    assert len(look("dead-kernelspec", context)) == 2
    assert [item.subject for item in look("dead-kernelspec", replace(context, subject="TF-Warp"))] == ["tf-warp"]
    assert look("dead-kernelspec", replace(context, subject="another")) == ()


def test_adopted_kernels_are_not_taken_for_ours(user: Path, tmp_path: Path) -> None:
    write_kernel(user, "mine", Path(sys.executable), provisioner=False)
    adopt(user / "mine", [user])
    assert json.loads((user / "mine" / "kernel.json").read_text())["metadata"].items() >= STANZA.items()
    assert Registry()() == {}
    assert unregister("mine") == ()
    assert (user / "mine").is_dir()
