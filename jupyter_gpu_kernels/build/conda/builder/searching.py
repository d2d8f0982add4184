"""The errands of looking for packages: what there is, and what there is of one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import rattler

from ..settings import ChannelSettings
from ..tally import Voice
from .access import rattler_channel
from .indexes import with_gateway


def _subdirs() -> list[rattler.Subdir]:
    """The platforms whose packages can be installed here."""
    return [rattler.Subdir.current(), rattler.Subdir("noarch")]


async def names(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Find the names of all packages.

    Returns:
        For each channel, in order, the names that it has.
    """
    settings = msgspec.convert(job["settings"], ChannelSettings)
    channels = settings.resolved()

    async def attempt(gateway: rattler.Gateway) -> list[list[str]]:
        # Each for itself: the answer to all of them together does not say which of them has a name.
        answers = await asyncio.gather(
            *(
                gateway.names([rattler_channel(channel)], _subdirs(), channel_relations="disabled")
                for channel in channels
            )
        )
        return [[name.normalized for name in answer] for answer in answers]

    return {"names": await with_gateway(Path(job["repodata"]), settings, attempt, voice)}


async def versions(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Find the versions of one package; of a channel with a sharded index, only its shard is fetched.

    Returns:
        For each channel, in order, the versions that it has for this platform, the newest first, each once; and the
        same of all channels together.
    """
    settings = msgspec.convert(job["settings"], ChannelSettings)
    channels = settings.resolved()
    # A name and no match spec; what cannot be one is refused here.
    name = rattler.PackageName(job["name"]).normalized

    async def attempt(gateway: rattler.Gateway) -> list[list[rattler.RepoDataRecord]]:
        # Each for itself: an answer has a list for each platform of each channel.
        answers = await asyncio.gather(
            *(
                gateway.query(
                    [rattler_channel(channel)], _subdirs(), [name], recursive=False, channel_relations="disabled"
                )
                for channel in channels
            )
        )
        return [list(chain.from_iterable(answer)) for answer in answers]

    found = await with_gateway(Path(job["repodata"]), settings, attempt, voice)
    return {"versions": [_folded(records) for records in found], "together": _folded(chain.from_iterable(found))}


def _folded(records: Iterable[rattler.RepoDataRecord]) -> list[str]:
    """Versions of records, the newest first; builds are told by nobody."""
    found = {str(record.version): record.version for record in records}
    return sorted(found, key=found.__getitem__, reverse=True)
