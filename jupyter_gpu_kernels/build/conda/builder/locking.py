"""The errand of writing a lock file for several platforms."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rattler

from ...tools.redaction import uncover
from ..tally import Voice
from .records import thaw


async def lock(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Write a lock file.

    Of each platform the request names either the ``records`` of an environment in it (files of its ``conda-meta``), or
    the ``payload`` of a solution; and its ``wheels``, each with name, version and address.

    Returns:
        The text.
    """
    entries = job["platforms"]
    made = rattler.LockFile([rattler.LockPlatform(entry["platform"]) for entry in entries])
    channels: dict[str, None] = {}
    for entry in entries:
        target = rattler.LockPlatform(entry["platform"])
        linked = [rattler.PrefixRecord.from_path(path) for path in entry.get("records", ())]
        for record in linked or (thaw(entry["payload"]) if entry.get("payload") else []):
            record.url = uncover(record.url)
            channels[f"{record.url.rsplit('/', 2)[0]}/"] = None
            made.add_conda_package("default", target, record)
        for wheel in entry.get("wheels", ()):
            made.add_pypi_package("default", target, wheel["name"], wheel["version"], wheel["url"])
    made.set_channels("default", [rattler.LockChannel(url) for url in channels])
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "pixi.lock"
        made.to_path(path)
        return {"text": path.read_text(encoding="utf-8")}
