"""Environments as files: written, read, packed."""

from __future__ import annotations

import dataclasses
import enum

from .plan import Plan
from .spec import EnvironmentSpec


class FileFormat(str, enum.Enum):
    """What an environment can be written to, and read from."""

    #: What was asked for, as ``conda env create -f`` takes it.
    ENVIRONMENT_YML = "environment.yml"
    #: The same with exact versions and builds.
    EXACT_YML = "exact.yml"
    #: conda's ``@EXPLICIT`` list, for one platform.
    EXPLICIT = "explicit.txt"
    #: rattler's lock file, which is ``pixi.lock``; for several platforms.
    LOCK = "pixi.lock"
    #: conda-lock's unified lock file; read only.
    CONDA_LOCK = "conda-lock.yml"
    #: pip's requirements, with hashes where they are known.
    REQUIREMENTS = "requirements.txt"
    #: What notebooks carry (:class:`~.recipe.KernelRecipe`).
    RECIPE = "recipe.json"
    #: A lock with all its packages, for machines without a network.
    PACK = "pack"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """An environment as a text.

    Attributes:
        file_name: What to call the file.
        format: What it is.
        text: What is in it.
        warnings: What it does not say of the environment, one sentence each.
    """

    file_name: str
    format: FileFormat
    text: str
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What shall be made of a file.

    Attributes:
        text: What is in the file; or empty, and ``path`` names it.
        path: The file, below the root of the server's contents; for packs, and whatever is there already.
        file_name: What the file is called, which helps to tell its format; of no consequence otherwise.
        name: Name of the new environment, ``None`` for the file's own.
        display_name: Name shown in the Launcher, or ``None`` for one that is made up.
        verify: Whether to verify in a real kernel before registration.
    """

    text: str = ""
    path: str = ""
    file_name: str = ""
    name: str | None = None
    display_name: str | None = None
    verify: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImportPlan:
    """What would be built of a file.

    Attributes:
        format: What the file is.
        exact: Whether it says exactly which packages; then nothing is chosen here.
        spec: What it asks for, in our words; its name is the one that would be taken.
        plan: What would be built here.
    """

    format: FileFormat
    exact: bool
    spec: EnvironmentSpec
    plan: Plan


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackRequest:
    """Where a pack shall be.

    Attributes:
        path: A directory below the root of the server's contents, empty for the root.
    """

    path: str = ""
