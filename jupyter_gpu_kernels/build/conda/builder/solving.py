"""The errand of finding packages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import rattler

from ..settings import CondaRequest
from ..tally import Voice
from .access import match_spec, package_cache, rattler_channel
from .indexes import with_gateway
from .machine import virtual_packages
from .records import freeze, source

#: Seconds that the solver may think. Real problems take less than one.
SOLVE_TIMEOUT = timedelta(minutes=5)


async def solve(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Find the packages.

    Returns:
        Packages, what they cost, and the records as the text of a lock file.
    """
    request = msgspec.convert(job["request"], CondaRequest)
    channels = request.settings.resolved()
    platform = request.platform or str(rattler.Subdir.current())

    async def attempt(gateway: rattler.Gateway) -> list[rattler.RepoDataRecord]:
        return await rattler.solve(
            sources=[rattler_channel(channel) for channel in channels],
            specs=[match_spec(text, channels) for text in (*request.specs, *request.keep)],
            gateway=gateway,
            platforms=[rattler.Subdir(platform), rattler.Subdir("noarch")],
            virtual_packages=virtual_packages(request.cuda, request.platform),
            timeout=SOLVE_TIMEOUT,
            channel_priority=(
                rattler.ChannelPriority.Disabled
                if request.settings.priority == "disabled"
                else rattler.ChannelPriority.Strict
            ),
        )

    records = await with_gateway(Path(job["repodata"]), request.settings, attempt, voice)
    index = await package_cache(Path(job["packages"])).index()
    names = {rattler_channel(channel).base_url.rstrip("/"): channel.name for channel in channels}
    return {
        "packages": [
            {
                "name": record.name.normalized,
                "version": str(record.version),
                "build": str(record.build),
                "source": source(record, names),
                "size": record.size or 0,
                "cached": index.contains_record(record),
            }
            for record in sorted(records, key=lambda record: record.name.normalized)
        ],
        "payload": freeze(records, platform),
    }
