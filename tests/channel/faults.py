"""Ways in which a server can fail; see :meth:`channel.server.Server.fail`.

A fault answers one request. ``at`` is the fraction of the body that is sent before the trouble starts.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

PORTAL = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please accept our terms.</body></html>"


class Exchange(Protocol):
    """One request as a fault sees it."""

    path: str
    base_url: str
    body: bytes

    def head(self, status: int, headers: dict[str, str] | None = None, *, length: int | None = None) -> None:
        """Send the status line and headers; ``length`` is the Content-Length, by default that of the file."""

    def send(self, data: bytes) -> None:
        """Send a part of the body (nothing for HEAD)."""

    def sleep(self, seconds: float | None = None) -> None:
        """Sleep, or for ever with ``None``; raises when the server closes or the client has gone."""

    def drop(self) -> None:
        """Reset the connection."""


class Fault(Protocol):
    """What answers in place of the file."""

    def answer(self, exchange: Exchange) -> None:
        """Answer one request."""


@dataclass(frozen=True)
class Status:
    """An HTTP error: ``Status(503)``, ``Status(429, {"Retry-After": "1"})``."""

    code: int
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self, exchange: Exchange) -> None:
        body = HTTPStatus(self.code).phrase.encode()
        exchange.head(self.code, self.headers, length=len(body))
        exchange.send(body)


@dataclass(frozen=True)
class Drop:
    """The connection is reset in the middle; ``at=None``: before any answer."""

    at: float | None = 0.5

    def answer(self, exchange: Exchange) -> None:
        if self.at is not None:
            exchange.head(200)
            exchange.send(_start(exchange.body, self.at))
        exchange.drop()


@dataclass(frozen=True)
class Truncate:
    """The body ends early, either as announced (``honest=True``) or short of its Content-Length."""

    at: float = 0.5
    honest: bool = True

    def answer(self, exchange: Exchange) -> None:
        start = _start(exchange.body, self.at)
        exchange.head(200, None if self.honest else {"Connection": "close"}, length=len(start) if self.honest else None)
        exchange.send(start)


@dataclass(frozen=True)
class Flip:
    """A few bits are wrong, the length is right."""

    bits: int = 8

    def answer(self, exchange: Exchange) -> None:
        body = bytearray(exchange.body)
        chance = random.Random(exchange.path)
        for _ in range(self.bits):
            body[chance.randrange(len(body) // 4, len(body))] ^= 1 << chance.randrange(8)
        exchange.head(200)
        exchange.send(bytes(body))


@dataclass(frozen=True)
class Replace:
    """Other contents, such as a valid archive that is not the one in the repodata."""

    body: bytes

    def answer(self, exchange: Exchange) -> None:
        exchange.head(200, length=len(self.body))
        exchange.send(self.body)


@dataclass(frozen=True)
class Trickle:
    """The right contents at a few bytes per second."""

    rate: float

    def answer(self, exchange: Exchange) -> None:
        exchange.head(200)
        step = max(1, int(self.rate / 20))
        for offset in range(0, len(exchange.body), step):
            exchange.send(exchange.body[offset : offset + step])
            exchange.sleep(step / self.rate)


@dataclass(frozen=True)
class Stall:
    """Nothing more comes after a part of the body; the connection stays open."""

    at: float = 0.5

    def answer(self, exchange: Exchange) -> None:
        exchange.head(200)
        exchange.send(_start(exchange.body, self.at))
        exchange.sleep()


@dataclass(frozen=True)
class Hang:
    """The request is taken and never answered."""

    def answer(self, exchange: Exchange) -> None:
        exchange.sleep()


@dataclass(frozen=True)
class Gate:
    """The right answer, once somebody has set ``opened``."""

    opened: threading.Event = field(default_factory=threading.Event)

    def answer(self, exchange: Exchange) -> None:
        while not self.opened.is_set():
            exchange.sleep(0.02)
        exchange.head(200)
        exchange.send(exchange.body)


@dataclass(frozen=True)
class Delay:
    """The right answer, late."""

    seconds: float

    def answer(self, exchange: Exchange) -> None:
        exchange.sleep(self.seconds)
        exchange.head(200)
        exchange.send(exchange.body)


@dataclass(frozen=True)
class Redirect:
    """A redirect to another address; ``{path}`` in it is the request's path."""

    location: str
    code: int = 302

    def answer(self, exchange: Exchange) -> None:
        exchange.head(self.code, {"Location": self.location.format(path=exchange.path)}, length=0)


@dataclass(frozen=True)
class RedirectLoop:
    """A redirect to the same address, for ever."""

    def answer(self, exchange: Exchange) -> None:
        exchange.head(302, {"Location": exchange.base_url + exchange.path}, length=0)


@dataclass(frozen=True)
class Portal:
    """A captive portal: whatever was asked for, a page that asks to accept the terms."""

    def answer(self, exchange: Exchange) -> None:
        exchange.head(200, {"Content-Type": "text/html; charset=utf-8"}, length=len(PORTAL))
        exchange.send(PORTAL)


def _start(body: bytes, fraction: float) -> bytes:
    return body[: int(len(body) * fraction)]
