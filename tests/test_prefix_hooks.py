"""The hooks, tried in the shells themselves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import uv

from jupyter_gpu_kernels.models import EnvironmentKind, LaunchPolicy, MemoryPreset
from jupyter_gpu_kernels.prefix.hooks import write_hooks, write_scripts
from jupyter_gpu_kernels.prefix.layout import Layout

SHELLS = ["bash", "zsh", "dash", "fish", "tcsh"]

#: Prints the variables that hooks change, in any shell.
SHOW = (
    f'{sys.executable} -S -c \'import os; names = ["LD_LIBRARY_PATH", "PYTHONNOUSERSITE", "XLA_FLAGS"]; '
    "print([os.environ.get(name) for name in names])'"
)


def run(shell: str, lines: list[str], environ: dict[str, str]) -> list[str]:
    """Run lines in a shell and return what it printed; errors fail the test."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    options = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"], "tcsh": ["-f"], "dash": []}
    clean = {"PATH": "/usr/bin:/bin", "HOME": environ.get("HOME", "/"), "TERM": "dumb", **environ}
    done = subprocess.run(
        [shell, *options[shell], "-c", "\n".join(lines)] if shell != "tcsh" else [shell, "-f", "-s"],
        input="\n".join(lines) + "\n" if shell == "tcsh" else None,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip(), done.stderr
    return done.stdout.splitlines()


def source(shell: str, path: Path) -> str:
    return f". '{path}'" if shell == "dash" else f"source '{path}'"


def suffix(shell: str) -> str:
    return {"fish": ".fish", "tcsh": ".csh"}.get(shell, "")


def wheel(packages: Path, *names: str) -> list[str]:
    """Make directories as NVIDIA's wheels do."""
    made = []
    for name in names:
        folder = packages / name
        folder.mkdir(parents=True)
        (folder / "libcudart.so.12").touch()
        made.append(str(folder))
    return made


@pytest.fixture(params=["uv", "uv --relocatable", "venv"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Layout:
    prefix = tmp_path / "with space" / "env"
    if request.param == "venv":
        venv.create(prefix, with_pip=False, symlinks=True)
    else:
        options = request.param.split()[1:]
        subprocess.run([uv.find_uv_bin(), "venv", "-q", "--python", sys.executable, *options, prefix], check=True)
    return Layout(prefix, EnvironmentKind.VIRTUALENV)


@pytest.mark.parametrize("old", [None, "", "/opt/x:/opt/y", "/opt/x:"])
@pytest.mark.parametrize("shell", SHELLS)
def test_a_virtual_environment_puts_its_cuda_first_and_takes_it_back(
    environment: Layout, shell: str, old: str | None
) -> None:
    if shell == "tcsh" and not (environment.bin / "activate.csh").exists():
        pytest.skip("relocatable environments have no script for csh")
    if shell == "dash" and environment.virtualenv_settings().get("relocatable"):
        pytest.skip("relocatable environments cannot find themselves in dash")
    own = wheel(environment.site_packages()[0], "nvidia/cublas/lib", "nvidia/cu13/lib", "tensorrt_libs")
    write_hooks(environment, environment.prefix)
    write_hooks(environment, environment.prefix)
    activate = source(shell, environment.bin / f"activate{suffix(shell)}")
    inherited = {} if old is None else {"LD_LIBRARY_PATH": old}
    printed = run(
        shell, [SHOW, activate, SHOW, activate, SHOW, "deactivate", SHOW], {**inherited, "PYTHONNOUSERSITE": ""}
    )
    before = [old, "", None]
    active = [":".join(sorted(own) + ([old] if old and old != "/opt/x:" else ["/opt/x"] if old else [])), "1", None]
    shown = [eval(line) for line in printed]
    if old == "/opt/x:" and shell != "fish":
        active[0] += ":"
    assert shown == [before, active, active, before]


@pytest.mark.parametrize("shell", SHELLS)
def test_hooks_survive_strict_shells_and_environments_without_cuda(environment: Layout, shell: str) -> None:
    if not (environment.bin / f"activate{suffix(shell)}").exists() or environment.virtualenv_settings().get(
        "relocatable"
    ):
        pytest.skip("no such script")
    write_hooks(environment, environment.prefix)
    strict = {"bash": "set -euo pipefail", "zsh": "set -euo pipefail", "dash": "set -e"}.get(shell, "true")
    activate = source(shell, environment.bin / f"activate{suffix(shell)}")
    printed = run(shell, [strict, activate, SHOW, "deactivate", SHOW], {})
    assert [eval(line) for line in printed] == [[None, "1", None], [None, None, None]]


def test_a_script_of_an_unknown_kind_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "activate").write_text("echo hello\n")
    write_hooks(Layout(tmp_path, EnvironmentKind.VIRTUALENV), tmp_path)
    assert (tmp_path / "bin" / "activate").read_text() == "echo hello\n"


@pytest.fixture
def conda(tmp_path: Path) -> Layout:
    prefix = tmp_path / "envs" / "a b"
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / "python-3.12.4-h0_0.json").touch()
    (prefix / "targets" / "x86_64-linux" / "lib").mkdir(parents=True)
    real = Path("targets", "x86_64-linux", "lib", "libcudart.so.12.9")
    (prefix / real).touch()
    (prefix / "lib").mkdir()
    (prefix / "lib" / "libcudart.so.12").symlink_to(".." / real)
    (prefix / "lib" / "libstdc++.so.6").touch()
    (prefix / "lib" / "python3.12" / "site-packages" / "tensorflow").mkdir(parents=True)
    (prefix / "nvvm" / "libdevice").mkdir(parents=True)
    (prefix / "nvvm" / "libdevice" / "libdevice.10.bc").touch()
    return Layout(prefix, EnvironmentKind.CONDA, "linux")


def conda_scripts(layout: Layout, folder: str, shell: str) -> Path:
    return layout.prefix / "etc" / "conda" / folder / f"jupyter-gpu-kernels{suffix(shell) or '.sh'}"


def export(shell: str, name: str, value: str) -> str:
    return {"fish": f"set -gx {name} '{value}'", "tcsh": f"setenv {name} '{value}'"}.get(
        shell, f"export {name}='{value}'"
    )


@pytest.mark.parametrize("old", [None, "", "/opt/x"])
@pytest.mark.parametrize("shell", SHELLS)
def test_conda_hooks_put_links_first_and_take_them_back(conda: Layout, shell: str, old: str | None) -> None:
    write_hooks(conda, conda.prefix)
    moved = conda.prefix.with_name("moved")
    conda.prefix.rename(moved)
    conda = Layout(moved, EnvironmentKind.CONDA, "linux")
    links = moved / "share" / "jupyter-gpu-kernels" / "cuda-links"
    assert sorted(os.listdir(links)) == ["libcudart.so.12", "libcudart.so.12.9"]
    assert (links / "libcudart.so.12").exists()
    on, off = (conda_scripts(conda, folder, shell) for folder in ("activate.d", "deactivate.d"))
    lines = [SHOW, export(shell, "CONDA_PREFIX", str(moved)), source(shell, on), SHOW, source(shell, off), SHOW]
    printed = run(shell, lines, ({} if old is None else {"LD_LIBRARY_PATH": old}) | {"XLA_FLAGS": "--xla_a=1"})
    before = [old, None, "--xla_a=1"]
    flags = f"--xla_a=1 --xla_gpu_cuda_data_dir={moved}"
    active = [f"{links}:{old}" if old else str(links), "1", flags]
    assert [eval(line) for line in printed] == [before, active, before]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_data_directory_of_the_user_is_kept(conda: Layout, shell: str) -> None:
    write_hooks(conda, conda.prefix)
    on = conda_scripts(conda, "activate.d", shell)
    flags = "--xla_gpu_cuda_data_dir=/mine"
    printed = run(
        shell, [export(shell, "CONDA_PREFIX", str(conda.prefix)), source(shell, on), SHOW], {"XLA_FLAGS": flags}
    )
    assert eval(printed[0])[2] == flags


MEMORY = ["TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_PREALLOCATE"]
SHOW_MEMORY = f"{sys.executable} -S -c 'import os; print([os.environ.get(name) for name in {json.dumps(MEMORY)}])'"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_memory_preset_counts_in_terminals_unless_its_user_says_otherwise(
    conda: Layout, environment: Layout, shell: str
) -> None:
    if (environment.bin / f"activate{suffix(shell)}").exists() and not environment.virtualenv_settings().get(
        "relocatable"
    ):
        write_hooks(environment, environment.prefix, LaunchPolicy(memory=MemoryPreset.GROW))
        lines = [source(shell, environment.bin / f"activate{suffix(shell)}"), SHOW_MEMORY, "deactivate", SHOW_MEMORY]
        assert [eval(line) for line in run(shell, lines, {})] == [["true", "false"], [None, None]]
    write_hooks(conda, conda.prefix, LaunchPolicy(memory=MemoryPreset.GROW))
    on, off = (conda_scripts(conda, folder, shell) for folder in ("activate.d", "deactivate.d"))
    lines = [export(shell, "CONDA_PREFIX", str(conda.prefix)), source(shell, on), SHOW_MEMORY]
    lines += [source(shell, off), SHOW_MEMORY]
    printed = run(shell, lines, {"TF_FORCE_GPU_ALLOW_GROWTH": "no"})
    assert [eval(line) for line in printed] == [["no", "false"], ["no", None]]
    write_scripts(conda, conda.prefix, LaunchPolicy())
    assert not any(name in on.read_text() + off.read_text() for name in MEMORY)
    assert (conda.prefix / "share" / "jupyter-gpu-kernels" / "cuda-links").is_dir()


PART = ["CUPY_GPU_MEMORY_LIMIT", "XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION"]
SHOW_PART = f"{sys.executable} -S -c 'import os; print([os.environ.get(name) for name in {json.dumps(PART)}])'"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_part_of_the_memory_counts_in_terminals_under_one_name(conda: Layout, shell: str) -> None:
    write_hooks(conda, conda.prefix, LaunchPolicy(memory=MemoryPreset.FRACTION, memory_fraction=0.4))
    on, off = (conda_scripts(conda, folder, shell) for folder in ("activate.d", "deactivate.d"))
    lines = [export(shell, "CONDA_PREFIX", str(conda.prefix)), source(shell, on), SHOW_PART]
    lines += [source(shell, off), SHOW_PART]
    assert [eval(line) for line in run(shell, lines, {})] == [["40%", "0.4", None], [None, None, None]]
    printed = run(shell, lines, {"XLA_PYTHON_CLIENT_MEM_FRACTION": ".9"})
    assert [eval(line) for line in printed] == [["40%", None, ".9"], [None, None, ".9"]]


def test_hooks_of_stacked_environments_do_not_meet(conda: Layout, tmp_path: Path) -> None:
    other = Layout(tmp_path / "envs" / "other", EnvironmentKind.CONDA, "linux")
    shutil.copytree(conda.prefix, other.prefix, symlinks=True)
    lines = []
    for layout in (conda, other):
        write_hooks(layout, layout.prefix)
        lines += [
            f"export CONDA_PREFIX='{layout.prefix}'",
            source("bash", conda_scripts(layout, "activate.d", "bash")),
            SHOW,
        ]
    for layout in (other, conda):
        lines += [
            f"export CONDA_PREFIX='{layout.prefix}'",
            source("bash", conda_scripts(layout, "deactivate.d", "bash")),
            SHOW,
        ]
    shown = [eval(line)[0] for line in run("bash", lines, {"LD_LIBRARY_PATH": "/x"})]
    first, second = (str(layout.prefix / "share/jupyter-gpu-kernels/cuda-links") for layout in (conda, other))
    assert shown == [f"{first}:/x", f"{second}:{first}:/x", f"{first}:/x", "/x"]


def test_user_packages_may_be_allowed(conda: Layout) -> None:
    write_hooks(conda, conda.prefix, LaunchPolicy(user_site=True))
    on = conda_scripts(conda, "activate.d", "bash")
    assert "PYTHONNOUSERSITE" not in on.read_text()


def test_windows_scripts_keep_and_restore_what_was(tmp_path: Path) -> None:
    scripts = tmp_path / "Scripts"
    scripts.mkdir()
    (scripts / "activate.bat").write_text("@set A=1\n")
    (scripts / "deactivate.bat").write_text("@set A=\n")
    policy = LaunchPolicy(memory=MemoryPreset.GROW)
    write_hooks(Layout(tmp_path, EnvironmentKind.VIRTUALENV, "win32"), tmp_path, policy)
    activate, deactivate = ((scripts / name).read_text().splitlines() for name in ("activate.bat", "deactivate.bat"))
    assert activate[0] == "@set A=1"
    assert '@set "PYTHONNOUSERSITE=1"' in activate
    assert deactivate[-1] == "@set A="
    assert any(line.endswith('_UNSET @set "PYTHONNOUSERSITE="') for line in deactivate)
    assert '@if not defined TF_FORCE_GPU_ALLOW_GROWTH @set "TF_FORCE_GPU_ALLOW_GROWTH=true"' in activate
    assert any(line.endswith('_UNSET @set "TF_FORCE_GPU_ALLOW_GROWTH="') for line in deactivate)
    assert not any("LD_LIBRARY_PATH" in line for line in activate + deactivate)
    part = LaunchPolicy(memory=MemoryPreset.FRACTION, memory_fraction=0.4)
    write_scripts(Layout(tmp_path, EnvironmentKind.VIRTUALENV, "win32"), tmp_path, part)
    activate = (scripts / "activate.bat").read_text().splitlines()
    assert '@if not defined CUPY_GPU_MEMORY_LIMIT @set "CUPY_GPU_MEMORY_LIMIT=40%%"' in activate
    neither = "@if not defined XLA_CLIENT_MEM_FRACTION @if not defined XLA_PYTHON_CLIENT_MEM_FRACTION"
    assert f'{neither} @set "XLA_CLIENT_MEM_FRACTION=0.4"' in activate
