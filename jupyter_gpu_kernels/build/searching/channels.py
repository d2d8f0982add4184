"""Looking for packages in conda channels."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from ...errors import ChannelError, InvalidInputError
from ...models import FoundPackage, Stage
from ..conda import errand, failures
from ..conda.settings import ChannelSettings
from ..tools.processes import ToolSilentError
from .flights import Flights
from .names import Names, refuse_hostile
from .shelf import Shelf, key_of

#: Seconds after which names are fetched again, while the old ones still answer.
FRESH = 600.0

#: Seconds after which old names are no answer any more, as where the channel is out of reach.
STALE = 86400.0

#: Seconds without a question after which names leave the memory; they come back from the disk in a moment.
IDLE = 300.0

#: Seconds for which the versions of a package are believed.
VERSIONS = 300.0

#: Seconds that a fetch may take: a channel without a sharded index has a hundred megabytes to send.
LIMIT = 180.0

_log = logging.getLogger(__name__)


@dataclass
class _Held:
    """Names in memory.

    Attributes:
        names: The names.
        fetched, asked: When, on :func:`time.monotonic`'s clock.
    """

    names: Names
    fetched: float
    asked: float


class ChannelSearch:
    """Finds conda packages by name, and their versions; belongs to one event loop.

    Args:
        cache_dir: Root of the caches.
        limit: Seconds that a fetch may take.
    """

    def __init__(self, cache_dir: Path, *, limit: float = LIMIT) -> None:
        self._shelf = Shelf(cache_dir / "names")
        self._repodata = cache_dir / "repodata"
        self._limit = limit
        self._held: dict[str, _Held] = {}
        self._fetches: Flights[Names] = Flights(0)
        self._versions: Flights[FoundPackage | None] = Flights(VERSIONS)
        self._sweeping: asyncio.TimerHandle | None = None

    async def names(self, text: str, settings: ChannelSettings, limit: int) -> tuple[FoundPackage, ...]:
        """Packages whose names somebody may mean who types this, the best first.

        Raises:
            InvalidInputError: It cannot be part of a name, or there is no channel.
            ChannelError: A channel does not answer as it should.
        """
        refuse_hostile(text)
        _refuse_nowhere(settings)
        names = await self._all(settings)
        channels = [channel.name for channel in settings.resolved()]
        return tuple(
            FoundPackage(name=name, stage=Stage.LINK, source=channels[owner]) for name, owner in names.best(text, limit)
        )

    async def package(self, name: str, settings: ChannelSettings) -> FoundPackage | None:
        """A package with its versions for this platform, ``None`` if no channel has it; raises as :meth:`names`."""
        refuse_hostile(name)
        _refuse_nowhere(settings)
        name = name.strip().lower()
        return await self._versions.ask((key_of(settings), name), lambda: self._look_up(name, settings))

    async def close(self) -> None:
        """End all fetches."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        await asyncio.gather(self._fetches.close(), self._versions.close())

    async def _all(self, settings: ChannelSettings) -> Names:
        """All names: from memory, from the disk, or from the channels."""
        key, now = key_of(settings), time.monotonic()
        held = self._held.get(key)
        if held is None and (kept := await asyncio.to_thread(self._shelf.read, key)) is not None:
            age, channels = kept
            if age < STALE and len(channels) == len(settings.resolved()):
                names = await asyncio.to_thread(Names.of, channels)
                # Somebody else may have read it meanwhile, or fetched newer ones.
                held = self._held.setdefault(key, _Held(names, now - age, now))
        if held is None or now - held.fetched > STALE:
            return await self._fetches.ask(key, lambda: self._fetch(key, settings))
        held.asked = now
        self._sweep_later()
        if now - held.fetched > FRESH:
            # Not awaited: who types is answered by the old ones. What goes wrong is told once they are stale.
            self._fetches.renew(key, lambda: self._fetch(key, settings))
        return held.names

    async def _fetch(self, key: str, settings: ChannelSettings) -> Names:
        """Fetch all names, and keep them."""
        result = await self._send({"errand": "names"}, settings)
        names = await asyncio.to_thread(Names.of, result["names"])
        now = time.monotonic()
        self._held[key] = _Held(names, now, now)
        self._sweep_later()
        try:
            await asyncio.to_thread(self._shelf.write, key, result["names"])
        except OSError as error:
            _log.info("The names of packages are not kept on disk: %s", error)
        return names

    async def _look_up(self, name: str, settings: ChannelSettings) -> FoundPackage | None:
        """Fetch the versions of one package."""
        result = await self._send({"errand": "versions", "name": name}, settings)
        versions: Sequence[Sequence[str]] = result["versions"]
        first = next((number for number, found in enumerate(versions) if found), None)
        if first is None:
            return None
        # By strict priority, which is also what the solver keeps to, a channel hides a package of those after it.
        offered = result["together"] if settings.priority == "disabled" else versions[first]
        source = settings.resolved()[first].name
        return FoundPackage(name=name, stage=Stage.LINK, source=source, versions=tuple(offered))

    async def _send(self, job: Mapping[str, Any], settings: ChannelSettings) -> Mapping[str, Any]:
        """Send a builder on an errand.

        Raises:
            ChannelError: A channel does not answer as it should.
            InvalidInputError: A name or a channel is malformed.
        """
        # Whoever types does not wait for a fourth attempt.
        settings = replace(settings, retries=min(settings.retries, 1))
        job = {**job, "settings": msgspec.to_builtins(settings), "repodata": str(self._repodata)}
        try:
            return await errand.run(job, settings, silence=self._limit)
        except errand.BuilderFailedError as failed:
            raise failures.of_solve(failed.exception, failed.text, settings) from None
        except errand.BuilderDiedError as died:
            raise failures.crashed(str(died)) from None
        except ToolSilentError:
            names = ", ".join(channel.name for channel in settings.resolved())
            msg = f"The channels did not tell their packages within {self._limit:g} s: {names}."
            raise ChannelError(msg, cure="Check the network connection, or use a mirror.") from None

    def _sweep_later(self) -> None:
        """See to it that what nobody asks for leaves the memory."""
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(IDLE, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        now = time.monotonic()
        self._held = {key: held for key, held in self._held.items() if now - held.asked < IDLE}
        if self._held:
            self._sweep_later()


def _refuse_nowhere(settings: ChannelSettings) -> None:
    """Refuse to look where there is no channel."""
    if not settings.channels:
        msg = "There is no conda channel to look for packages in."
        raise InvalidInputError(msg, cure="Name a channel, for example conda-forge.")
