"""The command ``channels``: where packages come from, how good that is, and switching to a mirror."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ..errors import InvalidInputError
from ..models import ChannelsReport, Measured, MirrorChoice
from ..serve.manager import GpuKernelsManager
from . import text
from .following import Answer


async def channels(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Say where packages come from, after a switch if one was asked for."""
    if (arguments.action == "use") is not bool(arguments.mirror):
        msg = "Which mirror to use is not said." if arguments.action == "use" else "Only use takes a mirror."
        raise InvalidInputError(msg, cure="Write channels use MIRROR, or channels alone to see the mirrors.")
    if arguments.action:
        await manager.network.use(MirrorChoice(mirror=arguments.mirror))
    found = await manager.network.channels(measured=arguments.measure)
    return Answer(model=found, text="\n".join(_parts(found)))


def _parts(found: ChannelsReport) -> Iterator[str]:
    """The report in parts, each of several lines."""
    places = [(name, url if url != name else "") for name, url in found.channels]
    yield text.columns([("CHANNEL", "ADDRESS"), *((name, url or "-") for name, url in places)])
    indexes = found.indexes or ("uv's own default",)
    yield text.columns([("PACKAGE INDEX",), *((url,) for url in indexes)])
    if found.values:
        settings = [
            (f"{item.tool}: {item.key}", item.value, item.source, ", ".join(item.overridden) or "-")
            for item in found.values
        ]
        yield text.columns([("SETTING", "VALUE", "FROM", "NOT HEARD"), *settings])
    if found.mirrors:
        mirrors = [("yes" if mirror.used else "no", mirror.id, mirror.title, mirror.source) for mirror in found.mirrors]
        yield text.columns([("USED", "MIRROR", "TITLE", "FILE"), *mirrors])
    if found.measured:
        speeds = [(item.name, *_speed(item), item.url or "-") for item in found.measured]
        yield text.columns([("MEASURED", "ANSWERS IN", "RATE", "ADDRESS"), *speeds])
        failed = [f"{item.error}\n  {item.cure}\n" for item in found.measured if item.error]
        if failed:
            yield "".join(dict.fromkeys(failed))
    if found.warnings:
        yield "".join(f"Warning: {warning}\n" for warning in found.warnings)


def _speed(item: Measured) -> tuple[str, str]:
    """How soon it answers, and how fast it sends."""
    if item.seconds is None:
        return "not", "-"
    return f"{item.seconds:.2f} s", f"{text.size(item.rate)}/s" if item.rate else "-"
