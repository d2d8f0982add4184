"""What caches take, and giving back what no environment uses of them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ...build.conda.cache import LOCK
from ...build.disk.filesystem import explained, remove_tree
from ...build.disk.usage import measure
from ...errors import ConflictError
from ...models import Finding
from .. import remedies
from ..amounts import size
from ..check import note
from ..context import Context
from .places import Place, free_bytes

#: Bytes from which on it is worth a word.
LARGE = 5e9


def look(context: Context) -> Iterator[Finding]:
    """Find a cache with many packages that no environment uses any more."""
    packages = context.practice.cache_dir / "pkgs"
    total, spare = unused(packages)
    if spare < LARGE:
        return
    free = free_bytes(Place(what="", path=packages).existing)
    yield note(
        f"The cache of conda packages takes {size(total)}, of which no environment uses {size(spare)}.",
        evidence=(str(packages), f"{size(free)} are free there"),
        cure="Clean it if you need the room: what is removed is downloaded again when it is wanted again.",
        remedy=remedies.clean_cache(packages),
    )


def unused(directory: Path) -> tuple[int, int]:
    """Measure the cache; blocks on the disk, a second for a hundred thousand files.

    Returns:
        Bytes of all packages, and of those of which no environment shares a file.
    """
    total = spare = 0
    for package in _packages(directory):
        usage = measure(package)
        total += usage.bytes
        spare += usage.bytes if not _shared(package) else 0
    return total, spare


def clean(directory: Path) -> int:
    """Delete the packages of which no environment shares a file.

    Where environments have copies, as on another filesystem, these are all packages; nothing that is installed needs
    them.

    Returns:
        Bytes that were freed.

    Raises:
        ConflictError: A builder works with the cache.
        InstallError: Something cannot be deleted.
    """
    freed = 0
    with _alone(directory), explained(f"The cache {directory} cannot be cleaned"):
        for package in _packages(directory):
            if not _shared(package):
                size = measure(package).freed_bytes
                # First it loses its name: a package that is there is whole.
                remove_tree(package.rename(package.with_name(f".{package.name}")))
                freed += size
    return freed


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Use the cache alone, or not at all."""
    if sys.platform == "win32" or not directory.is_dir():
        yield
        return
    import fcntl

    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            msg = "The cache of conda packages is in use."
            raise ConflictError(msg, cure="Wait until nothing is built any more, then try again.") from error
        yield
    finally:
        os.close(descriptor)


def _packages(directory: Path) -> list[Path]:
    """The packages that are unpacked."""
    try:
        return sorted(path for path in directory.iterdir() if not path.name.startswith(".") and path.is_dir())
    except OSError:
        return []


def _shared(package: Path) -> bool:
    """Whether some file of a package has another name elsewhere."""
    for folder, _, names in os.walk(package):
        for name in names:
            with contextlib.suppress(OSError):
                if os.lstat(os.path.join(folder, name)).st_nlink > 1:  # noqa: PTH118  # a Path costs more
                    return True
    return False
