"""What installers say of an environment's files: which of them they brought, and which of those name the prefix."""

from __future__ import annotations

import csv
import enum
import io
import os
import posixpath
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ...prefix.layout import CONDA_MARKER, Layout

#: Kinds of files that hold what the package holds, or nothing of their own. Source: conda's ``PathType``.
PLAIN = frozenset({"hardlink", "softlink", "directory", "pyc_file"})

#: How the tags of wheels begin that were built on this machine: an index takes none of those.
BUILT_HERE = ("linux_",)


class Claim(enum.Enum):
    """What is known of a file that somebody brought."""

    #: It does not name the prefix.
    PLAIN = "plain"
    #: It may: it must be looked at.
    DOUBTFUL = "doubtful"
    #: It does, as text.
    TEXT = "text"
    #: It does, in strings that end with NUL.
    BINARY = "binary"


@dataclass(frozen=True)
class Claimed:
    """One file that an installer brought.

    Attributes:
        claim: Whether it names the prefix.
        room: Bytes that a mention of the prefix had in the package, ``None`` where nobody says.
    """

    claim: Claim
    room: int | None = None


PLAIN_FILE = Claimed(Claim.PLAIN)
DOUBTFUL_FILE = Claimed(Claim.DOUBTFUL)


class _Path(msgspec.Struct):
    path: str = msgspec.field(name="_path")
    kind: str | None = msgspec.field(default=None, name="path_type")
    placeholder: str | None = msgspec.field(default=None, name="prefix_placeholder")
    mode: str | None = msgspec.field(default=None, name="file_mode")


class _Paths(msgspec.Struct):
    paths: list[_Path] = []


class _Record(msgspec.Struct):
    paths_data: _Paths | None = None
    files: list[str] = []


@dataclass
class Claims:
    """By path below the prefix, with ``/``: what its installer says of a file.

    Attributes:
        files: The files that somebody brought.
        records: ``RECORD`` of wheels, by what they list that names the prefix.
    """

    files: dict[str, Claimed] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)


def read_claims(layout: Layout) -> Claims:
    """Read what conda and the installers of wheels have written down. A damaged record claims nothing."""
    claims = Claims()
    decode = msgspec.json.Decoder(_Record).decode
    for path in sorted((layout.prefix / CONDA_MARKER).glob("*.json")):
        try:
            record = decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            continue
        entries = record.paths_data.paths if record.paths_data else []
        claims.files.update({entry.path: _claimed(entry) for entry in entries})
        for name in record.files:
            claims.files.setdefault(name, PLAIN_FILE if entries else DOUBTFUL_FILE)
    for folder in layout.site_packages():
        root = folder.relative_to(layout.prefix).as_posix()
        for record_file in sorted(folder.glob("*.dist-info/RECORD")):
            name = f"{root}/{record_file.parent.name}/RECORD"
            if name not in claims.files:
                _read_wheel(record_file, root, name, layout.prefix, claims)
    return claims


def _claimed(entry: _Path) -> Claimed:
    """What conda says of a file."""
    if entry.placeholder:
        claim = Claim.BINARY if entry.mode == "binary" else Claim.TEXT
        return Claimed(claim, len(os.fsencode(entry.placeholder)))
    # Scripts that are made at the installation have no placeholder.
    return PLAIN_FILE if entry.kind in PLAIN else DOUBTFUL_FILE


def _read_wheel(path: Path, root: str, name: str, prefix: Path, claims: Claims) -> None:
    """Read a wheel's list of files."""
    info = path.parent.name
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        rows = [row[0] for row in csv.reader(io.StringIO(text, newline="")) if row]
        local = _built_here(path.parent / "WHEEL")
    except (OSError, csv.Error):
        return
    for row in rows:
        if os.path.isabs(row):  # noqa: PTH117  # a Path would cost more than the call
            file = os.path.relpath(row, prefix)
        else:
            file = posixpath.normpath(f"{root}/{row}") if ".." in row else f"{root}/{row}"
        # Programs, lists of paths, and whatever was compiled with this environment's paths in its flags.
        doubtful = (
            "/" not in row
            or row.startswith("..")
            or os.path.isabs(row)  # noqa: PTH117
            or row == f"{info}/direct_url.json"
            or (local and not row.endswith((".py", ".pyc")))
        )
        claims.files.setdefault(file, DOUBTFUL_FILE if doubtful else PLAIN_FILE)
        if doubtful:
            claims.records.setdefault(file, name)


def _built_here(path: Path) -> bool:
    """Whether a wheel was built on this machine, against whatever lies in the environment."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    tags = [line.partition(":")[2].strip() for line in lines if line.startswith("Tag:")]
    return any(tag.rpartition("-")[2].startswith(BUILT_HERE) for tag in tags)
