"""The stages of a build, and how far they have come."""

from __future__ import annotations

import dataclasses
import enum


class Stage(str, enum.Enum):
    """The stages of a build, in order."""

    SOLVE = "solve"
    DOWNLOAD = "download"
    LINK = "link"
    WHEELS = "wheels"
    COMPILE = "compile"
    VERIFY = "verify"
    REGISTER = "register"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage has come; totals are 0 while unknown."""

    packages_done: int = 0
    packages_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    bytes_per_second: float = 0.0
    detail: str = ""
