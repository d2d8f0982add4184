"""Filling a generation with a copy of an environment, watched and cancelled like any other build."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from ...models import Progress, Stage
from ...prefix.layout import Layout
from ..disk.filesystem import explained
from ..disk.generations import Generation
from ..reporting import Reporter
from ..tools.insistence import insist
from .tree import Tally, TreeCopy, report_of

#: Seconds between two looks at how far it has come.
PULSE = 0.2

#: Oddities that the log names.
NAMED = 5


def copy_of(prefix: Path) -> Callable[[Generation, Reporter], Awaitable[None]]:
    """What fills a generation with a copy of an environment, whose lock the caller holds.

    Args:
        prefix: The environment.
    """

    async def fill(generation: Generation, reporter: Reporter) -> None:
        reporter.stage(Stage.LINK)
        tally = Tally()
        copying = asyncio.ensure_future(asyncio.to_thread(_copy, prefix, generation, tally))
        try:
            while not copying.done():
                await asyncio.wait([copying], timeout=PULSE)
                reporter.progress(Progress(packages_done=tally.done, packages_total=tally.total, unit="files"))
        except asyncio.CancelledError:
            tally.stop.set()
            await insist(_ended(copying))
            raise
        await copying
        reporter.log(report_of(tally))
        if tally.oddities:
            named = ", ".join(sorted(tally.oddities)[:NAMED])
            reporter.log(f"Left out, since they are neither files nor links: {named}.")

    return fill


def _copy(prefix: Path, generation: Generation, tally: Tally) -> None:
    with explained(f"The environment {prefix} cannot be copied"):
        TreeCopy(Layout.of_prefix(prefix), generation.path, generation.final, tally).make()


async def _ended(copying: asyncio.Future[None]) -> None:
    """Wait until nobody writes any more, whatever has come of it."""
    await asyncio.wait([copying])
    # Looked at, lest asyncio complains that nobody did.
    copying.exception()
