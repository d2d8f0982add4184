"""What the topics that have jobs of their own are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .jobs import JobRunner
from .work import EnvironmentWork
from .workshop import Workshop

if TYPE_CHECKING:
    from ..build.equipment import Equipment


class Means(Protocol):
    """What a topic finds in the manager; each is made when it is first asked for."""

    work: EnvironmentWork

    @property
    def equipment(self) -> Equipment:
        """What environments are made with."""

    @property
    def workshop(self) -> Workshop:
        """Knows the environments, and which names are free."""

    @property
    def runner(self) -> JobRunner:
        """Runs the jobs."""
