"""What is known of a failure of uv, before it is put into words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ...errors import DownloadError, SolveError


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


def spaced(requirement: str) -> str:
    """Write ``six==1.17.0`` as people do."""
    return requirement.replace("==", " ")
