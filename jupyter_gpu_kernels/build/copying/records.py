"""Keeping the lists of files true that installers check environments by, where files were written anew."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Mapping
from pathlib import Path

from ...prefix.files import replace_file
from ..wheels.filelist import amend


def amend_conda(path: Path, rewritten: Mapping[str, bytes]) -> None:
    """Enter the new checksums into conda's record of a package; one that cannot be read stays as it is.

    Args:
        path: The record; it is the copy's own.
        rewritten: By path below the prefix: the files' new contents.
    """
    try:
        record = json.loads(path.read_bytes())
        entries = record["paths_data"]["paths"]
        changed = [entry for entry in entries if entry["_path"] in rewritten and "sha256_in_prefix" in entry]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if not changed:
        return
    for entry in changed:
        entry["sha256_in_prefix"] = hashlib.sha256(rewritten[entry["_path"]]).hexdigest()
    text = json.dumps(record, indent=2, ensure_ascii=False).encode()
    replace_file(path, text, mode=path.stat().st_mode)


def amend_wheel(prefix: Path, name: str, rewritten: Mapping[str, bytes]) -> None:
    """Enter the new hashes and sizes into a wheel's list of files.

    Args:
        prefix: The copy.
        name: The list's path below the prefix; it may be shared, and is replaced.
        rewritten: As for :func:`amend_conda`.
    """
    root = posixpath.dirname(posixpath.dirname(name))
    amend(prefix / name, lambda file: rewritten.get(posixpath.normpath(f"{root}/{file}")))
