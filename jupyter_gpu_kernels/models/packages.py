"""The packages of an environment: what there is, what could be, and what shall change."""

from __future__ import annotations

import dataclasses
import enum

from .plan import Plan
from .progress import Stage


class PackageOrigin(str, enum.Enum):
    """Why a package is in an environment."""

    ASKED = "asked"
    FRAMEWORK = "framework"
    COMPANION = "companion"
    DEPENDENCY = "dependency"
    OUTSIDE = "outside"


@dataclasses.dataclass(frozen=True, kw_only=True)
class InstalledPackage:
    """A package as it is in an environment now.

    Attributes:
        name: Normalised name.
        version: Exact version.
        build: Conda build string; empty for wheels.
        source: Channel (conda), ``"pypi"``, or where else it came from (a path, a repository), without credentials.
        stage: ``link`` for conda packages, ``wheels`` for others.
        origin: Why it is there: asked for by its user, part of the framework or a companion of it, needed by another
            one, or added from outside, with ``conda install`` or ``pip install``.
        size: Bytes of it on disk, 0 when unknown.
    """

    name: str
    version: str
    build: str = ""
    source: str = ""
    stage: Stage = Stage.LINK
    origin: PackageOrigin = PackageOrigin.DEPENDENCY
    size: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundPackage:
    """A package of a channel or an index.

    Attributes:
        name: Its name.
        stage: ``link`` for conda packages, ``wheels`` for others.
        source: The channel, or ``"pypi"``.
        versions: Its versions that fit this platform, the newest first; empty while only its name was looked for.
        summary: What it is, if its source says so.
        installed: The version that the environment has, ``None`` if none, or if none was named.
    """

    name: str
    stage: Stage = Stage.LINK
    source: str = ""
    versions: tuple[str, ...] = ()
    summary: str = ""
    installed: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackageEdit:
    """What shall change of an environment's packages; all of it at once, or nothing.

    Attributes:
        install: Packages of the environment's own installer (conda match specs, or PEP 508 requirements).
        pip: PEP 508 requirements for the pip stage of a conda environment.
        uninstall: Names of packages that were asked for or added.
        update: Names of packages to bring to the newest version that fits.
        update_all: Bring everything to the newest version that fits.
    """

    install: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    uninstall: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    update_all: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackageDifference:
    """What becomes of a package; ``before`` is ``None`` for a new one, ``after`` for one that goes.

    Attributes:
        name: Normalised name.
        stage: ``link`` for conda packages, ``wheels`` for others.
        before, after: Version, and the build where only that differs.
        size: Bytes to download for it, 0 if it is cached or its size unknown.
    """

    name: str
    stage: Stage
    before: str | None = None
    after: str | None = None
    size: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class EditPlan:
    """What an edit would do.

    Attributes:
        plan: The whole environment as it would be; its warnings name what would be lost.
        differences: What would change, in order of name; empty if nothing would.
    """

    plan: Plan
    differences: tuple[PackageDifference, ...] = ()
