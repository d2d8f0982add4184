"""Channels that are asked for by a full URL, and so go past a mirror that is configured for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from ..tools.redaction import redact, uncover
from .settings import Channel, ChannelSettings

#: Channels that are mirrored; a URL that ends in one of these names, and is configured, is a mirror.
PUBLIC = ("conda-forge", "bioconda", "pytorch", "nvidia", "main", "r", "msys2", "free", "pro", "defaults", "intel")


def bypasses(settings: ChannelSettings) -> Iterator[tuple[Channel, str, str]]:
    """Each such channel, with the name by which the mirror would be asked, and where it has that channel."""
    for channel in settings.resolved():
        url = uncover(channel.location).rstrip("/")
        if not url.startswith(("http://", "https://")) or _sent_on(url, settings):
            continue
        parts = [part for part in urlsplit(url).path.split("/") if part]
        # The longest name first: "lab/label/dev" is one, and so may "dev" be.
        for name in ("/".join(parts[start:]) for start in range(len(parts))):
            mirror = uncover(_mirror(name, settings)).rstrip("/")
            if mirror:
                if _server(mirror) != _server(url):
                    yield channel, name, mirror
                break


def sentences(settings: ChannelSettings) -> Iterator[str]:
    """The same for people."""
    for channel, name, mirror in bypasses(settings):
        yield (
            f"The channel {channel.name} goes past the configured mirror {redact(mirror)}: ask for {name}, without a "
            "URL, to have it from there."
        )


def _mirror(name: str, settings: ChannelSettings) -> str:
    """Where the configuration sends those who ask for a channel by this name; empty if nobody has thought of it."""
    members = settings.custom_multichannels.get(name, ())
    if len(members) == 1 and "://" in members[0]:
        return members[0]
    found = replace(settings, channel_alias="").location(name)
    if "://" in found:
        return found
    return settings.location(name) if settings.channel_alias and name.split("/")[0] in PUBLIC else ""


def _sent_on(url: str, settings: ChannelSettings) -> bool:
    """Whether a URL is itself a mirror, or what a mirror is asked in place of."""
    known = (*settings.mirrors, *(mirror for mirrors in settings.mirrors.values() for mirror in mirrors))
    return any(f"{url}/".startswith(f"{uncover(start).rstrip('/')}/") for start in known)


def _server(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    try:
        return parts.hostname, parts.port
    except ValueError:
        return parts.hostname, None
