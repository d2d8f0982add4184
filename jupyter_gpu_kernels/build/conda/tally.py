"""Counts what the conda solver's threads report, and tells it as JSON lines a few times a second."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Seconds between two lines of progress: smooth to the eye, cheap for the reader.
INTERVAL = 0.1


class Voice:
    """Writes JSON lines to a descriptor, each whole, from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._guard = threading.Lock()

    def say(self, message: Mapping[str, Any]) -> None:
        """Write one line."""
        data = (json.dumps(message) + "\n").encode()
        with self._guard:
            while data:
                data = data[os.write(self._descriptor, data) :]

    @classmethod
    def take_stdout(cls) -> Voice:
        """Take stdout for messages; what anything else prints from now on goes to stderr."""
        sys.stdout.flush()
        voice = cls(os.dup(1))
        os.dup2(2, 1)
        return voice


@dataclass
class Tally:
    """What has been downloaded and linked so far; every method may be called from any thread.

    Attributes:
        sizes: Bytes of each package that is not in the cache, by name.
        total: Number of all packages.
        voice: Where the progress is told.
        silence: Seconds after which the reader takes silence for a stall.
    """

    sizes: Mapping[str, int]
    total: int
    voice: Voice
    silence: float
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _bytes: dict[str, int] = field(default_factory=dict)
    _loading: set[str] = field(default_factory=set)
    _cached: set[str] = field(default_factory=set)
    _linked: set[str] = field(default_factory=set)
    _changed: bool = True
    _latest: str = ""

    def loading(self, name: str, received: int) -> None:
        """So many bytes of a package have come."""
        with self._guard:
            self._loading.add(name)
            # Beside the size, servers also compress: never more than there is.
            self._bytes[name] = min(received, self.sizes.get(name, received))
            self._latest = name
            self._changed = True

    def loaded(self, name: str) -> None:
        """A download has ended, one way or the other."""
        with self._guard:
            self._loading.discard(name)
            self._changed = True

    def cached(self, name: str) -> None:
        """A package is in the cache, unpacked and checked."""
        with self._guard:
            self._loading.discard(name)
            self._cached.add(name)
            self._bytes[name] = self.sizes.get(name, 0)
            self._changed = True

    def linked(self, name: str) -> None:
        """A package is in the environment."""
        with self._guard:
            self._linked.add(name)
            self._latest = name
            self._changed = True

    def tell(self) -> None:
        """Write the progress now."""
        with self._guard:
            self._changed = False
            # What is waited for says more than what has come: it may be stuck.
            at_work = self._latest if self._latest in self._loading else min(self._loading, default=self._latest)
            message = {
                "event": "progress",
                "cached": len(self._cached),
                "fetched": len(self._cached & self.sizes.keys()),
                "to_fetch": len(self.sizes),
                "linked": len(self._linked),
                "packages": self.total,
                "bytes": sum(self._bytes.get(name, 0) for name in self.sizes),
                "bytes_total": sum(self.sizes.values()),
                "latest": at_work,
            }
        self.voice.say(message)

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Write the progress at the beginning, at the end, and whenever it changes."""
        stop = threading.Event()
        teller = threading.Thread(target=self._keep_telling, args=(stop,), daemon=True)
        self.tell()
        teller.start()
        try:
            yield
        finally:
            # Nothing may be said after the result.
            stop.set()
            teller.join()
            self.tell()

    def _keep_telling(self, stop: threading.Event) -> None:
        """Write the progress whenever it changes.

        Unpacking, checking and linking may take long without a sign and are none of the network's: as long as
        nothing is being downloaded, a sign of life is written in time.
        """
        last = time.monotonic()
        while not stop.wait(INTERVAL):
            with self._guard:
                changed, waiting = self._changed, bool(self._loading)
            if changed:
                self.tell()
                last = time.monotonic()
            elif not waiting and time.monotonic() - last > self.silence / 4:
                self.voice.say({"event": "alive"})
                last = time.monotonic()
