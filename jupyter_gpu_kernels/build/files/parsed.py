"""What a file says of an environment, in our words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from ...errors import InvalidInputError
from ...models import EnvironmentSpec, FileFormat
from ..conda.pins import FILE, CondaPin
from ..tools.redaction import uncover
from .notes import Note

_URL = re.compile(r"https?://[A-Za-z0-9.:_\[\]-]+(?:/[A-Za-z0-9._~!$&+,;=:@%-]+)*/[a-z0-9-]+/[^/?#\s]+")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_]{0,99}")

#: The hashes that packages are known by, and how many hexadecimal digits they have.
_DIGITS = {"md5": 32, "sha256": 64, "sha384": 96, "sha512": 128}


@dataclass(frozen=True, kw_only=True)
class WheelPin:
    """One Python package in one version.

    Attributes:
        name: Normalised name.
        version: Exact version.
        hashes: What its files may hash to, ``"sha256:…"``; empty where the file does not say.
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The line of a requirements file that allows this and nothing else."""
        return " ".join((f"{self.name}=={self.version}", *(f"--hash={digest}" for digest in self.hashes)))


@dataclass(frozen=True, kw_only=True)
class Exact:
    """Exactly the packages of an environment on this platform.

    Attributes:
        conda: Its conda packages; none for a virtual environment.
        wheels: Its Python packages from elsewhere.
        python: Exact version of Python of a virtual environment, empty where the file does not say.
        lock: The file itself, if it is a lock of rattler's: it tells more of each conda package.
    """

    conda: tuple[CondaPin, ...] = ()
    wheels: tuple[WheelPin, ...] = ()
    python: str = ""
    lock: str = ""

    @property
    def names(self) -> frozenset[str]:
        """The names of all packages."""
        return frozenset((*(pin.parts[0] for pin in self.conda), *(pin.name for pin in self.wheels)))


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What was read.

    Attributes:
        format: What the file is.
        spec: What it asks for; its name may be empty, and its framework is not told yet.
        exact: Exactly the packages, ``None`` where they are left to the solver.
        warnings: What of the file is not heeded, one sentence each.
        note: What our own exact files say of what was asked for; then the spec is complete.
    """

    format: FileFormat
    spec: EnvironmentSpec
    exact: Exact | None = None
    warnings: tuple[str, ...] = ()
    note: Note | None = None


def conda_pin(url: str, *, platform: str, md5: str = "", sha256: str = "") -> CondaPin:
    """A conda package that a file names by its address.

    Args:
        url: The address.
        platform: Conda's name of the platform that it must be for, unless it is for all.
        md5: Its MD5 in hexadecimal, if the file says it.
        sha256: Its SHA-256, likewise.

    Raises:
        InvalidInputError: It is no address of a conda package, or a hash is none.
    """
    clean = uncover(url)
    bare = clean.rsplit("/", 1)[-1]
    if len(clean) > 1000 or not _URL.fullmatch(clean) or "/../" in clean or not FILE.fullmatch(unquote(bare)):
        msg = f"The file names {shown(clean)}, which is no web address of a conda package."
        raise InvalidInputError(msg, cure="Packages must come from channels: have the file made again from those.")
    pin = CondaPin(
        url=clean,
        md5=digest("md5", md5, bare) if md5 else "",
        sha256=digest("sha256", sha256, bare) if sha256 else "",
    )
    if pin.subdir not in (platform, "noarch"):
        msg = f"The file has packages for {pin.subdir}, and this machine is {platform}."
        raise InvalidInputError(msg, cure="Import the environment.yml of that environment: it is solved for this one.")
    return pin


def wheel_pin(name: str, version: str, hashes: tuple[str, ...] = ()) -> WheelPin:
    """A Python package that a file names.

    Raises:
        InvalidInputError: It has no such name, version or hash.
    """
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", name) or not _VERSION.fullmatch(version):
        msg = f"The file names {shown(f'{name} {version}')}, which is no version of a Python package."
        raise InvalidInputError(msg, cure="Have the file made again, or correct that line.")
    found = []
    for text in hashes:
        kind, _, value = text.partition(":")
        found.append(f"{kind}:{digest(kind, value, name)}")
    return WheelPin(name=canonicalize_name(name), version=version, hashes=tuple(sorted(set(found))))


def digest(kind: str, value: str, of: str) -> str:
    """A hash in lower case.

    Raises:
        InvalidInputError: It is none.
    """
    if _DIGITS.get(kind) != len(value) or not re.fullmatch(r"[0-9A-Fa-f]+", value):
        msg = f"The file gives {shown(of)} a hash that is none: {shown(f'{kind}:{value}')}."
        raise InvalidInputError(msg, cure="Have the file made again; its hashes tell whether packages are genuine.")
    return value.lower()


def shown(text: str) -> str:
    """What a sentence may quote of a file: escaped, short, without credentials."""
    clean = uncover(text)
    return ascii(clean if len(clean) <= 80 else f"{clean[:77]}...")
