"""The errand of finding out what is known of packages that somebody names to the byte; nothing is chosen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import rattler
from rattler.exceptions import GatewayError

from ...tools.redaction import uncover
from ..pins import CondaPin
from ..settings import CondaRequest
from ..tally import Voice
from .access import rattler_channel
from .indexes import with_gateway
from .records import described, freeze
from .stock import in_stock


async def pin(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Find the records of packages: in the lock that names them, or in the indexes of their channels.

    Returns:
        The same as a solve; the names of those of which another file is in the channel (``strange``), and of which
        nothing is known but their addresses (``bare``); what the channels are called (``sources``); and the packages
        that no other one needs (``roots``).
    """
    request = msgspec.convert(job["request"], CondaRequest)
    pins = {unquote(item.url): item for item in msgspec.convert(job["pins"], tuple[CondaPin, ...])}
    channels = request.settings.resolved()
    platform = request.platform or str(rattler.Subdir.current())
    found = {place: record for record in _locked(job["lock"]) if (place := _place(record)) in pins}
    missing = [item for place, item in pins.items() if place not in found]
    # The first that is at an address counts; the others of the request are only known by name.
    known = {uncover(rattler_channel(channel).base_url).rstrip("/"): channel for channel in reversed(channels)}
    places = list(dict.fromkeys(item.channel for item in missing))

    async def attempt(gateway: rattler.Gateway) -> list[rattler.RepoDataRecord]:
        answer = await gateway.query(
            [rattler_channel(known[place]) for place in places],
            [rattler.Subdir(platform), rattler.Subdir("noarch")],
            sorted({item.parts[0] for item in missing}),
            recursive=False,
        )
        return [record for records in answer for record in records]

    if missing:
        try:
            records = await with_gateway(Path(job["repodata"]), request.settings, attempt, voice)
        except GatewayError:
            # What is in the cache can be had without its channel.
            bare = [_bare(item) for item in missing]
            stock = await in_stock(bare, Path(job["packages"]), job.get("layers", ()))
            if not all(map(stock.has, bare)):
                raise
            records = []
        found |= {place: record for record in records if (place := _place(record)) in pins}
    unknown = [item.parts[0] for place, item in pins.items() if place not in found]
    found |= {place: _bare(item) for place, item in pins.items() if place not in found}
    strange = [item.parts[0] for place, item in pins.items() if not _same(item, found[place])]
    for place, item in pins.items():
        # Who has credentials for a channel has them here; a file has none.
        base = rattler_channel(known[item.channel]).base_url.rstrip("/") if item.channel in known else item.channel
        found[place].url = item.url.replace(item.channel, base, 1)
        if item.sha256:
            found[place].sha256 = bytes.fromhex(item.sha256)
    names = {rattler_channel(channel).base_url.rstrip("/"): channel.name for channel in channels}
    records = [found[place] for place in pins]
    stock = await in_stock(records, Path(job["packages"]), job.get("layers", ()))
    return {
        "packages": described(records, stock, names),
        "payload": freeze(records, platform),
        "warnings": stock.warnings,
        "strange": strange,
        "bare": unknown,
        "sources": {item.channel: known[item.channel].name for item in pins.values() if item.channel in known},
        "roots": _roots(records),
    }


def _roots(records: Iterable[rattler.RepoDataRecord]) -> list[str]:
    """The packages that no other one needs: about what somebody has asked for."""
    needed = {text.split(maxsplit=1)[0].lower() for record in records for text in record.depends if text.strip()}
    return sorted({record.name.normalized for record in records} - needed)


def _place(record: rattler.RepoDataRecord) -> str:
    """The address of a package, however it is written."""
    return unquote(uncover(record.url))


def _locked(text: str) -> Iterable[rattler.RepoDataRecord]:
    """Every conda package of a lock, of whatever environment and platform."""
    if not text:
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "pixi.lock"
        path.write_text(text, encoding="utf-8")
        for _, environment in rattler.LockFile.from_path(path).environments():
            for packages in environment.packages_by_platform().values():
                for package in packages:
                    if isinstance(package, rattler.CondaLockedBinaryPackage):
                        yield package.repo_data_record()


def _bare(item: CondaPin) -> rattler.RepoDataRecord:
    """The record of a package of which nothing is known but its address."""
    name, version, build = item.parts
    generic = "python" if build.startswith("py") else "generic"
    record = rattler.PackageRecord(
        name,
        version,
        rattler.BuildString(build),
        int(number) if (number := build.rpartition("_")[2]).isdigit() and len(number) < 9 else 0,
        item.subdir,
        noarch=generic if item.subdir == "noarch" else None,  # type: ignore[arg-type]
        md5=bytes.fromhex(item.md5) or None,
        sha256=bytes.fromhex(item.sha256) or None,
    )
    return rattler.RepoDataRecord(record, item.url.rsplit("/", 1)[1], item.url, item.channel)


def _same(item: CondaPin, record: rattler.RepoDataRecord) -> bool:
    """Whether a record has the hashes that a file wants, as far as both say any."""
    pairs = ((item.md5, record.md5), (item.sha256, record.sha256))
    return all(not wanted or there is None or there.hex() == wanted for wanted, there in pairs)
