"""The package index that a user has chosen here, in a file of our own: pip's and uv's files are theirs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Variables that a user sets for this very purpose, and that are heard before the file.
STRONGER = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")


@dataclass(frozen=True)
class Chosen:
    """What was chosen.

    Attributes:
        mirror: Id of the mirror, empty for none.
        index: Its package index, empty if it has none.
    """

    mirror: str = ""
    index: str = ""


def default_file() -> Path:
    """Where it is written down."""
    # Imported here: whoever only builds from a given index has no use for Jupyter.
    from jupyter_core.paths import jupyter_config_dir

    return Path(jupyter_config_dir()) / "gpu-kernels" / "index.toml"


def read(file: Path | None) -> Chosen:
    """What a file says; nothing, if it is not there or says it wrongly."""
    try:
        data = tomllib.loads(file.read_text("utf-8")) if file else {}
    except (OSError, ValueError, RecursionError):
        return Chosen()
    mirror, index = data.get("mirror"), data.get("index")
    return Chosen(mirror if isinstance(mirror, str) else "", index if isinstance(index, str) else "")


def text(choice: Chosen) -> str:
    """A file that says so."""
    # TOML's basic strings are JSON's.
    lines = [f"mirror = {json.dumps(choice.mirror)}", f"index = {json.dumps(choice.index)}"]
    return "\n".join(["# Written by jupyter gpu-kernels channels use; channels reset removes it.", *lines, ""])


def variables(file: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """The variable by which uv learns of it; none where a variable of the user says something else."""
    index = read(file).index
    if not index or any(environ.get(name) for name in STRONGER):
        return {}
    return {"UV_DEFAULT_INDEX": index}
