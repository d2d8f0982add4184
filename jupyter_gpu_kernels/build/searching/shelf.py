"""Names of channels on disk, so that a new process need not fetch them first."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ...prefix.files import replace_file
from ..conda.settings import ChannelSettings

#: Files that nobody has renewed for so many seconds are removed.
FORGOTTEN = 30 * 86400.0


class Shelf:
    """Files of names, one for each set of channels; whatever is wrong with one counts as its absence.

    Args:
        directory: Where they lie; made when something is put there.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, key: str) -> tuple[float, list[list[str]]] | None:
        """How many seconds ago names were fetched, and the names of each channel. Blocks on the disk."""
        path = self._directory / f"{key}.json"
        try:
            age = max(0.0, time.time() - path.stat().st_mtime)
            return age, msgspec.json.decode(path.read_bytes(), type=list[list[str]])
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, key: str, names: Sequence[Sequence[str]]) -> None:
        """Keep the names of channels, and remove what is forgotten. Blocks on the disk.

        Raises:
            OSError: They cannot be written.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        replace_file(self._directory / f"{key}.json", msgspec.json.encode(names), mode=0o600)
        for path in self._directory.glob("*.json"):
            if time.time() - path.stat().st_mtime > FORGOTTEN:
                path.unlink(missing_ok=True)


def key_of(settings: ChannelSettings) -> str:
    """What names of channels are kept under. Credentials count, since they decide what is seen, and are not told."""
    locations = [channel.location for channel in settings.resolved()]
    mirrors = {origin: list(places) for origin, places in sorted(settings.mirrors.items())}
    return hashlib.sha256(msgspec.json.encode([locations, mirrors])).hexdigest()[:32]
