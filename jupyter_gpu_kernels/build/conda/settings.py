"""What the conda engine is asked and what it answers: plain data, and no credentials in anything that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...models import PlannedPackage
from ..tools.redaction import redact

#: What packages grow by when they are unpacked. Repodata only has packed sizes; unpacked ones are two (CUDA libraries)
#: to five (an interpreter, pure Python) times larger. The cache's copy costs nothing more, it shares its files.
EXPANSION = 3


@dataclass(frozen=True)
class Channel:
    """A channel as the user calls it and where it is.

    Attributes:
        name: As configured, without credentials; this is what may be shown.
        location: URL, or a name or path that is left to the solver's own defaults. It may hold credentials.
    """

    name: str
    location: str


@dataclass(frozen=True, kw_only=True)
class ChannelSettings:
    """Which channels are asked, and how; the words are those of ``.condarc``.

    Attributes:
        channels: Names or URLs, in order of priority.
        channel_alias: URL that names are appended to, empty for the solver's default.
        custom_channels: Name of a channel to the URL that its name is appended to.
        custom_multichannels: Name, ``defaults`` among them, to the channels that it stands for.
        places: Name of a channel to where it is as a whole; heard before the others.
        mirrors: URL prefix to the URL prefixes that are asked in its place.
        priority: ``"strict"``, ``"flexible"`` or ``"disabled"``. The solver knows no flexible priority and takes
            ``strict`` for it.
        proxies: ``http``, ``https``, ``all``, or one of these and a host as in ``https://host``, to a proxy's URL; they
            replace those of the environment variables. What comes of them: :mod:`.proxies`.
        ssl_verify: Whether to check certificates, or the file of the authorities to trust.
        retries: How often a request that failed for a passing reason is repeated.
        timeout: Seconds that one request for metadata may take as a whole.
    """

    channels: tuple[str, ...]
    channel_alias: str = ""
    custom_channels: Mapping[str, str] = field(default_factory=dict)
    custom_multichannels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    priority: str = "strict"
    proxies: Mapping[str, str] = field(default_factory=dict)
    ssl_verify: bool | str = True
    retries: int = 3
    timeout: int = 120

    def resolved(self) -> tuple[Channel, ...]:
        """The channels with their locations, in order of priority, each location once."""
        found: dict[str, Channel] = {}
        for name in self.channels:
            for member in self.custom_multichannels.get(name, (name,)):
                channel = Channel(redact(member).rstrip("/"), self.location(member))
                found.setdefault(channel.location, channel)
        return tuple(found.values())

    def location(self, name: str) -> str:
        """Where a channel is that is no multichannel: a URL, or a name or path left to the solver's own defaults."""
        if "://" in name:
            return name.rstrip("/")
        # The longest name wins: "lab" and "lab/testing" may live on different servers, "lab/label/dev" goes with "lab".
        parts = name.strip("/").split("/")
        for length in range(len(parts), 0, -1):
            start, rest = "/".join(parts[:length]), parts[length:]
            if start in self.places:
                return "/".join((self.places[start].rstrip("/"), *rest))
            base = self.custom_channels.get(start)
            if base is not None:
                return f"{base.rstrip('/')}/{'/'.join(parts)}"
        if self.channel_alias and not name.startswith((".", "/", "~", "\\")):
            return f"{self.channel_alias.rstrip('/')}/{'/'.join(parts)}"
        return name


@dataclass(frozen=True, kw_only=True)
class CondaRequest:
    """What an environment must hold.

    Attributes:
        specs: Match specs, read leniently as conda reads them on its command line.
        settings: Where to look.
        cuda: Version of the virtual package ``__cuda``, ``None`` for a machine without a driver.
        platform: Conda subdir to solve for (``"linux-64"``), ``None`` for the running one.
        keep: Match specs of what was added from outside to the environment that is rebuilt.
        hold: Records, files of a ``conda-meta``, of packages that keep their version unless it stands in the way.
        firm: Names of those that an answer is looked for first without moving, even if others come in older versions.
    """

    specs: tuple[str, ...]
    settings: ChannelSettings
    cuda: str | None = None
    platform: str | None = None
    keep: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    firm: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CondaSolution:
    """Exactly the packages to install.

    Attributes:
        packages: In order of name.
        download_bytes: Bytes of the packages that are not in the cache.
        disk_bytes: Estimate: three times the packed size, see :data:`EXPANSION`.
        request: What was asked for; the download uses its settings too.
        payload: The solver's records, opaque. They may hold credentials in their URLs: never show or store them.
        archives: Directory that has the packages' archives, each below its platform; empty to fetch them.
        warnings: What the user should read before.
        missing: Names of the packages that must be downloaded.
    """

    packages: tuple[PlannedPackage, ...]
    download_bytes: int
    disk_bytes: int
    request: CondaRequest = field(repr=False)
    payload: str = field(repr=False)
    archives: str = ""
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def specs(self) -> tuple[str, ...]:
        """What was asked for, with what is kept from before."""
        return (*self.request.specs, *self.request.keep)


@dataclass(frozen=True, kw_only=True)
class ChannelAnswer:
    """What a channel said to a small question.

    Attributes:
        channel: Its name, without credentials.
        reachable: False only where nothing answered (no such host, no connection, no answer in time), as on a machine
            without that network. A refusal, a proxy's or a certificate's error is somebody's to mend: the channel
            counts as reachable, and ``error`` says what is wrong.
        forbidden: Whether it asked for credentials or refused those it got.
        error: Why it cannot be used, in one sentence; empty if it can.
        kind: The same in a word, a value of :class:`.failures.Kind`; empty if it can be used.
        seconds: Until the answer.
        rate: Bytes a second of what came after its beginning; ``None`` if that was too little to tell.
        cure: What to do about an error.
    """

    channel: str
    reachable: bool
    forbidden: bool = False
    error: str = ""
    kind: str = ""
    seconds: float = 0.0
    rate: float | None = None
    cure: str = ""
