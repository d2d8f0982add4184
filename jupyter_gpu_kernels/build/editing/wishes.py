"""What an edit makes of an environment's wishes, and what it may not take away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name

from ...errors import InvalidInputError, InvalidPackageError, RefusedError
from ...models import EnvironmentSpec, Framework, Installer, Manifest, PackageEdit, PackageOrigin
from ..contents.installed import ESSENTIAL, Contents, listed
from ..contents.outside import outside
from ..planning import validation
from ..planning.preference import Preference, named
from .holding import Holding

#: An exact version, as requirements (``six==1.17.0``) and conda's exports (``six=1.17.0=pyhd8ed1ab_0``) write it.
_EXACT = re.compile(r"==|=[^=<>,\s]+=")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an edit comes to.

    Attributes:
        spec: What will have been asked for.
        preference: What of the environment is kept.
        lost: Names of what is lost whatever is done, since it cannot be carried.
    """

    spec: EnvironmentSpec
    preference: Preference
    lost: frozenset[str]


def check(edit: PackageEdit, manifest: Manifest) -> None:
    """Refuse what is malformed.

    Raises:
        InvalidInputError: Nothing is asked for, or something contradicts itself or is no package.
    """
    if edit == PackageEdit():
        msg = "Nothing was said of what to change."
        raise InvalidInputError(msg, cure="Name packages to install, to remove or to update.")
    validation.check_packages(edit.install, manifest.plan.installer, channels=manifest.spec.channels)
    validation.check_packages(edit.pip, Installer.PYPI)
    for names in (edit.uninstall, edit.update):
        validation.check_packages(names, Installer.AUTO)
        for name in names:
            if canonicalize_name(name) not in named((name,)):
                msg = f"{name!r} is more than the name of a package."
                raise InvalidPackageError(msg, cure="Give the name alone; to have another version, install that.")
    both = named((*edit.install, *edit.pip, *edit.update)) & named(edit.uninstall)
    if both or named(edit.install) & named(edit.pip):
        name = min(both or named(edit.install) & named(edit.pip))
        msg = f"{name} is asked for in two ways that contradict each other."
        raise InvalidInputError(msg, cure="Name each package once.")


def change(manifest: Manifest, found: Contents, framework: Framework, edit: PackageEdit) -> Change:
    """What an edit comes to. Blocks on the disk.

    Args:
        manifest: The environment's.
        found: What is in it.
        framework: Its framework.
        edit: The edit, which has passed :func:`check`.

    Raises:
        RefusedError: Something shall be removed that has to stay, or is not there.
    """
    packages = listed(found, manifest, framework)
    added = outside(found)
    spec = manifest.spec
    wishes = named((*spec.packages, *spec.pip))
    present: set[str] = {canonicalize_name(item.name) for item in packages}
    for name in sorted(named(edit.update) - present):
        raise _absent(name, manifest)
    gone = named(edit.uninstall)
    for name in sorted(gone):
        if name in ESSENTIAL:
            msg = f"{name} is part of every kernel, and stays."
            raise RefusedError(msg, cure="Remove the environment if it is of no use any more.")
        if name in wishes or name in named((*added.specs, *added.requirements, *added.lost)):
            continue
        if name not in present:
            raise _absent(name, manifest)
        origin = next(item.origin for item in packages if canonicalize_name(item.name) == name)
        raise _refused(name, origin, found, framework)
    again = named((*edit.install, *edit.pip))
    wanted = replace(
        spec,
        packages=_replaced(spec.packages, gone | again, edit.install),
        pip=_replaced(spec.pip, gone | again, edit.pip),
    )
    moving: set[str] = present if edit.update_all else named(edit.update)
    if not spec.recipe:
        # Who brought exact versions of everything along did not mean them to stay for ever.
        wanted = replace(wanted, packages=_unpinned(wanted.packages, moving), pip=_unpinned(wanted.pip, moving))
    freed = again | named(edit.update)
    carried = added.without(frozenset(gone | again))
    holding = Holding(packages=packages, contents=found, manifest=manifest)
    preference = Preference(
        keep=_loosened(carried.specs, named(edit.update)),
        hold=() if edit.update_all else holding.records(freed),
        firm=() if edit.update_all else holding.firm(freed, everything=not edit.update),
        wheels=holding.wheels(
            freed,
            kept=_loosened(carried.requirements, again | moving),
            everything=not edit.update,
            nothing=edit.update_all,
        ),
        python=holding.python(),
        remarks=tuple(carried.lost.values()),
    )
    return Change(spec=wanted, preference=preference, lost=frozenset(carried.lost))


def why_there(name: str, found: Contents) -> str:
    """Who needs a package, as the end of a sentence; empty if nobody does. Blocks on the disk."""
    needing = _needing(name, found)
    if not needing:
        return ""
    several = len(needing) > 1
    shown = " and ".join(filter(None, (", ".join(needing[:3]), f"{len(needing) - 3} others" if needing[3:] else "")))
    return f"{shown} need{'' if several else 's'} it"


def _needing(name: str, found: Contents) -> list[str]:
    """Names of the packages that need one."""
    needing = [item.name for item in found.records if name in named(item.depends)]
    needing += [item.name for item in found.distributions if name in item.needs()]
    return sorted({item for item in needing if canonicalize_name(item) != name})


def _refused(name: str, origin: PackageOrigin, found: Contents, framework: Framework) -> RefusedError:
    """Why a package has to stay that nobody asked for by its name."""
    if origin is PackageOrigin.FRAMEWORK:
        msg = f"{name} belongs to {framework.title}, which this environment is for."
        return RefusedError(msg, cure="Create an environment with another framework instead.")
    if origin is PackageOrigin.COMPANION:
        msg = f"{name} comes along with {framework.title}."
        return RefusedError(msg, cure="Create an environment without companions instead.")
    needed = why_there(name, found)
    if needed:
        essential = not ESSENTIAL.isdisjoint(_needing(name, found))
        cure = "No kernel can do without it." if essential else "Remove what needs it."
        return RefusedError(f"{name} has to stay: {needed}.", cure=cure)
    msg = f"{name} was not asked for, and came along with something else."
    return RefusedError(msg, cure="Rebuild the environment: what nobody needs any more is left out.")


def _absent(name: str, manifest: Manifest) -> RefusedError:
    msg = f"{name} is not in {manifest.name}."
    return RefusedError(msg, cure=f"`jupyter gpu-kernels packages {manifest.name}` lists what is.")


def _replaced(old: Sequence[str], without: set[str], new: Sequence[str]) -> tuple[str, ...]:
    """Wishes, of which newer ones take the place of older ones for the same package."""
    return tuple(dict.fromkeys((*(text for text in old if not named((text,)) & without), *new)))


def _loosened(specs: Iterable[str], freed: set[str]) -> tuple[str, ...]:
    """Specs of which some may have any version."""
    return tuple(min(named((text,))) if named((text,)) & freed else text for text in specs)


def _unpinned(specs: Iterable[str], freed: set[str]) -> tuple[str, ...]:
    """Specs of which some may have any version, if they name an exact one; those that name a range are meant."""
    return tuple(text if _EXACT.search(text) is None else _loosened((text,), freed)[0] for text in specs)
