"""Mirrors as data: one TOML file each, of which nothing is taken unless somebody chooses it.

They lie in ``gpu-kernels/mirrors/`` of the Jupyter config path, and, if there are any, in ``mirrors/`` beside this
module. A file that is wrong is left out and told of; it takes no other file down::

    title = "Example University"
    index = "https://mirror.example.org/pypi/simple"

    [channels]
    conda-forge = "https://mirror.example.org/conda/conda-forge"
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...models import Mirror
from ..tools.redaction import uncover

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BUNDLED = Path(__file__).parent / "mirrors"

#: Bytes of a file: a thousand channels fit.
LIMIT = 256 * 1024

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CHANNEL = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*")
#: What no address has, and what a shell, a terminal or YAML might take for something else.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\[][^\s\"'`<>\\{}|^#?\x00-\x20\x7f]*")


class MirrorFileError(ValueError):
    """A mirror's file is wrong; the text says how."""


def read_mirrors(directories: Sequence[Path], warnings: list[str]) -> tuple[Mirror, ...]:
    """The mirrors that are known of, by title.

    Args:
        directories: Where their files are, the most important first; of two with one id the first counts.
        warnings: Is told of files that are left out.
    """
    found: dict[str, Mirror] = {}
    for directory in (*directories, BUNDLED):
        for file in _files(directory, warnings):
            try:
                mirror = _read(file)
            except (MirrorFileError, OSError) as error:
                warnings.append(f"The mirror file {file} is left out: {str(error).rstrip('.')}.")
            else:
                found.setdefault(mirror.id, mirror)
    return tuple(sorted(found.values(), key=lambda mirror: (mirror.title.lower(), mirror.id)))


def _files(directory: Path, warnings: list[str]) -> list[Path]:
    try:
        return sorted(file for file in directory.iterdir() if file.suffix == ".toml" and not file.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        warnings.append(f"The directory of mirrors {directory} cannot be read: {error}")
        return []


def _read(file: Path) -> Mirror:
    """Read one file; MirrorFileError or OSError if it is wrong."""
    # A pipe would never end.
    if not file.is_file():
        msg = "it is no regular file"
        raise MirrorFileError(msg)
    with file.open("rb") as stream:
        content = stream.read(LIMIT + 1)
    if len(content) > LIMIT:
        msg = f"it is longer than {LIMIT // 1024} kB"
        raise MirrorFileError(msg)
    try:
        data: dict[str, Any] = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"it is not valid TOML ({str(error)[:200]})" if isinstance(error, ValueError) else "it is not valid TOML"
        raise MirrorFileError(msg) from error
    unknown = sorted(set(data) - {"id", "title", "channels", "index"})
    if unknown:
        msg = f"it has a key that nobody knows, {unknown[0]!r}"
        raise MirrorFileError(msg)
    identifier = data.get("id", file.stem)
    if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
        msg = "its id must be small letters, digits, points, dashes and underscores, 64 at most"
        raise MirrorFileError(msg)
    title = data.get("title", identifier)
    if not isinstance(title, str) or not title.strip() or len(title) > 100 or not title.isprintable():
        msg = "its title must be one line of text, of 100 characters at most"
        raise MirrorFileError(msg)
    channels = data.get("channels", {})
    if not isinstance(channels, dict) or not all(_CHANNEL.fullmatch(name) and len(name) <= 100 for name in channels):
        msg = "its channels must be names, as in channels:, with addresses"
        raise MirrorFileError(msg)
    index = data.get("index", "")
    if not channels and not index:
        msg = "it has neither channels nor an index"
        raise MirrorFileError(msg)
    return Mirror(
        id=identifier,
        title=title.strip(),
        channels=tuple((name, _address(url, f"the address of {name}")) for name, url in channels.items()),
        index=_address(index, "its index") if index else "",
        source=str(file),
    )


def _address(url: object, what: str) -> str:
    """An address that may be written into other programs' configuration."""
    if not isinstance(url, str) or len(url) > 1000 or not _ADDRESS.fullmatch(url):
        msg = f"{what} must begin with https:// or http:// and have no spaces, quotes or queries"
        raise MirrorFileError(msg)
    try:
        parts = urlsplit(url)
        fine = bool(parts.hostname) and (parts.port is None or parts.port > 0) and ".." not in parts.path.split("/")
    except ValueError:
        fine = False
    if not fine:
        msg = f"{what} is no address"
        raise MirrorFileError(msg)
    if uncover(url) != url:
        # It would be shown, and copied into other files.
        msg = f"{what} has a password or a token in it, which belongs into .netrc"
        raise MirrorFileError(msg)
    return url.rstrip("/")
