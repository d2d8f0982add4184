"""A script that runs uv under a pseudo-terminal, where alone it counts bytes, and tells what its bars say.

Run as ``python -I -S relay.py -- COMMAND…`` with nothing but the standard library. uv's stdout is passed on to stderr.
What uv writes for a human becomes JSON lines on stdout, a few a second and only when something changed, so that
silence means that nothing moves::

    {"bars": {"numpy": [1048576, 16913000]}, "prepared": [3, 34], "linked": [0, 0]}
    {"text": "Prepared 34 packages in 701ms"}
    {"temporary": "/home/me/.cache/uv/.tmp1sHCWp"}

Nothing that goes wrong here ends uv. The exit status is uv's, 128 + n if signal n killed it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

#: Seconds between two lines about bars.
PACE = 0.2
#: Seconds between two lines while files are linked: nothing there can be mended by starting again.
HEARTBEAT = 5.0
#: Rows and columns of the terminal: every bar must be drawn, and unabridged.
ROWS, COLUMNS = 400, 200
#: Characters of one drawing; uv draws far less.
LONGEST_DRAWING = 1 << 18
#: From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1

UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: A carriage return counts only once it is known that no line feed follows.
REDRAW = re.compile(r"\r(?=[^\n])|\x1b\[[0-9]*[ABK]")
BAR = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*) +-+ +"
    r"(?P<done>\d+(?:\.\d+)?) (?P<unit>[KMGT]?i?B)/(?P<all>\d+(?:\.\d+)?) (?P<of>[KMGT]?i?B)"
)
TEMPORARY = re.compile(r"(/.*?/\.tmp[A-Za-z0-9]{6})(?:/|$)")
PREPARING = re.compile(r"Preparing packages\.\.\. \((\d+)/(\d+)\)")
LINKING = re.compile(r"\[(\d+)/(\d+)\] ")
#: A drawing: blank, a spinner (Braille patterns), a bar of blocks or of dashes. The rest is text for humans.
DRAWING = re.compile(r"^\s*$|[\u2800-\u28ff\u2588\u2591]|-{3,}.*[KMGT]?i?B/")


class Screen:
    """Understands what uv draws.

    Attributes:
        bars: Bytes done and in all of every download seen, by normalised name.
        prepared: Packages fetched, of how many.
        linked: Packages linked, of how many.
    """

    def __init__(self) -> None:
        self.bars: dict[str, list[int]] = {}
        self.prepared = [0, 0]
        self.linked = [0, 0]
        self._rest = ""

    def feed(self, text: str) -> list[str]:
        """Take a piece of output; return the lines of text in it."""
        pieces = (self._rest + text).split("\n")
        # Bars are redrawn without line ends: what came last is kept, but not for ever.
        self._rest = pieces.pop()
        lines = []
        for piece in pieces:
            self._look(piece)
            # A line of text follows the last drawing of the bars that it displaces.
            line = ESCAPE.sub("", REDRAW.split(piece.rstrip("\r"))[-1]).rstrip()
            if line and not DRAWING.search(line):
                lines.append(line)
        redrawn = REDRAW.split(self._rest)
        if len(redrawn) > 1:
            self._look("\r".join(redrawn[:-1]))
            self._rest = redrawn[-1]
        elif len(self._rest) > LONGEST_DRAWING:
            self._look(self._rest)
            self._rest = ""
        return lines

    def _look(self, drawn: str) -> None:
        plain = ESCAPE.sub("", drawn)
        for match in BAR.finditer(plain):
            name = re.sub(r"[-_.]+", "-", match["name"]).lower()
            self.bars[name] = [_bytes(match["done"], match["unit"]), _bytes(match["all"], match["of"])]
        for match in PREPARING.finditer(plain):
            self.prepared = [int(match[1]), int(match[2])]
        for match in LINKING.finditer(plain):
            self.linked = [int(match[1]), int(match[2])]

    def state(self) -> dict[str, object]:
        """What to tell."""
        return {"bars": dict(self.bars), "prepared": self.prepared, "linked": self.linked}


def _bytes(number: str, unit: str) -> int:
    return round(float(number) * UNITS.get(unit, 1))


def _tell(message: dict[str, object]) -> None:
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _temporaries(pid: int) -> set[str]:
    """Directories in uv's cache that it is unpacking into; who kills it must know, for nobody else tidies them up."""
    found = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                match = TEMPORARY.match(str(entry.readlink()))
                if match:
                    found.add(match[1])
    return found


def relay(command: list[str]) -> int:
    """Run a command to its end, telling of its progress; return its exit status."""
    import fcntl
    import pty
    import select
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    # Only a prepared foreign function runs between fork and exec, and there are no other threads.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=2, stderr=theirs, env=environment, preexec_fn=_die_with_parent
    )
    os.close(theirs)
    screen = Screen()
    told: dict[str, object] = {}
    known: set[str] = set()
    last = looked = 0.0
    while True:
        ready, _, _ = select.select([ours], [], [], PACE)
        data = b""
        if ready:
            # Linux says EIO where others say end of file.
            with contextlib.suppress(OSError):
                data = os.read(ours, 1 << 16)
            if not data:
                break
        elif process.poll() is not None:
            break
        with contextlib.suppress(Exception):
            for line in screen.feed(data.decode("utf-8", "replace")):
                _tell({"text": line})
        now, state = time.monotonic(), screen.state()
        if now - looked >= PACE:
            looked = now
            for path in sorted(_temporaries(process.pid) - known):
                known.add(path)
                _tell({"temporary": path})
        linking = screen.linked[1] > 0
        if now - last >= PACE and (state != told or (linking and now - last >= HEARTBEAT)):
            _tell(state)
            told, last = state, now
    _tell(screen.state())
    with contextlib.suppress(Exception):
        for line in screen.feed("\n"):
            _tell({"text": line})
    status = process.wait()
    return status if status >= 0 else 128 - status


def main(arguments: list[str]) -> int:
    """Run the command after ``--``."""
    command = arguments[arguments.index("--") + 1 :]
    if sys.platform == "win32":
        return subprocess.call(command)
    return relay(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
