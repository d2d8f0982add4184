"""Sizes of wheels of an index that does not tell them: one short question each, none of which may hold up a plan."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .lock import Locked
from .uv import Uv

#: Questions at a time, and seconds for each and for all together.
AT_ONCE = 16
PATIENCE = 4.0
DEADLINE = 10.0


async def with_sizes(packages: Sequence[Locked], uv: Uv) -> tuple[Locked, ...]:
    """Fill in the sizes that are missing, as far as they can be had: a ``stat`` of a local file, ``HEAD`` of others."""
    missing = [package for package in packages if not package.size]
    if not missing:
        return tuple(packages)
    asker = _Asker(uv)
    loop = asyncio.get_running_loop()
    # Not the loop's own pool: a question that hangs must not take a thread from anybody.
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wheel-size")
    try:
        tasks = {package.url: loop.run_in_executor(pool, asker.size, package) for package in missing}
        await asyncio.wait(tasks.values(), timeout=DEADLINE)
        known = {url: task.result() for url, task in tasks.items() if task.done()}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return tuple(replace(package, size=package.size or known.get(package.url, 0)) for package in packages)


class _Asker:
    """Asks the way uv would: same proxies, certificates, credentials."""

    def __init__(self, uv: Uv) -> None:
        environ = uv.environment
        proxies = {
            scheme: proxy
            for scheme in ("http", "https")
            if (proxy := _first(environ, f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"))
        }
        self._context = ssl.create_default_context()
        if environ.get("SSL_CERT_FILE"):
            with contextlib.suppress(OSError):
                self._context.load_verify_locations(cafile=environ["SSL_CERT_FILE"])
        self._direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._context)
        )
        self._proxied = urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=self._context)
        )
        self._no_proxy = {"no": _first(environ, "no_proxy", "NO_PROXY")}
        self._credentials = {
            (parts.scheme, parts.hostname, parts.port): f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            for parts in map(urlsplit, uv.indexes)
            if parts.username
        }

    def size(self, package: Locked) -> int:
        """Bytes, or 0; never raises."""
        parts = urlsplit(package.url)
        with contextlib.suppress(OSError, ValueError):
            if package.local:
                return Path(urllib.request.url2pathname(parts.path) if parts.scheme else package.url).stat().st_size
            request = urllib.request.Request(package.url, method="HEAD")
            credentials = self._credentials.get((parts.scheme, parts.hostname, parts.port))
            if credentials:
                request.add_header("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode())
            bypassed = urllib.request.proxy_bypass_environment(  # type: ignore[attr-defined]  # documented nowhere, there since 2.6
                parts.netloc, self._no_proxy
            )
            opener = self._direct if bypassed else self._proxied
            with opener.open(request, timeout=PATIENCE) as answer:
                return int(answer.headers.get("Content-Length") or 0)
        return 0


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")
