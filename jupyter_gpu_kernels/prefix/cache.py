"""Where caches of this package are kept."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

#: Name of our directory in the user's cache directory.
CACHE_NAME = "jupyter-gpu-kernels"

#: Directory of the cache in which directories of links are kept, see :mod:`.links`.
LINKS_NAME = "cuda-links"


def cache_root(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Our directory in the user's cache directory.

    Source: the XDG base directory specification; ``~/Library/Caches`` on macOS; ``%LOCALAPPDATA%`` on Windows.

    Args:
        environ: Variables of the process.
        platform: As ``sys.platform`` says it.
    """
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / CACHE_NAME
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / CACHE_NAME
    chosen = environ.get("XDG_CACHE_HOME", "")
    # The specification: a relative path is invalid and ignored.
    return (Path(chosen) if chosen.startswith("/") else Path.home() / ".cache") / CACHE_NAME
