"""Where the wheels of an environment are to be had, as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from . import solving
from .exactly import torch_backend
from .lock import Locked, read_lock
from .uv import Uv


async def locate(
    uv: Uv, requirements: Sequence[str], *, cwd: Path, interpreter: str, python: str
) -> tuple[Locked, ...]:
    """Ask the configured indexes for the files of exact versions, as an installation would take them.

    Args:
        uv: uv.
        requirements: Exact requirements, each ``name==version``.
        cwd: A throwaway directory.
        interpreter: The Python that they are for.
        python: Its version.

    Returns:
        Their files; the addresses may hold credentials, and local ones are paths.

    Raises:
        SolveError: An index no longer has one of them.
        ChannelError: An index does not answer as it should.
    """
    backend = torch_backend(requirements)
    options = ("--no-deps", *(("--torch-backend", backend) if backend else ()))
    answer = await solving.lock(uv, requirements, cwd=cwd, interpreter=interpreter, python=python, options=options)
    found = read_lock(answer.output, python)
    return tuple(replace(item, url=_place(item, cwd) if item.local else _login(item.url, uv.indexes)) for item in found)


def _place(item: Locked, cwd: Path) -> str:
    """Where a local file is."""
    path = unquote(urlsplit(item.url).path) if item.url.startswith("file:") else item.url
    return str((cwd / path).resolve())


def _login(url: str, indexes: Sequence[str]) -> str:
    """An address with the credentials of an index on the same server, which uv leaves out."""
    parts = urlsplit(url)
    for index in map(urlsplit, indexes):
        if "@" in index.netloc and "@" not in parts.netloc and index.netloc.rpartition("@")[2] == parts.netloc:
            return urlunsplit(parts._replace(netloc=index.netloc))
    return url
