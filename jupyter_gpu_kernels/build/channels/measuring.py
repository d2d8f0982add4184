"""How good channels, mirrors and indexes are: all are asked at once, so that it takes seconds for however many."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ...models import Measured, Mirror
from ..conda.engine import CondaEngine
from ..conda.settings import ChannelAnswer, ChannelSettings
from ..tools.redaction import redact
from ..wheels.uv import Uv
from . import indexes

#: Seconds that each of them has.
SECONDS = 4

#: Bytes of an index of packages that tell how fast a channel is.
ENOUGH = 1024 * 1024


async def measure(
    engine: CondaEngine, settings: ChannelSettings, uv: Uv, mirrors: Sequence[Mirror]
) -> tuple[Measured, ...]:
    """Ask everything that packages come from, or might come from.

    Args:
        engine: Asks the channels.
        settings: The channels in force, and how they are asked.
        uv: uv, as it would be started.
        mirrors: What might be asked in their place.

    Returns:
        What was found of the channels in force, their other mirrors, the indexes, and of each mirror, in this order.
    """
    places = {channel.location.rstrip("/"): channel.name for channel in settings.resolved()}
    others = {url for urls in settings.mirrors.values() for url in urls} - set(places)
    offered = [(f"{mirror.id}: {name}", url) for mirror in mirrors for name, url in mirror.channels]
    # Each place itself, and not what may be asked in its stead.
    every = tuple(dict.fromkeys((*places, *sorted(others), *(url for _, url in offered))))
    asked = replace(settings, channels=every, custom_multichannels={}, mirrors={}, retries=0)
    web = indexes.addresses(uv)
    proposed = [(f"{mirror.id}: index", mirror.index) for mirror in mirrors if mirror.index]
    wanted = tuple(dict.fromkeys((*web, *(url for _, url in proposed))))
    answers, said = await asyncio.gather(
        engine.probe(asked, seconds=SECONDS, enough=ENOUGH) if every else _nothing(),
        asyncio.gather(*(indexes.ask(uv, url, timeout=SECONDS) for url in wanted)),
    )
    channels = {channel.location: answer for channel, answer in zip(asked.resolved(), answers, strict=True)}
    pages = {answer.url: answer for answer in said}
    named = [*((name, url) for url, name in places.items()), *((redact(url), url) for url in sorted(others))]
    return (
        *(_of_channel(name, url, channels[url]) for name, url in named),
        *(_of_index(redact(url) or "the Python Package Index", pages[url]) for url in web),
        *(_of_channel(name, url, channels[url]) for name, url in offered),
        *(_of_index(name, pages[url]) for name, url in proposed),
    )


async def _nothing() -> tuple[ChannelAnswer, ...]:
    return ()


def _of_channel(name: str, url: str, answer: ChannelAnswer) -> Measured:
    return Measured(
        name=name,
        url=redact(url) if "://" in url else "",
        kind="conda",
        reachable=not answer.error,
        error=answer.error,
        cure=answer.cure or ("Try again." if answer.error else ""),
        seconds=None if answer.error else round(answer.seconds, 3),
        rate=answer.rate,
    )


def _of_index(name: str, answer: indexes.IndexAnswer) -> Measured:
    return Measured(
        name=name,
        url=redact(answer.url),
        kind="pypi",
        reachable=answer.error is None,
        error=answer.error.message if answer.error else "",
        cure=answer.error.cure if answer.error else "",
        seconds=None if answer.error else round(answer.seconds, 3),
    )
