"""The conda solver's own process: py-rattler solves, downloads and links; nothing else imports it.

Run as ``python -m jupyter_gpu_kernels.build.conda.builder`` by :mod:`.engine`, with one request as JSON on stdin. It
answers in JSON lines, the last of which is a ``result`` or a ``failure``, and leaves by ``os._exit``: rattler's
threads can crash an interpreter that shuts down in order (https://github.com/PyO3/pyo3-async-runtimes/issues/40).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import rattler
from rattler.exceptions import GatewayError, InvalidMatchSpecError
from rattler.networking.fetch_repo_data import FetchRepoDataOptions, fetch_repo_data

from ..tools.redaction import redact
from .cache import in_use
from .settings import Channel, ChannelSettings, CondaRequest
from .tally import Tally, Voice

#: Seconds that the solver may think. Real problems take less than one.
SOLVE_TIMEOUT = timedelta(minutes=5)

#: Seconds in which a channel must answer a probe.
PROBE_TIMEOUT = 3

#: Bytes of an answer after which it is taken for a package index. A captive portal's page is shorter, and its end,
#: which proves that it is none, comes with it.
PROBE_BYTES = 128 * 1024

#: Seconds in which a whole answer below that size must be understood.
PROBE_DOUBT = 0.5

#: Virtual packages assumed of a machine that is not this one: what conda-forge's builds ask for at most today.
ASSUMED: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "linux": (("__unix", "0", "0"), ("__linux", "6.1", "0"), ("__glibc", "2.36", "0")),
    "osx": (("__unix", "0", "0"), ("__osx", "14.0", "0")),
    "win": (("__win", "10.0", "0"),),
}
ARCHSPEC = {"linux-64": "x86_64_v3", "win-64": "x86_64_v3", "osx-64": "x86_64_v3", "osx-arm64": "m1"}


class Listener(rattler.InstallerReporter):
    """Hands rattler's callbacks, which come on threads of its own, to the tally."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._names: dict[int, str] = {}

    def on_populate_cache_start(self, operation: int, package_name: str) -> int:
        """A package is looked for in the cache; the operation's number serves as token from here on."""
        self._names[operation] = package_name
        return operation

    def on_download_start(self, cache_entry: int) -> int:
        """A download begins, perhaps not for the first time."""
        self._tally.loading(self._names[cache_entry], 0)
        return cache_entry

    def on_download_progress(self, download_idx: int, progress: int, total: int | None) -> None:
        """Bytes have come."""
        self._tally.loading(self._names[download_idx], progress)

    def on_download_completed(self, download_idx: int) -> None:
        """A download has ended."""
        self._tally.loaded(self._names[download_idx])

    def on_populate_cache_complete(self, cache_entry: int) -> None:
        """A package is in the cache."""
        self._tally.cached(self._names[cache_entry])

    def on_link_start(self, operation: int, package_name: str) -> int:
        """A package is being put into the environment."""
        self._names[operation] = package_name
        return operation

    def on_link_complete(self, index: int) -> None:
        """A package is in the environment."""
        self._tally.linked(self._names[index])


def client(settings: ChannelSettings, *, retries: int, timeout: int | None) -> rattler.Client:
    """A client with the wished mirrors, certificates and authentication; proxies come by the environment."""
    config = rattler.Config()
    if settings.ssl_verify is False:
        config.set("tls-no-verify", "true")
    elif settings.ssl_verify is not True:
        # The engine names the file in SSL_CERT_FILE, which only this store reads.
        config.set("tls-root-certs", "system")
    for original, mirrors in settings.mirrors.items():
        config.set(f'mirrors."{original}"', json.dumps(list(mirrors)))
    return rattler.Client.from_config(config, max_retries=retries, timeout=timeout)


def rattler_channel(channel: Channel) -> rattler.Channel:
    """A channel as rattler knows it."""
    return rattler.Channel(channel.location)


def virtual_packages(cuda: str | None, platform: str | None) -> list[rattler.GenericVirtualPackage]:
    """What the target machine has: CUDA as asked for, the rest of this machine or as may be assumed of another one."""

    def made(name: str, version: str, build: str) -> rattler.GenericVirtualPackage:
        return rattler.GenericVirtualPackage(
            rattler.PackageName(name), rattler.Version(version), rattler.BuildString(build)
        )

    if platform is None or platform == str(rattler.Subdir.current()):
        # CONDA_OVERRIDE_GLIBC and the like are honoured, but the word on CUDA has been spoken.
        overrides = rattler.VirtualPackageOverrides.from_env()
        overrides.cuda = rattler.Override.string("")
        detected = [package.into_generic() for package in rattler.VirtualPackage.detect(overrides)]
        found = [package for package in detected if not package.name.normalized.startswith("__cuda")]
    else:
        found = [made(*package) for package in ASSUMED.get(platform.split("-")[0], ())]
        if platform in ARCHSPEC:
            found.append(made("__archspec", "1", ARCHSPEC[platform]))
    return [*found, made("__cuda", cuda, "0")] if cuda is not None else found


def match_spec(text: str, channels: tuple[Channel, ...]) -> rattler.MatchSpec:
    """Read a match spec leniently; a channel in it is one of ours."""
    name, separator, rest = text.partition("::")
    if separator:
        locations = {channel.name: channel.location for channel in channels}
        text = f"{locations.get(name, name)}::{rest}"
    try:
        return rattler.MatchSpec(text)
    except InvalidMatchSpecError as error:
        msg = f"{name}{separator}{rest} ({error})"
        raise InvalidMatchSpecError(msg) from error


def package_cache(directory: Path) -> rattler.PackageCache:
    """The cache of unpacked packages. Every file is checked against its hash before it is used."""
    return rattler.PackageCache.new_layered([str(directory)], validation_mode=rattler.ValidationMode.full())


async def solve(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Find the packages.

    Returns:
        Packages, what they cost, and the records as the text of a lock file.
    """
    request = msgspec.convert(job["request"], CondaRequest)
    channels = request.settings.resolved()
    platform = request.platform or str(rattler.Subdir.current())
    caller = client(request.settings, retries=request.settings.retries, timeout=request.settings.timeout)

    async def attempt(*, sharded: bool) -> list[rattler.RepoDataRecord]:
        gateway = rattler.Gateway(
            cache_dir=Path(job["repodata"]),
            default_config=rattler.SourceConfig(sharded_enabled=sharded),
            client=caller,
        )
        return await rattler.solve(
            sources=[rattler_channel(channel) for channel in channels],
            specs=[match_spec(text, channels) for text in (*request.specs, *request.keep)],
            gateway=gateway,
            platforms=[rattler.Subdir(platform), rattler.Subdir("noarch")],
            virtual_packages=virtual_packages(request.cuda, request.platform),
            timeout=SOLVE_TIMEOUT,
            channel_priority=(
                rattler.ChannelPriority.Disabled
                if request.settings.priority == "disabled"
                else rattler.ChannelPriority.Strict
            ),
        )

    try:
        records = await attempt(sharded=True)
    except GatewayError as error:
        # Not every mirror says a plain 404 of an index that it does not have, and then only that is tried.
        if "repodata_shards" not in str(error) or "error sending request" in str(error):
            raise
        voice.say({"event": "log", "line": redact(f"No sharded index, taking the whole one: {error}".splitlines()[0])})
        records = await attempt(sharded=False)
    index = await package_cache(Path(job["packages"])).index()
    names = {rattler_channel(channel).base_url.rstrip("/"): channel.name for channel in channels}
    return {
        "packages": [
            {
                "name": record.name.normalized,
                "version": str(record.version),
                "build": str(record.build),
                "source": _source(record, names),
                "size": record.size or 0,
                "cached": index.contains_record(record),
            }
            for record in sorted(records, key=lambda record: record.name.normalized)
        ],
        "payload": freeze(records, platform),
    }


def _source(record: rattler.RepoDataRecord, names: Mapping[str, str]) -> str:
    """The channel of a record, as its user calls it."""
    base = record.url.rsplit("/", 2)[0]
    return names.get(base) or redact(base)


def freeze(records: list[rattler.RepoDataRecord], platform: str) -> str:
    """Write records down so that :func:`thaw` gives the same ones: rattler's own lock file, which loses nothing."""
    target = rattler.LockPlatform(platform)
    lock = rattler.LockFile([target])
    for record in records:
        lock.add_conda_package("default", target, record)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "lock.yml"
        lock.to_path(path)
        return path.read_text()


def thaw(text: str) -> list[rattler.RepoDataRecord]:
    """Read what :func:`freeze` wrote."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "lock.yml"
        path.write_text(text)
        environment = rattler.LockFile.from_path(path).default_environment()
        assert environment is not None
        (records,) = environment.conda_repodata_records().values()
        return records


async def install(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Download what is not cached and link everything into the generation."""
    request = msgspec.convert(job["request"], CondaRequest)
    records = thaw(job["payload"])
    channels = request.settings.resolved()
    wishes = [match_spec(text, channels) for text in (*request.specs, *request.keep)]
    directory = Path(job["packages"])
    with in_use(directory) as swept:
        if swept:
            voice.say({"event": "log", "line": f"Removed {swept} half-unpacked packages of a build that was killed."})
        cache = package_cache(directory)
        index = await cache.index()
        missing = {record.name.normalized: record.size or 0 for record in records if not index.contains_record(record)}
        tally = Tally(missing, len(records), voice, job["silence"])
        with tally.telling():
            await rattler.install(
                records,
                target_prefix=job["generation"],
                execute_link_scripts=job["link_scripts"],
                client=client(request.settings, retries=request.settings.retries, timeout=None),
                # rattler 0.28 wants the inner objects here, against its own annotation.
                requested_specs=[wish._match_spec for wish in wishes],
                reporter=Listener(tally),  # type: ignore[abstract]
                alternative_target_prefix=job["final"],
                package_cache=cache,
            )
    return {}


async def probe(job: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """Ask every channel at once whether it answers, and tell each answer as it comes."""
    settings = msgspec.convert(job["settings"], ChannelSettings)
    caller = client(settings, retries=0, timeout=PROBE_TIMEOUT)
    started = time.monotonic()

    async def ask(number: int, channel: Channel) -> None:
        loop = asyncio.get_running_loop()
        enough = asyncio.Event()
        received = 0
        broken = False

        def doubt() -> None:
            nonlocal broken
            broken = True
            enough.set()

        def count(progress: int, total: int) -> None:
            nonlocal received
            # What is no index is asked for again by rattler, at length and without a word.
            if progress < received:
                loop.call_soon_threadsafe(doubt)
            elif progress == total:
                loop.call_soon_threadsafe(loop.call_later, PROBE_DOUBT, doubt)
            received = progress
            if received >= PROBE_BYTES:
                loop.call_soon_threadsafe(enough.set)

        fetching = asyncio.ensure_future(
            fetch_repo_data(
                channels=[rattler_channel(channel)],
                platforms=[rattler.Subdir("noarch")],
                cache_path=Path(job["scratch"]) / str(number),
                callback=count,
                client=caller,
                fetch_options=FetchRepoDataOptions(cache_action="no-cache"),
            )
        )
        waiting = asyncio.ensure_future(enough.wait())
        # The index of a channel without shards is a hundred megabytes: its beginning is answer enough.
        await asyncio.wait([fetching, waiting], timeout=PROBE_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        answer: dict[str, Any] = {"event": "answer", "channel": channel.name}
        error = fetching.exception() if fetching.done() else None
        if broken:
            answer["text"] = f"failed to decode {channel.location}"
        elif error is not None and not (received and "timed out" in str(error)):
            answer["text"] = str(error)
        elif not fetching.done() and not received:
            answer["text"] = f"timed out: {channel.location}"
        voice.say(answer | {"seconds": time.monotonic() - started})
        waiting.cancel()
        fetching.cancel()

    await asyncio.gather(*(ask(number, channel) for number, channel in enumerate(settings.resolved())))
    return {}


ERRANDS = {"solve": solve, "install": install, "probe": probe}


def main() -> None:
    """Do the one errand that stdin asks for, and leave."""
    voice = Voice.take_stdout()
    try:
        job = json.loads(sys.stdin.buffer.read())
        result = asyncio.run(ERRANDS[job["errand"]](job, voice))
        voice.say({"event": "result", **result})
    # Panics of rattler are no Exceptions.
    except BaseException as error:
        voice.say({"event": "failure", "exception": type(error).__name__, "text": str(error)})
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
