"""Where packages come from: what is effective, how good it is, and switching to a mirror."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..build.channels import choice
from ..build.channels.measuring import measure
from ..build.channels.report import Survey
from ..models import ChannelsReport, MirrorChoice

if TYPE_CHECKING:
    from ..build.equipment import Equipment


class Host(Protocol):
    """How this installation is configured, and what it builds with."""

    @property
    def equipment(self) -> Equipment:
        """What environments are made with."""

    @property
    def channels(self) -> Sequence[str]:
        """The channels that are configured here, before those of conda."""

    @property
    def mirror_dirs(self) -> Sequence[str]:
        """Where files of mirrors are."""


class Network:
    """Reports on channels, indexes and mirrors, and switches between them.

    Args:
        host: How this installation is configured, and what it builds with.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def channels(self, *, measured: bool = False) -> ChannelsReport:
        """Say what is effective and from where.

        Args:
            measured: Whether to ask all channels, mirrors and indexes how good they are; takes some seconds.
        """
        survey = await asyncio.to_thread(self._survey)
        report = await asyncio.to_thread(survey.report)
        if not measured:
            return report
        found = await measure(self._host.equipment.conda, survey.settings, survey.uv, survey.mirrors)
        return replace(report, measured=found)

    async def use(self, wish: MirrorChoice) -> ChannelsReport:
        """Switch to a mirror, or to none of those chosen here; nobody's file but our own is touched.

        Returns:
            What is effective now; where the mirror is not, for what somebody else says, the warnings tell.

        Raises:
            NotFoundError: Nobody knows of such a mirror.
            ConflictError: Our files cannot be written.
        """
        await asyncio.to_thread(self._use, wish)
        return await self.channels()

    def _use(self, wish: MirrorChoice) -> None:
        if wish.mirror is None:
            choice.reset(Path.home())
        else:
            choice.use(self._survey().mirror(wish.mirror), Path.home())

    def _survey(self) -> Survey:
        return Survey.make(
            os.environ,
            channels=self._host.channels,
            mirror_dirs=[Path(directory) for directory in self._host.mirror_dirs],
            named_by="GpuKernelsManager.channels",
        )
