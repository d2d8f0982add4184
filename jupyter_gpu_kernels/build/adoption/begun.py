"""Installations into environments of others that were begun: noted before, so that what a death leaves is taken out.

What an installer that was killed leaves has no list of its files, in part. So it is brought to its end first, from what
was downloaded for it; then each file is known, and goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import EnvironmentBusyError, GpuKernelsError
from ...prefix.files import replace_file
from ...prefix.layout import Layout
from ..disk.locks import EnvironmentLock
from ..reporting import Reporter
from ..tools.insistence import finish
from ..wheels.adding import add_again
from .additions import noted, take_out

#: uv's lock, which is none of the environment's.
LOCK = ".lock"


@dataclass(frozen=True, kw_only=True)
class Begun:
    """One installation.

    Attributes:
        pins: What is installed, each with its exact version.
        before: Directories of metadata that were there before.
        locked: Whether there was a lock of uv's.
    """

    pins: tuple[str, ...]
    before: frozenset[str]
    locked: bool

    @property
    def names(self) -> frozenset[str]:
        """What is installed, normalised."""
        return frozenset(re.split(r"[=\s]", pin, maxsplit=1)[0] for pin in self.pins)


class Notes:
    """Remembers installations that were begun; blocks on the disk.

    Args:
        directory: Where; made if need be.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextlib.contextmanager
    def alone(self, prefix: Path) -> Iterator[None]:
        """Be the only one who adopts or releases kernels of an environment.

        Raises:
            EnvironmentBusyError: Somebody else does so now.
        """
        lock = EnvironmentLock(self._directory, _key(prefix))
        try:
            lock.acquire("adopt")
        except EnvironmentBusyError as error:
            msg = f"A kernel of {prefix} is being adopted or released by another process."
            raise EnvironmentBusyError(msg, cure="Wait until that is finished.", detail=error.message) from error
        try:
            yield
        finally:
            lock.release()

    def begin(self, layout: Layout, pins: Collection[str]) -> None:
        """Note what is about to be installed.

        Raises:
            OSError: That cannot be written.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        content = {"pins": list(pins), "before": sorted(metadata(layout)), "locked": (layout.prefix / LOCK).exists()}
        replace_file(self._path(layout), json.dumps(content).encode(), mode=0o600, durable=True)

    def of(self, layout: Layout) -> Begun | None:
        """What was begun in an environment and not brought to its end; ``None`` if there is no such thing."""
        try:
            content = json.loads(self._path(layout).read_bytes())
            return Begun(
                pins=tuple(map(str, content["pins"])),
                before=frozenset(map(str, content["before"])),
                locked=bool(content["locked"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self, layout: Layout) -> None:
        """Remember nothing of an environment any more."""
        with contextlib.suppress(OSError):
            self._path(layout).unlink(missing_ok=True)

    def _path(self, layout: Layout) -> Path:
        return self._directory / f"{_key(layout.prefix)}.json"


def _key(prefix: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(prefix))).hexdigest()[:16]


async def undo(begun: Begun, layout: Layout, reporter: Reporter) -> None:
    """Take out what an installation that was broken off has left."""
    await finish(asyncio.to_thread(_clear, begun, layout))
    try:
        await add_again(begun.pins, layout, reporter)
    except GpuKernelsError as error:
        reporter.log(f"What was begun in {layout.prefix} could not be brought to its end: {error.message}")
    await finish(asyncio.to_thread(_take_out, begun, layout))


def metadata(layout: Layout) -> frozenset[str]:
    """The directories of metadata of all distributions, by their names."""
    return frozenset(
        entry.name for folder in layout.site_packages() for entry in os.scandir(folder) if entry.name.endswith("-info")
    )


def _clear(begun: Begun, layout: Layout) -> None:
    """Let the installer take nothing for installed that is so in part."""
    for folder in layout.site_packages():
        for entry in tuple(os.scandir(folder)):
            name = re.sub(r"[-_.]+", "-", entry.name.partition("-")[0]).lower()
            if entry.name.endswith(".dist-info") and entry.name not in begun.before and name in begun.names:
                shutil.rmtree(entry.path, ignore_errors=True)


def _take_out(begun: Begun, layout: Layout) -> None:
    new = [each for each in noted(layout, begun.names) if each.metadata.rpartition("/")[2] not in begun.before]
    take_out(layout, new)
    if not begun.locked:
        with contextlib.suppress(OSError):
            if not (layout.prefix / LOCK).stat().st_size:
                (layout.prefix / LOCK).unlink()
