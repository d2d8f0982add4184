"""The command that looks for packages."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..models import FoundPackage
from ..serve.manager import GpuKernelsManager
from . import text
from .following import Answer

#: Versions that are shown; ``--json`` has all of them.
SHOWN = 20


async def search(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Look for packages by name."""
    if arguments.versions:
        package = await manager.search.package(arguments.text, arguments.environment)
        return Answer(model=package, text=_versions(package))
    found = await manager.search.names(arguments.text, arguments.environment, arguments.limit)
    return Answer(model=found, text=_names(found, arguments.text))


def _names(found: Sequence[FoundPackage], wish: str) -> str:
    if not found:
        return f"There is no package with {wish!r} in its name.\n"
    rows = [(package.name, package.source, package.installed or "-") for package in found]
    return text.columns([("NAME", "SOURCE", "INSTALLED"), *rows])


def _versions(package: FoundPackage) -> str:
    more = len(package.versions) - SHOWN
    shown = ", ".join(package.versions[:SHOWN]) + (f", and {more} older ones (--json lists them)" if more > 0 else "")
    rows = [
        ("Name", package.name),
        ("Source", package.source),
        ("Installed", package.installed or "no"),
        ("Versions", shown),
    ]
    return text.columns(rows)
