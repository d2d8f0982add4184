"""What every test gets: a home of its own, no foreign CUDA or conda in sight, and no process left behind.

Fixtures to ask for:

``channel``          ``str``: URL of the standard channel on a good server (one for the session)
``channel_server``   :class:`channel.Server`: that server, with its log
``channel_dir``      ``Path``: directory of the standard channel; do not write into it
``wheel_dir``        ``Path``: the wheels it is made of (for ``--find-links``); do not write into it
``serve_channel``    ``(directory, *, name="lab") -> Server``: a server of the test's own, closed at its end
``faulty_channel``   ``(*, name="lab") -> Server``: the standard channel on such a server, to be made to fail
``caches``           :class:`Caches`: directories shared by the tests of a run
``cold_cache``       ``Path``: a cache root of the test's own that has no packages yet
``base_python``      ``Path``: the interpreter behind the test environment (for virtual environments)

Autouse: :func:`isolation`, and the check of :mod:`leftovers` for processes left behind (marker ``leaves_processes``).

Tests may run in several workers at once (``pytest -n 2``): session fixtures are made by each of them, but for what lies
in ``run_dir`` and in ``artifacts``, which they share.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jupyter_client.kernelspec
import jupyter_core.paths
import pytest
from channel import Server, serve, standard_channel, standard_wheels
from patience import PATIENCE
from tornado.httpclient import HTTPRequest
from traitlets.config import Config

pytest_plugins = ["pytest_jupyter.jupyter_server", "distributions", "leftovers", "pytester", "workers"]

#: What must not reach a test from outside, by prefix of the variable's name.
FOREIGN = (
    "CLICOLOR",
    "COLUMNS",
    "CONDA",
    "CUDA_",
    "FORCE_COLOR",
    "IPYTHON",
    "JPY_",
    "JUPYTER",
    "LD_LIBRARY_PATH",
    "LINES",
    "MAMBA_",
    "NO_COLOR",
    "NVIDIA_",
    "PIXI_",
    "PYTHON",
    "RATTLER_",
    "TF_",
    "TTY_",
    "VIRTUAL_ENV",
    "XDG_",
    "XLA_",
    "_CE_",
    "_CONDA",
)


@dataclass(frozen=True)
class Caches:
    """Directories shared by the tests of a run, for speed; a test that damages a cache makes its own.

    Attributes:
        root: Holds all of them but ``uv``: a cache root as the package itself would have it.
        packages: Conda packages, on the file system of ``tmp_path`` (hard links).
        repodata: Conda repodata.
        bytecode: The bytecode store.
        uv: uv's cache, kept between runs (``UV_CACHE_DIR`` of every test).
    """

    root: Path
    packages: Path
    repodata: Path
    bytecode: Path
    uv: Path


def pytest_unconfigure() -> None:
    # rattler's threads can crash an interpreter that exits right after they worked (PyO3/pyo3-async-runtimes#40).
    if "rattler" in sys.modules:
        time.sleep(0.3)


@pytest.fixture(autouse=True)
def isolation(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caches: Caches,
    package_indexes: dict[str, str],
    jp_home_dir: Path,
    jp_data_dir: Path,
    jp_config_dir: Path,
    jp_runtime_dir: Path,
) -> None:
    """Give the test a home, Jupyter directories and environment variables of its own."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    # Shims of version managers look about in the home, and take their time: uv asks every Python that it finds.
    path = [place for place in os.environ["PATH"].split(os.pathsep) if Path(place).name != "shims"]
    home = {
        "HOME": str(jp_home_dir),
        "PATH": os.pathsep.join(path),
        "TERM": "xterm",
        "JUPYTER_CONFIG_DIR": str(jp_config_dir),
        "JUPYTER_DATA_DIR": str(jp_data_dir),
        "JUPYTER_RUNTIME_DIR": str(jp_runtime_dir),
        "UV_CACHE_DIR": str(caches.uv),
        **package_indexes,
    }
    for name, value in home.items():
        monkeypatch.setenv(name, value)
    # A busy machine answers late: tornado's clients give up after 20 seconds.
    for name in ("connect_timeout", "request_timeout"):
        monkeypatch.setitem(HTTPRequest._DEFAULTS, name, PATIENCE)
    # These are read at import, so the environment is too late for them.
    for name, place in (
        ("SYSTEM_JUPYTER_PATH", tmp_path / "share" / "jupyter"),
        ("ENV_JUPYTER_PATH", tmp_path / "env" / "share" / "jupyter"),
        ("SYSTEM_CONFIG_PATH", tmp_path / "etc" / "jupyter"),
        ("ENV_CONFIG_PATH", tmp_path / "env" / "etc" / "jupyter"),
    ):
        monkeypatch.setattr(jupyter_core.paths, name, [str(place)])
    system = [str(tmp_path / "share" / "jupyter")]
    monkeypatch.setattr(jupyter_client.kernelspec, "SYSTEM_JUPYTER_PATH", system)


@pytest.fixture
def jp_environ(isolation: None) -> None:
    """Replace pytest-jupyter's own isolation, which hands PYTHONPATH down to every kernel."""


@pytest.fixture
def jp_server_config() -> Config:
    """A server with our extension, in which every handler has to check who asks."""
    return Config(
        {
            "ServerApp": {
                "allow_unauthenticated_access": False,
                "jpserver_extensions": {"jupyter_gpu_kernels": True, "jupyter_server_terminals": True},
            }
        }
    )


@pytest.fixture(scope="session")
def artifacts(pytestconfig: pytest.Config) -> Path:
    """Directory of the checkout, unknown to git, for what is worth keeping between sessions."""
    return pytestconfig.rootpath / ".artifacts" / "tests"


@pytest.fixture(scope="session")
def run_dir(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of this run alone, the same for all its workers."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if hasattr(pytestconfig, "workerinput") else base


@pytest.fixture(scope="session")
def caches(run_dir: Path, artifacts: Path) -> Caches:
    """Directories shared by the tests of this run."""
    root = run_dir / "caches"
    made = Caches(root, root / "pkgs", root / "repodata", root / "bytecode", artifacts / "uv")
    for directory in (made.packages, made.repodata, made.bytecode, made.uv):
        directory.mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture
def cold_cache(tmp_path: Path, caches: Caches) -> Path:
    """A cache root without packages; with bytecode, for to compile everything anew tells nothing and takes seconds."""
    root = tmp_path / "cold"
    root.mkdir()
    (root / "bytecode").symlink_to(caches.bytecode)
    return root


@pytest.fixture(scope="session")
def package_indexes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables that keep pip's and uv's configured indexes in force under another HOME."""
    # A user of a container need not have one.
    home = Path(os.path.expanduser("~"))  # noqa: PTH111
    config_home = Path(os.environ.get("XDG_CONFIG_HOME", home / ".config"))
    found: dict[str, str] = {}
    # In the order in which pip reads them: later ones win.
    places = [home / ".pip" / "pip.conf", config_home / "pip" / "pip.conf", os.environ.get("PIP_CONFIG_FILE", "")]
    parser = configparser.RawConfigParser()
    if parser.read([str(place) for place in places if str(place) not in ("", os.devnull)]):
        merged = tmp_path_factory.mktemp("indexes") / "pip.conf"
        with merged.open("w") as file:
            parser.write(file)
        merged.chmod(0o600)
        found["PIP_CONFIG_FILE"] = str(merged)
    if "UV_CONFIG_FILE" not in os.environ and (config_home / "uv" / "uv.toml").exists():
        found["UV_CONFIG_FILE"] = str(config_home / "uv" / "uv.toml")
    return found


@pytest.fixture(scope="session")
def base_python() -> Path:
    """The interpreter that the test environment was made from."""
    return Path(getattr(sys, "_base_executable", sys.executable))


@pytest.fixture(scope="session")
def channel_dir(artifacts: Path) -> Path:
    """Directory of the standard channel."""
    return standard_channel(artifacts)


@pytest.fixture(scope="session")
def wheel_dir(artifacts: Path) -> Path:
    """Directory of real wheels: ipykernel and all it needs, numpy, pip, setuptools, six, NVIDIA's CUDA runtimes."""
    return standard_wheels(artifacts)


@pytest.fixture(scope="session")
def channel_server(channel_dir: Path) -> Iterator[Server]:
    """The good server of the standard channel."""
    with serve(channel_dir) as server:
        yield server


@pytest.fixture(scope="session")
def channel(channel_server: Server) -> str:
    """URL of the standard channel."""
    return channel_server.url


@pytest.fixture
def serve_channel() -> Iterator[Callable[..., Server]]:
    """Start servers of this test's own."""
    with contextlib.ExitStack() as stack:

        def start(directory: Path, *, name: str = "lab") -> Server:
            return stack.enter_context(serve(directory, name=name))

        yield start


@pytest.fixture
def faulty_channel(channel_dir: Path, serve_channel: Callable[..., Server]) -> Callable[..., Server]:
    """Start servers of the standard channel that can be made to fail."""

    def start(*, name: str = "lab") -> Server:
        return serve_channel(channel_dir, name=name)

    return start
