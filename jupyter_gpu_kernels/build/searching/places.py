"""Where uv looks for packages, as it says itself."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from ..wheels import solving
from ..wheels.places import throwaway
from ..wheels.uv import Uv


@dataclass(frozen=True)
class Places:
    """Indexes, best first, and directories or pages with links; all of them may hold credentials."""

    indexes: tuple[str, ...] = field(default=(), repr=False)
    links: tuple[str, ...] = field(default=(), repr=False)


async def places(uv: Uv) -> Places:
    """Ask uv where it looks. It knows best: of variables, of its files and pip's, and of an index that is its own.

    Raises:
        GpuKernelsError: uv cannot work.
    """
    words = ("pip", "compile", "--no-header", "--emit-index-url", "--emit-find-links", *uv.index_options)
    with throwaway() as folder:
        # Nothing is wanted, so nothing is asked of the network.
        file = solving.requirements_file(folder, "requirements.in", ())
        answer = await solving.ask(uv, *words, file, cwd=folder)
    found: dict[str, list[str]] = {"--index-url": [], "--extra-index-url": [], "--find-links": []}
    for line in answer.output.splitlines():
        option, _, value = line.partition(" ")
        if option in found:
            found[option].append(" ".join(shlex.split(value)) if value[:1] in "'\"" else value.strip())
    default = () if "--no-index" in uv.index_options else found["--index-url"]
    indexes, links = (*found["--extra-index-url"], *default), tuple(found["--find-links"])
    if uv.offline:
        indexes, links = tuple(filter(_is_local, indexes)), tuple(filter(_is_local, links))
    return Places(indexes, links)


def _is_local(place: str) -> bool:
    return not place.startswith(("http://", "https://"))
