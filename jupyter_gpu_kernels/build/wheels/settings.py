"""What is asked of the engine for wheels, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...models import PlannedPackage


@dataclass(frozen=True, kw_only=True)
class Hold:
    """What an environment has already, and shall keep when wheels are looked for in its place.

    Attributes:
        pins: Exact requirements (``six==1.17.0``) of wheels that keep their version unless it stands in the way.
        firm: Those of them that an answer is looked for first without moving, even if others come in older versions.
        kept: Requirements of what was added from outside with pip; they are asked for like all others.
    """

    pins: tuple[str, ...] = ()
    firm: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WheelsRequest:
    """What to look for.

    Attributes:
        requirements: PEP 508 requirements, without URLs.
        python: Version of Python (``"3.12"``), or ``None`` for the newest here that fits.
        python_range: Versions that the framework supports (``">=3.10,<3.14"``).
        torch_backend: Which PyTorch builds to take (``"cpu"``, ``"cu126"``, …), or ``None`` to leave it to the index.
        indexes: Further indexes, asked after the configured ones.
        allow_builds: Whether packages may be built from source code.
        pip: Whether to put pip itself into the environment; without, ``!pip install`` takes somebody else's.
        hold: What is there already.
    """

    requirements: tuple[str, ...]
    python: str | None = None
    python_range: str = ""
    torch_backend: str | None = None
    indexes: tuple[str, ...] = ()
    allow_builds: bool = False
    pip: bool = True
    hold: Hold = field(default_factory=Hold)


@dataclass(frozen=True, kw_only=True)
class WheelsSolution:
    """What would be installed, to the byte.

    Attributes:
        packages: All packages, in order of name.
        python: Exact version of Python.
        interpreter: The Python that the environment is made of; only a tool where wheels go on top of conda packages.
        requirements: What was asked for, normalised.
        indexes: Indexes and wheel directories in use, without credentials; empty for uv's default index alone.
        download_bytes: Bytes of the wheels that are neither local nor in uv's cache.
        disk_bytes: Estimate of the bytes on disk.
        missing: The packages that must be downloaded.
        warnings: What the user should read before.
        allow_builds: As in the request.
        more_indexes: As in the request, credentials and all.
        torch_backend: As in the request.
        pins: Lines of a requirements file: exact versions with their hashes.
        directory: Where the wheels are, if they are taken from there alone, with no index and no network.
        files: Where each package's file is, with its hash as in ``…/six.whl#sha256=…``, by name; without credentials.
        exact: Whether somebody has named just these; then nothing is planned anew when they are installed.
        kept: As in the request.
    """

    packages: tuple[PlannedPackage, ...]
    python: str
    interpreter: str
    requirements: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    download_bytes: int = 0
    disk_bytes: int = 0
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    allow_builds: bool = False
    more_indexes: tuple[str, ...] = field(default=(), repr=False)
    torch_backend: str | None = None
    pins: tuple[str, ...] = field(default=(), repr=False)
    directory: str = ""
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    exact: bool = False
    kept: tuple[str, ...] = ()
