"""Reading a lock as uv writes it: ``pylock.toml``, https://packaging.python.org/en/latest/specifications/pylock-toml/."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from ..tools.redaction import uncover

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One package of a lock.

    Attributes:
        name: Normalised name.
        version: Exact version.
        url: Where the wheel (or the source) is; ``file:`` for local ones.
        size: Bytes, 0 when the index does not say.
        hashes: What the files that may be taken hash to, ``"sha256:…"``; empty when the index does not say.
        digest: What the file at that address hashes to, likewise.
    """

    name: str
    version: str
    url: str
    size: int
    hashes: tuple[str, ...] = ()
    digest: str = ""

    @property
    def local(self) -> bool:
        """Whether nothing need be downloaded."""
        return not self.url.startswith(("http:", "https:"))

    @property
    def place(self) -> str:
        """Where the file is, without credentials, and what it hashes to."""
        fragment = f"#{self.digest.replace(':', '=', 1)}" if self.digest else ""
        return uncover(self.url).partition("#")[0] + fragment

    @property
    def pin(self) -> str:
        """The line of a requirements file that allows this and nothing else."""
        return " ".join((f"{self.name}=={self.version}", *(f"--hash={digest}" for digest in self.hashes)))


def read_lock(text: str, python: str) -> tuple[Locked, ...]:
    """Read a lock made for one interpreter on this platform.

    Args:
        text: TOML.
        python: Version of the interpreter, ``"3.12.4"``: of several wheels the one is taken that suits it best.
    """
    ranks = _ranks(python)
    packages = []
    for entry in tomllib.loads(text).get("packages", ()):
        file = _best(entry, ranks)
        packages.append(
            Locked(
                name=canonicalize_name(entry["name"]),
                version=str(entry.get("version", "")),
                url=str(file.get("url") or file.get("path") or ""),
                size=int(file.get("size") or 0),
                hashes=_hashes(entry),
                digest=next((f"{kind}:{digest}" for kind, digest in sorted((file.get("hashes") or {}).items())), ""),
            )
        )
    return tuple(sorted(packages, key=lambda package: package.name))


def _ranks(python: str) -> dict[Tag, int]:
    release = Version(python).release[:2]
    tags: Iterable[Tag] = (
        *cpython_tags(release),
        *compatible_tags(release, interpreter=f"cp{''.join(map(str, release))}"),
    )
    return {tag: rank for rank, tag in reversed(list(enumerate(tags)))}


def _best(entry: dict[str, Any], ranks: dict[Tag, int]) -> dict[str, Any]:
    """The file of a package that will be installed."""
    wheels: Sequence[dict[str, Any]] = entry.get("wheels", ())
    found = [(min((ranks.get(tag, len(ranks)) for tag in _tags(wheel)), default=len(ranks)), wheel) for wheel in wheels]
    return min(found, key=lambda item: item[0])[1] if found else entry.get("archive") or entry.get("sdist") or {}


def _hashes(entry: dict[str, Any]) -> tuple[str, ...]:
    """Hashes of every file of a package; none at all if one of them has none."""
    files = [*entry.get("wheels", ()), *filter(None, (entry.get("archive"), entry.get("sdist")))]
    if not all(file.get("hashes") for file in files):
        return ()
    return tuple(sorted(f"{kind}:{digest}" for file in files for kind, digest in file["hashes"].items()))


def _tags(wheel: dict[str, Any]) -> frozenset[Tag]:
    where = str(wheel.get("name") or wheel.get("url") or wheel.get("path") or "")
    try:
        return parse_wheel_filename(PurePosixPath(unquote(urlsplit(where).path)).name)[3]
    except InvalidWheelFilename:
        return frozenset()
