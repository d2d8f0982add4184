"""Asking package indexes as uv asks them, with its proxies, certificates and credentials."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass

from ...errors import ChannelError, DownloadError, GpuKernelsError, InstallError
from ..conda.failures import Kind, kind_of
from ..conda.proxies import proxy_for
from ..wheels import solving
from ..wheels.places import throwaway
from ..wheels.uv import Uv

#: A package that every index has, or says that it has not.
QUESTION = "pip"

#: Variables that name indexes for uv.
INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")


@dataclass(frozen=True, kw_only=True)
class IndexAnswer:
    """What an index said to a small question.

    Attributes:
        url: The index, credentials and all; empty for uv's own default.
        error: Why it cannot be used, ``None`` if it can.
        kind: The same in a word.
        proxy: The proxy that it was asked through, credentials and all.
        seconds: Until the answer.
    """

    url: str
    error: GpuKernelsError | None = None
    kind: Kind | None = None
    proxy: str = ""
    seconds: float = 0.0


def addresses(uv: Uv) -> tuple[str, ...]:
    """The indexes in force that are asked over a network, empty for uv's own default; none where uv stays offline."""
    if uv.offline:
        return ()
    web = [url for url in uv.indexes if url.startswith(("http://", "https://"))]
    if not uv.default_index and "--no-index" not in uv.index_options:
        web.append("")
    return tuple(dict.fromkeys(web))


async def ask(uv: Uv, url: str, *, timeout: float) -> IndexAnswer:
    """Ask one index, empty for uv's own default; ``timeout`` is the seconds that it has for each answer."""
    variables = {name: value for name, value in uv.environment.items() if name not in INDEXES}
    limit = str(max(1, round(timeout)))
    variables |= {"UV_HTTP_TIMEOUT": limit, "UV_HTTP_CONNECT_TIMEOUT": limit, "UV_HTTP_RETRIES": "0"}
    if url:
        variables["UV_DEFAULT_INDEX"] = url
    proxy = proxy_for(url or "https://", variables)
    alone = Uv(program=uv.program, environment=variables)
    started = time.monotonic()
    try:
        with throwaway() as cwd:
            file = solving.requirements_file(cwd, "question.in", [QUESTION])
            words = ("pip", "compile", "--no-deps", "--no-cache", "--no-header", "--python", sys.executable, file)
            await solving.ask(alone, *words, cwd=cwd)
    except (ChannelError, DownloadError, InstallError) as error:
        kind = _kind(error, proxy)
        return IndexAnswer(url=url, error=error, kind=kind, proxy=proxy, seconds=time.monotonic() - started)
    except GpuKernelsError:
        # It has no such package, and said so.
        pass
    return IndexAnswer(url=url, proxy=proxy, seconds=time.monotonic() - started)


def _kind(error: GpuKernelsError, proxy: str) -> Kind:
    """What is wrong, in a word."""
    # uv says this in a hint, after it has found no version of anything.
    refused = re.search(r"\b(401 Unauthorized|403 Forbidden)", error.detail)
    kind = Kind.FORBIDDEN if refused else kind_of(error.detail)
    return Kind.PROXY if proxy and kind in (Kind.NAME, Kind.REFUSED) else kind
