"""What a release consists of, and that it needs no Node where it is installed."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from distributions import Distributions, Installation
from packaging.requirements import Requirement

from jupyter_gpu_kernels import __version__

#: Where the files of a wheel go that lie outside of site-packages.
DATA = f"jupyter_gpu_kernels-{__version__}.data/data"
PANEL = f"{DATA}/share/jupyter/labextensions/jupyter-gpu-kernels"

#: Bytes that the panel's own code may have when it travels.
GOAL = 95_000


@pytest.fixture
def wheel(distributions: Distributions) -> Iterator[zipfile.ZipFile]:
    """The wheel, open."""
    with zipfile.ZipFile(distributions.wheel) as archive:
        yield archive


@pytest.fixture
def sdist(distributions: Distributions) -> dict[str, bytes]:
    """The files of the sdist, by their paths in the checkout."""
    with tarfile.open(distributions.sdist) as archive:
        found = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        return {name.partition("/")[2]: file.read() for name, file in found.items() if file is not None}


def test_the_panel_has_the_version_of_the_package(pytestconfig: pytest.Config) -> None:
    manifests = ("package.json", "package-lock.json")
    read = [json.loads((pytestconfig.rootpath / "labextension" / name).read_text())["version"] for name in manifests]
    assert read == [__version__, __version__]


def test_the_panel_asks_jupyterlab_for_the_versions_that_it_depends_on(pytestconfig: pytest.Config) -> None:
    # Otherwise it asks for those that it was built with, and an older JupyterLab warns of each.
    manifest = json.loads((pytestconfig.rootpath / "labextension" / "package.json").read_text())
    asked = {name: shared["requiredVersion"] for name, shared in manifest["jupyterlab"]["sharedPackages"].items()}
    assert asked == manifest["dependencies"]
    # And the extra of the package brings no older one.
    (needed,) = (Requirement(text) for text in requires("jupyter_gpu_kernels") or [] if text.startswith("jupyterlab<"))
    oldest = asked["@jupyterlab/application"].removeprefix("^")
    assert str(needed.specifier) == f"<5,>={oldest.removesuffix('.0')}"


def test_the_wheel_has_every_file_of_the_package_and_nothing_else(
    distributions: Distributions, wheel: zipfile.ZipFile
) -> None:
    package = distributions.source / "jupyter_gpu_kernels"
    panel = package / "labextension"
    files = {path for path in package.rglob("*") if path.is_file() and not path.is_relative_to(panel)}
    names = [name for name in wheel.namelist() if not name.startswith(f"jupyter_gpu_kernels-{__version__}.")]
    assert sorted(names) == sorted(path.relative_to(distributions.source).as_posix() for path in files)


def test_the_wheel_brings_the_panel_to_where_jupyterlab_looks(
    distributions: Distributions, wheel: zipfile.ZipFile
) -> None:
    names = [name for name in wheel.namelist() if name.startswith(f"{DATA}/")]
    schemas = [path.name for path in (distributions.source / "labextension" / "schema").glob("*.json")]
    assert schemas
    static = re.compile(re.escape(f"{PANEL}/static/") + r"([\w-]+(\.[0-9a-f]{16})?\.js|third-party-licenses\.json)")
    assert sorted(name for name in names if not static.fullmatch(name)) == sorted(
        [
            f"{DATA}/etc/jupyter/jupyter_server_config.d/jupyter_gpu_kernels.json",
            f"{PANEL}/install.json",
            f"{PANEL}/package.json",
            f"{PANEL}/schemas/jupyter-gpu-kernels/package.json.orig",
            *(f"{PANEL}/schemas/jupyter-gpu-kernels/{name}" for name in schemas),
        ]
    )
    entry = json.loads(wheel.read(f"{PANEL}/package.json"))["jupyterlab"]["_build"]["load"]
    assert {f"{PANEL}/{entry}", f"{PANEL}/static/style.js"} <= set(names)
    assert len(set(wheel.namelist())) == len(wheel.namelist())


def test_the_wheel_has_the_translations_and_says_where_they_are(wheel: zipfile.ZipFile) -> None:
    catalogue = json.loads(wheel.read("jupyter_gpu_kernels/locale/zh_CN/LC_MESSAGES/jupyter_gpu_kernels.json"))
    assert catalogue[""]["language"] == "zh-CN"
    points = wheel.read(f"jupyter_gpu_kernels-{__version__}.dist-info/entry_points.txt").decode()
    assert "[jupyterlab.locale]\njupyter_gpu_kernels = jupyter_gpu_kernels" in points


def test_no_file_tells_where_it_was_built(
    distributions: Distributions, wheel: zipfile.ZipFile, sdist: dict[str, bytes], pytestconfig: pytest.Config
) -> None:
    files = {name: wheel.read(name) for name in wheel.namelist()} | sdist
    places = {distributions.source, pytestconfig.rootpath, Path(sys.prefix), Path.home()}
    told = {name: place for name, data in files.items() for place in places if f"{place}/".encode() in data}
    assert told == {}


def test_the_sdist_has_the_sources_and_the_panel_of_the_wheel(sdist: dict[str, bytes], wheel: zipfile.ZipFile) -> None:
    assert {
        "LICENSE",
        "Makefile",
        "README.md",
        "labextension/.npmrc",
        "labextension/package-lock.json",
        "labextension/src/index.ts",
        "tests/test_packaging.py",
    } <= set(sdist)
    made = ("node_modules/", "labextension/lib/", ".venv/", ".artifacts/", "__pycache__/", ".tsbuildinfo", "_log.json")
    assert [name for name in sdist if any(part in name for part in made)] == []
    built = "jupyter_gpu_kernels/labextension/"
    assert {name.removeprefix(built): data for name, data in sdist.items() if name.startswith(built)} == {
        name.removeprefix(f"{PANEL}/"): wheel.read(name)
        for name in wheel.namelist()
        if name.startswith(PANEL) and not name.endswith("/install.json")
    }


def test_the_code_of_the_panel_is_small(wheel: zipfile.ZipFile) -> None:
    sizes = {
        name.rpartition("/")[2]: len(gzip.compress(wheel.read(name)))
        for name in wheel.namelist()
        if name.startswith(f"{PANEL}/static/") and name.endswith(".js")
    }
    assert sum(sizes.values()) <= GOAL, sizes


def test_it_is_installed_where_there_is_no_node(
    distributions: Distributions, install: Callable[..., Installation]
) -> None:
    made = install(distributions.wheel, "jupyterlab")
    assert shutil.which("node", path=made.environ["PATH"]) is None
    listed = f"jupyter-gpu-kernels v{__version__} enabled OK (python, jupyter_gpu_kernels)"
    assert listed in _plain(made.run("jupyter", "labextension", "list"))
    assert f"jupyter_gpu_kernels {__version__} OK" in _plain(made.run("jupyter", "server", "extension", "list"))
    assert made.run("jupyter", "gpu-kernels", "--version").strip() == __version__


def test_the_sdist_installs_what_the_wheel_does_and_all_of_it_goes_again(
    distributions: Distributions, install: Callable[..., Installation]
) -> None:
    def ours(made: Installation) -> set[str]:
        found = (path for path in made.prefix.rglob("*") if re.search("gpu[-_]kernels", path.name))
        return {path.relative_to(made.prefix).as_posix() for path in found}

    of_the_wheel = install("--no-deps", distributions.wheel)
    of_the_sdist = install("--no-deps", distributions.sdist, "pip")
    assert of_the_sdist.panel.is_dir()
    assert ours(of_the_sdist) == ours(of_the_wheel)
    of_the_sdist.run("pip", "uninstall", "--yes", "--quiet", "jupyter-gpu-kernels")
    assert ours(of_the_sdist) == set()


def _plain(output: str) -> str:
    """Output for a terminal, without colours."""
    return re.sub(r"\x1b\[\d*m", "", output)
