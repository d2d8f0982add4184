"""What rattler says when something fails, in words for people.

rattler's exceptions have no codes, only a chain of texts; the phrases below are those of py-rattler 0.28.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ...errors import (
    BuildError,
    ChannelError,
    DownloadError,
    GpuKernelsError,
    InstallError,
    InvalidInputError,
)
from ..tools.redaction import redact
from . import conflicts, proxies
from .settings import ChannelAnswer, ChannelSettings


class Kind(enum.Enum):
    """What went wrong, whatever was being done."""

    FULL = "full"
    DENIED = "denied"
    PROXY_LOGIN = "proxy login"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    OVERLOADED = "overloaded"
    PROXY = "proxy"
    CERTIFICATE = "certificate"
    ENCRYPTION = "encryption"
    NAME = "name"
    REFUSED = "refused"
    SLOW = "slow"
    REDIRECT = "redirect"
    MISMATCH = "mismatch"
    CUT = "cut"
    STRANGE = "strange"
    OTHER = "other"


#: Phrases in order: the first that is found decides. A proxy's error, say, also tells of a refused connection.
PHRASES = (
    (Kind.FULL, r"No space left on device|Disk quota exceeded|\(os error (28|122)\)"),
    (Kind.DENIED, r"Permission denied|Read-only file system|\(os error (13|30)\)"),
    (Kind.PROXY_LOGIN, r"\(407 |proxy authorization required"),
    (Kind.FORBIDDEN, r"HTTP status client error \((401|403) "),
    (Kind.MISSING, r"HTTP status client error \((404|410) |could not find subdir|repodata not found"),
    (Kind.OVERLOADED, r"HTTP status server error|HTTP status client error \((408|429) "),
    (Kind.PROXY, r"tunnel error|proxy"),
    (Kind.CERTIFICATE, r"invalid peer certificate|certificate"),
    (Kind.ENCRYPTION, r"received corrupt message|InvalidContentType|received fatal alert|tls handshake"),
    (Kind.NAME, r"dns error|failed to lookup address"),
    (Kind.REFUSED, r"tcp connect error"),
    (Kind.SLOW, r"timed out"),
    (Kind.REDIRECT, r"redirect"),
    (Kind.MISMATCH, r"hash mismatch"),
    (Kind.CUT, r"end of file before message length|error reading a body|Connection reset|connection (error|closed)"),
    (
        Kind.STRANGE,
        r"Unknown frame|zstd|bz(ip)?2|decompress|corrupt|decode|failed to (parse|unpack|extract)|cksum|io error",
    ),
)

#: Why, after "could not be read:" or "could not be downloaded:"; and what to do.
WORDS: Mapping[Kind, tuple[str, str]] = {
    Kind.FULL: ("the disk is full", "Free some space, or let the cache and the environments lie on another disk."),
    Kind.DENIED: (
        "this user may not write there",
        "Check the owner and the permissions of the directory named in the details.",
    ),
    Kind.PROXY_LOGIN: ("the proxy wants a login", "Put user and password into the proxy's URL in .condarc."),
    Kind.FORBIDDEN: (
        "the server forbids it{status}",
        "Check the channel's credentials, or ask whoever runs it for access.",
    ),
    Kind.MISSING: ("the server does not have it{status}", "Check the channel's name and URL for typing errors."),
    Kind.OVERLOADED: (
        "the server is in trouble{status}{tries}",
        "Wait some minutes and try again, or use a mirror.",
    ),
    Kind.PROXY: (
        "the proxy {proxy} does not let us through",
        "Check proxy_servers in .condarc and the variables HTTP_PROXY and HTTPS_PROXY.",
    ),
    Kind.CERTIFICATE: (
        "the certificate of {host} is not trusted here",
        "Name your organisation's certificate file as ssl_verify in .condarc, or in the variable SSL_CERT_FILE.",
    ),
    Kind.ENCRYPTION: ("{host} does not speak encrypted HTTP there", "Check whether the URL begins with http or https."),
    Kind.NAME: ("there is no host {host}", "Check the network connection and the channel's URL."),
    Kind.REFUSED: ("{host} does not accept connections", "Check the network connection and the channel's URL."),
    Kind.SLOW: ("{host} did not answer in time", "Check the network connection, or use a mirror."),
    Kind.REDIRECT: ("{host} sends us in circles", "Check the channel's URL, and whether the network wants a login."),
    Kind.MISMATCH: (
        "what came is not what the channel's index promises",
        "Try again in some minutes; if it stays so, the mirror or a proxy on the way holds a wrong copy.",
    ),
    Kind.CUT: ("the connection broke off", "Try again: what has been downloaded whole is kept."),
    Kind.STRANGE: (
        "{host} answered with something else than it should",
        "Open the URL in a browser: perhaps the network wants a login first, or the mirror is damaged.",
    ),
    Kind.OTHER: ("{text}", "The details say more."),
}

#: Bytes of which one can tell how fast they came.
TELLING = 32 * 1024

#: Nobody is there at all.
SILENT = (Kind.NAME, Kind.REFUSED, Kind.SLOW)

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'()<>]+")
_STATUS = re.compile(r"HTTP status \w+ error \((\d+)")
_PACKAGE = re.compile(r"failed to fetch (\S+?)(?:\.conda|\.tar\.bz2|\n|$)")
_SPEC_ERRORS = ("InvalidMatchSpecError", "InvalidPackageNameError", "InvalidVersionSpecError", "InvalidVersionError")
_CHANNEL_ERRORS = ("InvalidChannelError", "InvalidUrlError", "ParseSubdirError", "ConfigError")


def of_solve(exception: str, text: str, settings: ChannelSettings) -> GpuKernelsError:
    """The error that a failed solve means.

    Args:
        exception: Class of rattler's exception.
        text: Its text.
        settings: The settings solved with.
    """
    detail = redact(text)
    if exception == "SolverError":
        return conflicts.unsatisfiable(detail)
    if exception in _SPEC_ERRORS:
        msg = f"A package spec cannot be read: {_line(detail)}."
        return InvalidInputError(
            msg, cure="Write it as conda does, for example numpy=1.26 or numpy>=1.26,<3.", detail=detail
        )
    if exception == "ParseCondaLockError":
        msg = f"The lock cannot be read: {_line(detail)}."
        return InvalidInputError(msg, cure="Have the lock made again, or import the environment.yml.", detail=detail)
    if exception in _CHANNEL_ERRORS:
        msg = f"A channel or a setting of the channels cannot be read: {_line(detail)}."
        return InvalidInputError(msg, cure="Check the channels' names and URLs.", detail=detail)
    reason, cure, kind = _explain(text, settings)
    if kind in (Kind.FULL, Kind.DENIED):
        return InstallError(f"The package index could not be stored: {reason}.", cure=cure, detail=detail)
    return ChannelError(
        f"The channel {_channel(text, settings)} could not be read: {reason}.", cure=cure, detail=detail
    )


def of_install(exception: str, text: str, settings: ChannelSettings) -> DownloadError | InstallError:
    """The error that a failed installation means; arguments as those of :func:`of_solve`."""
    detail = redact(text)
    reason, cure, kind = _explain(text, settings)
    package = _PACKAGE.search(text)
    if package is None or kind in (Kind.FULL, Kind.DENIED):
        what = f"{package.group(1)} could not be unpacked" if package else "The packages could not be put together"
        return InstallError(f"{what}: {reason}.", cure=cure, detail=detail)
    if kind is Kind.STRANGE:
        reason = "what came is damaged, again and again"
    elif kind is Kind.MISSING:
        cure = "Solve again: the channel may have replaced the package."
    return DownloadError(f"{package.group(1)} could not be downloaded: {reason}.", cure=cure, detail=detail)


def answer(message: Mapping[str, Any], settings: ChannelSettings) -> ChannelAnswer:
    """What the builder's answer to a probe means."""
    error, cure, kind = "", "", None
    if "text" in message:
        # A probe asks once.
        reason, cure, kind = _explain(message["text"], dataclasses.replace(settings, retries=0))
        error = f"The channel {message['channel']} could not be read: {reason}."
    return ChannelAnswer(
        channel=message["channel"],
        reachable=kind not in SILENT,
        forbidden=kind is Kind.FORBIDDEN,
        error=error,
        kind=kind.value if kind else "",
        seconds=message["seconds"],
        rate=message["later"] / message["lasted"] if message["later"] >= TELLING and message["lasted"] else None,
        cure=cure,
    )


def is_mismatch(text: str) -> bool:
    """Whether a whole package came, but not the promised one."""
    return kind_of(text) is Kind.MISMATCH


def stalled(silence: float, latest: str) -> DownloadError:
    """The error of a download that does not go on."""
    what = f" while {latest} was being fetched" if latest else ""
    msg = f"Nothing came from the channel for {silence:g} s{what}."
    return DownloadError(msg, cure="Check the network or the mirror, then try again: what has been downloaded is kept.")


def crashed(evidence: str) -> BuildError:
    """The error of a builder that ended without a word."""
    cure = "Try again: what has been downloaded is kept. Report it with the details if it happens again."
    return InstallError("The conda installer's process died.", cure=cure, detail=evidence)


def kind_of(text: str) -> Kind:
    """What went wrong, by rattler's words."""
    for kind, phrases in PHRASES:
        if re.search(phrases, text, re.IGNORECASE):
            return kind
    return Kind.OTHER


def _explain(text: str, settings: ChannelSettings) -> tuple[str, str, Kind]:
    """Reason, cure and kind."""
    kind = kind_of(text)
    found = _URL.search(text)
    url = urlsplit(found.group()) if found else urlsplit("")
    proxy = _proxy(url.scheme, url.hostname or "", settings)
    if proxy and kind in (Kind.NAME, Kind.REFUSED):
        # Whoever has a proxy speaks with nobody else.
        kind = Kind.PROXY
    status = _STATUS.search(text)
    reason, cure = WORDS[kind]
    reason = reason.format(
        host=url.hostname or "the server",
        status=f" ({status.group(1)})" if status else "",
        tries=f", {settings.retries + 1} times in a row" if settings.retries else "",
        proxy=redact(proxy) or "in between",
        text=_line(redact(text)),
    )
    return reason, cure, kind


def _proxy(scheme: str, host: str, settings: ChannelSettings) -> str:
    """The proxy through which a host is asked, or an empty string."""
    if urllib.request.proxy_bypass(host):
        return ""
    named = {**urllib.request.getproxies(), **proxies.schemes(settings)}
    return named.get(scheme) or named.get("all", "")


def _channel(text: str, settings: ChannelSettings) -> str:
    """The channel that a text speaks of, as its user calls it."""
    found = _URL.search(text)
    url = redact(found.group()) if found else ""
    for channel in settings.resolved():
        if url.startswith(redact(channel.location)):
            return channel.name
    host = urlsplit(url).hostname
    return f"at {host}" if host else ", ".join(channel.name for channel in settings.resolved())


def _line(text: str) -> str:
    """The last cause in a chain, which is the first one in time."""
    return text.strip().splitlines()[-1].removeprefix("Caused by: ").rstrip(".")[:300] if text.strip() else "no reason"
