"""The errand of downloading and linking packages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import rattler

from .. import layers
from ..cache import in_use
from ..settings import CondaRequest
from ..tally import Tally, Voice
from .access import client, match_spec, package_cache
from .records import from_archives, thaw
from .stock import in_stock, put_right, remarks


class Listener(rattler.InstallerReporter):
    """Hands rattler's callbacks, which come on threads of its own, to the tally."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._names: dict[int, str] = {}

    def on_populate_cache_start(self, operation: int, package_name: str) -> int:
        """A package is looked for in the cache; the operation's number serves as token from here on."""
        self._names[operation] = package_name
        return operation

    def on_download_start(self, cache_entry: int) -> int:
        """A download begins, perhaps not for the first time."""
        self._tally.loading(self._names[cache_entry], 0)
        return cache_entry

    def on_download_progress(self, download_idx: int, progress: int, total: int | None) -> None:
        """Bytes have come."""
        self._tally.loading(self._names[download_idx], progress)

    def on_download_completed(self, download_idx: int) -> None:
        """A download has ended."""
        self._tally.loaded(self._names[download_idx])

    def on_populate_cache_complete(self, cache_entry: int) -> None:
        """A package is in the cache."""
        self._tally.cached(self._names[cache_entry])

    def on_link_start(self, operation: int, package_name: str) -> int:
        """A package is being put into the environment."""
        self._names[operation] = package_name
        return operation

    def on_link_complete(self, index: int) -> None:
        """A package is in the environment."""
        self._tally.linked(self._names[index])


async def install(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Download what is in no cache and link everything into the generation."""
    request = msgspec.convert(job["request"], CondaRequest)
    records = thaw(job["payload"])
    urls = from_archives(records, Path(job["archives"])) if job.get("archives") else {}
    channels = request.settings.resolved()
    wishes = [match_spec(text, channels) for text in (*request.specs, *request.keep)]
    directory = Path(job["packages"])
    with in_use(directory) as swept:
        if swept:
            voice.say({"event": "log", "line": f"Removed {swept} half-unpacked packages of a build that was killed."})
        stock = await in_stock(records, directory, job.get("layers", ()))
        missing = {record.name.normalized: record.size or 0 for record in records if not stock.has(record)}
        tally = Tally(missing, len(records), voice, job["silence"])
        with layers.view(directory, stock.shared) as view, tally.telling():
            await rattler.install(
                records,
                target_prefix=job["generation"],
                execute_link_scripts=job["link_scripts"],
                client=client(request.settings, retries=request.settings.retries, timeout=None),
                # rattler 0.28 wants the inner objects here, against its own annotation.
                requested_specs=[wish._match_spec for wish in wishes],
                reporter=Listener(tally),  # type: ignore[abstract]
                alternative_target_prefix=job["final"],
                package_cache=package_cache(directory, *([view] if view else ())),
            )
        put_right(Path(job["generation"]), urls, view, stock)
        for line in (*stock.warnings, *remarks(records, directory, stock)):
            voice.say({"event": "log", "line": line})
    return {}
