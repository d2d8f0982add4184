"""Looking for packages in Python package indexes, of which one can only ask whether they have a name.

Nothing there says what names there are: https://packaging.python.org/en/latest/specifications/simple-repository-api/
has a list of all of them, forty megabytes long on the largest index, and many mirrors have none. So what is typed finds
the package of just that name, or nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from packaging.utils import canonicalize_name

from ...errors import ChannelError
from ...hardware.threads import within
from ...models import FoundPackage, Stage
from ..wheels.uv import Uv, prepare
from .flights import Flights
from .names import refuse_hostile
from .pages import File, Fit
from .places import Places, places
from .visiting import Visitor

#: Seconds for which an index is believed, and where they are.
BELIEVED = 300.0
SETTLED = 60.0

#: Seconds for one question.
DEADLINE = 30.0

#: Questions at a time.
AT_ONCE = 4

#: https://packaging.python.org/en/latest/specifications/name-normalization/
_NAME = re.compile(r"[a-z0-9]|[a-z0-9][a-z0-9._-]*[a-z0-9]", re.IGNORECASE)


class IndexSearch:
    """Finds what the configured indexes have of a name; belongs to one event loop.

    Args:
        prepare: Makes uv ready; called in a thread.
    """

    def __init__(self, prepare: Callable[[], Uv] = prepare) -> None:
        self._prepare = prepare
        self._places: Flights[tuple[Uv, Places]] = Flights(SETTLED)
        self._found: Flights[FoundPackage | None] = Flights(BELIEVED)
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def package(self, name: str, python: str) -> FoundPackage | None:
        """A package with the versions that have a wheel for this platform, ``None`` if no index has any.

        Args:
            name: Its name.
            python: Version of Python that it is for, ``"3.12.4"``.

        Raises:
            InvalidInputError: It is too long for a name, or has characters that none has.
            ChannelError: An index does not answer as it should.
        """
        refuse_hostile(name)
        if not _NAME.fullmatch(name.strip()):
            return None
        project = canonicalize_name(name.strip())
        uv, where = await self._places.ask("", self._settle)
        return await self._found.ask((project, python, where), lambda: self._look_up(uv, where, project, python))

    async def close(self) -> None:
        """End all questions."""
        await asyncio.gather(self._found.close(), self._places.close())

    async def _look_up(self, uv: Uv, where: Places, project: str, python: str) -> FoundPackage | None:
        async with self._gate:
            try:
                files = await within(DEADLINE, lambda: _files(uv, where, project))
            except asyncio.TimeoutError:
                msg = f"The package index did not answer within {DEADLINE:g} s."
                raise ChannelError(msg, cure="Check the connection and the configured index.") from None
        versions = await asyncio.to_thread(Fit(python).versions, project, files)
        if not versions:
            return None
        return FoundPackage(name=project, stage=Stage.WHEELS, source="pypi", versions=versions)

    async def _settle(self) -> tuple[Uv, Places]:
        uv = await asyncio.to_thread(self._prepare)
        return uv, await places(uv)


def _files(uv: Uv, where: Places, project: str) -> list[File]:
    """What all places have of a project. Blocks on the net."""
    visitor = Visitor(uv.environment)
    found = [file for place in where.links for file in visitor.links(place)]
    for index in where.indexes:
        files = visitor.project(index, project)
        found += files
        if files and uv.environment.get("UV_INDEX_STRATEGY", "first-index") == "first-index":
            # uv takes a package from the first index that has it, lest somebody else's is taken for it.
            break
    return found
