"""The launch's effect for those who do not launch through us: terminals, and editors that activate environments.

conda sources ``etc/conda/activate.d`` and ``deactivate.d``; a virtual environment has its activation scripts patched,
in blocks between two marker lines. All of it is static shell: no Python is started.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from ..models import EnvironmentKind, LaunchPolicy, MemoryPreset
from .cuda import conda_links
from .files import replace_file
from .layout import Layout
from .links import write_links
from .memory import ALIASES, installed_versions, memory_variables
from .shells.batch import BATCH
from .shells.csh import CSH
from .shells.fish import FISH
from .shells.hook import Hook, Shell
from .shells.posix import POSIX
from .shells.powershell import POWERSHELL
from .toolkit import find_toolkit

#: Where a conda environment keeps links to its CUDA libraries for its hooks, relative to the prefix.
LINKS = "share/jupyter-gpu-kernels/cuda-links"

#: Stem of our scripts in ``activate.d`` and ``deactivate.d``.
HOOK_NAME = "jupyter-gpu-kernels"

_BEGIN = ">>> jupyter-gpu-kernels >>>"
_END = "<<< jupyter-gpu-kernels <<<"


def write_hooks(layout: Layout, final_prefix: Path, policy: LaunchPolicy | None = None) -> None:
    """Make activation of the environment put its own CUDA libraries first, and deactivation undo it.

    Writing twice is as good as once. On Windows no library path is set: frameworks add their own directories.

    Args:
        layout: The environment where it is now.
        final_prefix: Where it will be; scripts find it by ``$CONDA_PREFIX`` or ``$VIRTUAL_ENV``.
        policy: How its kernels are started, by default as :class:`LaunchPolicy` says.

    Raises:
        OSError: A script could not be written.
    """
    if layout.kind is EnvironmentKind.CONDA:
        _write_conda_links(layout)
    write_scripts(layout, final_prefix, policy)


def write_scripts(layout: Layout, final_prefix: Path, policy: LaunchPolicy | None = None) -> None:
    """Write the scripts alone, after a change of the policy; takes and raises what :func:`write_hooks` does."""
    conda = layout.kind is EnvironmentKind.CONDA
    linux = layout.platform.startswith("linux")
    data_dir = find_toolkit(layout).data_dir if conda else None
    policy = policy or LaunchPolicy()
    hook = Hook(
        mark="_JGK_" + hashlib.sha256(os.fsencode(final_prefix)).hexdigest()[:8],
        root="CONDA_PREFIX" if conda else "VIRTUAL_ENV",
        folders=[LINKS] if conda and linux else [],
        packages=[_relative(path, layout) for path in layout.site_packages()] if linux else [],
        data_dir=f"/{_relative(data_dir, layout)}".removesuffix("/.") if data_dir else None,
        user_site=policy.user_site,
        defaults=memory_variables(
            policy.memory,
            layout.platform,
            fraction=policy.memory_fraction,
            versions=installed_versions(layout) if policy.memory is MemoryPreset.FRACTION else None,
        ),
        aliases=ALIASES,
    )
    for shell in _shells(layout):
        if conda:
            _write_conda_scripts(layout.prefix, shell, hook)
        else:
            _patch_scripts(layout.bin, shell, hook)


def _shells(layout: Layout) -> tuple[Shell, ...]:
    """The shells that environments of a platform are activated in."""
    return (POSIX, POWERSHELL, BATCH) if layout.windows else (POSIX, FISH, CSH, POWERSHELL)


def _write_conda_links(layout: Layout) -> None:
    """Link the CUDA libraries of a conda prefix inside itself, relatively: it will be renamed."""
    folder = layout.prefix / LINKS
    shutil.rmtree(folder, ignore_errors=True)
    if layout.platform.startswith("linux"):
        links = conda_links(layout)
        if links:
            write_links(folder, {name: Path(os.path.relpath(target, folder)) for name, target in links.items()})


def _write_conda_scripts(prefix: Path, shell: Shell, hook: Hook) -> None:
    """Write the pair of scripts of one shell."""
    for folder, lines in (("activate.d", shell.activate(hook)), ("deactivate.d", shell.deactivate(hook))):
        path = prefix / "etc" / "conda" / folder / f"{HOOK_NAME}{shell.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _scripts(folder: Path, shell: Shell) -> list[Path]:
    """The activation scripts of a shell in a virtual environment; the standard library writes ``Activate.ps1``."""
    wanted = {shell.activate_script, shell.activate_script.replace("activate", "deactivate", 1)}
    return sorted(path for path in folder.glob("*") if path.name.lower() in wanted and path.is_file())


def _patch_scripts(folder: Path, shell: Shell, hook: Hook) -> None:
    """Put our blocks into a virtual environment's scripts; one that is written as we do not know is left alone."""
    setting, restoring = _block(shell, shell.activate(hook)), _block(shell, shell.deactivate(hook))
    for path in _scripts(folder, shell):
        lines = _without_blocks(_read(path))
        if shell is BATCH:
            patched = [*restoring, *lines] if path.stem == "deactivate" else [*lines, *setting]
        else:
            anchor = next((number for number, line in enumerate(lines) if line.startswith(shell.deactivation)), None)
            if anchor is None:
                continue
            if shell is CSH:
                # An alias holds one line: it is made anew, once its own text was read.
                inner = lines[anchor][len(shell.deactivation) :]
                alias = shell.deactivation + "; ".join([*shell.deactivate(hook), inner])
                patched = [*lines, *_block(shell, [*shell.activate(hook), alias])]
            else:
                patched = [*lines[: anchor + 1], *restoring, *lines[anchor + 1 :], *setting]
        _replace(path, patched)


def _block(shell: Shell, lines: list[str]) -> list[str]:
    """Lines between our markers."""
    return [f"{shell.comment} {_BEGIN}", *lines, f"{shell.comment} {_END}"]


def _without_blocks(lines: list[str]) -> list[str]:
    """Lines without those between our markers."""
    kept: list[str] = []
    inside = False
    for line in lines:
        if line.endswith(_BEGIN):
            inside = True
        elif line.endswith(_END):
            inside = False
        elif not inside:
            kept.append(line)
    return kept


def _relative(path: Path, layout: Layout) -> str:
    """A path inside the environment, as scripts write it after the prefix."""
    return path.relative_to(layout.prefix).as_posix()


def _read(path: Path) -> list[str]:
    """The lines of a script."""
    return path.read_text(encoding="utf-8").splitlines()


def _replace(path: Path, lines: list[str]) -> None:
    """Replace a script in one step, keeping its mode; a hard link elsewhere keeps the old text."""
    # Batch files want their own ends of lines.
    replace_file(path, "".join(f"{line}{os.linesep}" for line in lines).encode(), mode=path.stat().st_mode)
