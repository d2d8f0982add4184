"""The ``.tar.bz2`` of one conda package."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Stands for the prefix in packed files; the installer replaces it. As long as conda-build's own (255 characters).
PLACEHOLDER = ("/opt/channel_builder/" + "_placehold" * 30)[:255]

#: Milliseconds since the epoch; constant, so that the same content gives the same archive.
TIMESTAMP = 1_760_000_000_000


@dataclass(frozen=True)
class File:
    """Contents of one packed file."""

    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class Link:
    """A symbolic link; the target is relative to the link's own directory."""

    target: str


def write(target: Path, info: Mapping[str, Any], files: Mapping[str, File | Link]) -> Path:
    """Write the archive: documents of ``info/`` by file name, and the files by their path in the prefix."""
    target.parent.mkdir(parents=True, exist_ok=True)
    paths = [_path_entry(path, content) for path, content in sorted(files.items())]
    documents = {**info, "paths.json": {"paths_version": 1, "paths": paths}}
    # Level 1 is what makes this quick; the installer does not care.
    with tarfile.open(target, "w:bz2", compresslevel=1) as archive:
        for name, document in sorted(documents.items()):
            _append(archive, f"info/{name}", File(json.dumps(document, indent=1).encode()))
        _append(archive, "info/files", File("".join(f"{path}\n" for path in sorted(files)).encode()))
        for path, content in sorted(files.items()):
            _append(archive, path, content)
    return target


def _path_entry(path: str, content: File | Link) -> dict[str, Any]:
    if isinstance(content, Link):
        return {"_path": path, "path_type": "softlink", "sha256": hashlib.sha256().hexdigest(), "size_in_bytes": 0}
    entry: dict[str, Any] = {
        "_path": path,
        "path_type": "hardlink",
        "sha256": hashlib.sha256(content.data).hexdigest(),
        "size_in_bytes": len(content.data),
    }
    if PLACEHOLDER.encode() in content.data:
        entry["prefix_placeholder"] = PLACEHOLDER
        entry["file_mode"] = "binary" if b"\0" in content.data else "text"
    return entry


def _append(archive: tarfile.TarFile, path: str, content: File | Link) -> None:
    member = tarfile.TarInfo(path)
    member.mtime = TIMESTAMP // 1000
    if isinstance(content, Link):
        member.type = tarfile.SYMTYPE
        member.linkname = content.target
        archive.addfile(member)
    else:
        member.size = len(content.data)
        member.mode = 0o755 if content.executable else 0o644
        archive.addfile(member, io.BytesIO(content.data))
