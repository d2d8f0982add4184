"""What uv says when it fails, in words for whoever sits in front of it.

uv has no codes for its errors, so they are told by their text (seen with uv 0.13.8). Whatever is not recognised is
passed on as it is; uv's own words are always kept as the detail, without credentials.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from ...errors import ChannelError, DownloadError, GpuKernelsError, InstallError, SolveError
from .redaction import redact

#: Characters of uv's output that are kept.
LONGEST_DETAIL = 20_000


class NoWheelError(SolveError):
    """A package has no wheel for this Python, but may have one for another."""


class CorruptDownloadError(DownloadError):
    """What came is not what was sent; fetched again it may be."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What is known of a failure.

    Attributes:
        text: uv's words, without credentials.
        flat: The same on one line, as uv wraps lines.
        solving: Whether it happened before anything was downloaded.
        pins: Versions that the conda environment has, by name, if wheels go on top of one.
        python: Minor version of Python.
    """

    text: str
    flat: str
    solving: bool
    pins: Mapping[str, str] = field(default_factory=dict)
    python: str = ""

    @property
    def host(self) -> str:
        """The host that uv talked to when it failed."""
        match = re.search(
            r"Failed to fetch: `?(\S+?)`?(?=\s|$)|for url \((\S+?)\)|[Ii]ndex (?:URL )?\((\S+?)\)", self.flat
        )
        if match is None:
            return "the package index"
        url = str(next(filter(None, match.groups())))
        return urlsplit(url).netloc.rpartition("@")[2] or url


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
    for recognise in (_of_the_disk, _of_the_way, _of_the_content, _of_the_server, _of_the_solution):
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
            what = f"{_spaced(package[1])} could not be downloaded from {host}" if package else f"{host} cannot be used"
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
    what = f"The wheel of {_spaced(package[1])}" if package else f"What {failure.host} sent"
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
    if status in ("401", "403", "407"):
        msg = f"{_upper(failure.host)} refuses access (HTTP {status})."
        cure = "Check the credentials in pip's or uv's configuration, or ask whoever runs the index."
        return ChannelError(msg, cure=cure, detail=failure.text)
    package = re.search(r"Failed to (?:download|fetch) `([^`]+)`", failure.flat)
    what = (
        f"{_spaced(package[1])} could not be downloaded" if package else f"{failure.host} does not answer as it should"
    )
    cure = "Try again later; if it stays so, tell whoever runs the index, or choose another version."
    error = ChannelError if failure.solving else DownloadError
    return error(f"{_upper(what)} (HTTP {status}).", cure=cure, detail=failure.text)


def _of_the_solution(failure: Failure) -> GpuKernelsError | None:
    """No set of packages fits."""
    flat = failure.flat
    if "No interpreter found" in flat:
        cure = "Install that Python, choose another, or use the conda installer, which brings its own."
        return SolveError("The Python asked for is not on this machine.", cure=cure, detail=failure.text)
    if "No solution found" not in flat and "unsatisfiable" not in flat:
        return None
    # A collision first: uv may also mention older versions, which have no wheels, before it comes to the point.
    steps: tuple[Callable[[Failure], GpuKernelsError | None], ...] = (
        _collision_with_conda, _absent, _collision, _other_python, _other_platform, _source_only
    )  # fmt: skip
    for step in steps:
        error = step(failure)
        if error is not None:
            return error
    cure = "Read the details; loosen a version, or choose another Python."
    return SolveError("What was asked for cannot be installed together.", cure=cure, detail=failure.text)


def _collision_with_conda(failure: Failure) -> GpuKernelsError | None:
    needs = r"(?:(?P<who>[A-Za-z0-9][\w.-]*)(?:[=<>!~][^\s]*)? depends? on |require )"
    for name, version in failure.pins.items():
        if not re.search(rf"(?<![\w.-]){re.escape(name)}=={re.escape(version)}(?![\w.])", failure.flat):
            continue
        for match in re.finditer(rf"{needs}{re.escape(name)}(?P<spec>[<>=!~][^\s]*?)(?=[.,]*(?:\s|$))", failure.flat):
            if match["spec"] != f"=={version}":
                who = f"{match['who']} needs" if match["who"] else "You asked for"
                msg = f"{who} {name}{match['spec']} from the package index, but conda installs {name} {version}."
                cure = "Loosen the pip requirement, or ask for that version among the conda packages."
                return SolveError(msg, cure=cure, detail=failure.text)
    return None


def _absent(failure: Failure) -> GpuKernelsError | None:
    match = re.search(
        r"(?:Because|and) (\S+) was not found in the (?:package registry|provided package locations)", failure.flat
    )
    if match:
        msg = f"The package index has no package named {match[1]}."
        return SolveError(
            msg, cure="Check the spelling, and that the configured index is the right one.", detail=failure.text
        )
    match = re.search(r"there (?:is|are) no versions? of (\S+?)(?=,?\s)", failure.flat)
    if match:
        msg = f"The package index has no {_spaced(match[1])}."
        return SolveError(msg, cure="Ask for a version that exists.", detail=failure.text)
    return None


def _other_python(failure: Failure) -> GpuKernelsError | None:
    match = re.search(
        r"You require CPython (?P<python>[\d.]+) .{0,40}?but we only found wheels for `(?P<name>[^`]+)`"
        r" \(v(?P<version>[^)]+)\) with the following Python [A-Za-z ]*tags?: (?P<tags>.*?)(?: hint:|$)",
        failure.flat,
    )
    if match and not _asked_for(failure).get(match["name"], "==").startswith("=="):
        # The one version that uv happens to look at says little of a whole range.
        msg = f"No {match['name']}{_asked_for(failure)[match['name']]} has a wheel for Python {match['python']}."
        cure = "Choose another Python, or other versions of the package."
        return NoWheelError(msg, cure=cure, detail=failure.text)
    if match:
        have = sorted({(int(tag[0]), int(tag[1:])) for tag in re.findall(r"`cp(\d{2,3})[a-z]*`", match["tags"])})
        msg = f"{match['name']} {match['version']} has no wheel for Python {match['python']}"
        msg += f"; it has for {_span(have)}." if have else "."
        cure = "Choose one of those Pythons, or another version of the package."
        return NoWheelError(msg, cure=cure, detail=failure.text)
    match = re.search(r"(\S+) depends on Python([<>=!~][^\s,]+)", failure.flat)
    if match:
        msg = f"{_spaced(match[1])} needs Python {match[2]}."
        return NoWheelError(msg, cure="Choose such a Python, or another version of the package.", detail=failure.text)
    return None


def _other_platform(failure: Failure) -> GpuKernelsError | None:
    match = re.search(
        r"Wheels are available for `([^`]+)` \(v([^)]+)\) on the following platforms?: (.*?)(?: hint:|$)", failure.flat
    )
    if match is None:
        return None
    platforms = ", ".join(re.findall(r"`([^`]+)`", match[3])[:6])
    msg = f"{match[1]} {match[2]} has no wheel for this kind of machine; it has for {platforms}."
    return SolveError(msg, cure="Choose another version of the package, or the conda installer.", detail=failure.text)


def _source_only(failure: Failure) -> GpuKernelsError | None:
    match = re.search(r"Wheels are required for `([^`]+)`", failure.flat)
    if match is None:
        return None
    msg = f"{match[1]} is not there as a wheel for this Python and machine, only as source code."
    cure = "Choose another version of the package or of Python, or the conda installer."
    return NoWheelError(msg, cure=cure, detail=failure.text)


def _collision(failure: Failure) -> GpuKernelsError | None:
    """Two packages that need different versions of a third."""
    needs: dict[str, dict[str, str]] = {}
    name = r"[A-Za-z0-9][\w.-]*?"
    pattern = (
        rf"(?<![\w.=<>!~,-])({name})(?:[=<>!~]\S*)? depends? on ({name})(?:\[[^\]]*\])?([<>=!~]\S*?)(?=[.,]*(?:\s|$))"
    )
    for who, what, spec in re.findall(pattern, failure.flat):
        needs.setdefault(what, {}).setdefault(who, spec)
    for what, spec in _asked_for(failure).items():
        needs.setdefault(what, {}).setdefault("you", spec)
    for what, sides in needs.items():
        for (one, first), (other, second) in itertools.combinations(sides.items(), 2):
            if _exclusive(first, second):
                msg = f"{_needs(one)} {what}{first}, but {_needs(other, first=False)} {what}{second}."
                return SolveError(msg, cure="Loosen one of the two, or leave one out.", detail=failure.text)
    return None


def _asked_for(failure: Failure) -> dict[str, str]:
    """What the user's own requirements say of versions, as far as uv mentions them."""
    found: dict[str, str] = {}
    for listed in re.findall(r"you require (.+?)(?:, we can conclude|$)", failure.flat):
        for name, spec in re.findall(
            r"(?<!\S)([A-Za-z0-9][\w.-]*?)(?:\[\S*?\])?([<>=!~]\S*?)(?=[.,]*(?:\s|$))", listed
        ):
            found.setdefault(name, spec)
    return found


def _exclusive(first: str, second: str) -> bool:
    """Whether no version satisfies both; tried with the versions around every bound."""
    try:
        both = SpecifierSet(first) & SpecifierSet(second)
        bounds = {Version(specifier.version.removesuffix(".*")) for specifier in both}
    except (InvalidSpecifier, InvalidVersion):
        return False
    tried = [Version("0"), Version("9999"), *bounds]
    for bound in bounds:
        *upper, last = bound.release
        tried.append(Version(f"{bound.base_version}.0.1"))
        tried.append(Version(".".join(map(str, (*upper, max(last - 1, 0), 9999)))))
    return not any(both.contains(version, prereleases=True) for version in tried)


def _needs(who: str, *, first: bool = True) -> str:
    if who == "you":
        return "You ask for" if first else "you ask for"
    return f"{who} needs"


def _spaced(requirement: str) -> str:
    return requirement.replace("==", " ")


def _upper(sentence: str) -> str:
    """Begin a sentence, but leave names of hosts and packages as they are."""
    return f"T{sentence[1:]}" if sentence.startswith("the ") else sentence


def _span(versions: list[tuple[int, int]]) -> str:
    """``3.9 to 3.11`` for what is unbroken, else the versions one by one."""
    names = [f"{major}.{minor}" for major, minor in versions]
    unbroken = all(b == (a[0], a[1] + 1) for a, b in itertools.pairwise(versions))
    return f"{names[0]} to {names[-1]}" if unbroken and len(names) > 1 else ", ".join(names)
