"""Directories of links to CUDA libraries, for environments that keep them among others.

A directory is named after its prefix and its content, so a finished one never changes: it is made beside, renamed in,
and shared by every kernel of that prefix. Directories of an earlier content are swept once nothing uses them any more.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

#: After this many seconds without a launch a stale directory may go: a kernel on another host may use it, unseen.
STALE_AFTER = 7 * 24 * 3600.0


def link_directory(prefix: Path, links: Mapping[str, Path], root: Path) -> Path:
    """Return the directory of links of a prefix, made if need be.

    Args:
        prefix: The environment that the directory is for.
        links: Target by name of the link.
        root: Where such directories are kept.

    Raises:
        OSError: It could not be made.
    """
    owner = _digest(str(prefix))
    final = root / f"{owner}-{_digest(*(f'{name}={target}' for name, target in sorted(links.items())))}"
    try:
        os.utime(final)
    except FileNotFoundError:
        root.mkdir(parents=True, exist_ok=True)
        _make(final, links)
        _sweep(root, owner, keep=final)
    except OSError:
        # Somebody else's, or a read-only cache: good to use, if it can be read.
        if not final.is_dir():
            raise
    return final


def write_links(folder: Path, links: Mapping[str, Path]) -> None:
    """Fill a directory with links; a relative target is meant from the directory."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in links.items():
        (folder / name).symlink_to(target)


def _make(final: Path, links: Mapping[str, Path]) -> None:
    """Make a directory of links beside its final path and rename it in; losing a race is as good as winning it."""
    temporary = Path(tempfile.mkdtemp(dir=final.parent, prefix=".making-"))
    try:
        write_links(temporary, links)
        temporary.chmod(0o755)
        try:
            temporary.rename(final)
        except OSError:
            if not final.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(root: Path, owner: str, keep: Path) -> None:
    """Remove the stale directories of a prefix that no kernel uses, and those of prefixes that are gone."""
    for path in root.glob("[0-9a-f]*-[0-9a-f]*"):
        # Generations are verified at a path that they do not keep: each leaves one of these.
        if not path.name.startswith(owner) and not any(link.exists() for link in path.iterdir()):
            shutil.rmtree(path, ignore_errors=True)
    stale = [path for path in root.glob(f"{owner}-*") if path != keep and _unused_for(path) > STALE_AFTER]
    if not stale:
        return
    environments = list(_environments_of_processes())
    for path in stale:
        if not any(os.fsencode(path) in environment for environment in environments):
            shutil.rmtree(path, ignore_errors=True)


def _unused_for(path: Path) -> float:
    """Seconds since the last launch with a directory of links."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _environments_of_processes() -> Iterator[bytes]:
    """The environment block of every process that this user may look into (Linux)."""
    for block in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            yield block.read_bytes()


def _digest(*parts: str) -> str:
    """A short name for some text."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
