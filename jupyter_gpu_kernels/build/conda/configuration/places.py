"""Where conda's configuration files lie.

Conda's own list: https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/use-condarc.html
#searching-for-condarc
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path


def candidates(
    environ: Mapping[str, str], *, home: Path, root: Path = Path("/"), windows: bool | None = None
) -> list[Path]:
    """The files that exist, in order of rising precedence.

    Args:
        environ: Environment variables.
        home: The user's home directory.
        root: The file system's root.
        windows: Whether this is Windows; ``None`` to find out.
    """
    windows = sys.platform == "win32" if windows is None else windows
    directories = [root / "ProgramData/conda"] if windows else [root / "etc/conda", root / "var/lib/conda"]
    if "CONDA_ROOT" in environ:
        directories.append(Path(environ["CONDA_ROOT"]))
    elif "CONDA_EXE" in environ:
        # <root>/bin/conda, or <root>/Scripts/conda.exe.
        directories.append(Path(environ["CONDA_EXE"]).parent.parent)
    if "XDG_CONFIG_HOME" in environ:
        directories.append(Path(environ["XDG_CONFIG_HOME"]) / "conda")
    directories += [home / ".config/conda", home / ".conda"]
    files = [file for directory in directories for file in _in_directory(directory)]
    files.append(home / ".condarc")
    if environ.get("CONDA_PREFIX"):
        files += _in_directory(Path(environ["CONDA_PREFIX"]))
    if environ.get("CONDARC"):
        files.append(Path(os.path.expanduser(environ["CONDARC"])))  # noqa: PTH111
    # Several of these may be one place; its last turn counts.
    # Where one may not look, as in the home directory of whom one was before ``sudo``, nothing is configured.
    existing = [file for file in files if os.path.isfile(file)]  # noqa: PTH113
    return list(reversed(dict.fromkeys(reversed(existing))))


def chosen_file(home: Path) -> Path:
    """The file, one of those that conda reads too, in which a mirror is put that was chosen here."""
    return home / ".conda" / "condarc.d" / "jupyter-gpu-kernels.yml"


def _in_directory(directory: Path) -> Iterator[Path]:
    """The names that conda knows in a directory."""
    yield directory / ".condarc"
    yield directory / "condarc"
    with contextlib.suppress(OSError):
        yield from sorted(file for file in directory.glob("condarc.d/*") if file.suffix in (".yml", ".yaml"))
