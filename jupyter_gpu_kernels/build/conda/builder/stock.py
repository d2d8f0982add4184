"""Which packages need not be downloaded: those of our own cache, and of the layers below it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import rattler

from .. import layers
from .access import package_cache


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What there is of some records.

    Attributes:
        own: Names of the packages in our own cache.
        shared: Packages that only a layer has, by ``NAME-VERSION-BUILD``.
        warnings: Why layers are not used, one sentence each.
    """

    own: frozenset[str]
    shared: Mapping[str, layers.Shared] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def has(self, record: rattler.RepoDataRecord) -> bool:
        """Whether a package need not be downloaded."""
        return record.name.normalized in self.own or entry(record) in self.shared


async def in_stock(records: Sequence[rattler.RepoDataRecord], own: Path, configured: Sequence[str]) -> Stock:
    """Look what there is.

    Args:
        records: The packages.
        own: Our own cache.
        configured: The layers below it, in order of preference.
    """
    index = await package_cache(own).index()
    held = frozenset(record.name.normalized for record in records if index.contains_record(record))
    usable, warnings = layers.usable(map(Path, configured), own)
    wanted = {entry(record): sha256_of(record) for record in records if record.name.normalized not in held}
    return Stock(own=held, shared=layers.shared(usable, wanted), warnings=warnings)


def entry(record: rattler.RepoDataRecord) -> str:
    """What a package's directory is called in a cache."""
    return f"{record.name.normalized}-{record.version}-{record.build}"


def sha256_of(record: rattler.RepoDataRecord) -> str:
    """The SHA-256 of a package's archive in hexadecimal, empty if its channel does not say."""
    return record.sha256.hex() if record.sha256 else ""


def put_right(prefix: Path, urls: Mapping[str, str], view: Path | None, stock: Stock) -> None:
    """Let the records of an environment name what will still be there tomorrow.

    Args:
        prefix: The environment.
        urls: Where archives that were taken from elsewhere belong, by name of the file.
        view: The view of layers that was used.
        stock: What was in it.
    """
    if not urls and view is None:
        return
    for path in (prefix / "conda-meta").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        record["url"] = urls.get(record.get("fn", ""), record["url"])
        source = Path(record.get("extracted_package_dir") or "")
        if view is not None and source.parent == view:
            record["extracted_package_dir"] = str(stock.shared[source.name].path)
            if isinstance(record.get("link"), dict):
                record["link"]["source"] = record["extracted_package_dir"]
        path.write_text(json.dumps(record, indent=2, ensure_ascii=False), encoding="utf-8")


def remarks(records: Sequence[rattler.RepoDataRecord], own: Path, stock: Stock) -> tuple[str, ...]:
    """What is to be said of layers after an installation, one sentence each."""
    spoilt = [record for record in records if entry(record) in stock.shared and (own / entry(record)).is_dir()]
    return tuple(
        f"{record.name.normalized} in the shared package cache {stock.shared[entry(record)].path.parent} is damaged or "
        "cannot be read. It was fetched anew."
        for record in spoilt
    )
