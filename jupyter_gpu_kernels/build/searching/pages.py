"""Pages of a Python package index: which versions of a project have a wheel that fits.

JSON: https://packaging.python.org/en/latest/specifications/simple-repository-api/; HTML is what older indexes have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

#: What is asked for, best first.
ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"


@dataclass(frozen=True)
class File:
    """A file that a page lists.

    Attributes:
        name: Its name.
        python: Versions of Python that it wants, a PEP 440 specifier; empty for any.
        withdrawn: Whether it should not be chosen any more.
    """

    name: str
    python: str = ""
    withdrawn: bool = False


def read_json(body: bytes) -> list[File]:
    """The files of a page in JSON.

    Raises:
        ValueError: It is no such page.
    """
    data: Any = msgspec.json.decode(body)
    if not isinstance(data, dict) or not isinstance(data.get("files"), list):
        msg = "it lists no files"
        raise ValueError(msg)
    return [_file(item) for item in data["files"] if isinstance(item, dict)]


def _file(item: dict[str, Any]) -> File:
    wanted, withdrawn = item.get("requires-python") or "", item.get("yanked", False) is not False
    return File(str(item.get("filename", "")), str(wanted), withdrawn)


def read_html(text: str) -> list[File]:
    """The files that a page links to."""
    links = _Links()
    links.feed(text)
    return links.files


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.files: list[File] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            found = dict(attrs)
            name = PurePosixPath(unquote(urlsplit(found.get("href") or "").path)).name
            self.files.append(File(name, found.get("data-requires-python") or "", "data-yanked" in found))


class Fit:
    """Tells which wheels a Python of this platform takes.

    Args:
        python: Its version, ``"3.12.4"``.
    """

    def __init__(self, python: str) -> None:
        self._version = Version(python)
        release = self._version.release[:2]
        interpreter = f"cp{''.join(map(str, release))}"
        self._tags: frozenset[Tag] = frozenset(
            (*cpython_tags(release), *compatible_tags(release, interpreter=interpreter))
        )

    def versions(self, project: str, files: Iterable[File]) -> tuple[str, ...]:
        """Versions of a project that have a wheel for it, the newest first; those before a release come last."""
        found = set(self._fitting(project, files))
        return tuple(
            str(version) for version in sorted(found, key=lambda item: (not item.is_prerelease, item), reverse=True)
        )

    def _fitting(self, project: str, files: Iterable[File]) -> Iterator[Version]:
        for file in files:
            try:
                name, version, _, tags = parse_wheel_filename(file.name)
                wanted = SpecifierSet(file.python)
            except (InvalidWheelFilename, InvalidSpecifier):
                continue
            if name != project or file.withdrawn or not tags & self._tags:
                continue
            # Of a pre-release of Python, too, it is said whether it is new enough.
            if wanted.contains(self._version, prereleases=True):
                yield version
