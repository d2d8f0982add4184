"""Making the scripts of a generation refer to the path that it will have.

uv writes into each script the path of the Python that it installs for, which is the generation's, not the final one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from ...prefix.files import replace_file
from ...prefix.layout import Layout
from .filelist import amend

#: Scripts are small; anything larger in ``bin`` is a program.
LARGEST_SCRIPT = 1 << 20


def rewrite_scripts(layout: Layout, final: Path) -> tuple[Path, ...]:
    """Replace the generation's path by the final one in every text file of the scripts directory.

    A file is replaced, never written to: it may be a hard link into somebody's cache. ``RECORD`` follows, so that
    the environment still passes a check of its hashes.

    Args:
        layout: Of the generation.
        final: The path that it will have.

    Returns:
        The files that were changed.
    """
    old, new = os.fsencode(layout.prefix), os.fsencode(final)
    changed = []
    for path in sorted(layout.bin.iterdir()) if layout.bin.is_dir() else ():
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_SCRIPT:
            continue
        content = path.read_bytes()
        if old in content and b"\0" not in content:
            replace_file(path, content.replace(old, new), mode=status.st_mode)
            changed.append(path)
    if changed:
        for directory in layout.site_packages():
            for record in sorted(directory.glob("*.dist-info/RECORD")):
                amend(record, _content_of(directory, set(changed)))
    return tuple(changed)


def _content_of(root: Path, changed: set[Path]) -> Callable[[str], bytes | None]:
    """Tells what is in the changed files, by their paths in a distribution's list of files."""

    def content(name: str) -> bytes | None:
        if not name.startswith(".."):
            return None
        path = Path(os.path.normpath(root / name))
        return path.read_bytes() if path in changed else None

    return content
