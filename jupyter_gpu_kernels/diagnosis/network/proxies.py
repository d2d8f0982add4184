"""Proxy variables that one program reads and another does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ...build.tools.redaction import redact
from ...models import Finding
from ..check import note, warning
from ..context import Context

#: Programs that read one spelling only: https://everything.curl.dev/usingcurl/proxies/env.html (http_proxy in capitals
#: is ignored, since a web server's CGI programs get a header of that name as a variable).
_LOWER_ONLY = "curl, git and wget"


def look(context: Context) -> Iterator[Finding]:
    """Find variables that contradict each other, or say what no program understands."""
    environ = context.environ
    yield from _two_words(environ)
    if environ.get("HTTP_PROXY") and not environ.get("http_proxy"):
        yield note(
            f"HTTP_PROXY is set in capitals only, which {_LOWER_ONLY} do not read.",
            evidence=(f"HTTP_PROXY={redact(environ['HTTP_PROXY'])}", "http_proxy is not set"),
            cure="Set http_proxy as well.",
        )
    plain = environ.get("http_proxy") or environ.get("HTTP_PROXY")
    secure = environ.get("https_proxy") or environ.get("HTTPS_PROXY")
    every = environ.get("all_proxy") or environ.get("ALL_PROXY")
    if plain and not secure and not every:
        yield warning(
            "A proxy is set for http, and none for https, which is what channels and indexes are read by.",
            evidence=(f"http_proxy={redact(plain)}", "https_proxy is not set"),
            cure="Set https_proxy too, mostly to the same address.",
        )
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        value = environ.get(name) or environ.get(name.upper(), "")
        fault = _fault(value)
        if fault:
            yield warning(
                f"The address of the proxy in {name} is none: {fault}.",
                evidence=(f"{name}={redact(value)}",),
                cure="Write it as http://host:port.",
            )
    yield from _exceptions(environ.get("no_proxy") or environ.get("NO_PROXY", ""))


def _two_words(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Find variables that say one thing in capitals and another in small letters."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        small, capital = environ.get(name), environ.get(name.upper())
        if small and capital and small != capital:
            yield warning(
                f"{name} and {name.upper()} differ, and programs do not agree on which counts.",
                evidence=(f"{name}={redact(small)}", f"{name.upper()}={redact(capital)}"),
                cure="Set both to the same value, or unset one.",
            )


def _fault(value: str) -> str:
    """What is wrong with a proxy's address, half a sentence; empty if nothing is."""
    if not value:
        return ""
    url = urlsplit(value if "://" in value else f"http://{value}")
    try:
        port = url.port
    except ValueError:
        return "its port is no number"
    if not url.hostname or " " in value.strip():
        return "it names no host"
    if port is None and url.scheme in ("http", "https") and "." not in url.hostname and ":" not in url.hostname:
        return "" if "://" in value else "it has neither a scheme nor a port"
    return ""


def _exceptions(value: str) -> Iterator[Finding]:
    """Find entries of no_proxy that conda's and pip's successors do not understand.

    What they do understand: https://docs.rs/reqwest/latest/reqwest/struct.NoProxy.html
    """
    entries = [entry.strip() for entry in value.split(",") if entry.strip()]
    odd = [entry for entry in entries if "://" in entry or ("*" in entry and entry != "*") or " " in entry]
    if odd:
        yield warning(
            f"no_proxy has what most programs do not understand: {', '.join(odd)}. These hosts are asked by the proxy.",
            evidence=(f"no_proxy={redact(value)}",),
            cure="Write hosts and domains without scheme and without stars, separated by commas: lab.example.org.",
        )
