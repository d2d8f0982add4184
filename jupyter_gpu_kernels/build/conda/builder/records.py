"""Records of packages: written down, read, and told of."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import rattler

from ...tools.redaction import redact, uncover
from ..settings import Channel
from .access import rattler_channel
from .stock import Stock


def freeze(records: list[rattler.RepoDataRecord], platform: str) -> str:
    """Write records down so that :func:`thaw` gives the same ones: rattler's own lock file, which loses nothing."""
    target = rattler.LockPlatform(platform)
    lock = rattler.LockFile([target])
    for record in records:
        lock.add_conda_package("default", target, record)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "lock.yml"
        lock.to_path(path)
        return path.read_text()


def thaw(text: str) -> list[rattler.RepoDataRecord]:
    """Read what :func:`freeze` wrote."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "lock.yml"
        path.write_text(text)
        environment = rattler.LockFile.from_path(path).default_environment()
        assert environment is not None
        (records,) = environment.conda_repodata_records().values()
        return records


def from_archives(records: list[rattler.RepoDataRecord], directory: Path) -> dict[str, str]:
    """Have packages taken from archives on this disk instead of from their channels.

    Returns:
        Where they belong, by name of the archive's file.
    """
    urls = {}
    for record in records:
        urls[record.file_name] = record.url
        record.url = (directory / record.subdir / record.file_name).as_uri()
    return urls


def source(record: rattler.RepoDataRecord, names: Mapping[str, str]) -> str:
    """The channel of a record, as its user calls it."""
    base = record.url.rsplit("/", 2)[0]
    return names.get(base) or redact(base)


def described(
    records: Iterable[rattler.RepoDataRecord], stock: Stock, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What the engine is told of records, in order of name.

    Args:
        records: The packages.
        stock: What need not be downloaded.
        names: The channels as their user calls them, by URL.
    """
    return [
        {
            "name": record.name.normalized,
            "version": str(record.version),
            "build": str(record.build),
            "source": source(record, names),
            "size": record.size or 0,
            "cached": stock.has(record),
        }
        for record in sorted(records, key=lambda record: record.name.normalized)
    ]


def linked(paths: Iterable[str], channels: Iterable[Channel]) -> list[rattler.RepoDataRecord]:
    """Records of what an environment has; damaged ones are left out.

    Args:
        paths: The files in its ``conda-meta``, which hold no credentials.
        channels: The channels that are asked; their credentials serve for what must be downloaded once more.
    """
    bases = [rattler_channel(channel).base_url.rstrip("/") for channel in channels]
    secrets = {uncover(base): base for base in bases}
    # A mirror has the same packages by the same names; their hashes tell if not.
    moved = {base.rsplit("/", 1)[-1]: base for base in reversed(bases)}
    found: list[rattler.RepoDataRecord] = []
    for path in paths:
        # Whatever rattler cannot read cannot be held on to.
        with contextlib.suppress(Exception):
            record = rattler.PrefixRecord.from_path(Path(path))
            base, subdir, file = record.url.rsplit("/", 2)
            home = secrets.get(base) or moved.get(base.rsplit("/", 1)[-1], base)
            channel = record.channel if uncover(home) == base else uncover(home)
            found.append(rattler.RepoDataRecord(record, record.file_name, f"{home}/{subdir}/{file}", channel))
    return found
