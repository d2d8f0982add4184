"""The Python distributions of an environment that no conda package brought: what pip and uv have installed.

Their metadata is specified in https://packaging.python.org/en/latest/specifications/recording-installed-packages/ and
https://packaging.python.org/en/latest/specifications/direct-url/.
"""

from __future__ import annotations

import contextlib
import csv
import email.parser
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ...prefix.layout import Layout
from ..tools.redaction import uncover
from .records import CondaRecord

_ENDING = ".dist-info"


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A distribution that conda knows nothing of.

    Attributes:
        name: Normalised name.
        version: Exact version.
        origin: Where it came from if not from an index: a path or a repository, without credentials.
        editable: Whether its files are elsewhere, where somebody works on them.
        requested: Whether somebody asked for it by name, ``None`` if its installer does not say.
        path: Directory of its metadata.
    """

    name: str
    version: str
    origin: str = ""
    editable: bool = False
    requested: bool | None = None
    path: Path

    def size(self) -> int:
        """Bytes of what it brought, 0 when unknown. Blocks on the disk."""
        with contextlib.suppress(OSError, ValueError, csv.Error), (self.path / "RECORD").open(encoding="utf-8") as file:
            return sum(int(row[2]) for row in csv.reader(file) if len(row) > 2 and row[2])
        return 0

    def needs(self) -> frozenset[str]:
        """The normalised names of the distributions that it always needs. Blocks on the disk."""
        found = set()
        for text in self._requirements():
            with contextlib.suppress(ValueError, RecursionError):
                requirement = Requirement(text)
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                    found.add(canonicalize_name(requirement.name))
        return frozenset(found)

    def _requirements(self) -> Iterable[str]:
        try:
            text = (self.path / "METADATA").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ()
        return email.parser.HeaderParser().parsestr(text).get_all("Requires-Dist") or ()


def distributions(layout: Layout, records: Iterable[CondaRecord] = ()) -> tuple[Distribution, ...]:
    """What pip, uv and their like have installed into an environment, in order of name. Blocks on the disk.

    Args:
        layout: The environment.
        records: Its conda packages; what they brought is theirs.
    """
    # What packages carry along of others lies deeper, and is none of the environment's.
    files = (file.split("/") for record in records for file in record.files if file.endswith("/METADATA"))
    owned = {parts[-2].lower() for parts in files if len(parts) > 2 and parts[-3] == "site-packages"}
    found: dict[str, Distribution] = {}
    for folder in layout.site_packages():
        for path in folder.glob(f"*{_ENDING}"):
            if path.name.lower() not in owned and (read := _read(path)):
                found.setdefault(read.name, read)
    return tuple(found[name] for name in sorted(found))


def _read(path: Path) -> Distribution | None:
    name, _, version = path.name.removesuffix(_ENDING).partition("-")
    try:
        Version(version)
    except InvalidVersion:
        # pip moves what it removes aside, as ~ame-1.0.dist-info, and leaves it if it is killed.
        return None
    if name.startswith("~") or not (path / "METADATA").is_file():
        return None
    direct = _direct(path)
    # pip and uv leave an empty file for what was named; an installer that leaves it nowhere says nothing.
    return Distribution(
        name=canonicalize_name(name),
        version=version,
        origin=_origin(direct),
        editable=bool(_table(direct.get("dir_info")).get("editable")),
        requested=True if (path / "REQUESTED").is_file() else None,
        path=path,
    )


def _direct(path: Path) -> dict[str, Any]:
    """What a distribution that came from no index says of where it came from."""
    try:
        return _table(json.loads((path / "direct_url.json").read_bytes()))
    except (OSError, ValueError):
        return {}


def _origin(direct: dict[str, Any]) -> str:
    url = uncover(str(direct.get("url", "")))
    vcs = _table(direct.get("vcs_info"))
    if vcs:
        return f"{vcs.get('vcs', 'git')}+{url}@{vcs.get('commit_id', '')}".rstrip("@")
    return url.removeprefix("file://")


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
