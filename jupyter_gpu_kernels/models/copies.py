"""What shall become of an environment, by name."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class CloneRequest:
    """A copy of an environment.

    Attributes:
        name: Name of the copy.
        display_name: What the Launcher shows for it, ``None`` for one that is made of the name.
    """

    name: str
    display_name: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class RenameRequest:
    """Another name for an environment.

    Attributes:
        name: The new name.
    """

    name: str
