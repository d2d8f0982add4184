"""Why no set of wheels fits, in one sentence, from uv's proof."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from ...errors import GpuKernelsError, SolveError
from .evidence import Failure, NoWheelError, spaced


def of_the_solution(failure: Failure) -> GpuKernelsError | None:
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
        msg = f"The package index has no {spaced(match[1])}."
        return SolveError(msg, cure="Ask for a version that exists.", detail=failure.text)
    return _out_of_range(failure)


def _out_of_range(failure: Failure) -> GpuKernelsError | None:
    """A version beyond all that there are: "only x<=2 is available and you require x==99.*"."""
    for name, available in re.findall(r"only ([A-Za-z0-9][\w.-]*?)([<>=!~]\S*) (?:is|are) available", failure.flat):
        asked = _asked_for(failure).get(name, "")
        if asked and _exclusive(available, asked):
            msg = f"The package index has no {name}{asked}: it has {name}{available}."
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
        msg = f"{spaced(match[1])} needs Python {match[2]}."
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
    for listed in re.findall(r"(?<!conclude that )you require (.+?)(?:, we can conclude|$)", failure.flat):
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


def _span(versions: list[tuple[int, int]]) -> str:
    """``3.9 to 3.11`` for what is unbroken, else the versions one by one."""
    names = [f"{major}.{minor}" for major, minor in versions]
    unbroken = all(b == (a[0], a[1] + 1) for a, b in itertools.pairwise(versions))
    return f"{names[0]} to {names[-1]}" if unbroken and len(names) > 1 else ", ".join(names)
