"""Making the scripts of a generation refer to the path that it will have.

uv writes into each script the path of the Python that it installs for, which is the generation's, not the final one.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import stat
from pathlib import Path

from ...prefix.files import replace_file
from ...prefix.layout import Layout

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
                _update_record(record, directory, set(changed))
    return tuple(changed)


def _update_record(record: Path, root: Path, changed: set[Path]) -> None:
    """Write the new hashes and sizes of changed files into a distribution's list of files."""
    rows = list(csv.reader(io.StringIO(record.read_text("utf-8"), newline="")))
    touched = False
    for row in rows:
        if len(row) != 3 or not row[1] or not row[0].startswith(".."):
            continue
        path = Path(os.path.normpath(root / row[0]))
        if path in changed:
            content = path.read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            row[1:] = [f"sha256={digest}", str(len(content))]
            touched = True
    if touched:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        replace_file(record, text.getvalue().encode(), mode=record.stat().st_mode)
