"""Package caches that somebody else keeps, as layers below our own: packages are taken from them, nothing is written.

rattler has layers of its own (``PackageCache.new_layered``), and opens a lock file beside each package for writing, in
a layer that is not its user's, too: there it fails, and with it the installation. So it is given a *view*: a directory
of ours with links to those packages that are wanted, and with lock files that are ours. Whatever is wrong with a
package in a layer, rattler finds when it checks its files, and downloads it as if the layer did not have it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Begins the names of views; hidden directories of a cache are swept when nobody uses it (:mod:`.cache`).
_VIEW = ".layers-"

#: rattler's lock file: a revision of eight bytes, then the SHA-256 of the archive.
_REVISION = bytes(8)
_DIGEST_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A package in a layer.

    Attributes:
        path: Where it lies, unpacked.
        sha256: SHA-256 of its archive, in hexadecimal.
    """

    path: Path
    sha256: str


def place(layer: Path) -> Path:
    """Where a layer has its packages: it may be a directory of packages, or one of our caches as a whole."""
    try:
        return layer / "pkgs" if (layer / "pkgs").is_dir() else layer
    except OSError:
        return layer


def hindrance(layer: Path) -> str:
    """Why a layer cannot be used, one sentence; empty if it can. Blocks on the disk."""
    try:
        directory = place(layer)
        status = directory.stat()
    except PermissionError:
        return f"The shared package cache {layer} is not used: you may not look into it."
    except OSError:
        return f"The shared package cache {layer} is not used: it is not there."
    if not stat.S_ISDIR(status.st_mode):
        return f"The shared package cache {layer} is not used: it is no directory."
    if not os.access(directory, os.R_OK | os.X_OK):
        return f"The shared package cache {layer} is not used: you may not look into it."
    if sys.platform != "win32" and status.st_mode & stat.S_IWOTH:
        return (
            f"The shared package cache {layer} is not used: anybody may write into it, and so into your kernels. "
            "Ask its owner to take that right away (chmod o-w)."
        )
    return ""


def package_layers(shared: Iterable[str], conda: Iterable[Path]) -> tuple[Path, ...]:
    """The layers of a configuration. Blocks on the disk.

    Args:
        shared: Those that were named as such.
        conda: conda's own directories of packages, which need not be there, nor be for us.
    """
    return (*map(Path, shared), *(directory for directory in conda if not hindrance(directory)))


def usable(layers: Iterable[Path], own: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Sort out the layers that can be used. Blocks on the disk.

    Args:
        layers: As configured.
        own: Our own cache, which is no layer.

    Returns:
        Where those have their packages, in order, and a sentence for each of the others.
    """
    found: list[Path] = []
    warnings = []
    for layer in layers:
        if sentence := hindrance(layer):
            warnings.append(sentence)
        elif (directory := place(layer)) not in found and not _same(directory, own):
            found.append(directory)
    return tuple(found), tuple(warnings)


def shared(layers: Sequence[Path], wanted: Mapping[str, str]) -> dict[str, Shared]:
    """Look for packages. Blocks on the disk.

    Args:
        layers: Directories of packages, in order of preference.
        wanted: The SHA-256 of each package's archive in hexadecimal, by ``NAME-VERSION-BUILD``.

    Returns:
        Those that are there, by the same name.
    """
    found: dict[str, Shared] = {}
    for layer in layers:
        for entry, sha256 in wanted.items():
            if entry not in found and sha256 and _holds(layer / entry, sha256):
                found[entry] = Shared(path=layer / entry, sha256=sha256)
    return found


@contextlib.contextmanager
def view(own: Path, found: Mapping[str, Shared]) -> Iterator[Path | None]:
    """Make a view of packages in layers, for as long as rattler needs it.

    Args:
        own: Our own cache, in use (:func:`.cache.in_use`).
        found: The packages.

    Yields:
        The view, or ``None`` if there is nothing to see, or no way to show it.
    """
    if not found:
        yield None
        return
    directory = Path(tempfile.mkdtemp(prefix=_VIEW, dir=own))
    try:
        try:
            for entry, package in found.items():
                (directory / entry).symlink_to(package.path, target_is_directory=True)
                (directory / f"{entry}.lock").write_bytes(_REVISION + bytes.fromhex(package.sha256))
            made: Path | None = directory
        except OSError:
            # Windows lets few people make links.
            made = None
        yield made
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _holds(package: Path, sha256: str) -> bool:
    """Whether a package lies there that was unpacked from that archive, as far as its neighbours say."""
    try:
        if not os.access(package / "info", os.R_OK | os.X_OK):
            return False
        return _of_rattler(package) == sha256 or _of_conda(package) == sha256
    except (OSError, ValueError):
        return False


def _of_rattler(package: Path) -> str:
    """What rattler says of a package's archive, in a file beside it."""
    with contextlib.suppress(OSError):
        data = package.with_name(f"{package.name}.lock").read_bytes()
        return data[len(_REVISION) :].hex() if len(data) == len(_REVISION) + _DIGEST_BYTES else ""
    return ""


def _of_conda(package: Path) -> str:
    """What conda says of it, in the package."""
    data = json.loads((package / "info" / "repodata_record.json").read_bytes())
    return str(data.get("sha256", "")) if isinstance(data, dict) else ""


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
