"""Asking the indexes of channels: the sharded ones where there are, the whole ones elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import rattler
from rattler.exceptions import GatewayError

from ...tools.redaction import redact
from ..settings import ChannelSettings
from ..tally import Voice
from .access import client

T = TypeVar("T")


async def with_gateway(
    repodata: Path, settings: ChannelSettings, attempt: Callable[[rattler.Gateway], Awaitable[T]], voice: Voice
) -> T:
    """Ask something of channels.

    Args:
        repodata: Cache of what they answer.
        settings: How they are reached.
        attempt: Asks it of a gateway; called again with another one where a channel only has a whole index.
        voice: Told of that.
    """
    caller = client(settings, retries=settings.retries, timeout=settings.timeout)

    def gateway(*, sharded: bool) -> rattler.Gateway:
        config = rattler.SourceConfig(sharded_enabled=sharded)
        return rattler.Gateway(cache_dir=repodata, default_config=config, client=caller)

    try:
        return await attempt(gateway(sharded=True))
    except GatewayError as error:
        # Not every mirror says a plain 404 of an index that it does not have, and then only that is tried.
        if "repodata_shards" not in str(error) or "error sending request" in str(error):
            raise
        voice.say({"event": "log", "line": redact(f"No sharded index, taking the whole one: {error}".splitlines()[0])})
        return await attempt(gateway(sharded=False))
