"""A channel of packages that are downloaded just as far as a test wants.

Each package is asked for by one test, by name, so that no cache has it::

    package = cargo.load()             # its name; what is asked for it waits in the middle
    …
    cargo.release()                    # now the rest comes
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from channel import ChannelBuilder, Server, serve
from channel.faults import Exchange

#: The packages; no test knows them by name, but who looks at the pictures does.
NAMES = (
    *("antimatter", "bussard", "deflector", "dilithium", "hologram", "impulse", "nacelle", "phaser", "plasma"),
    *("replicator", "shuttle", "tachyon", "tractor-beam", "transporter", "tricorder", "turbolift"),
)

#: Bytes of a package; they do not compress.
SIZE = 1_000_000


@dataclass(frozen=True)
class Gate:
    """The right contents, the second half of which comes when somebody opens."""

    opened: threading.Event = field(default_factory=threading.Event)

    def answer(self, exchange: Exchange) -> None:
        exchange.head(200)
        half = len(exchange.body) // 2
        exchange.send(exchange.body[:half])
        while not self.opened.is_set():
            exchange.sleep(0.05)
        exchange.send(exchange.body[half:])


class Cargo:
    """The channel; made by :func:`cargo`.

    Attributes:
        server: Who hands it out, to be made to fail.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._free = list(NAMES)
        self._gate = Gate()

    def name(self) -> str:
        """Name of a package that nobody has asked for yet."""
        return self._free.pop()

    def load(self) -> str:
        """Name of a package whose download waits half-way until :meth:`release`."""
        name = self.name()
        self.server.fail(f"*/{name}-*", self._gate)
        return name

    def release(self) -> None:
        """Let the downloads that wait go on, and forget all faults."""
        self.server.heal()
        self._gate.opened.set()
        self._gate = Gate()


@contextlib.contextmanager
def cargo(directory: Path) -> Iterator[Cargo]:
    """Make the channel in a directory, and serve it."""
    with ChannelBuilder(directory) as channel:
        for name in NAMES:
            contents = random.Random(name).randbytes(SIZE)
            channel.add_package(name, "1.0", noarch="generic", files={f"share/{name}": contents})
    with serve(directory, name="cargo") as server:
        yield Cargo(server)
