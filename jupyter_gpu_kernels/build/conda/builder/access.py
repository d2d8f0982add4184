"""How rattler reaches channels and the cache of packages."""

from __future__ import annotations

import json
from pathlib import Path

import rattler
from rattler.exceptions import InvalidMatchSpecError

from ..settings import Channel, ChannelSettings


def client(settings: ChannelSettings, *, retries: int, timeout: int | None) -> rattler.Client:
    """A client with the wished mirrors, certificates and authentication; proxies come by the environment."""
    config = rattler.Config()
    if settings.ssl_verify is False:
        config.set("tls-no-verify", "true")
    elif settings.ssl_verify is not True:
        # The engine names the file in SSL_CERT_FILE, which only this store reads.
        config.set("tls-root-certs", "system")
    for original, mirrors in settings.mirrors.items():
        config.set(f'mirrors."{original}"', json.dumps(list(mirrors)))
    return rattler.Client.from_config(config, max_retries=retries, timeout=timeout)


def rattler_channel(channel: Channel) -> rattler.Channel:
    """A channel as rattler knows it."""
    return rattler.Channel(channel.location)


def match_spec(text: str, channels: tuple[Channel, ...]) -> rattler.MatchSpec:
    """Read a match spec leniently; a channel in it is one of ours."""
    name, separator, rest = text.partition("::")
    if separator:
        locations = {channel.name: channel.location for channel in channels}
        text = f"{locations.get(name, name)}::{rest}"
    try:
        return rattler.MatchSpec(text)
    except InvalidMatchSpecError as error:
        msg = f"{name}{separator}{rest} ({error})"
        raise InvalidMatchSpecError(msg) from error


def package_cache(*directories: Path) -> rattler.PackageCache:
    """The cache of unpacked packages, and what lies below it. Every file is checked against its hash before its use."""
    return rattler.PackageCache.new_layered(
        [str(directory) for directory in directories], validation_mode=rattler.ValidationMode.full()
    )
