"""What somebody has added to an environment behind its manifest's back, and what of it can be carried to a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

from ...models import PlannedPackage
from ..conda.history import name_of
from ..wheels.shadow import python_distributions
from .distributions import Distribution
from .installed import ESSENTIAL, Contents


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What was added from outside.

    Attributes:
        specs: Match specs of what came with ``conda install`` and its like.
        requirements: Exact requirements of what came with ``pip install`` and its like, from an index.
        lost: What cannot be carried: by name, a sentence for it.
    """

    specs: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    lost: Mapping[str, str] = field(default_factory=dict)

    def without(self, names: frozenset[str]) -> Outside:
        """The rest, without some packages."""
        return Outside(
            specs=tuple(text for text in self.specs if canonicalize_name(name_of(text)) not in names),
            requirements=tuple(text for text in self.requirements if name_of(text) not in names),
            lost={name: sentence for name, sentence in self.lost.items() if name not in names},
        )


def outside(found: Contents) -> Outside:
    """Tell what was added from outside. Blocks on the disk."""
    brought = python_distributions(
        PlannedPackage(name=item.name, version=item.version, build=item.build) for item in found.records
    )
    kept = {name_of(text) for text in found.kept}
    strange = [item for item in found.distributions if item.name not in found.wheels and item.name not in ESSENTIAL]
    lost = [item for item in strange if item.origin or item.name in brought]
    strange = [item for item in strange if item not in lost]
    needed = {name for item in strange for name in item.needs() - {item.name}}
    carried = [item for item in found.distributions if item.name in kept]
    carried += [item for item in strange if item.requested or item.name not in needed]
    return Outside(
        specs=found.added,
        requirements=tuple(sorted({f"{item.name}=={item.version}" for item in carried})),
        lost={item.name: _sentence(item) for item in lost},
    )


_PAINTED = "{0} {1} was installed with pip over the conda package of that name, whose version will be back."


def _sentence(item: Distribution) -> str:
    if not item.origin:
        return _PAINTED.format(item.name, item.version)
    how = "as an editable installation " if item.editable else ""
    cure = "install it from there again afterwards"
    return f"{item.name} was installed {how}from {item.origin}, and will be missing: {cure}."
