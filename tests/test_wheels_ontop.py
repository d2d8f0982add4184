"""The pip stage: planned before the conda packages are there, and never replacing one of them."""

from __future__ import annotations

import base64
import csv
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Caches
from wheels_index import Index, make_wheel, serve

from jupyter_gpu_kernels.build.conda.engine import CondaEngine
from jupyter_gpu_kernels.build.conda.settings import ChannelSettings, CondaRequest
from jupyter_gpu_kernels.build.reporting import SilentReporter
from jupyter_gpu_kernels.build.wheels.engine import WheelsEngine
from jupyter_gpu_kernels.build.wheels.shadow import python_distributions
from jupyter_gpu_kernels.build.wheels.uv import find_uv
from jupyter_gpu_kernels.errors import InstallError, SolveError
from jupyter_gpu_kernels.models import PlannedPackage

PYTHON = ".".join(map(str, sys.version_info[:3]))

#: What conda will bring: a numpy and a torch in versions that no index has, and things that are no Python packages.
CONDA = (
    PlannedPackage(name="python", version=PYTHON, build="h955ad1f_1_cpython"),
    PlannedPackage(name="numpy", version="1.99.0.post306", build="py312h7900ff3_0"),
    PlannedPackage(name="pytorch", version="2.9.0", build="cuda126_generic_py312_h1763f6d_200"),
    PlannedPackage(name="graphviz", version="12.2.1", build="h5ae0cbf_1"),
    PlannedPackage(name="ca-certificates", version="2026.1.1", build="hbd8a1cb_0"),
    PlannedPackage(name="six", version="1.17.0", build="pyhe01879c_1"),
)


class Listening(SilentReporter):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    directory = tmp_path / "wheels"
    for version in ("1.0", "2.0"):
        make_wheel(directory, "numpy", version)
        make_wheel(directory, "torch", version)
        make_wheel(directory, "graphviz", version)
    make_wheel(directory, "metrics", requires=("torch>=2", "numpy"), script="metrics", payload=50_000)
    make_wheel(directory, "ancient", requires=("numpy<1.20",))
    make_wheel(directory, "drawing", requires=("graphviz<3",))
    with serve(directory) as server:
        yield server


@pytest.fixture
def engine(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WheelsEngine:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("UV_INDEX", "")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return WheelsEngine(cache_dir=tmp_path / "cache")


def conda_like(prefix: Path, wheels: Path, *packages: str) -> Path:
    """Make a prefix with packages that conda seems to have installed."""
    uv = find_uv()
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, prefix], check=True)
    (prefix / "conda-meta").mkdir()
    for package in packages:
        command = [uv, "pip", "install", "--quiet", "--no-deps", "--no-index", "--python", prefix / "bin" / "python"]
        subprocess.run([*command, "--find-links", wheels, package], check=True)
    for installer in prefix.glob("lib/*/site-packages/*.dist-info/INSTALLER"):
        installer.unlink()
        installer.write_text("conda\n")
    return prefix


def versions(prefix: Path) -> set[str]:
    return {path.name.removesuffix(".dist-info") for path in prefix.glob("lib/*/site-packages/*.dist-info")}


def test_only_what_conda_builds_for_python_counts_as_a_distribution() -> None:
    assert python_distributions(CONDA) == {"numpy": "1.99.0.post306", "torch": "2.9.0", "six": "1.17.0"}


@pytest.mark.parametrize(
    ("name", "version", "build", "found"),
    [
        ("matplotlib-base", "3.10.0", "py312hd3ec401_0", {"matplotlib": "3.10.0"}),
        ("stack_data", "0.6.3", "pyhd8ed1ab_1", {"stack-data": "0.6.3"}),
        ("jinja2", "3.1.6", "py_0", {"jinja2": "3.1.6"}),
        ("tensorflow-base", "2.19.0", "cuda129py312h6d2e8d2_0", {"tensorflow": "2.19.0"}),
        ("tensorflow-gpu", "2.19.0", "cuda129py312h6d2e8d2_0", {}),
        ("python_abi", "3.12", "8_cp312", {}),
        ("cuda-version", "12.9", "h4f385c5_3", {}),
        ("tzdata", "2026a", "h78e105d_0", {}),
        ("openssl", "3.5.0", "h7b32b05_1", {}),
        ("six", "1.17.0", "0", {"six": "1.17.0"}),
        ("openjpeg", "9e", "0", {}),
    ],
)
def test_names_and_builds_tell_which_conda_packages_are_python_packages(
    name: str, version: str, build: str, found: dict[str, str]
) -> None:
    assert python_distributions([PlannedPackage(name=name, version=version, build=build)]) == found


async def test_wheels_are_planned_around_conda_packages_that_no_index_has(engine: WheelsEngine, index: Index) -> None:
    solution = await engine.solve_on_top(("metrics",), CONDA, PYTHON)
    assert [(item.name, item.version) for item in solution.packages] == [("metrics", "1.0")]
    assert solution.download_bytes > 50_000
    assert not [path for _, path in index.requests if path.startswith("/files/torch")]


async def test_it_is_planned_for_the_python_of_conda_and_not_for_ours(engine: WheelsEngine, index: Index) -> None:
    make_wheel(index.directory, "choosy", "1.0", tag="cp310-none-any")
    make_wheel(index.directory, "choosy", "2.0", tag="cp313-none-any")
    assert (await engine.solve_on_top(("choosy",), CONDA, "3.10.4")).packages[0].version == "1.0"
    assert (await engine.solve_on_top(("choosy",), CONDA, "3.13.1")).packages[0].version == "2.0"
    with pytest.raises(SolveError, match=r"choosy 2\.0 has no wheel for Python 3\.12; it has for 3\.13"):
        await engine.solve_on_top(("choosy==2.0",), CONDA, "3.12.1")


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("ancient", "ancient needs numpy<1.20 from the package index, but conda installs numpy 1.99.0.post306."),
        ("numpy<1.5", "You asked for numpy<1.5 from the package index, but conda installs numpy 1.99.0.post306."),
    ],
)
async def test_a_conflict_with_conda_names_both_sides_before_anything_is_downloaded(
    engine: WheelsEngine, index: Index, requirement: str, message: str
) -> None:
    with pytest.raises(SolveError) as caught:
        await engine.solve_on_top((requirement,), CONDA, PYTHON)
    assert caught.value.message == message
    assert "conda" in caught.value.cure


async def test_what_conda_has_already_needs_nothing_on_top(engine: WheelsEngine, tmp_path: Path) -> None:
    solution = await engine.solve_on_top(("numpy>=1.20",), CONDA, PYTHON)
    assert (solution.packages, solution.download_bytes) == ((), 0)


async def test_a_namesake_that_is_no_python_package_does_not_count(engine: WheelsEngine) -> None:
    solution = await engine.solve_on_top(("drawing",), CONDA, PYTHON)
    assert [(item.name, item.version) for item in solution.packages] == [("drawing", "1.0"), ("graphviz", "2.0")]


async def test_wheels_go_on_top_with_scripts_and_record_of_the_final_path(
    engine: WheelsEngine, index: Index, tmp_path: Path
) -> None:
    generation = conda_like(tmp_path / ".gen" / "lab-1", index.directory, "numpy==1.0", "torch==2.0")
    before = {path: path.stat().st_ino for path in generation.glob("lib/*/site-packages/torch*/*")}
    planned = (
        PlannedPackage(name="numpy", version="1.0", build="py312h7900ff3_0"),
        PlannedPackage(name="pytorch", version="2.0", build="py312h7900ff3_0"),
    )
    solution = await engine.solve_on_top(("metrics",), planned, PYTHON)
    await engine.install_on_top(solution, generation=generation, final=tmp_path / "lab", reporter=SilentReporter())
    assert versions(generation) == {"numpy-1.0", "torch-2.0", "metrics-1.0"}
    script = generation / "bin" / "metrics"
    assert script.read_text().splitlines()[0] == f"#!{tmp_path}/lab/bin/python"
    (record,) = generation.glob("lib/*/site-packages/metrics-1.0.dist-info/RECORD")
    rows = {row[0]: row for row in csv.reader(record.read_text().splitlines())}
    digest = base64.urlsafe_b64encode(hashlib.sha256(script.read_bytes()).digest()).rstrip(b"=").decode()
    assert rows["../../../bin/metrics"][1:] == [f"sha256={digest}", str(script.stat().st_size)]
    assert {path: path.stat().st_ino for path in generation.glob("lib/*/site-packages/torch*/*")} == before


async def test_an_environment_that_is_not_as_planned_is_planned_again(
    engine: WheelsEngine, index: Index, tmp_path: Path
) -> None:
    solution = await engine.solve_on_top(("metrics",), CONDA, PYTHON)
    generation = conda_like(tmp_path / ".gen" / "lab-1", index.directory, "numpy==1.0")
    reporter = Listening()
    await engine.install_on_top(solution, generation=generation, final=tmp_path / "lab", reporter=reporter)
    assert versions(generation) == {"numpy-1.0", "torch-2.0", "metrics-1.0"}
    assert any("planned again" in line for line in reporter.lines)


async def test_a_conda_package_that_would_have_to_go_stops_the_installation(
    engine: WheelsEngine, index: Index, tmp_path: Path
) -> None:
    solution = await engine.solve_on_top(("metrics",), CONDA, PYTHON)
    generation = conda_like(tmp_path / ".gen" / "lab-1", index.directory, "numpy==1.0", "torch==1.0")
    with pytest.raises((SolveError, InstallError), match=r"metrics needs torch>=2.* but conda installs torch 1\.0"):
        await engine.install_on_top(solution, generation=generation, final=tmp_path / "lab", reporter=SilentReporter())
    assert versions(generation) == {"numpy-1.0", "torch-1.0"}


async def test_wheels_go_on_top_of_a_real_conda_environment(
    channel: str, wheel_dir: Path, caches: Caches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel_dir))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    conda = CondaEngine(cache_dir=caches.root)
    planned = await conda.solve(
        CondaRequest(specs=("python", "traitlets"), settings=ChannelSettings(channels=(channel,)))
    )
    python = next(package.version for package in planned.packages if package.name == "python")
    engine = WheelsEngine()
    with pytest.raises(
        SolveError, match="You asked for traitlets<5 from the package index, but conda installs traitlets 5"
    ):
        await engine.solve_on_top(("traitlets<5",), planned.packages, python)
    make_wheel(tmp_path / "own", "extra", requires=("traitlets>=5", "six"), script="extra")
    monkeypatch.setenv("UV_FIND_LINKS", f"{wheel_dir},{tmp_path / 'own'}")
    solution = await engine.solve_on_top(("extra",), planned.packages, python)
    assert [package.name for package in solution.packages] == ["extra", "six"]
    generation, final = tmp_path / "envs" / ".gen" / "lab-1", tmp_path / "envs" / "lab"
    await conda.install(planned, generation=generation, final=final, reporter=SilentReporter())
    reporter = Listening()
    await engine.install_on_top(solution, generation=generation, final=final, reporter=reporter)
    assert not any("planned again" in line for line in reporter.lines)
    generation.rename(final)
    assert subprocess.run([final / "bin" / "extra"], capture_output=True, text=True).stdout == "1.0\n"
