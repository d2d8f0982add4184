"""What may be asked for: every field of a spec, before anything is done with it.

Package specs and channels end up in solvers and in the arguments of tools, so that only what is known to be harmless
passes: no options, no URLs or paths in packages, no control characters, nothing that makes a tool run code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from ...errors import InvalidChannelError, InvalidInputError, InvalidNameError, InvalidPackageError, InvalidVersionError
from ...models import EnvironmentChange, EnvironmentSpec, Installer
from ...prefix.placement import check_placement
from .gpus import named_gpu

#: Most entries of a list, and most characters of one entry.
MAX_ENTRIES = 100
MAX_IMPORTED = 2000
MAX_LENGTH = 300
MAX_DISPLAY_NAME = 100

#: What Jupyter and conda use themselves, and what Windows does not let a file be called:
#: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
RESERVED = frozenset(
    ["python", "python2", "python3", "base", "root", "con", "prn", "aux", "nul"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in range(10)]
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_CUDA = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}")
_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,4}")

# conda's match specs, as far as people write them by hand: https://docs.conda.io/projects/conda/en/stable/user-guide/
# concepts/pkg-specs.html#package-match-specifications. A name, then nothing, or a version, or a version and a build.
_CONDA_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_CONDA_VERSION = r"[A-Za-z0-9.*+!_,|<>=~ -]+"
_CONDA_BUILD = r"[A-Za-z0-9.*_+-]+"
_CONDA = re.compile(
    rf"(?:(?P<channel>[A-Za-z0-9][A-Za-z0-9._/-]*)::)?(?P<name>{_CONDA_NAME})"
    rf"(?:\s*(?:={{1,2}}\s*[A-Za-z0-9.*+!_]+(?:={_CONDA_BUILD})?|[<>=!~]{_CONDA_VERSION}"
    r"| +[0-9*<>=!~][A-Za-z0-9.*+!_,|<>=~ -]*))?"
    r"(?P<brackets>\[[^\[\]]*\])?"
)
_BRACKET = re.compile(
    rf"\s*(?:version\s*=\s*(?P<q1>['\"]?){_CONDA_VERSION}(?P=q1)|build\s*=\s*(?P<q2>['\"]?){_CONDA_BUILD}(?P=q2)"
    r"|build_number\s*=\s*(?P<q3>['\"]?)[0-9<>=]+(?P=q3))\s*"
)


def check(spec: EnvironmentSpec, *, local_channels: bool = False) -> None:
    """Check all of a spec that can be checked without a catalogue, a channel or a disk.

    Args:
        spec: What was asked for.
        local_channels: Whether ``file:`` URLs may be channels.

    Raises:
        InvalidNameError: The name cannot be an environment's.
        InvalidInputError: Something else is malformed; the class and its code say what.
    """
    check_name(spec.name)
    if len(spec.framework) > MAX_LENGTH or _hidden(spec.framework):
        msg = "The framework's name is too long or holds control characters."
        raise InvalidInputError(msg, cure="Take an id that `jupyter gpu-kernels frameworks` lists.")
    if spec.display_name is not None:
        check_display_name(spec.display_name)
    check_version(spec.version, "version of the framework")
    check_version(spec.python, "version of Python")
    check_cuda(spec.cuda)
    check_cuda(spec.target_cuda)
    if spec.target_gpu is not None:
        named_gpu(spec.target_gpu)
    check_fraction(spec.memory_fraction)
    check_channels(spec.channels, local=local_channels)
    # Who names all packages of an environment names many.
    most = MAX_ENTRIES if spec.recipe else MAX_IMPORTED
    check_packages(spec.packages, spec.installer, channels=spec.channels, most=most)
    check_packages(spec.pip, Installer.PYPI, most=most)
    check_placement(spec.placement)
    if spec.channels and spec.installer is Installer.PYPI:
        msg = "Channels belong to conda, and the installer asked for is pypi."
        raise InvalidChannelError(msg, cure="Leave out the channels, or choose the installer conda.")


def check_change(change: EnvironmentChange) -> None:
    """Check what shall be changed of an environment.

    Raises:
        InvalidInputError: Nothing shall be, or something makes no sense.
    """
    if change == EnvironmentChange():
        msg = "Nothing was said of what to change."
        raise InvalidInputError(msg, cure="Give a display name, a memory preset, or a placement.")
    if change.display_name is not None:
        check_display_name(change.display_name)
    if change.memory_fraction is not None:
        check_fraction(change.memory_fraction)
    if change.placement is not None:
        check_placement(change.placement)


def check_name(name: str) -> None:
    """Check the name of an environment, which in lower case is also its kernel's.

    Raises:
        InvalidNameError: It cannot be one.
    """
    if not _NAME.fullmatch(name):
        msg = f"{_shown(name)} cannot be the name of an environment."
        cure = "Use up to 64 letters (a to z), digits, hyphens and underscores, beginning with a letter or a digit."
        raise InvalidNameError(msg, cure=cure)
    if name.lower() in RESERVED:
        msg = f"The name {name!r} is reserved."
        raise InvalidNameError(msg, cure=f"Choose another one, for instance {name + '-gpu'!r}.")


def check_display_name(name: str) -> None:
    """Check the name that the Launcher shows.

    Raises:
        InvalidInputError: It is empty, too long, or holds control characters.
    """
    if not name.strip() or len(name) > MAX_DISPLAY_NAME or _hidden(name):
        msg = f"{_shown(name)} cannot be shown as a kernel's name."
        cure = f"Use between 1 and {MAX_DISPLAY_NAME} characters, without line breaks."
        raise InvalidInputError(msg, cure=cure)


def check_version(version: str | None, what: str) -> None:
    """Check a version, or the beginning of one.

    Raises:
        InvalidVersionError: It is none.
    """
    if version is None:
        return
    try:
        # Version() takes more than people write: spaces around, a leading v.
        if len(version) > 40 or not version[:1].isdigit() or version != version.strip() or not version.isascii():
            raise InvalidVersion
        Version(version)
    except InvalidVersion:
        msg = f"{_shown(version)} is not a {what}."
        raise InvalidVersionError(msg, cure="Write digits and dots, such as 2.19 or 3.12, or leave it out.") from None


def check_cuda(version: str | None) -> None:
    """Check a CUDA version.

    Raises:
        InvalidVersionError: It is none.
    """
    if version is not None and not _CUDA.fullmatch(version):
        msg = f"{_shown(version)} is not a version of CUDA."
        raise InvalidVersionError(msg, cure="Write major and minor version, such as 12.9, or leave it out.")


def check_fraction(fraction: float) -> None:
    """Check the part of a GPU's memory that one kernel may take.

    Raises:
        InvalidInputError: It is none.
    """
    if not 0 < fraction <= 1:
        msg = f"{fraction!r} is not a part of a GPU's memory."
        raise InvalidInputError(msg, cure="Give a number above 0 and not above 1, such as 0.5 for half of it.")


def check_channels(channels: Sequence[str], *, local: bool = False) -> None:
    """Check conda channels: names, names with a label, or web addresses.

    Raises:
        InvalidChannelError: One of them is something else.
    """
    _check_size(channels, "channels", InvalidChannelError)
    for channel in channels:
        _check_text(channel, "channel", InvalidChannelError)
        if "://" not in channel:
            if _CHANNEL.fullmatch(channel) and ".." not in channel:
                continue
        elif _is_web_address(channel) or (local and channel.startswith("file:///")):
            continue
        msg = f"{_shown(channel)} is not a conda channel."
        raise InvalidChannelError(msg, cure="Give a channel's name, such as conda-forge, or its http(s) address.")


def check_packages(
    packages: Sequence[str], installer: Installer, *, channels: Sequence[str] = (), most: int = MAX_ENTRIES
) -> None:
    """Check package specs of an installer; with ``auto`` those of either kind pass.

    Args:
        packages: Conda match specs, or PEP 508 requirements.
        installer: Whose they are.
        channels: Channels that a conda spec may name with ``channel::name``, besides none.
        most: How many there may be.

    Raises:
        InvalidPackageError: One of them is no such spec, or of a kind that is not allowed.
    """
    _check_size(packages, "packages", InvalidPackageError, most)
    for package in packages:
        _check_text(package, "package", InvalidPackageError)
        if "://" in package or re.search(r"\s@|@\s|^[A-Za-z]+\+|^file:", package):
            msg = f"{_shown(package)} names a place, and packages come from the configured channels and indexes only."
            raise InvalidPackageError(msg, cure="Give the package's name, and a version if it matters.")
        if installer is not Installer.PYPI and _is_conda_spec(package, channels):
            continue
        if installer is not Installer.CONDA and _is_requirement(package):
            continue
        kind = {Installer.CONDA: "a conda package", Installer.PYPI: "a package of the Python Package Index"}
        msg = f"{_shown(package)} is not {kind.get(installer, 'a package')}."
        cure = "Write a name and, if it matters, a version: numpy, numpy>=2, numpy==2.1.0."
        raise InvalidPackageError(msg, cure=cure)


def _is_conda_spec(package: str, channels: Sequence[str]) -> bool:
    """Whether it is a match spec of a permitted shape."""
    match = _CONDA.fullmatch(package)
    if match is None:
        return False
    if match["channel"] is not None and match["channel"] not in channels:
        return False
    if match["brackets"] is None:
        return True
    # Commas also stand inside a quoted version.
    fields = re.split(r",(?=\s*(?:version|build|build_number)\s*=)", match["brackets"][1:-1])
    return all(_BRACKET.fullmatch(field) for field in fields)


def _is_requirement(package: str) -> bool:
    """Whether it is a PEP 508 requirement with nothing but name, extras and versions."""
    try:
        requirement = Requirement(package)
    except InvalidRequirement:
        return False
    return requirement.url is None and requirement.marker is None


def _is_web_address(channel: str) -> bool:
    """Whether it is an http(s) URL with a host and nothing after the path."""
    try:
        parts = urlsplit(channel)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    clean = not re.search(r"[\s\"'<>\\^`{|}]", channel) and not parts.query and not parts.fragment
    return parts.scheme in ("http", "https") and bool(host) and clean and ".." not in parts.path.split("/")


def _check_size(entries: Sequence[str], what: str, error: type[InvalidInputError], most: int = MAX_ENTRIES) -> None:
    """Refuse a list that nobody wrote by hand."""
    if len(entries) > most:
        msg = f"{len(entries)} {what} are too many."
        raise error(msg, cure=f"Give at most {most}.")


def _check_text(text: str, what: str, error: type[InvalidInputError]) -> None:
    """Refuse what cannot be any spec: empty, too long, an option, a path, or with hidden characters."""
    if not text or text != text.strip() or len(text) > MAX_LENGTH or _hidden(text) or not text.isascii():
        msg = f"{_shown(text)} is not a {what}."
        raise error(msg, cure=f"Give its name, at most {MAX_LENGTH} characters, without spaces around it.")
    if text.startswith(("-", "/", ".", "~", "\\", "@")) or re.search(r"\s-|[;&$`\"](?![^\[]*\])", text):
        msg = f"{_shown(text)} is not a {what}: options, paths and commands are not allowed."
        raise error(msg, cure=f"Give the name of the {what} alone.")


def _hidden(text: str) -> bool:
    """Whether there are control, format or surrogate characters, or line breaks."""
    return any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in text)


def _shown(text: str) -> str:
    """What a sentence may quote of a text: escaped, short, without the credentials of a URL."""
    text = re.sub(r"(?<=://)[^/?#]*@", "***@", text)
    shown = ascii(text if len(text) <= 60 else text[:57] + "...")
    return "An empty text" if not text else shown
