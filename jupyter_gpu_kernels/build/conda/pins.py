"""Conda packages that somebody names to the byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from .settings import CondaSolution

#: What a package's file is called.
FILE = re.compile(r"(?P<name>[A-Za-z0-9_][\w.+-]*)-(?P<version>[^-/\s]+)-(?P<build>[^-/\s]+)(?:\.conda|\.tar\.bz2)")


@dataclass(frozen=True, kw_only=True)
class CondaPin:
    """One conda package.

    Attributes:
        url: Where it is, an http(s) address without credentials that ends with its file.
        md5, sha256: Its hashes in hexadecimal, empty where nobody says them.
    """

    url: str
    md5: str = ""
    sha256: str = ""

    @property
    def channel(self) -> str:
        """The channel that it comes from, as an address."""
        return self.url.rsplit("/", 2)[0]

    @property
    def subdir(self) -> str:
        """The platform that it is for, ``noarch`` for all of them."""
        return self.url.rsplit("/", 2)[1]

    @property
    def parts(self) -> tuple[str, str, str]:
        """Name, version and build, as its file is called."""
        match = FILE.fullmatch(unquote(self.url.rsplit("/", 1)[1]))
        if match is None:
            msg = f"{self.url} is no package"
            raise ValueError(msg)
        return match["name"].lower(), match["version"], match["build"]


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A file that is to be fetched as it is: a conda package, or a wheel.

    Attributes:
        name: What it is called while it is fetched.
        url: Where it is; it may hold credentials.
        file: Where it shall be, relative to a directory, with slashes.
        size: Bytes, 0 when unknown.
        algorithm: How its hash is computed, as :mod:`hashlib` calls it.
        digest: What it must hash to, in hexadecimal; empty where nobody says it.
    """

    name: str
    url: str
    file: str
    size: int = 0
    algorithm: str = "sha256"
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """What is known of packages that were named.

    Attributes:
        solution: The packages.
        sources: What the user calls their channels, by address.
        roots: Names of those that no other one needs.
        bare: Names of those of which nothing but their addresses is known, as of what a channel no longer lists.
    """

    solution: CondaSolution
    sources: Mapping[str, str]
    roots: tuple[str, ...]
    bare: tuple[str, ...] = ()
