"""The conda packages of an environment, from the records in ``conda-meta``."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ...prefix.layout import CONDA_MARKER
from ..tools.redaction import uncover


class _Path(msgspec.Struct):
    """A file of a package."""

    size_in_bytes: int | None = None


class _Paths(msgspec.Struct):
    """The files of a package, with their sizes."""

    paths: list[_Path] = []


class _Record(msgspec.Struct):
    """What is read of a record; the rest of it, which is long, is skipped and never becomes an object."""

    name: str
    version: str = ""
    build: str = ""
    channel: str | None = None
    subdir: str | None = None
    url: str | None = None
    fn: str | None = None
    md5: str | None = None
    sha256: str | None = None
    size: int | None = None
    depends: list[str] = []
    constrains: list[str] = []
    files: list[str] = []
    requested_spec: str | None = None
    requested_specs: list[str] | None = None
    paths_data: _Paths | None = None


@dataclass(frozen=True, kw_only=True)
class CondaRecord:
    """A conda package as it is linked; nothing here holds credentials.

    Attributes:
        name: Name, lower case.
        version: Exact version.
        build: Build string.
        channel: URL of the channel, without its platform.
        subdir: Platform of the package, ``noarch`` for all.
        url: Where its file was downloaded from.
        md5, sha256: What that file hashes to, empty if nobody said.
        size: Bytes of that file, 0 when unknown.
        disk_bytes: Bytes of what it brought; the file's if nobody said.
        depends: Match specs of what it needs.
        requested: Match specs by which it was asked for, empty for a mere dependency.
        files: What it brought, relative to the prefix, with slashes.
        path: The record.
    """

    name: str
    version: str
    build: str
    channel: str = ""
    subdir: str = ""
    url: str = ""
    md5: str = ""
    sha256: str = ""
    size: int = 0
    disk_bytes: int = 0
    depends: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()
    files: tuple[str, ...] = field(default=(), repr=False)
    path: Path = field(default=Path(), repr=False)


def conda_records(prefix: Path) -> tuple[CondaRecord, ...]:
    """Read all records of an environment, in order of name; damaged ones are left out. Blocks on the disk.

    Args:
        prefix: The environment; one without conda packages has none.
    """
    decoder = msgspec.json.Decoder(_Record, strict=False)
    found = []
    for path in (prefix / CONDA_MARKER).glob("*.json"):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            found.append(_read(decoder.decode(path.read_bytes()), path))
    return tuple(sorted(found, key=lambda record: record.name))


def _read(record: _Record, path: Path) -> CondaRecord:
    url, subdir = uncover(record.url or ""), record.subdir or ""
    # conda itself writes the platform's directory into some records.
    channel = uncover(record.channel or "").rstrip("/").removesuffix(f"/{subdir}" if subdir else "")
    if "://" not in channel and url:
        channel = url.rsplit("/", 2)[0]
    files = record.paths_data.paths if record.paths_data else []
    return CondaRecord(
        name=record.name.lower(),
        version=record.version,
        build=record.build,
        channel=channel,
        subdir=subdir,
        url=url,
        md5=record.md5 or "",
        sha256=record.sha256 or "",
        size=record.size or 0,
        disk_bytes=sum(file.size_in_bytes or 0 for file in files) or record.size or 0,
        depends=tuple(record.depends),
        requested=tuple(filter(None, (*(record.requested_specs or ()), record.requested_spec))),
        files=tuple(record.files),
        path=path,
    )
