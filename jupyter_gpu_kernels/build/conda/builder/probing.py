"""The errand of asking channels whether they answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import rattler
from rattler.networking.fetch_repo_data import FetchRepoDataOptions, fetch_repo_data

from ..settings import Channel, ChannelSettings
from ..tally import Voice
from .access import client, rattler_channel

#: Seconds in which a whole answer below that size must be understood.
PROBE_DOUBT = 0.5


async def probe(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Ask every channel at once whether it answers, and tell each answer as it comes.

    The job's ``seconds`` are how long a channel has, and its ``bytes`` how much of an index is enough of it.
    """
    settings = msgspec.convert(job["settings"], ChannelSettings)
    limit, wanted = job["seconds"], job["bytes"]
    caller = client(settings, retries=0, timeout=limit)
    started = time.monotonic()

    async def ask(number: int, channel: Channel) -> None:
        loop = asyncio.get_running_loop()
        enough = asyncio.Event()
        # When the first bytes came, and how many they were.
        begin, first, received = 0.0, 0, 0
        broken = False

        def doubt() -> None:
            nonlocal broken
            broken = True
            enough.set()

        def count(progress: int, total: int) -> None:
            nonlocal begin, first, received
            # What is no index is asked for again by rattler, at length and without a word.
            if progress < received:
                loop.call_soon_threadsafe(doubt)
            elif progress == total:
                loop.call_soon_threadsafe(loop.call_later, PROBE_DOUBT, doubt)
            if progress and not first:
                begin, first = time.monotonic(), progress
            received = progress
            if received >= wanted:
                loop.call_soon_threadsafe(enough.set)

        fetching = asyncio.ensure_future(
            fetch_repo_data(
                channels=[rattler_channel(channel)],
                platforms=[rattler.Subdir("noarch")],
                cache_path=Path(job["scratch"]) / str(number),
                callback=count,
                client=caller,
                fetch_options=FetchRepoDataOptions(cache_action="no-cache"),
            )
        )
        waiting = asyncio.ensure_future(enough.wait())
        # The index of a channel without shards is a hundred megabytes: its beginning is answer enough.
        await asyncio.wait([fetching, waiting], timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        answer: dict[str, Any] = {"event": "answer", "channel": channel.name}
        error = fetching.exception() if fetching.done() else None
        if broken:
            answer["text"] = f"failed to decode {channel.location}"
        elif error is not None and not (received and "timed out" in str(error)):
            answer["text"] = str(error)
        elif not fetching.done() and not received:
            answer["text"] = f"timed out: {channel.location}"
        now = time.monotonic()
        answer["seconds"] = (begin or now) - started
        voice.say(answer | {"later": received - first, "lasted": now - begin if begin else 0.0})
        waiting.cancel()
        fetching.cancel()

    await asyncio.gather(*(ask(number, channel) for number, channel in enumerate(settings.resolved())))
    return {}
