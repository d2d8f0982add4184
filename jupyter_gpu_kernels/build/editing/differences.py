"""What becomes of each package when an environment is exchanged for a new build."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import InvalidVersion, Version

from ...models import InstalledPackage, PackageDifference, PlannedPackage, Stage
from ..planning.planner import Planned


def differences(before: Iterable[InstalledPackage], planned: Planned) -> tuple[PackageDifference, ...]:
    """Compare what is there with what would be, in order of name."""
    old = {(item.name, item.stage): item for item in before}
    new = {(item.name, item.stage): item for item in planned.plan.packages}
    missing = {(name, Stage.LINK) for name in (planned.conda.missing if planned.conda else ())}
    missing |= {(name, Stage.WHEELS) for name in (planned.wheels.missing if planned.wheels else ())}
    found = []
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[0], key[1].value)):
        was, will = old.get(key), new.get(key)
        same = bool(was and will and _same_version(was.version, will.version))
        if same and was and will and was.build == will.build:
            continue
        size = will.size if will and key in missing else 0
        found.append(
            PackageDifference(
                name=key[0],
                stage=key[1],
                before=_shown(was, with_build=same),
                after=_shown(will, with_build=same),
                size=size,
            )
        )
    return tuple(found)


def sentence(difference: PackageDifference) -> str:
    """What becomes of a package, in a line: ``six 1.16.0 → 1.17.0``."""
    what = f"{difference.name} (wheel)" if difference.stage is Stage.WHEELS else difference.name
    if difference.before is None:
        return f"+ {what} {difference.after}"
    if difference.after is None:
        return f"- {what} {difference.before}"
    return f"  {what} {difference.before} → {difference.after}"


def _same_version(one: str, other: str) -> bool:
    """Whether two versions are the same, however they are written: metadata and indexes differ in final zeros."""
    try:
        return one == other or Version(one) == Version(other)
    except InvalidVersion:
        return False


def _shown(package: InstalledPackage | PlannedPackage | None, *, with_build: bool) -> str | None:
    """A version, and the build where only that differs."""
    if package is None:
        return None
    return f"{package.version} {package.build}".strip() if with_build else package.version
