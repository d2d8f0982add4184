"""The only door to uv: its program, and the environment in which it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import InstallError
from . import chosen, pipconfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Variables that would make a command of uv (or a Python it asks) do something else than we say. RUST_LOG would put
#: request headers, and with them credentials, into the output.
MEDDLING = frozenset(
    (
        "CONDA_DEFAULT_ENV",
        "CONDA_PREFIX",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "RUST_BACKTRACE",
        "RUST_LOG",
        "VIRTUAL_ENV",
        "UV_BREAK_SYSTEM_PACKAGES",
        "UV_COMPILE_BYTECODE",
        "UV_CUSTOM_COMPILE_COMMAND",
        "UV_ENV_FILE",
        "UV_LOG_CONTEXT",
        "UV_NO_PROGRESS",
        "UV_OUTPUT_FORMAT",
        "UV_PREVIEW",
        "UV_PREVIEW_FEATURES",
        "UV_PROJECT",
        "UV_PROJECT_ENVIRONMENT",
        "UV_PYTHON",
        "UV_PYTHON_DOWNLOADS",
        "UV_REQUIRE_HASHES",
        "UV_SYSTEM_PYTHON",
        "UV_TORCH_BACKEND",
        "UV_VENV_CLEAR",
        "UV_VENV_RELOCATABLE",
        "UV_VENV_SEED",
        "UV_WORKING_DIR",
        "UV_WORKING_DIRECTORY",
    )
)

#: Variables that say where wheels come from.
SOURCES = frozenset(
    ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX")
)

#: Options of a uv.toml that settle what pip's configuration would otherwise say.
SETTLING = {
    "index": ("index-url", "extra-index-url"),
    "index-url": ("index-url",),
    "default-index": ("index-url",),
    "extra-index-url": ("extra-index-url",),
    "find-links": ("find-links",),
    "allow-insecure-host": ("trusted-host",),
    "http-proxy": ("proxy",),
    "https-proxy": ("proxy",),
}

#: More of them that are worth knowing.
MORE = ("keyring-provider", "native-tls", "system-certs", "offline", "no-index")


@dataclass(frozen=True, kw_only=True)
class Uv:
    """uv, ready to run.

    Attributes:
        program: Path of the program.
        environment: The whole environment for it; it may hold credentials.
        index_options: Options that a resolving command needs besides.
    """

    program: str
    environment: Mapping[str, str] = field(repr=False)
    index_options: tuple[str, ...] = ()

    def command(self, *words: str) -> list[str]:
        """A command line."""
        return [self.program, "--color", "never", *words]

    def with_indexes(self, indexes: tuple[str, ...]) -> Uv:
        """The same with further indexes, which are asked after those of the user."""
        if not indexes:
            return self
        environment = dict(self.environment)
        # UV_EXTRA_INDEX_URL is asked after UV_INDEX.
        known = environment.get("UV_EXTRA_INDEX_URL", "").split()
        environment["UV_EXTRA_INDEX_URL"] = " ".join([*known, *indexes])
        environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
        return Uv(program=self.program, environment=environment, index_options=self.index_options)

    @property
    def offline(self) -> bool:
        """Whether variables tell it to ask no network."""
        return self.environment.get("UV_OFFLINE", "").lower() in ("1", "true", "yes")

    @property
    def default_index(self) -> str:
        """The index that is asked for all that no other has, by variables; empty if only uv knows."""
        if "--no-index" in self.index_options:
            return ""
        return self.environment.get("UV_DEFAULT_INDEX") or self.environment.get("UV_INDEX_URL", "")

    def only(self, directory: str) -> Uv:
        """The same with wheels of one directory, and nothing else: no index, and no network."""
        if not directory:
            return self
        environment = {key: value for key, value in self.environment.items() if key not in SOURCES}
        options = ("--no-index", "--offline", "--find-links", directory)
        return Uv(program=self.program, environment=environment, index_options=options)

    @property
    def indexes(self) -> tuple[str, ...]:
        """Indexes and directories of wheels that were configured, best first, credentials and all."""
        get = self.environment.get
        named = [*get("UV_INDEX", "").split(), *get("UV_EXTRA_INDEX_URL", "").split()]
        named += self.default_index.split()
        return (*named, *filter(None, get("UV_FIND_LINKS", "").split(",")))

    @property
    def sources(self) -> tuple[str, ...]:
        """The same for people, who should also read of the default index where it is asked and named by nobody."""
        named = self.environment.get("UV_DEFAULT_INDEX") or self.environment.get("UV_INDEX_URL")
        default = named or "--no-index" in self.index_options or "UV_CONFIG_FILE" in self.environment
        return self.indexes if default or not self.indexes else ("the Python Package Index", *self.indexes)


def find_uv() -> str:
    """Find the program of the installed ``uv`` package.

    Raises:
        InstallError: There is none.
    """
    # Imported here: nobody who only lists environments needs it.
    import uv

    try:
        return os.fspath(uv.find_uv_bin())
    except FileNotFoundError as error:
        msg = "The program uv, which installs from a Python package index, is missing."
        raise InstallError(msg, cure=f"Run `{sys.executable} -m pip install --force-reinstall uv`.") from error


def prepare(
    *,
    environ: Mapping[str, str] | None = None,
    machine: pipconfig.Machine | None = None,
    cache_dir: Path | None = None,
    python_downloads: bool = False,
) -> Uv:
    """Make uv ready, with pip's configuration translated for it.

    Args:
        environ: The environment to start from, ``None`` for ours.
        machine: Where configuration files lie, ``None`` for here.
        cache_dir: Cache of uv, ``None`` for its own, shared one.
        python_downloads: Whether uv may download a Python where none fits. Otherwise it must not even try: without
            the net that takes 20 s to fail.
    """
    inherited = os.environ if environ is None else environ
    machine = machine or pipconfig.Machine.here()
    environment = {key: value for key, value in inherited.items() if key not in MEDDLING}
    environment |= _configuration_of_uv(environment, machine)
    settled = _settled_by_uv(environment)
    options = pipconfig.pip_options(environment, machine)
    flags = ("--no-index",) if pipconfig.no_index(environment, options, settled) else ()
    if not flags:
        environment |= chosen.variables(machine.chosen, environment)
    environment |= pipconfig.uv_variables(environment, options, settled)
    environment["UV_PYTHON_DOWNLOADS"] = "automatic" if python_downloads else "never"
    environment["PYTHONNOUSERSITE"] = "1"
    if cache_dir is not None:
        environment["UV_CACHE_DIR"] = str(cache_dir)
    return Uv(program=find_uv(), environment=environment, index_options=flags)


def uv_words(environ: Mapping[str, str], machine: pipconfig.Machine) -> tuple[str, dict[str, Any]]:
    """The configuration file of uv that counts, empty for none, and what it says of indexes and of the way to them."""
    named = {**environ, **_configuration_of_uv(environ, machine)}.get("UV_CONFIG_FILE", "")
    data = _read(named)
    section = data.get("pip")
    merged = {**(section if isinstance(section, dict) else {}), **data}
    return named, {key: value for key, value in merged.items() if key in SETTLING or key in MORE}


def _configuration_of_uv(environ: Mapping[str, str], machine: pipconfig.Machine) -> dict[str, str]:
    """Name the configuration file that uv shall read.

    Left alone, uv also takes a uv.toml from the working directory and all above it, so from ``/tmp``, where anybody
    may put one that names his index.
    """
    if environ.get("UV_CONFIG_FILE") or environ.get("UV_NO_CONFIG"):
        return {}
    if machine.platform == "win32":
        candidates = [
            Path(environ.get("APPDATA", str(machine.home / "AppData" / "Roaming"))) / "uv" / "uv.toml",
            Path(environ.get("PROGRAMDATA", r"C:\ProgramData")) / "uv" / "uv.toml",
        ]
    else:
        listed = (environ.get("XDG_CONFIG_DIRS") or str(machine.root / "etc" / "xdg")).split(os.pathsep)
        candidates = [
            Path(environ.get("XDG_CONFIG_HOME") or machine.home / ".config") / "uv" / "uv.toml",
            *(Path(item) / "uv" / "uv.toml" for item in listed if item),
            machine.root / "etc" / "uv" / "uv.toml",
        ]
    for path in candidates:
        if os.path.isfile(path):  # noqa: PTH113  # a Path raises where one may not look
            return {"UV_CONFIG_FILE": str(path)}
    return {"UV_NO_CONFIG": "1"}


def _settled_by_uv(environ: Mapping[str, str]) -> set[str]:
    """Options of pip that uv's own configuration file settles."""
    data = _read(environ.get("UV_CONFIG_FILE", ""))
    section = data.get("pip", {})
    keys = {*data, *(section if isinstance(section, dict) else ())}
    return {option for key in keys for option in SETTLING.get(key, ())}


def _read(named: str) -> dict[str, Any]:
    """A configuration file of uv, which will say itself what is wrong with it."""
    try:
        return tomllib.loads(Path(named).read_text("utf-8")) if named else {}
    except (OSError, ValueError, RecursionError):
        return {}
