"""What the solver answers."""

from __future__ import annotations

import dataclasses

from .progress import Stage
from .spec import EnvironmentSpec, Installer, Variant


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlannedPackage:
    """One package of a plan.

    Attributes:
        name: Normalised name.
        version: Exact version.
        build: Conda build string; empty for wheels.
        source: Channel (conda) or ``"pypi"``.
        size: Bytes to download, 0 when unknown.
        stage: ``link`` for conda packages, ``wheels`` for PyPI ones.
    """

    name: str
    version: str
    build: str = ""
    source: str = ""
    size: int = 0
    stage: Stage = Stage.LINK


@dataclasses.dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a plan cannot be built here, and what would fit; the detail is the solver's own words, if there are any."""

    reason: str
    cure: str
    detail: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What the solver answered.

    Attributes:
        spec: What was asked for, unchanged.
        installer: The installer taken (never ``auto``), with the reason in one sentence.
        variant: The variant taken (never ``auto``), with the reason in one sentence.
        python: Exact Python version, empty in a refusal.
        framework_version: Exact version of the framework, ``None`` for ``python`` and refusals.
        cuda: CUDA version of the result, ``None`` for a CPU build.
        cuda_reason: Why that CUDA, in one sentence; empty for a CPU build and in a refusal.
        target_cuda: Highest CUDA that the build may need, ``None`` without driver or target.
        channels: The channels (or indexes) used, without credentials.
        packages: All packages, in order of name.
        download_bytes: Bytes of packages that are not in the cache yet.
        disk_bytes: Estimate of the bytes taken on disk.
        warnings: Sentences the user should read before the build.
        refusal: Set when the plan cannot be built; then ``packages`` is empty.
    """

    spec: EnvironmentSpec
    installer: Installer
    installer_reason: str
    variant: Variant
    variant_reason: str
    python: str = ""
    framework_version: str | None = None
    cuda: str | None = None
    cuda_reason: str = ""
    target_cuda: str | None = None
    channels: tuple[str, ...] = ()
    packages: tuple[PlannedPackage, ...] = ()
    download_bytes: int = 0
    disk_bytes: int = 0
    warnings: tuple[str, ...] = ()
    refusal: Refusal | None = None
