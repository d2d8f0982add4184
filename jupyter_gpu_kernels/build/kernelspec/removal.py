"""Taking a kernelspec away, in one step, whosever it is."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from jupyter_core.paths import jupyter_path

from ...errors import NotFoundError
from ..disk.filesystem import explained, remove_tree
from .kernelspecs import STAGING


def kernel_directories() -> tuple[Path, ...]:
    """Where Jupyter looks for kernelspecs, first things first."""
    return tuple(map(Path, jupyter_path("kernels")))


def find(place: Path, directories: Sequence[Path]) -> Path:
    """Check that a path is that of a kernelspec; whoever may ask for its removal may not ask for anything's.

    Raises:
        NotFoundError: It is not.
    """
    if place.parent in directories and ".." not in place.parts and (place / "kernel.json").is_file():
        return place
    msg = f"There is no kernelspec in {place}."
    raise NotFoundError(msg, cure="Run `jupyter kernelspec list` to see where they are.")


def remove(place: Path, directories: Sequence[Path] | None = None) -> None:
    """Remove a kernelspec, for good; a link to one is removed as a link.

    Args:
        place: Its directory.
        directories: Where Jupyter looks for kernelspecs, ``None`` for its default; from elsewhere nothing is removed.

    Raises:
        NotFoundError: There is no kernelspec.
        InstallError: It cannot be removed.
    """
    find(place, kernel_directories() if directories is None else directories)
    with explained(f"The kernelspec {place} cannot be removed"):
        # Where Jupyter does not look; it loses its name first, so that nothing half-removed is ever found.
        staging = place.parent.parent / STAGING
        if os.access(place.parent.parent, os.W_OK):
            staging.mkdir(parents=True, exist_ok=True)
            place = place.rename(staging / f"{place.name}-{secrets.token_hex(8)}")
        remove_tree(place)
