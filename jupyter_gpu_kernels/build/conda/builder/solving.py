"""The errand of finding packages."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import rattler
from rattler.exceptions import SolverError

from ..settings import CondaRequest
from ..tally import Voice
from .access import match_spec, rattler_channel
from .indexes import with_gateway
from .machine import virtual_packages
from .records import described, freeze, linked
from .stock import in_stock

#: Seconds that the solver may think. Real problems take less than one.
SOLVE_TIMEOUT = timedelta(minutes=5)


async def solve(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Find the packages.

    Returns:
        Packages, what they cost, the records as the text of a lock file, and what is to be said of caches.
    """
    request = msgspec.convert(job["request"], CondaRequest)
    channels = request.settings.resolved()
    platform = request.platform or str(rattler.Subdir.current())
    held = linked(request.hold, channels)

    async def ask(gateway: rattler.Gateway, firm: Collection[str]) -> list[rattler.RepoDataRecord]:
        return await rattler.solve(
            sources=[rattler_channel(channel) for channel in channels],
            specs=[match_spec(text, channels) for text in (*request.specs, *request.keep)],
            gateway=gateway,
            platforms=[rattler.Subdir(platform), rattler.Subdir("noarch")],
            virtual_packages=virtual_packages(request.cuda, request.platform),
            locked_packages=[record for record in held if record.name.normalized not in firm],
            pinned_packages=[record for record in held if record.name.normalized in firm],
            timeout=SOLVE_TIMEOUT,
            channel_priority=(
                rattler.ChannelPriority.Disabled
                if request.settings.priority == "disabled"
                else rattler.ChannelPriority.Strict
            ),
        )

    async def attempt(gateway: rattler.Gateway) -> list[rattler.RepoDataRecord]:
        if held and request.firm:
            with contextlib.suppress(SolverError):
                return await ask(gateway, request.firm)
        return await ask(gateway, ())

    records = await with_gateway(Path(job["repodata"]), request.settings, attempt, voice)
    stock = await in_stock(records, Path(job["packages"]), job.get("layers", ()))
    names = {rattler_channel(channel).base_url.rstrip("/"): channel.name for channel in channels}
    return {
        "packages": described(records, stock, names),
        "payload": freeze(records, platform),
        "warnings": stock.warnings,
    }
