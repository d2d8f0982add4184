"""What uv says when it fails, in words for whoever sits in front of it.

uv has no codes for its errors, so they are told by their text (seen with uv 0.13.8). Whatever is not recognised is
passed on as it is; uv's own words are always kept as the detail, without credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...errors import ChannelError, DownloadError, GpuKernelsError, InstallError, SolveError
from ..tools.redaction import redact
from .evidence import CorruptDownloadError, Failure, NoWheelError, spaced
from .unsolvable import of_the_solution

__all__ = ["CorruptDownloadError", "NoWheelError", "explain"]

#: Characters of uv's output that are kept.
LONGEST_DETAIL = 20_000


def explain(
    output: str, *, returncode: int, solving: bool, pins: Mapping[str, str] | None = None, python: str = ""
) -> GpuKernelsError:
    """Make an error of what uv wrote.

    Args:
        output: Everything it wrote, credentials and all.
        returncode: Its exit status; 128 + n if signal n killed it.
        solving: Whether it was only looking for a solution.
        pins: Versions of the conda environment below.
        python: Minor version of the Python concerned.
    """
    lines = [line for line in output.splitlines() if not line.startswith(("DEBUG", "TRACE"))]
    text = redact("\n".join(lines)).strip()[-LONGEST_DETAIL:]
    failure = Failure(text=text, flat=" ".join(text.split()), solving=solving, pins=pins or {}, python=python)
    if returncode > 128 and "error:" not in text:
        msg = "uv, which installs from the package index, was killed."
        return InstallError(msg, cure="Try again; if it happens again, see whether memory runs out.", detail=text)
    for recognise in (_of_the_disk, _of_the_way, _of_the_content, _of_the_server, of_the_solution):
        error = recognise(failure)
        if error is not None:
            return error
    first = next((line for line in text.splitlines() if line.startswith("error:")), "")
    what = first.removeprefix("error:").strip().rstrip(".") or f"exit status {returncode}"
    if solving:
        return SolveError(
            f"No set of wheels was found: {what}.", cure="Read the details; change the request.", detail=text
        )
    return InstallError(f"The wheels could not be installed: {what}.", cure="Read the details; try again.", detail=text)


def _of_the_disk(failure: Failure) -> GpuKernelsError | None:
    if re.search(
        r"No space left on device|os error 28\b|not enough space on the disk|os error 112\b|[Qq]uota", failure.flat
    ):
        msg = "The disk is full."
        cure = "Free some space where the environments and uv's cache are (`uv cache dir` tells), then try again."
        return InstallError(msg, cure=cure, detail=failure.text)
    match = re.search(r"(Permission denied|Read-only file system|Access is denied)", failure.flat)
    if match:
        path = re.search(r"[`'\"]([^`'\"]*[/\\][^`'\"]*)[`'\"]|at path \"?(\S+)", failure.flat)
        where = f" at {next(filter(None, path.groups()))}" if path else ""
        msg = f"A file could not be written{where}: {match[1].lower()}."
        return InstallError(msg, cure="Choose a directory for environments that you may write to.", detail=failure.text)
    return None


def _of_the_way(failure: Failure) -> GpuKernelsError | None:
    """Failures on the way to the server."""
    flat, host = failure.flat, failure.host
    if re.search(r"tunnel error|proxy", flat, re.IGNORECASE) and "error sending request" in flat:
        msg = f"The proxy does not let uv through to {host}."
        cure = "Check HTTPS_PROXY, or the proxy in pip's configuration."
        return ChannelError(msg, cure=cure, detail=failure.text)
    if re.search(r"certificate|InvalidContentType|TLS handshake|CaUsedAsEndEntity|UnknownIssuer", flat):
        msg = f"The certificate of {host} is not trusted."
        cure = "Name your organisation's certificates with SSL_CERT_FILE, or with `cert` in pip's configuration."
        return ChannelError(msg, cure=cure, detail=failure.text)
    reasons = {
        r"dns error|failed to lookup address": "its name is not known here",
        r"Connection refused": "it refuses connections",
        r"timed out|network timeout": "it does not answer in time",
        r"unreachable": "there is no way to it",
        r"[Cc]onnection reset|error decoding response body|end of file before message|connection closed|broken pipe":
            "the connection broke",
        r"offline|network was disabled": "uv is told to stay offline",
    }  # fmt: skip
    for pattern, reason in reasons.items():
        if re.search(pattern, flat):
            error = ChannelError if failure.solving else DownloadError
            package = re.search(r"Failed to (?:download|fetch) `([^`]+)`", flat)
            what = f"{spaced(package[1])} could not be downloaded from {host}" if package else f"{host} cannot be used"
            cure = "Check the connection and the configured index, then try again: what has arrived is kept."
            return error(f"{_upper(what)}: {reason}.", cure=cure, detail=failure.text)
    return None


def _of_the_content(failure: Failure) -> GpuKernelsError | None:
    """Downloads that are not what they should be."""
    if not re.search(
        r"[Hh]ash mismatch|Bad CRC|Failed to extract|[Ii]nvalid zip|decompress|Failed to parse", failure.flat
    ):
        return None
    package = re.search(r"(?:download|fetch|build|install|read|for|mismatch for) `([^`]+)`", failure.flat)
    what = f"The wheel of {spaced(package[1])}" if package else f"What {failure.host} sent"
    msg = f"{what} arrived damaged, or is not the file that the index lists."
    return CorruptDownloadError(
        msg, cure="Try again; if it stays so, tell whoever runs the index.", detail=failure.text
    )


def _of_the_server(failure: Failure) -> GpuKernelsError | None:
    """Answers of the server that are errors."""
    match = re.search(
        r"HTTP status (?:client|server) error \((\d{3})[^)]*\)|\((40[137])[^)]*\)|returned a (40[13])", failure.flat
    )
    if match is None:
        return None
    status = next(filter(None, match.groups()))
    if status == "407":
        msg = f"The proxy on the way to {failure.host} wants a login."
        cure = "Put user and password into the proxy's address, in https_proxy or as proxy in pip's configuration."
        return ChannelError(msg, cure=cure, detail=failure.text)
    if status in ("401", "403"):
        msg = f"{_upper(failure.host)} refuses access (HTTP {status})."
        cure = "Check the credentials in pip's or uv's configuration, or ask whoever runs the index."
        return ChannelError(msg, cure=cure, detail=failure.text)
    package = re.search(r"Failed to (?:download|fetch) `([^`]+)`", failure.flat)
    what = (
        f"{spaced(package[1])} could not be downloaded" if package else f"{failure.host} does not answer as it should"
    )
    cure = "Try again later; if it stays so, tell whoever runs the index, or choose another version."
    error = ChannelError if failure.solving else DownloadError
    return error(f"{_upper(what)} (HTTP {status}).", cure=cure, detail=failure.text)


def _upper(sentence: str) -> str:
    """Begin a sentence, but leave names of hosts and packages as they are."""
    return f"T{sentence[1:]}" if sentence.startswith("the ") else sentence
