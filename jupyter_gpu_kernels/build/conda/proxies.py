"""Through which proxy channels are asked: what ``proxy_servers`` of ``.condarc`` comes to.

The solver only knows one proxy for each scheme, from variables. A proxy of a single host (``https://host: …``) is heard
where all channels agree on it, as they do where there is one mirror and one proxy on the way to it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from .settings import ChannelSettings

#: A proxy to the variables that rattler reads.
VARIABLES = {
    "http": ("http_proxy", "HTTP_PROXY"),
    "https": ("https_proxy", "HTTPS_PROXY"),
    "all": ("all_proxy", "ALL_PROXY"),
}


def schemes(settings: ChannelSettings) -> dict[str, str]:
    """The configured proxy of each scheme that has one, credentials and all."""
    general = {key: url for key, url in settings.proxies.items() if key in VARIABLES}
    if general == settings.proxies:
        return general
    wanted = {(urlsplit(url).scheme, _wanted(url, settings)) for url in _addresses(settings)}
    chosen = dict(wanted)
    if len(chosen) < len(wanted):
        # Two hosts, two proxies, one scheme.
        return general
    return general | {scheme: url for scheme, url in chosen.items() if url}


def variables(settings: ChannelSettings) -> dict[str, str]:
    """The environment variables by which the solver learns of the configured proxies."""
    return {name: url for scheme, url in schemes(settings).items() for name in VARIABLES[scheme]}


def unheard(settings: ChannelSettings) -> tuple[str, ...]:
    """One sentence for each proxy of a single host that does not count, since the channels do not agree on it."""
    chosen = schemes(settings)
    keys = dict.fromkeys(
        f"{urlsplit(url).scheme}://{urlsplit(url).hostname}"
        for url in _addresses(settings)
        if _wanted(url, settings) != (chosen.get(urlsplit(url).scheme) or chosen.get("all", ""))
    )
    return tuple(
        f"The proxy that proxy_servers in .condarc names for {key} does not count here: only one proxy can be used for "
        "all channels. Name it for http and https, and the hosts that need none in the variable no_proxy."
        for key in keys
    )


def proxy_for(url: str, environ: Mapping[str, str]) -> str:
    """The proxy that variables name for a URL, credentials and all; empty if there is none, or none for that host."""
    parts = urlsplit(url)
    lower = {name.lower(): value for name, value in environ.items() if value and name.lower().endswith("_proxy")}
    if excepted(parts.hostname or "", lower.get("no_proxy", "")):
        return ""
    return lower.get(f"{parts.scheme or 'https'}_proxy") or lower.get("all_proxy", "")


def excepted(host: str, no_proxy: str) -> bool:
    """Whether a host is asked without the proxy: it, its domain or its network is named, or all hosts are."""
    for entry in filter(None, map(str.strip, no_proxy.split(","))):
        if entry == "*" or host == entry or (host and host.endswith(f".{entry.lstrip('.')}")):
            return True
        with suppress(ValueError):
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
    return False


def _addresses(settings: ChannelSettings) -> list[str]:
    """The channels that are asked over a network; one on the solver's own default server is an unknown host."""
    found = [channel.location for channel in settings.resolved()]
    web = [url for url in found if url.startswith(("http://", "https://"))]
    return web + ["https://"] * any("://" not in url and not url.startswith((".", "/", "~")) for url in found)


def _wanted(url: str, settings: ChannelSettings) -> str:
    """The proxy of a URL as conda chooses it: the more exact key first."""
    scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    keys = (f"{scheme}://{host}", scheme, f"all://{host}", "all")
    return next((settings.proxies[key] for key in keys if settings.proxies.get(key)), "")
