"""Turns the builder's messages into stages and progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...models import Progress, Stage
from ..reporting import RateMeter, Reporter


@dataclass
class Relay:
    """Turns the builder's messages into stages and progress.

    Attributes:
        reporter: Whom to tell.
        links: Whether what is downloaded is then linked.
        latest: What was last heard of.
    """

    reporter: Reporter
    links: bool = True
    latest: str = ""
    _stage: Stage | None = None
    _rate: RateMeter = field(default_factory=RateMeter)

    def take(self, message: Mapping[str, Any]) -> None:
        """Called with each message of the builder."""
        if message["event"] == "log":
            self.reporter.log(message["line"])
        elif message["event"] == "progress":
            self.latest = message["latest"]
            # Packages are linked while others are still on their way: the stages are told one after the other.
            if self._stage is not Stage.LINK:
                self._enter(Stage.DOWNLOAD)
                self.reporter.progress(
                    Progress(
                        packages_done=message["fetched"],
                        packages_total=message["to_fetch"],
                        bytes_done=message["bytes"],
                        bytes_total=message["bytes_total"],
                        bytes_per_second=self._rate.update(message["bytes"]),
                        detail=message["latest"],
                    )
                )
            if self.links and message["cached"] == message["packages"]:
                self._enter(Stage.LINK)
                self.reporter.progress(
                    Progress(
                        packages_done=message["linked"], packages_total=message["packages"], detail=message["latest"]
                    )
                )

    def restart(self, line: str) -> None:
        """Begin anew with another builder."""
        self.reporter.log(line)
        self._stage = None
        self._rate = RateMeter()

    def _enter(self, stage: Stage) -> None:
        if self._stage is not stage:
            self._stage = stage
            self.reporter.stage(stage)
