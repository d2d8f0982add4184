"""Processes, across hosts."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A process, told apart from a later one with the same pid.

    Attributes:
        host: Host name.
        pid: Process id.
        started: Start time as the system tells it, in seconds; to be compared with others of this host only.
    """

    host: str
    pid: int
    started: float
