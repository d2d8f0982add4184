"""The packages of an environment, and why each of them is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from ...models import (
    EnvironmentKind,
    Framework,
    InstalledPackage,
    Manifest,
    PackageOrigin,
    PlannedPackage,
    Stage,
)
from ...prefix.layout import Layout
from ..conda import neighbour
from ..conda.history import name_of
from .distributions import Distribution, distributions
from .pins import read_pins
from .records import CondaRecord, conda_records

#: In every environment: the kernel itself, what runs it, and what ``%pip install`` calls.
ESSENTIAL = frozenset({"python", "ipykernel", "pip"})


@dataclass(frozen=True, kw_only=True)
class Contents:
    """All that is known of an environment's packages from its disk.

    Attributes:
        records: Its conda packages.
        distributions: What pip and uv have installed.
        added: Match specs of what was added from outside with ``conda install`` and its like.
        kept: Requirements of what was added with pip before the last rebuild, which kept it.
        wheels: Names of the wheels that were installed when it was built.
    """

    records: tuple[CondaRecord, ...]
    distributions: tuple[Distribution, ...]
    added: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    wheels: frozenset[str] = frozenset()


def contents(manifest: Manifest) -> Contents:
    """Look into an environment. Blocks on the disk.

    Raises:
        BrokenEnvironmentError: There is no environment where the manifest says.
    """
    prefix = Path(manifest.prefix)
    layout = Layout.of_prefix(prefix)
    records, others = _read(layout)
    pins = read_pins(prefix)
    planned = {item.name for item in manifest.plan.packages if item.stage is Stage.WHEELS}
    return Contents(
        records=records,
        distributions=others,
        added=neighbour.added_specs(prefix) if layout.kind is EnvironmentKind.CONDA else (),
        kept=pins.kept,
        wheels=pins.names | planned,
    )


def versions(prefix: Path) -> dict[str, str]:
    """Which version of each package an environment has, by normalised name. Blocks on the disk.

    Raises:
        BrokenEnvironmentError: There is no environment.
    """
    records, others = _read(Layout.of_prefix(prefix))
    found = {item.name: item.version for item in others}
    return found | {canonicalize_name(record.name): record.version for record in records}


def installed(manifest: Manifest, framework: Framework | None = None) -> tuple[InstalledPackage, ...]:
    """What is in an environment now, in order of name. Blocks on the disk, not for long; nothing is started.

    Args:
        manifest: The environment's.
        framework: Its entry of the catalogue; without, what belongs to the framework counts as a dependency.

    Raises:
        BrokenEnvironmentError: There is no environment where the manifest says.
    """
    return listed(contents(manifest), manifest, framework)


def listed(found: Contents, manifest: Manifest, framework: Framework | None = None) -> tuple[InstalledPackage, ...]:
    """The same of what has been read already."""
    reasons = _Reasons.of(found, manifest, framework)
    sources = _sources(found.records, manifest.plan.packages)
    packages = [
        InstalledPackage(
            name=record.name,
            version=record.version,
            build=record.build,
            source=sources.get(record.channel, record.channel),
            origin=reasons.why(record.name, Stage.LINK),
            size=record.disk_bytes,
        )
        for record in found.records
    ]
    packages += [
        InstalledPackage(
            name=item.name,
            version=item.version,
            source=item.origin or "pypi",
            stage=Stage.WHEELS,
            origin=reasons.why(item.name, Stage.WHEELS),
            size=item.size(),
        )
        for item in found.distributions
    ]
    return tuple(sorted(packages, key=lambda item: (item.name, item.stage.value)))


def digest(packages: Iterable[InstalledPackage | PlannedPackage]) -> str:
    """SHA-256, in hexadecimal, of what packages are: names, versions, builds and installers, in whatever order."""
    lines = sorted(f"{item.stage.value} {item.name} {item.version} {item.build}".strip() for item in packages)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def recipe_names(manifest: Manifest, framework: Framework | None) -> frozenset[str]:
    """The packages that the catalogue names for an environment: of its framework, and of the extras asked for."""
    plan = manifest.plan
    if framework is None or not manifest.spec.recipe:
        return frozenset()
    recipes = [item for item in framework.recipes if (item.variant, item.installer) == (plan.variant, plan.installer)]
    extras = [item for item in framework.extras if item.id in manifest.spec.extras]
    specs = [text for item in recipes for text in (*item.packages, item.cuda_package, *item.before_turing)]
    specs += [text for item in extras for text in (*item.packages, *item.pip, *item.wheels)]
    return frozenset(map(canonicalize_name, (*framework.package, *(name_of(text) for text in specs if text))))


def _read(layout: Layout) -> tuple[tuple[CondaRecord, ...], tuple[Distribution, ...]]:
    """The packages of conda, and those of others."""
    records = conda_records(layout.prefix) if layout.kind is EnvironmentKind.CONDA else ()
    return records, distributions(layout, records)


@dataclass(frozen=True)
class _Reasons:
    """What an environment was asked to hold, by normalised name."""

    asked: frozenset[str]
    recipe: frozenset[str]
    companions: frozenset[str]
    outside: frozenset[str]
    planned: frozenset[tuple[str, Stage]]

    @classmethod
    def of(cls, found: Contents, manifest: Manifest, framework: Framework | None) -> _Reasons:
        spec = manifest.spec
        companions = framework.companions if framework and spec.companions and spec.recipe else ()
        planned = {(item.name, item.stage) for item in manifest.plan.packages}
        planned |= {(name, Stage.WHEELS) for name in found.wheels}
        return cls(
            asked=_names((*spec.packages, *spec.pip)),
            recipe=recipe_names(manifest, framework),
            companions=_names(companions),
            outside=_names((*found.added, *found.kept)),
            planned=frozenset((canonicalize_name(name), stage) for name, stage in planned),
        )

    def why(self, name: str, stage: Stage) -> PackageOrigin:
        name = canonicalize_name(name)
        if name in ESSENTIAL:
            return PackageOrigin.FRAMEWORK
        if (name, stage) not in self.planned:
            return PackageOrigin.OUTSIDE
        for names, origin in (
            (self.asked, PackageOrigin.ASKED),
            (self.recipe, PackageOrigin.FRAMEWORK),
            (self.companions, PackageOrigin.COMPANION),
            (self.outside, PackageOrigin.OUTSIDE),
        ):
            if name in names:
                return origin
        return PackageOrigin.DEPENDENCY


def _names(specs: Iterable[str]) -> frozenset[str]:
    return frozenset(canonicalize_name(name_of(text)) for text in specs)


def _sources(records: Iterable[CondaRecord], planned: Iterable[PlannedPackage]) -> dict[str, str]:
    """What the user calls the channels, by URL, as far as the plan tells."""
    known = {(item.name, item.version, item.build): item.source for item in planned if item.stage is Stage.LINK}
    found: dict[str, str] = {}
    for record in records:
        if source := known.get((record.name, record.version, record.build)):
            found.setdefault(record.channel, source)
    return found
