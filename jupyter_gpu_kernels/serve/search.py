"""Looking for packages that an environment could have."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from packaging.utils import canonicalize_name

from ..build.conda.condarc import read_condarc
from ..build.conda.settings import ChannelSettings
from ..build.contents.installed import versions
from ..build.searching.channels import ChannelSearch
from ..build.searching.flights import Flights
from ..build.searching.indexes import IndexSearch
from ..build.searching.names import refuse_hostile
from ..errors import InvalidInputError, NotFoundError
from ..models import EnvironmentKind, FoundPackage, Installer, Manifest

#: Names that one question may be answered with.
MOST = 100

#: Seconds for which is believed what an environment has and where its packages come from: a few letters' time.
BELIEVED = 5.0


class Asked(Protocol):
    """What searching needs of the manager."""

    cache_dir: str
    channels: list[str]
    default_installer: str

    async def get(self, name: str) -> Manifest:
        """What was built under a name."""


@dataclass(frozen=True, kw_only=True)
class _Where:
    """Where to look, and for whom.

    Attributes:
        settings: The channels; ``None`` for the package indexes.
        python: Version of the environment's Python, empty for this one's.
        installed: Versions that the environment has, by normalised name.
    """

    settings: ChannelSettings | None
    python: str
    installed: Mapping[str, str]

    def seen(self, package: FoundPackage) -> FoundPackage:
        """A package with the version that the environment has of it."""
        return replace(package, installed=self.installed.get(canonicalize_name(package.name)))


class Search:
    """Finds packages by name: as one types in conda channels, by their exact name alone in package indexes.

    Args:
        manager: Knows environments and settings.
    """

    def __init__(self, manager: Asked) -> None:
        self._manager = manager
        self._channels = ChannelSearch(Path(manager.cache_dir))
        self._indexes = IndexSearch()
        self._where: Flights[_Where] = Flights(BELIEVED)

    async def names(self, text: str, environment: str | None = None, limit: int = 20) -> tuple[FoundPackage, ...]:
        """Packages that somebody may mean who types this, the best first, without their versions.

        Package indexes cannot be searched: there the answer is the one package of that very name, or none.

        Args:
            text: What was typed.
            environment: Who shall have them; without, the configured channels are searched.
            limit: How many to answer at most.

        Raises:
            InvalidInputError: It cannot be part of a name, or the limit is none.
            NotFoundError: There is no such environment.
            ChannelError: A channel or index does not answer as it should.
        """
        if not 1 <= limit <= MOST:
            msg = f"The limit must be between 1 and {MOST}, and is {limit}."
            raise InvalidInputError(msg, cure=f"Ask again with a limit of {MOST} or less.")
        refuse_hostile(text)
        where = await self._look(environment)
        if not text.strip():
            return ()
        if where.settings is None:
            package = await self._indexes.package(text, where.python)
            return (where.seen(replace(package, versions=())),) if package else ()
        found = await self._channels.names(text, where.settings, limit)
        return tuple(where.seen(package) for package in found)

    async def package(self, name: str, environment: str | None = None) -> FoundPackage:
        """A package with its versions for this platform, the newest first.

        Raises:
            InvalidInputError: It cannot be a name.
            NotFoundError: There is no such environment, or nobody has such a package.
            ChannelError: A channel or index does not answer as it should.
        """
        refuse_hostile(name)
        where = await self._look(environment)
        if where.settings is None:
            found = await self._indexes.package(name, where.python)
        else:
            found = await self._channels.package(name, where.settings)
        if found is None:
            channels = ", ".join(channel.name for channel in where.settings.resolved()) if where.settings else ""
            who = f"channel has a package {name!r} for this platform: {channels}" if channels else ""
            msg = f"No {who or f'configured package index has a wheel of {name!r} for this Python and platform'}."
            raise NotFoundError(msg, cure="Check the name for typing errors, or search for a part of it.")
        return where.seen(found)

    async def close(self) -> None:
        """End whatever is being asked."""
        await asyncio.gather(self._where.close(), self._channels.close(), self._indexes.close())

    async def _look(self, environment: str | None) -> _Where:
        return await self._where.ask(environment, lambda: self._find(environment))

    async def _find(self, environment: str | None) -> _Where:
        """Where packages of an environment come from, and which it has."""
        manifest = await self._manager.get(environment) if environment else None
        return await asyncio.to_thread(
            _where, manifest, tuple(self._manager.channels), Installer(self._manager.default_installer)
        )


def _where(manifest: Manifest | None, configured: Sequence[str], installer: Installer) -> _Where:
    """Where to look for an environment, or for one that will be made as configured. Blocks on the disk."""
    if manifest is None:
        settings = None if installer is Installer.PYPI else read_condarc().settings_for(tuple(configured))
        return _Where(settings=settings, python=_here(), installed={})
    python = manifest.plan.python or _here()
    installed = versions(Path(manifest.prefix))
    if manifest.kind is EnvironmentKind.VIRTUALENV:
        return _Where(settings=None, python=python, installed=installed)
    settings = read_condarc().settings_for(manifest.spec.channels or tuple(configured))
    known = {channel.name for channel in settings.resolved()}
    if not manifest.spec.channels and not known.issuperset(manifest.plan.channels):
        # Its framework has channels of its own, or others were configured when it was built.
        settings = read_condarc().settings_for(manifest.plan.channels)
    return _Where(settings=settings, python=python, installed=installed)


def _here() -> str:
    """The version of this process's Python."""
    return platform.python_version()
