"""``RECORD``, in which a wheel lists its files with their hashes and sizes.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

from ...prefix.files import replace_file


def checksum(content: bytes, algorithm: str = "sha256") -> str:
    """A hash as such lists have it.

    Raises:
        ValueError: There is no such algorithm.
    """
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def amend(record: Path, written: Callable[[str], bytes | None]) -> None:
    """Enter the new hashes and sizes of files that were written anew. Blocks on the disk.

    Args:
        record: The list; it may be shared, and is replaced.
        written: Tells what is in a file now, by its path in the list; ``None`` for one that is as it was.
    """
    rows = list(csv.reader(io.StringIO(record.read_text("utf-8"), newline="")))
    touched = False
    for row in rows:
        # What has no hash has none for a reason: bytecode, and the list itself.
        content = written(row[0]) if len(row) == 3 and row[1] else None
        if content is not None:
            row[1:] = [checksum(content), str(len(content))]
            touched = True
    if touched:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        replace_file(record, text.getvalue().encode(), mode=record.stat().st_mode)
