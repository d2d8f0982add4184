"""Asking package indexes ourselves the way uv would: with its certificates, proxies and credentials."""

from __future__ import annotations

import base64
import contextlib
import ssl
import urllib.request
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit


def trust(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The certificates that are trusted: the system's, and those that a variable names."""
    context = ssl.create_default_context()
    if authorities := environ.get("SSL_CERT_FILE"):
        with contextlib.suppress(OSError):
            context.load_verify_locations(cafile=authorities)
    return context


def proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """The proxies that variables name, by scheme."""
    found = {
        scheme: _first(environ, f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
        for scheme in ("http", "https")
    }
    return {scheme: proxy for scheme, proxy in found.items() if proxy}


def unproxied(url: str, environ: Mapping[str, str]) -> bool:
    """Whether the host of a URL is asked without the proxy."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    # Documented nowhere, but there since Python 2.6.
    bypassed = urllib.request.proxy_bypass_environment(  # type: ignore[attr-defined]
        host, {"no": _first(environ, "no_proxy", "NO_PROXY")}
    )
    return bool(bypassed)


def login(url: str) -> str:
    """User and password in a URL, with a colon between them; empty if there are none."""
    parts = urlsplit(url)
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""


def authorization(login: str) -> str:
    """The value of the header by which a user and a password are told."""
    return "Basic " + base64.b64encode(login.encode()).decode()


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")
