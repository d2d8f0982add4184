"""Environments that were made elsewhere."""

from __future__ import annotations

import dataclasses

from .environment import EnvironmentKind


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForeignEnvironment:
    """An environment of this machine that was not made here.

    Attributes:
        prefix: Where it is.
        kind: What it is on disk.
        name: A name for it: that of its directory, or of its project's.
        python: Version of its Python, empty if it cannot be told.
        ipykernel: Version of its ipykernel, ``None`` if it has none.
        kernel_name: Name of its kernelspec, empty if it has none.
        display_name: What the Launcher shows for that.
        kernelspec: Directory of that.
        adopted: Whether our provisioner starts that kernel.
        added: Distributions that the adoption has installed into it, and its release takes out again.
        obstacle: Why it cannot be adopted, one sentence; empty if it can.
    """

    prefix: str
    kind: EnvironmentKind
    name: str
    python: str = ""
    ipykernel: str | None = None
    kernel_name: str = ""
    display_name: str = ""
    kernelspec: str = ""
    adopted: bool = False
    added: tuple[str, ...] = ()
    obstacle: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdoptionRequest:
    """What shall be adopted, and how.

    Attributes:
        prefix: Where the environment is.
        name: Name of its kernel, ``None`` for the kernelspec that it has, or else one made of its own name.
        display_name: What the Launcher shows, ``None`` for what it shows already, or else one that is made up.
        install_ipykernel: Whether to install ipykernel, and what that needs, where it is missing.
    """

    prefix: str
    name: str | None = None
    display_name: str | None = None
    install_ipykernel: bool = False
