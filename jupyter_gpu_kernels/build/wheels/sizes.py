"""Sizes of wheels of an index that does not tell them: one short question each, none of which may hold up a plan."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from . import web
from .lock import Locked
from .uv import Uv

#: Questions at a time (some resolvers drop more, and then take 5 s), and seconds for each and for all together.
AT_ONCE = 4
PATIENCE = 4.0
DEADLINE = 10.0


async def with_sizes(packages: Sequence[Locked], uv: Uv, known: dict[str, int]) -> tuple[Locked, ...]:
    """Fill in the sizes that are missing, as far as they can be had: a ``stat`` of a local file, ``HEAD`` of others.

    Args:
        packages: A lock.
        uv: How to get there.
        known: Sizes by URL that were asked for before; those found out now are added.
    """
    missing = [package for package in packages if not package.size and package.url not in known]
    if missing:
        known.update(await _ask(missing, uv))
    return tuple(replace(package, size=package.size or known.get(package.url, 0)) for package in packages)


async def _ask(missing: Sequence[Locked], uv: Uv) -> dict[str, int]:
    """Sizes by URL, of those that answered in time."""
    asker = _Asker(uv)
    loop = asyncio.get_running_loop()
    # Not the loop's own pool: a question that hangs must not take a thread from anybody.
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wheel-size")
    try:
        tasks = {package.url: loop.run_in_executor(pool, asker.size, package) for package in missing}
        await asyncio.wait(tasks.values(), timeout=DEADLINE)
        return {url: task.result() for url, task in tasks.items() if task.done() and task.result()}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        asker.close()


class _Asker:
    """Asks the way uv would: same proxies, certificates, credentials."""

    def __init__(self, uv: Uv) -> None:
        self._environ = uv.environment
        self._context = web.trust(self._environ)
        self._proxies = web.proxies(self._environ)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(self._proxies), urllib.request.HTTPSHandler(context=self._context)
        )
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self._logins = {_server(url): login for url in uv.indexes if (login := web.login(url))}

    def size(self, package: Locked) -> int:
        """Bytes, or 0; never raises."""
        parts = urlsplit(package.url)
        # Whatever goes wrong, only a number is missing; late answers even find their connection closed.
        with contextlib.suppress(Exception):
            if package.local:
                return Path(urllib.request.url2pathname(parts.path) if parts.scheme else package.url).stat().st_size
            login = self._logins.get(_server(package.url))
            headers = {"Authorization": web.authorization(login)} if login else {}
            if parts.scheme not in self._proxies or web.unproxied(package.url, self._environ):
                answer = self._direct(parts, headers)
                if answer.status == 200:
                    return int(answer.headers.get("Content-Length") or 0)
            # Through a proxy, or where the answer is a redirection.
            request = urllib.request.Request(package.url, method="HEAD")
            for name, value in headers.items():
                # Not for the host that it may redirect to.
                request.add_unredirected_header(name, value)
            with self._opener.open(request, timeout=PATIENCE) as reply:
                return int(reply.headers.get("Content-Length") or 0)
        return 0

    def _direct(self, parts: SplitResult, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """Ask over this thread's connection: one look-up of the name and one handshake for all."""
        kept: dict[str, http.client.HTTPConnection] = self._local.__dict__
        connection = kept.get(parts.netloc)
        if connection is None:
            where = parts.netloc.rpartition("@")[2]
            connection = (
                http.client.HTTPSConnection(where, timeout=PATIENCE, context=self._context)
                if parts.scheme == "https"
                else http.client.HTTPConnection(where, timeout=PATIENCE)
            )
            kept[parts.netloc] = connection
            self._connections.append(connection)
        try:
            connection.request(
                "HEAD", f"{parts.path}?{parts.query}" if parts.query else parts.path, headers=dict(headers)
            )
            answer = connection.getresponse()
            answer.read()
        except http.client.HTTPException as error:
            connection.close()
            raise OSError(str(error)) from error
        except OSError:
            connection.close()
            raise
        return answer

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()


def _server(url: str) -> tuple[str, str | None, int | None]:
    """Whom a URL asks."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
