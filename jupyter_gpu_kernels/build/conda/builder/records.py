"""Records of packages: written down, read, and told of."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import rattler

from ...tools.redaction import redact


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


def source(record: rattler.RepoDataRecord, names: Mapping[str, str]) -> str:
    """The channel of a record, as its user calls it."""
    base = record.url.rsplit("/", 2)[0]
    return names.get(base) or redact(base)
