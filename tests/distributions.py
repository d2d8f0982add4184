"""A pytest plugin: our sdist and wheel, built as for a release, and environments in which they are installed.

They are built from a copy of the checkout, so that no other test sees a panel that is just being built, and without
Node on the ``PATH``: it has to come from where the build says. The packages of the panel are those of the checkout; npm
may not ask for others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from jupyter_gpu_kernels.build.wheels import uv

if TYPE_CHECKING:
    from conftest import Caches

#: What is not to be built from: no clone of the repository has it, or it was built before, by somebody, from something.
LEFT_OUT = frozenset(
    (
        ".artifacts",
        ".git",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".venv",
        "build",
        "dist",
        "jupyter_gpu_kernels/labextension",
        "labextension/lib",
        "labextension/node_modules",
        "labextension/tsconfig.tsbuildinfo",
    )
)

#: Variables, by their beginnings, that a build or an environment must not need.
FOREIGN = ("CONDA", "HATCH", "JUPYTER", "NODE", "PYTHON", "SKIP_JUPYTER_BUILDER", "VIRTUAL_ENV", "XDG_", "npm_")


@dataclass(frozen=True)
class Distributions:
    """What a release consists of.

    Attributes:
        source: The copy of the checkout that they were built from.
        sdist: The source distribution.
        wheel: The wheel, made of the source distribution.
    """

    source: Path
    sdist: Path
    wheel: Path


@dataclass(frozen=True)
class Installation:
    """A virtual environment.

    Attributes:
        prefix: Its directory.
        environ: The environment of its programs; there is no Node on the ``PATH``.
    """

    prefix: Path
    environ: Mapping[str, str]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.prefix / "bin" / "python"

    @property
    def panel(self) -> Path:
        """Where JupyterLab finds the panel."""
        return self.prefix / "share" / "jupyter" / "labextensions" / "jupyter-gpu-kernels"

    def run(self, *words: str) -> str:
        """Run a program of it; answer with all that it says."""
        command = [str(self.prefix / "bin" / words[0]), *words[1:]]
        done = subprocess.run(
            command, check=False, env={**self.environ}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 0, f"{' '.join(words)}:\n{done.stdout}"
        return done.stdout


@pytest.fixture(scope="session")
def uv_without_node(tmp_path_factory: pytest.TempPathFactory, caches: Caches, package_indexes: dict[str, str]) -> uv.Uv:
    """uv, with a home of its own and nothing but a shell on the ``PATH``; it knows the indexes that we know."""
    place = tmp_path_factory.mktemp("without-node")
    shell = shutil.which("sh")
    assert shell is not None
    (place / "bin").mkdir()
    (place / "bin" / "sh").symlink_to(shell)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environ |= {"HOME": str(place / "home"), "PATH": str(place / "bin"), **package_indexes}
    return uv.prepare(environ=environ, cache_dir=caches.uv)


@pytest.fixture(scope="session")
def distributions(run_dir: Path, pytestconfig: pytest.Config, uv_without_node: uv.Uv) -> Distributions:
    """Our sdist and wheel; one build serves all workers of a run."""
    place = run_dir / "distributions"
    with FileLock(f"{place}.lock"):
        if not (place / "dist").exists():
            shutil.rmtree(place, ignore_errors=True)
            _copy(pytestconfig.rootpath, place / "source")
            _build(place, uv_without_node)
    (sdist,) = (place / "dist").glob("*.tar.gz")
    (wheel,) = (place / "dist").glob("*.whl")
    return Distributions(place / "source", sdist, wheel)


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory, uv_without_node: uv.Uv) -> Callable[..., Installation]:
    """``(*requirements) -> Installation``: make a virtual environment and install into it."""

    def install(*requirements: str | Path) -> Installation:
        prefix = tmp_path_factory.mktemp("installation") / "venv"
        tool = uv_without_node
        _run(tool, "venv", "--quiet", "--python", sys.executable, str(prefix))
        words = ["pip", "install", "--quiet", *tool.index_options, "--python", str(prefix), *map(str, requirements)]
        _run(tool, *words)
        path = f"{prefix / 'bin'}{os.pathsep}{tool.environment['PATH']}"
        return Installation(prefix, {**tool.environment, "PATH": path})

    return install


def _copy(checkout: Path, target: Path) -> None:
    def left_out(directory: str, names: list[str]) -> list[str]:
        relative = Path(directory).relative_to(checkout)
        return [name for name in names if name == "__pycache__" or (relative / name).as_posix() in LEFT_OUT]

    shutil.copytree(checkout, target, ignore=left_out, symlinks=True)
    # A panel that somebody built some time ago, as it lies about in a checkout: what is shipped must not be that.
    old = target / "jupyter_gpu_kernels" / "labextension"
    for name in ("package.json", "build_log.json", "static/style.js", "static/old.js.map"):
        (old / name).parent.mkdir(parents=True, exist_ok=True)
        (old / name).write_text("old")
    packages = Path("labextension", "node_modules")
    shutil.copytree(checkout / packages, target / packages, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        # The temporary directory is another file system.
        shutil.copy2(source, target, follow_symlinks=False)


def _build(place: Path, tool: uv.Uv) -> None:
    words = ["build", "--python", sys.executable, *tool.index_options]
    # npm has all that it needs for the sdist. For the wheel, which is made of the sdist, it has nothing.
    _run(tool, *words, "--out-dir", str(place / "unfinished"), str(place / "source"), npm_config_offline="true")
    (place / "unfinished").rename(place / "dist")


def _run(tool: uv.Uv, *words: str, **variables: str) -> None:
    done = subprocess.run(
        tool.command(*words),
        check=False,
        env={**tool.environment, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"uv {' '.join(words)}:\n{done.stdout}"
