"""Channels that go past a configured mirror."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from ...build.conda.bypass import PUBLIC
from ...build.conda.condarc import Condarc, read_condarc
from ...build.conda.settings import Channel
from ...build.tools.redaction import redact
from ...errors import RefusedError
from ...models import Finding, Manifest
from ..check import warning
from ..context import Context


def look(context: Context) -> Iterator[Finding]:
    """Find channels that are configured, or that environments ask for, and are not taken from the mirror."""
    condarc = read_condarc(context.environ)
    mirrors = mirror_hosts(condarc)
    if not mirrors:
        return
    wanted = dict.fromkeys(context.practice.channels or condarc.channels, "configured as channel")
    for environment in context.environments:
        manifest = None if environment.damaged else context.manifest_of(environment.name)
        for name in _channels_of(manifest) if manifest else ():
            wanted.setdefault(name, f"the environment {environment.name} asks for it")
    for name, why in wanted.items():
        for channel in _resolved(condarc, name):
            host = urlsplit(channel.location).hostname
            if host in mirrors or channel.location.startswith(("file:", "/", ".", "~")):
                continue
            if host and not set(PUBLIC).intersection(urlsplit(channel.location).path.split("/")):
                # Somebody's own channel: no mirror would have it.
                continue
            place = host or "its public server"
            yield warning(
                f"The channel {channel.name} is read from {place}, past the configured mirror {', '.join(mirrors)}.",
                evidence=(f"{channel.name}: {why}", *(f"the mirror is configured in {path}" for path in condarc.files)),
                cure=f"Add {_key(channel.name)} to custom_channels in .condarc, or set channel_alias to the mirror.",
            )


def mirror_hosts(condarc: Condarc) -> tuple[str, ...]:
    """Hosts that stand in for the public servers, as far as it is configured."""
    settings = condarc.settings
    urls = [
        settings.channel_alias,
        *settings.custom_channels.values(),
        *settings.custom_multichannels.get("defaults", ()),
    ]
    urls += [name for name in condarc.channels if name.rstrip("/").rpartition("/")[2] in PUBLIC]
    hosts = (urlsplit(url).hostname for url in urls if "://" in url)
    return tuple(dict.fromkeys(host for host in hosts if host))


def _channels_of(manifest: Manifest) -> list[str]:
    """The channels that an environment's spec names, those of single packages too."""
    named = [package.partition("::")[0] for package in manifest.spec.packages if "::" in package]
    return [*manifest.spec.channels, *named]


def _resolved(condarc: Condarc, name: str) -> tuple[Channel, ...]:
    """Where a channel is; nothing if it is not allowed anyway."""
    try:
        return condarc.settings_for((name,)).resolved()
    except RefusedError:
        return ()


def _key(name: str) -> str:
    """The name of a channel as custom_channels has it."""
    return redact(name).rstrip("/").rpartition("/")[2] if "://" in name else name
