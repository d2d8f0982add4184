"""What keeps its version while something else is changed."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from ...models import InstalledPackage, Installer, Manifest, PackageOrigin
from ..contents.distributions import Distribution
from ..contents.installed import Contents
from ..wheels.settings import Hold


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What an environment can hold on to.

    Attributes:
        packages: What is in it, and why.
        contents: The same as it is on disk.
        manifest: Its manifest.
    """

    packages: tuple[InstalledPackage, ...]
    contents: Contents
    manifest: Manifest

    def records(self, freed: Collection[str]) -> tuple[str, ...]:
        """The records of conda packages that keep their version if they can: all but the freed ones."""
        return tuple(str(item.path) for item in self.contents.records if canonicalize_name(item.name) not in freed)

    def firm(self, freed: Collection[str], *, everything: bool) -> tuple[str, ...]:
        """The names of those that an answer is looked for first without moving.

        Args:
            freed: What may move.
            everything: Whether that is all the rest; otherwise it is what somebody asked for by its name, while what
                is merely needed goes with what is updated.
        """
        return tuple(item.name for item in self.contents.records if self._is_firm(item.name, freed, everything))

    def wheels(self, freed: Collection[str], *, kept: tuple[str, ...], everything: bool, nothing: bool = False) -> Hold:
        """The same of wheels.

        Args:
            freed: What may move.
            kept: Requirements of what was added from outside.
            everything: As in :meth:`firm`.
            nothing: Whether all of it may move.
        """
        if nothing:
            return Hold(kept=kept)
        pins = {item.name: f"{item.name}=={item.version}" for item in self._held(freed)}
        firm = (pin for name, pin in pins.items() if self._is_firm(name, freed, everything))
        return Hold(pins=tuple(pins.values()), firm=tuple(firm), kept=kept)

    def python(self) -> str | None:
        """Version of Python that a virtual environment stays with; conda's is a package like any other."""
        if self.manifest.plan.installer is Installer.CONDA:
            return None
        return ".".join(self.manifest.plan.python.split(".")[:2]) or None

    def _held(self, freed: Collection[str]) -> Iterator[Distribution]:
        """The wheels that an index has given."""
        return (item for item in self.contents.distributions if item.name not in freed and not item.origin)

    def _is_firm(self, name: str, freed: Collection[str], everything: bool) -> bool:
        name = canonicalize_name(name)
        return name not in freed and (everything or name not in self._needed)

    @functools.cached_property
    def _needed(self) -> frozenset[str]:
        """The names of mere dependencies."""
        needed = (item.name for item in self.packages if item.origin is PackageOrigin.DEPENDENCY)
        return frozenset(map(canonicalize_name, needed))
