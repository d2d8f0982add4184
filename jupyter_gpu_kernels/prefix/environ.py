"""The variables of a process in an environment.

Everything here is computed from what is passed in; the looks at the disk, at what a directory on ``LD_LIBRARY_PATH`` is
for and at which versions are installed, can be replaced too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ..models import EnvironmentKind, LaunchPolicy, MemoryPreset
from .cuda import DirectoryNature, directory_nature
from .layout import Layout
from .memory import installed_versions, memory_variables, unset
from .toolkit import Toolkit

#: Keeps the ``LD_LIBRARY_PATH`` that the server had, for whoever debugs a kernel.
ORIGINAL_LIBRARY_PATH = "JUPYTER_GPU_KERNELS_SERVER_LD_LIBRARY_PATH"

#: Variables that tie a process to one Python or one environment: the server's must not reach a kernel.
_SERVER_ONLY = re.compile(
    r"PYTHONHOME|PYTHONPATH|PYTHONEXECUTABLE|__PYVENV_LAUNCHER__|VIRTUAL_ENV|VIRTUAL_ENV_PROMPT|_OLD_VIRTUAL_\w+"
    r"|CONDA_(?:PREFIX|DEFAULT_ENV|SHLVL|PROMPT_MODIFIER|STACKED)(?:_\d+)?|__CONDA_SHLVL_\w+|_JGK_\w+"
)

#: Variables whose value is merged, not replaced, when somebody asked for one at this launch.
_MERGED = frozenset({"PATH", "LD_LIBRARY_PATH"})

_XLA_DATA_DIR = "--xla_gpu_cuda_data_dir="


def base_environment(inherited: Mapping[str, str], layout: Layout) -> dict[str, str]:
    """What activation scripts start from: the server's traces gone, the environment's own identity set.

    Args:
        inherited: Variables of the server (with those of kernel.json).
        layout: The environment.
    """
    environ = {name: value for name, value in inherited.items() if not _SERVER_ONLY.fullmatch(name)}
    prefix = str(layout.prefix)
    if layout.kind is EnvironmentKind.CONDA:
        named = layout.prefix.parent.name == "envs"
        name = layout.prefix.name if named else prefix
        environ |= {
            "CONDA_PREFIX": prefix,
            "CONDA_DEFAULT_ENV": name,
            "CONDA_PROMPT_MODIFIER": f"({name}) ",
            "CONDA_SHLVL": "1",
        }
    else:
        environ |= {"VIRTUAL_ENV": prefix, "VIRTUAL_ENV_PROMPT": layout.prefix.name}
    separator = _separator(layout)
    server = _executables_of_server(inherited, layout.platform)
    left = [folder for folder in inherited.get("PATH", "").split(separator) if Path(folder) not in server]
    environ["PATH"] = _join([*map(str, layout.executable_directories()), *left], separator)
    return environ


def kernel_environment(
    inherited: Mapping[str, str],
    layout: Layout,
    cuda_dirs: Sequence[Path],
    activated: Mapping[str, str] | None = None,
    *,
    policy: LaunchPolicy | None = None,
    toolkit: Toolkit | None = None,
    wishes: Mapping[str, str] | None = None,
    nature: Callable[[str], DirectoryNature] = directory_nature,
    release: str | None = None,
    versions: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Compute the variables of a kernel.

    Args:
        inherited: Variables of the server (with those of kernel.json).
        layout: The environment.
        cuda_dirs: Its own CUDA directories, in order.
        activated: What its activation scripts made of :func:`base_environment`, ``None`` if none ran.
        policy: How its kernels are started.
        toolkit: What else of CUDA it has.
        wishes: Variables that somebody set for this very launch; they win over ours, paths apart, which are merged.
        nature: Says what a directory on a library path is for.
        release: Release of the operating system's kernel, ``None`` for this one's.
        versions: Versions of what is installed, ``None`` to look where they matter.
    """
    policy = policy or LaunchPolicy()
    environ = dict(base_environment(inherited, layout) if activated is None else activated)
    own = [str(folder) for folder in cuda_dirs]
    separator = _separator(layout)
    executables = [str(folder) for folder in layout.executable_directories()]
    path = environ.get("PATH", "").split(separator)
    if layout.windows:
        environ["PATH"] = _join([*executables, *own, *path], separator)
    elif executables[0] not in path:
        environ["PATH"] = _join([*executables, *path], separator)
    if layout.platform.startswith("linux"):
        _set_library_path(environ, inherited, own, nature)
    _set_toolkit(environ, layout, toolkit or Toolkit())
    if policy.user_site:
        environ.pop("PYTHONNOUSERSITE", None)
    else:
        environ["PYTHONNOUSERSITE"] = "1"
    if versions is None and policy.memory is MemoryPreset.FRACTION:
        versions = installed_versions(layout)
    memory = memory_variables(
        policy.memory, layout.platform, release, fraction=policy.memory_fraction, versions=versions
    )
    environ |= unset(memory, {**environ, **(wishes or {})})
    environ |= {name: value for name, value in (wishes or {}).items() if name not in _MERGED}
    return environ


def library_path(current: str, own: Sequence[str], nature: Callable[[str], DirectoryNature] = directory_nature) -> str:
    """Put a library path in order: own CUDA, the driver's directories, the rest; no stubs, no empty component.

    Foreign CUDA goes only where the environment has its own. An empty component would mean the working directory.
    """
    driver: list[str] = []
    rest: list[str] = []
    for folder in current.split(":"):
        kind = nature(folder) if folder else DirectoryNature.STUBS
        if kind is DirectoryNature.DRIVER:
            driver.append(folder)
        elif kind is DirectoryNature.OTHER or (kind is DirectoryNature.CUDA and not own):
            rest.append(folder)
    return _join([*own, *driver, *rest], ":")


def _set_library_path(
    environ: dict[str, str],
    inherited: Mapping[str, str],
    own: Sequence[str],
    nature: Callable[[str], DirectoryNature],
) -> None:
    """Set ``LD_LIBRARY_PATH``, or leave it unset where there is nothing to say; keep what it was."""
    if "LD_LIBRARY_PATH" in inherited:
        environ[ORIGINAL_LIBRARY_PATH] = inherited["LD_LIBRARY_PATH"]
    value = library_path(environ.get("LD_LIBRARY_PATH", ""), own, nature)
    if value:
        environ["LD_LIBRARY_PATH"] = value
    else:
        environ.pop("LD_LIBRARY_PATH", None)


def _set_toolkit(environ: dict[str, str], layout: Layout, toolkit: Toolkit) -> None:
    """Point ``CUDA_HOME``, ``CUDA_PATH`` and XLA at the environment's own toolkit, if it has one."""
    if toolkit.home:
        for name in ("CUDA_HOME", "CUDA_PATH"):
            if not _inside(environ.get(name, ""), layout.prefix):
                environ[name] = str(toolkit.home)
    flags = environ.get("XLA_FLAGS", "").split()
    if toolkit.libdevice:
        flags = [flag for flag in flags if not _foreign_data_dir(flag, layout.prefix)]
        if toolkit.data_dir and not any(flag.startswith(_XLA_DATA_DIR) for flag in flags):
            flags.append(f"{_XLA_DATA_DIR}{toolkit.data_dir}")
        if flags:
            environ["XLA_FLAGS"] = " ".join(flags)
        else:
            environ.pop("XLA_FLAGS", None)


def _foreign_data_dir(flag: str, prefix: Path) -> bool:
    """Whether a flag sends XLA to a toolkit outside of the environment."""
    return flag.startswith(_XLA_DATA_DIR) and not _inside(flag[len(_XLA_DATA_DIR) :], prefix)


def _executables_of_server(inherited: Mapping[str, str], platform: str) -> set[Path]:
    """What the activation of the server's own environment put on ``PATH``: its ``pip`` is not the kernel's."""
    found: set[Path] = set()
    for name, kind in (("CONDA_PREFIX", EnvironmentKind.CONDA), ("VIRTUAL_ENV", EnvironmentKind.VIRTUALENV)):
        if inherited.get(name):
            found.update(Layout(Path(inherited[name]), kind, platform).executable_directories())
    return found


def _inside(path: str, prefix: Path) -> bool:
    """Whether a path lies in an environment; links are followed."""
    return bool(path) and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(prefix))


def _separator(layout: Layout) -> str:
    """What separates the components of a path variable."""
    return ";" if layout.windows else ":"


def _join(folders: Iterable[str], separator: str) -> str:
    """Join what is not empty, each once, first things first."""
    return separator.join(dict.fromkeys(folder for folder in folders if folder))
