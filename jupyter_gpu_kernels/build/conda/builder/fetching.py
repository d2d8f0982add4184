"""The errand of fetching archives as they are: packages for a pack, which rattler's cache only has unpacked."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import rattler
from rattler.package_streaming import download_to_writer

from ..pins import Archive
from ..settings import ChannelSettings
from ..tally import Tally, Voice
from .access import client

#: How many archives are fetched at a time.
AT_ONCE = 8

#: What a server says of what it will not have in a moment either.
_FINAL = "HTTP status client error"


class Sink:
    """Takes what comes of one archive: writes, counts and hashes it."""

    def __init__(self, archive: Archive, path: Path, tally: Tally) -> None:
        self._archive = archive
        self._tally = tally
        self._file = path.open("wb")
        self._digest = hashlib.new(archive.algorithm)
        self._received = 0

    def write(self, data: bytes) -> int:
        """Take some bytes; called by rattler from a thread of its own."""
        self._file.write(data)
        self._digest.update(data)
        self._received += len(data)
        self._tally.loading(self._archive.name, self._received)
        return len(data)

    def close(self) -> str:
        """End the file, and answer with its hash in hexadecimal."""
        self._file.close()
        return self._digest.hexdigest()


async def fetch(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Fetch archives into a directory; a file bears its name only when it is whole and has the right hash."""
    settings = msgspec.convert(job["settings"], ChannelSettings)
    archives = msgspec.convert(job["fetched"], tuple[Archive, ...])
    directory = Path(job["directory"])
    missing = {archive.name: archive.size for archive in archives if not (directory / archive.file).is_file()}
    tally = Tally(missing, len(archives), voice, job["silence"])
    caller = client(settings, retries=settings.retries, timeout=None)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(archive: Archive) -> None:
        async with gate:
            if archive.name in missing:
                await _persist(archive, directory / archive.file, caller, tally, settings.retries)
            tally.cached(archive.name)

    with tally.telling():
        tasks = [asyncio.ensure_future(one(archive)) for archive in archives]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
    return {}


async def _persist(archive: Archive, path: Path, caller: rattler.Client, tally: Tally, retries: int) -> None:
    """Fetch one archive; a connection that breaks off half-way is made again."""
    for left in reversed(range(retries + 1)):
        try:
            await _download(archive, path, caller, tally)
        except Exception as error:
            tally.loaded(archive.name)
            if not left or _FINAL in str(error):
                # As rattler's installer says it.
                msg = f"failed to fetch {path.name}\nCaused by: {error}"
                raise RuntimeError(msg) from error
        else:
            return


async def _download(archive: Archive, path: Path, caller: rattler.Client, tally: Tally) -> None:
    partial = path.with_name(f"{path.name}.part")
    partial.parent.mkdir(parents=True, exist_ok=True)
    tally.loading(archive.name, 0)
    sink = Sink(archive, partial, tally)
    try:
        await download_to_writer(caller, archive.url, sink)
    finally:
        digest = sink.close()
    if archive.digest and digest != archive.digest:
        msg = f"hash mismatch: {archive.algorithm} is {digest}, and must be {archive.digest}"
        raise ValueError(msg)
    partial.replace(path)
