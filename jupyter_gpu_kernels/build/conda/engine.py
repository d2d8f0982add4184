"""The conda installer as the rest of the house sees it; the work is done by :mod:`.builder` in a process of its own.

Nothing here imports rattler: that would cost a server its start-up time, and a crash of rattler the whole server.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ...errors import BuildError, InvalidInputError, RefusedError
from ...models import PlannedPackage
from ..reporting import Reporter
from ..tools.processes import ToolSilentError
from . import bypass, errand, failures, neighbour
from .pins import Archive, CondaPin, Pinned
from .relay import Relay
from .settings import EXPANSION, ChannelAnswer, ChannelSettings, CondaRequest, CondaSolution

#: Seconds in which a channel must answer.
PROBE_SECONDS = 3

#: Bytes of an answer after which it is taken for a package index. A captive portal's page is shorter, and its end,
#: which proves that it is none, comes with it.
PROBE_BYTES = 128 * 1024


class CondaEngine:
    """Solves and installs conda packages.

    Args:
        cache_dir: Directory of the package cache (``pkgs``) and of the repodata (``repodata``); may be shared.
        link_scripts: Whether to run the packages' own link scripts, which are arbitrary code.
        silence: Seconds without a byte after which a download counts as stalled.
        rounds: How often a stalled or crashed installation is started before it is given up. What has been
            downloaded stays in the cache.
        layers: Tells the package caches of others that lie below ours (:mod:`.layers`); called in a thread.
    """

    def __init__(
        self,
        *,
        cache_dir: Path,
        link_scripts: bool = False,
        silence: float = 60,
        rounds: int = 3,
        layers: Callable[[], Sequence[Path]] = tuple,
    ) -> None:
        self._packages = cache_dir / "pkgs"
        self._repodata = cache_dir / "repodata"
        self._link_scripts = link_scripts
        self._silence = silence
        self._rounds = rounds
        self._layers = layers

    async def probe(
        self, settings: ChannelSettings, *, seconds: int = PROBE_SECONDS, enough: int = PROBE_BYTES
    ) -> tuple[ChannelAnswer, ...]:
        """Ask all channels at once whether they answer.

        Args:
            settings: The channels.
            seconds: How long this may take, but for starting the program that asks.
            enough: Bytes of a channel's index after which no more of it is read.

        Returns:
            One answer for each channel, in order.
        """
        answers: dict[str, ChannelAnswer] = {}

        def take(message: Mapping[str, Any]) -> None:
            if message["event"] == "answer":
                answers[message["channel"]] = failures.answer(message, settings)

        scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="gpu-kernels-"))
        try:
            job = {
                "errand": "probe",
                "settings": msgspec.to_builtins(settings),
                "scratch": str(scratch),
                "seconds": seconds,
                "bytes": enough,
            }
            with contextlib.suppress(errand.BuilderDiedError):
                await errand.run(job, settings, take)
        except errand.BuilderFailedError as error:
            raise failures.of_solve(error.exception, error.text, settings) from None
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True))
        return tuple(
            answers.get(channel.name)
            or ChannelAnswer(
                channel=channel.name, reachable=False, error="It did not answer.", kind=failures.Kind.SLOW.value
            )
            for channel in settings.resolved()
        )

    async def solve(self, request: CondaRequest) -> CondaSolution:
        """Find the packages that satisfy a request; nothing is installed.

        Raises:
            SolveError: There are none.
            ChannelError: A channel does not answer as it should.
            InvalidInputError: A spec or a channel is malformed.
        """
        if not request.settings.channels:
            msg = "There is no conda channel to take packages from."
            raise InvalidInputError(msg, cure="Name a channel, for example conda-forge.")
        job = {
            "errand": "solve",
            "request": msgspec.to_builtins(request),
            "packages": str(self._packages),
            "layers": await self._layered(),
            "repodata": str(self._repodata),
        }
        return _solution(await self._ask(job, request.settings), request)

    async def pin(self, pins: Sequence[CondaPin], request: CondaRequest, *, lock: str = "") -> Pinned:
        """Find out what is known of packages that somebody names to the byte; nothing is chosen, nothing installed.

        Args:
            pins: The packages.
            request: What the environment counts as asked to hold; its channels are those of the packages.
            lock: The lock of rattler's that names them, which spares asking the channels.

        Raises:
            ChannelError: A channel does not answer as it should.
            RefusedError: A channel has another file of that name.
        """
        job = {
            "errand": "pin",
            "request": msgspec.to_builtins(request),
            "pins": msgspec.to_builtins(tuple(pins)),
            "lock": lock,
            "packages": str(self._packages),
            "layers": await self._layered(),
            "repodata": str(self._repodata),
        }
        result = await self._ask(job, request.settings)
        if strange := result["strange"]:
            msg = f"The file's hash of {strange[0]} is not that of the package which the channel has."
            cure = "Ask for a new file, or import the environment.yml of that environment."
            raise RefusedError(msg, cure=cure, detail=", ".join(strange))
        return Pinned(
            solution=_solution(result, request),
            sources=result["sources"],
            roots=tuple(result["roots"]),
            bare=tuple(result["bare"]),
        )

    async def lock(self, platforms: Sequence[Mapping[str, Any]]) -> str:
        """Write the lock file of an environment; see :mod:`.builder.locking` for what is said of each platform."""
        found = await self._ask({"errand": "lock", "platforms": platforms}, ChannelSettings(channels=()))
        return str(found["text"])

    async def install(
        self, solution: CondaSolution, *, generation: Path, final: Path, reporter: Reporter, lock: Path | None = None
    ) -> None:
        """Download and link exactly the solution's packages.

        Args:
            solution: What to install.
            generation: Where to write; what is there already stays.
            final: Where the environment will be moved to; its files speak of that place.
            reporter: Is told the stages ``download`` and ``link`` and their progress.
            lock: File that stays locked until the builder is gone, even if we are killed.

        Raises:
            DownloadError: Packages could not be fetched whole.
            InstallError: Packages could not be written.
        """
        job = {
            "errand": "install",
            "request": msgspec.to_builtins(solution.request),
            "payload": solution.payload,
            "packages": str(self._packages),
            "generation": str(generation),
            "final": str(final),
            "layers": await self._layered(),
            "archives": solution.archives,
            "link_scripts": self._link_scripts,
            "silence": self._silence,
        }
        before = await asyncio.to_thread(_entries, generation)
        await self._insist(
            job, solution.request.settings, Relay(reporter), lock=lock, clear=lambda: _clear(generation, before)
        )
        if not self._link_scripts:
            for name in await asyncio.to_thread(_link_scripts, generation):
                reporter.log(f"{name} has a post-link script, which was not run.")
        await asyncio.to_thread(neighbour.settle, generation, solution.request)

    async def fetch(
        self, archives: Sequence[Archive], directory: Path, settings: ChannelSettings, reporter: Reporter
    ) -> None:
        """Fetch files as they are; those that are there already are not fetched again.

        Args:
            archives: What to fetch.
            directory: Where to; what has come whole stays there, whatever happens.
            settings: How channels are reached.
            reporter: Is told the stage ``download`` and its progress.

        Raises:
            DownloadError: They could not be fetched whole.
            InstallError: They could not be written.
        """
        job = {
            "errand": "fetch",
            "settings": msgspec.to_builtins(settings),
            "fetched": msgspec.to_builtins(tuple(archives)),
            "directory": str(directory),
            "silence": self._silence,
        }
        await self._insist(job, settings, Relay(reporter, links=False))

    async def _layered(self) -> list[str]:
        """The package caches below ours, as builders are told of them."""
        return [str(layer) for layer in await asyncio.to_thread(self._layers)]

    async def _ask(self, job: Mapping[str, Any], settings: ChannelSettings) -> Mapping[str, Any]:
        """Have something solved; a builder that dies gets a successor."""
        for left in reversed(range(self._rounds)):
            try:
                return await errand.run(job, settings)
            except errand.BuilderFailedError as failed:
                raise failures.of_solve(failed.exception, failed.text, settings) from None
            except errand.BuilderDiedError as died:
                if not left:
                    raise failures.crashed(str(died)) from None
        raise AssertionError

    async def _insist(
        self,
        job: Mapping[str, Any],
        settings: ChannelSettings,
        relay: Relay,
        *,
        lock: Path | None = None,
        clear: Callable[[], None] = lambda: None,
    ) -> None:
        """Run the builder until it succeeds, fails for good or has stalled too often; in between things are cleared."""
        mismatched = False
        for left in reversed(range(self._rounds)):
            try:
                await errand.run(job, settings, relay.take, silence=self._silence, lock=lock)
            except ToolSilentError:
                error: BuildError = failures.stalled(self._silence, relay.latest)
            except errand.BuilderDiedError as died:
                error = failures.crashed(str(died))
            except errand.BuilderFailedError as failed:
                error = failures.of_install(failed.exception, failed.text, settings)
                # A mirror that was being synchronised, or a proxy's cache: it is worth one more question.
                if mismatched or not failures.is_mismatch(failed.text):
                    raise error from None
                mismatched = True
            else:
                return
            if not left:
                raise error
            relay.restart(f"{error.message} Starting again; what has been downloaded is kept.")
            await asyncio.to_thread(clear)


def _solution(result: Mapping[str, Any], request: CondaRequest) -> CondaSolution:
    """What a builder has found."""
    found = result["packages"]
    return CondaSolution(
        packages=tuple(
            PlannedPackage(**{key: package[key] for key in ("name", "version", "build", "source", "size")})
            for package in found
        ),
        download_bytes=sum(package["size"] for package in found if not package["cached"]),
        disk_bytes=EXPANSION * sum(package["size"] for package in found),
        request=request,
        payload=result["payload"],
        warnings=(*result["warnings"], *bypass.sentences(request.settings)),
        missing=tuple(package["name"] for package in found if not package["cached"]),
    )


def _entries(directory: Path) -> frozenset[str]:
    return frozenset(os.listdir(directory)) if directory.is_dir() else frozenset()


def _link_scripts(prefix: Path) -> list[str]:
    """Packages that would run something after they were linked."""
    found = [*prefix.glob("bin/.*-post-link.sh"), *prefix.glob("Scripts/.*-post-link.bat")]
    return sorted(path.stem.removeprefix(".").removesuffix("-post-link") for path in found)


def _clear(directory: Path, keep: frozenset[str]) -> None:
    """Remove what a builder has left in a directory: half-linked packages are not to be trusted."""
    for name in _entries(directory) - keep:
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
