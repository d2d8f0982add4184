"""Letting uv download and link what a lock says, with real progress, patience and a few rounds."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import DownloadError
from ...models import Progress, Stage
from ..reporting import RateMeter, Reporter
from ..tools.processes import ToolSilentError, run_tool
from ..tools.redaction import redact
from . import relay
from .failures import CorruptDownloadError, explain
from .uv import Uv

#: Lines of uv's text that say nothing new to a reader of the log.
CHATTER = re.compile(
    r"^ [+~-] |^Using Python|^\s*Download(ing|ed) |link-mode|[Ff]ailed to (hard)?link|hardlink|falling back"
)


class Listener:
    """Turns what the relay tells into stages, progress and log lines.

    Args:
        reporter: Whom to tell.
        expected: Bytes of each package that must be downloaded, 0 where unknown, by normalised name.
        packages: How many packages there are in all.
        downloading: Stage during the download: the pip stage of a conda environment is all ``wheels``.

    Attributes:
        text: What uv wrote for people in this round.
        temporaries: Directories in uv's cache that it unpacked into.
    """

    def __init__(self, reporter: Reporter, expected: Mapping[str, int], packages: int, downloading: Stage) -> None:
        self.text: list[str] = []
        self.temporaries: set[Path] = set()
        self._reporter = reporter
        self._expected = dict(expected)
        self._done = dict.fromkeys(expected, 0)
        self._packages = packages
        self._cached = packages - len(expected)
        self._meter = RateMeter()
        self._stage = downloading
        self._linking = False

    def begin(self) -> None:
        """Announce the first stage; called again by each round."""
        self.text.clear()
        self._linking = False
        self._reporter.stage(self._stage)
        self._report(self._cached)

    def log(self, line: str) -> None:
        """Pass on a line of ours."""
        self._reporter.log(line)

    def take(self, line: str) -> None:
        """Take a line of the relay; what is not understood is text."""
        try:
            message = json.loads(line)
            if "text" in message:
                self._take_text(str(message["text"]))
            elif "temporary" in message:
                self.temporaries.add(Path(message["temporary"]))
            else:
                self._take_bars(message)
        except (ValueError, TypeError, KeyError, IndexError):
            self._take_text(line)

    def _take_text(self, line: str) -> None:
        self.text.append(line)
        # Without a terminal uv at least says what has come whole.
        if match := re.match(r"\s*Downloaded ([\w.-]+)", line):
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
            if name in self._expected:
                self._done[name] = self._expected[name]
                self._report(self._cached + sum(1 for key in self._done if 0 < self._expected[key] <= self._done[key]))
        elif line.startswith("Prepared "):
            self._downloaded()
        if not CHATTER.search(line):
            self._reporter.log(redact(line))

    def _take_bars(self, message: Mapping[str, object]) -> None:
        bars, prepared, linked = message["bars"], message["prepared"], message["linked"]
        if isinstance(bars, dict):
            for name, (done, total) in bars.items():
                # An exact size from the index is better than one that was rounded for people.
                known = self._expected.get(name) or total
                self._expected[name] = known
                self._done[name] = known if done >= total else min(done, known)
        if isinstance(linked, list) and linked[1]:
            self._downloaded()
            self._reporter.progress(Progress(packages_done=linked[0], packages_total=linked[1], detail="linking"))
        elif isinstance(prepared, list) and prepared[1]:
            # uv counts what it has to prepare, which does not include what its cache has.
            self._report(self._packages - prepared[1] + prepared[0])

    def _downloaded(self) -> None:
        if self._linking:
            return
        self._done = dict(self._expected)
        self._report(self._packages)
        self._linking = True
        if self._stage is not Stage.WHEELS:
            self._reporter.stage(Stage.WHEELS)

    def _report(self, packages: int) -> None:
        done = sum(self._done.values())
        progress = Progress(
            packages_done=min(packages, self._packages),
            packages_total=self._packages,
            bytes_done=done,
            bytes_total=max(done, sum(self._expected.values())),
            bytes_per_second=self._meter.update(done),
        )
        self._reporter.progress(progress)


async def fetch(
    uv: Uv,
    words: Sequence[str],
    listener: Listener,
    *,
    cwd: Path,
    python: str,
    silence: float,
    rounds: int,
    lock: Path | None,
) -> None:
    """Run an installing command of uv to its end, again if it falls silent or gets a damaged file.

    What has been downloaded stays in uv's cache, so that a further round goes on where the last one stopped.

    Raises:
        DownloadError: Packages could not be fetched whole.
        InstallError: They could not be put into the environment.
    """
    try:
        await _rounds(uv, words, listener, cwd=cwd, python=python, silence=silence, rounds=rounds, lock=lock)
    finally:
        # uv is gone. If it was killed, what it was unpacking is left, under names that no other uv knows.
        await asyncio.shield(asyncio.to_thread(_remove, frozenset(listener.temporaries)))


def _remove(paths: frozenset[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


async def _rounds(
    uv: Uv,
    words: Sequence[str],
    listener: Listener,
    *,
    cwd: Path,
    python: str,
    silence: float,
    rounds: int,
    lock: Path | None,
) -> None:
    command = [sys.executable, "-I", "-S", relay.__file__, "--", *uv.command(*words)]
    rest: list[str] = []
    corrupt = 0
    for attempt in range(1, rounds + 1):
        listener.begin()
        rest.clear()
        try:
            finished = await run_tool(
                command,
                env=uv.environment,
                cwd=cwd,
                on_line=listener.take,
                on_error_line=rest.append,
                silence=silence,
                lock=lock,
            )
        except ToolSilentError as error:
            if attempt == rounds:
                msg = f"The download stood still for {silence:g} s, {rounds} times."
                cure = "Check the connection, then try again: what has arrived is kept."
                raise DownloadError(msg, cure=cure, detail=redact("\n".join(listener.text))) from error
            listener.log(f"Nothing has moved for {silence:g} s: trying again, round {attempt + 1} of {rounds}.")
            continue
        if not finished.returncode:
            return
        text = "\n".join((*listener.text, *rest))
        failure = explain(text, returncode=finished.returncode, solving=False, python=python)
        corrupt += isinstance(failure, CorruptDownloadError)
        # A damaged file is fetched once more: often a proxy or a full cache on the way was to blame.
        if corrupt != 1 or attempt == rounds:
            raise failure
        listener.log(f"{failure.message} Trying again.")
