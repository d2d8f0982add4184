"""What ``conda activate`` would do to the variables of a process, without conda.

Order, as conda's: ``deactivate.d`` of the environment that the server was started from, ``etc/conda/env_vars.d``,
``conda-meta/state``, ``activate.d``. Where there are no scripts nothing is run.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..models import EnvironmentKind
from ..prefix.environ import base_environment
from ..prefix.hooks import HOOK_NAME
from ..prefix.layout import Layout
from .scripts import ScriptError, run_scripts

#: In ``conda-meta/state``: the variable is to be unset, not set to this.
UNSET = "***unset***"

#: Seconds after which activation scripts are killed and a kernel starts without them.
TIMEOUT = 20.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Activated:
    """Variables after activation, and what went wrong on the way."""

    environ: dict[str, str]
    warnings: tuple[str, ...] = ()


def activate(inherited: Mapping[str, str], layout: Layout, *, timeout: float = TIMEOUT) -> Activated:
    """Activate an environment on top of the server's variables.

    Scripts are not a pure function (cuda-compat's links files into the prefix): the caller lets in one at a time.
    Whatever fails is a warning, and the variables are then as good as could be had.

    Args:
        inherited: Variables of the server (with those of kernel.json).
        layout: The environment.
        timeout: Seconds for all scripts of one environment.
    """
    warnings: list[str] = []
    left = _leave(inherited, layout.platform, timeout, warnings)
    environ = base_environment(left, layout)
    if layout.kind is EnvironmentKind.CONDA:
        for name, value in _declared_variables(layout.prefix, warnings):
            if value == UNSET:
                environ.pop(name, None)
            else:
                environ[name] = value
        environ = _run(_scripts(layout.prefix, "activate.d", layout.platform), environ, layout, timeout, warnings)
    return Activated(environ=environ, warnings=tuple(warnings))


def _leave(inherited: Mapping[str, str], platform: str, timeout: float, warnings: list[str]) -> dict[str, str]:
    """Undo what the activation of the server's own conda environment did."""
    environ = dict(inherited)
    if not inherited.get("CONDA_PREFIX"):
        return environ
    server = Layout(Path(inherited["CONDA_PREFIX"]), EnvironmentKind.CONDA, platform)
    scripts = _scripts(server.prefix, "deactivate.d", platform)[::-1]
    environ = _run(scripts, environ, server, timeout, warnings)
    level = inherited.get("CONDA_SHLVL", "")
    for name, value in _declared_variables(server.prefix, []):
        if environ.get(name) == value:
            del environ[name]
            saved = f"__CONDA_SHLVL_{int(level) - 1}_{name}" if level.isdecimal() else ""
            if saved in inherited:
                environ[name] = inherited[saved]
    return environ


def _run(
    scripts: list[Path], environ: dict[str, str], layout: Layout, timeout: float, warnings: list[str]
) -> dict[str, str]:
    """Run scripts, if there are any; on failure keep what is known."""
    if not scripts:
        return environ
    try:
        result = run_scripts(scripts, environ, cwd=layout.prefix, timeout=timeout, platform=layout.platform)
    except ScriptError as error:
        warnings.append(str(error))
        return error.environ if error.environ is not None else environ
    return result


def _scripts(prefix: Path, folder: str, platform: str) -> list[Path]:
    """The scripts of a prefix, in conda's order; our own hook is for those who do not launch through us."""
    suffix = ".bat" if platform == "win32" else ".sh"
    found = sorted((prefix / "etc" / "conda" / folder).glob(f"*{suffix}"))
    return [path for path in found if path.stem != HOOK_NAME and path.is_file()]


def _declared_variables(prefix: Path, warnings: list[str]) -> Iterator[tuple[str, str]]:
    """Variables that packages (``env_vars.d``) and then the user (``conda env config vars``) declared, as written.

    Names keep their case and values are taken literally: conda exports them, no shell ever reads them.
    """
    for path in (*sorted((prefix / "etc" / "conda" / "env_vars.d").glob("*.json")), prefix / "conda-meta" / "state"):
        try:
            data: Any = json.loads(path.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            warnings.append(f"The environment's variables in {path} cannot be read: {error}.")
            continue
        if path.name == "state":
            data = data.get("env_vars") if isinstance(data, dict) else None
        if isinstance(data, dict):
            for name, value in data.items():
                if name and "=" not in name and "\0" not in f"{name}{value}":
                    yield name, str(value)
