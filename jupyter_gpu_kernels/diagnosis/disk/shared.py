"""Package caches that somebody else keeps: whether they can be used, and whether their files can be shared."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ...build.conda.layers import hindrance, place
from ...models import Finding
from ..check import note, warning
from ..context import Context
from .places import Place

#: Where Linux says whether one may make hard links to the files of others.
PROTECTED = "/proc/sys/fs/protected_hardlinks"

_LINK = "https://docs.kernel.org/admin-guide/sysctl/fs.html#protected-hardlinks"


def look(context: Context) -> Iterator[Finding]:
    """Find shared package caches that are of no use, or of less than they could be."""
    for layer in context.practice.shared_package_caches:
        if sentence := hindrance(layer):
            yield warning(
                sentence,
                evidence=(str(layer),),
                cure="Correct c.GpuKernelsManager.shared_package_caches, or ask whoever keeps that directory.",
            )
        elif why := _copied(context, place(layer)):
            yield note(
                f"Environments get copies of what the shared package cache {layer} has, and share no files with it.",
                evidence=(why,),
                cure="Nothing is downloaded twice all the same. To save the room, too, put both on one filesystem that "
                "clones files (XFS, Btrfs), or let a group of people who trust each other own the cache.",
                link=_LINK,
            )


def _copied(context: Context, packages: Path) -> str:
    """Why files cannot be linked, in a few words; empty if they can."""
    environments = Place(what="", path=context.practice.conda_envs_dir).existing
    try:
        if packages.stat().st_dev != environments.stat().st_dev:
            return f"{packages} and {environments} are on different filesystems"
        sample = next((path for path in packages.glob("*/info/index.json")), None)
    except OSError:
        return ""
    if sample is None or context.text(PROTECTED).strip() != "1":
        return ""
    mine = sample.stat().st_uid == os.geteuid() if hasattr(os, "geteuid") else True
    return "" if mine or os.access(sample, os.W_OK) else f"{PROTECTED} is 1, and the files are another user's"
