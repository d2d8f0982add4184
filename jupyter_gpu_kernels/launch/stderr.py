"""Keeping the last words of a kernel while the server's log still gets them all."""

from __future__ import annotations

import contextlib
import os
import threading

#: Bytes kept.
LIMIT = 16_384


class LastWords:
    """A pipe to give to a kernel as its stderr: all goes on to our own stderr, the end of it is kept.

    It is used for a second start only, when the first died quickly: a healthy kernel inherits stderr as ever.
    """

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        self._kept = b""
        self._thread = threading.Thread(target=self._pump, name="kernel-last-words", daemon=True)

    def started(self) -> None:
        """Let go of the kernel's end, now that the kernel has it, and begin to read."""
        os.close(self.writer)
        self._thread.start()

    def abandon(self) -> None:
        """Close both ends: the kernel was not started."""
        os.close(self.writer)
        os.close(self._reader)

    def text(self, patience: float = 0.5) -> str:
        """What was kept; waits a little for a dead kernel's pipe to run dry."""
        self._thread.join(patience)
        return self._kept.decode(errors="replace")

    def _pump(self) -> None:
        """Read until every holder of the other end is gone."""
        with os.fdopen(self._reader, "rb", buffering=0) as pipe:
            while chunk := pipe.read(65536):
                self._kept = (self._kept + chunk)[-LIMIT:]
                with contextlib.suppress(OSError):
                    os.write(2, chunk)
