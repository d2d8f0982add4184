"""What goes into a pack: which archives an environment is made of, and where each of them is to be had."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from ...errors import RefusedError
from ..conda.pins import Archive
from ..conda.settings import ChannelSettings
from ..contents.distributions import Distribution
from ..contents.records import CondaRecord
from ..tools.redaction import uncover
from ..wheels.lock import Locked
from .label import CONDA, WHEELS, PackedFile


@dataclass(frozen=True, kw_only=True)
class Part:
    """One archive of a pack.

    Attributes:
        archive: Where it is to be had, and what it is called in the pack.
        here: Where it lies on this machine, ``None`` if it must be fetched.
    """

    archive: Archive
    here: Path | None = None

    def source(self, directory: Path) -> Path:
        """Where it is once all is fetched into a directory."""
        return self.here or directory / self.archive.file

    def packed(self, directory: Path) -> PackedFile:
        """It as it is in the pack. Blocks on the disk."""
        path = self.source(directory)
        known = self.archive.digest if self.archive.algorithm == "sha256" and self.here is None else ""
        return PackedFile(path=self.archive.file, size=path.stat().st_size, sha256=known or _sha256(path))


def conda_parts(records: Sequence[CondaRecord], settings: ChannelSettings) -> tuple[Part, ...]:
    """The conda packages of an environment.

    Args:
        records: They as they are linked.
        settings: How their channels are reached; who has credentials for one has them here.

    Raises:
        RefusedError: A package came from nowhere that it could be fetched from again.
    """
    locations = {uncover(channel.location).rstrip("/"): channel.location.rstrip("/") for channel in settings.resolved()}
    parts = []
    for record in records:
        base, _, file = record.url.rpartition("/")
        channel, _, subdir = base.rpartition("/")
        if not channel or not file.endswith((".conda", ".tar.bz2")):
            raise _unpackable(record.name, "its record does not say where it came from")
        url = f"{locations.get(channel, channel)}/{subdir}/{file}"
        parts.append(
            _part(
                Archive(
                    name=record.name,
                    url=url,
                    file=f"{CONDA}/{subdir}/{unquote(file)}",
                    size=record.size,
                    algorithm="sha256" if record.sha256 else "md5",
                    digest=record.sha256 or record.md5,
                )
            )
        )
    return tuple(parts)


def requirements(distributions: Sequence[Distribution]) -> tuple[str, ...]:
    """The exact requirements of what pip and uv have installed.

    Raises:
        RefusedError: Something is installed from a place that is no index; the message names all such.
    """
    local = [item for item in distributions if item.origin or item.editable]
    if local:
        names = ", ".join(f"{item.name} (from {item.origin or 'a directory'})" for item in local)
        msg = f"What was installed from elsewhere than a package index cannot be packed: {names}."
        cure = "Uninstall it there, pack, and install it again on both machines; or put a wheel of it into an index."
        raise RefusedError(msg, cure=cure)
    return tuple(f"{item.name}=={item.version}" for item in distributions)


def wheel_parts(found: Sequence[Locked], pins: Sequence[str]) -> tuple[Part, ...]:
    """The wheels of an environment.

    Args:
        found: Where they are to be had.
        pins: Lines of a requirements file with what is known of them since they were installed.

    Raises:
        RefusedError: One is to be had as source code only, or the index has another file than it had then.
    """
    known = {pin.partition("==")[0].strip(): pin.split(" --hash=")[1:] for pin in pins}
    parts = []
    for item in found:
        file = unquote(PurePosixPath(urlsplit(item.url).path).name)
        try:
            parse_wheel_filename(file)
        except InvalidWheelFilename:
            raise _unpackable(item.name, "there is no wheel of it that fits this Python") from None
        algorithm, _, digest = item.digest.partition(":")
        same = f"{item.name}=={item.version}" in (pin.partition(" --hash=")[0].strip() for pin in pins)
        if same and digest and known[item.name] and item.digest not in known[item.name]:
            raise _unpackable(item.name, "the package index has another file of it now than when it was installed")
        parts.append(
            _part(
                Archive(
                    name=item.name,
                    url=item.url,
                    file=f"{WHEELS}/{file}",
                    size=item.size,
                    algorithm=algorithm or "sha256",
                    digest=digest,
                )
            )
        )
    return tuple(parts)


def _part(archive: Archive) -> Part:
    """An archive, which may lie on this machine."""
    if archive.url.startswith("file:"):
        return Part(archive=archive, here=Path(unquote(urlsplit(archive.url).path)))
    return Part(archive=archive, here=None if "://" in archive.url else Path(archive.url))


def _unpackable(name: str, why: str) -> RefusedError:
    msg = f"{name} cannot be packed: {why}."
    return RefusedError(msg, cure="Rebuild the environment, then pack it again.")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            digest.update(chunk)
    return digest.hexdigest()
