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
    """How far a stage has come; totals are 0 while unknown.

    Attributes:
        packages_done: Packages, or whatever ``unit`` says, that are done.
        packages_total: How many there are.
        bytes_done: Bytes that have arrived.
        bytes_total: Bytes to download; 0 where nothing is downloaded.
        bytes_per_second: Over the last seconds.
        detail: What is at work, for people; often empty.
        unit: What is counted, for people, in the plural.
    """

    packages_done: int = 0
    packages_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    bytes_per_second: float = 0.0
    detail: str = ""
    unit: str = "packages"
