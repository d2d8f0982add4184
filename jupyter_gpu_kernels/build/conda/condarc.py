"""What conda's configuration says of channels and places, in the words of this house."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ...errors import RefusedError
from . import proxies
from .configuration.merging import Merged, merge
from .configuration.places import candidates
from .configuration.reading import read_file, read_variables
from .settings import ChannelSettings

#: Where nothing is configured. Conda's own default has terms of use that this package cannot accept for a user.
DEFAULT_CHANNELS: Final = ("conda-forge",)

#: Words for true and false in variables and in quotes.
_TRUTHS: Final = {"true": True, "yes": True, "1": True, "truststore": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, kw_only=True)
class Condarc:
    """The merged configuration.

    Attributes:
        channels: The channels, ``conda-forge`` where none is configured.
        configured: Whether somebody configured them.
        envs_dirs: Where environments go, in order of preference; empty if nothing is said.
        pkgs_dirs: Where conda keeps packages, likewise.
        allowlist: The only channels that may be used; empty for all.
        denylist: The channels that may not be used.
        settings: All that concerns the channels.
        merged: What is said of each key, and by whom.
        files: The files that were read, in order of rising precedence.
        warnings: One sentence for each file, or key of a file, that was left out.
    """

    channels: tuple[str, ...] = DEFAULT_CHANNELS
    configured: bool = False
    envs_dirs: tuple[Path, ...] = ()
    pkgs_dirs: tuple[Path, ...] = ()
    allowlist: tuple[str, ...] = ()
    denylist: tuple[str, ...] = ()
    settings: ChannelSettings = field(default_factory=lambda: ChannelSettings(channels=DEFAULT_CHANNELS))
    merged: Merged = field(default_factory=Merged)
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()

    def settings_for(self, channels: Sequence[str] = ()) -> ChannelSettings:
        """The settings for channels that were asked for, or for the configured ones.

        Raises:
            RefusedError: The administrator does not allow one of them.
        """
        wished = tuple(channels) or self.channels
        settings = _with_channels(self.settings, wished)
        for channel in settings.resolved():
            allowed = not self.allowlist or self._listed(channel.location, self.allowlist)
            if not allowed or self._denied(channel.location):
                msg = f"The configuration of conda on this machine does not allow the channel {channel.name}."
                raise RefusedError(msg, cure="Choose another channel, or ask who looks after this machine.")
        return settings

    def _denied(self, location: str) -> bool:
        """Whether a channel may not be used, by whichever address: of a mere name nobody here knows the server."""
        names = [name for name in self.denylist if "://" not in self.settings.location(name)]
        elsewhere = any(location.endswith(f"/{name.strip('/')}") for name in names)
        return elsewhere or self._listed(location, self.denylist)

    def _listed(self, location: str, names: tuple[str, ...]) -> bool:
        """Whether a channel is one of a list; the list may have names or URLs."""
        return any(location == channel.location for channel in _with_channels(self.settings, names).resolved())


def read_condarc(
    environ: Mapping[str, str] | None = None, *, home: Path | None = None, root: Path = Path("/")
) -> Condarc:
    """Read every file that conda would read.

    Args:
        environ: Environment variables; ``None`` for this process's own.
        home: The user's home directory; ``None`` for the real one.
        root: The file system's root, for tests.
    """
    variables = os.environ if environ is None else environ
    warnings: list[str] = []
    files = candidates(variables, home=home or Path.home(), root=root)
    read = {file: layer for file in files if (layer := read_file(file, variables, warnings)) is not None}
    merged = merge([*read.values(), *read_variables(variables)])
    channels = merged.of("channels", ())
    settings = _settings(merged, channels or DEFAULT_CHANNELS)
    return Condarc(
        channels=channels or DEFAULT_CHANNELS,
        configured=bool(channels),
        envs_dirs=tuple(_place(text, home) for text in merged.of("envs_dirs", ())),
        pkgs_dirs=tuple(_place(text, home) for text in merged.of("pkgs_dirs", ())),
        allowlist=merged.of("allowlist_channels", ()),
        denylist=merged.of("denylist_channels", ()),
        settings=settings,
        merged=merged,
        files=tuple(read),
        warnings=(*warnings, *proxies.unheard(settings)),
    )


def _settings(merged: Merged, channels: tuple[str, ...]) -> ChannelSettings:
    """The channels' part in the words of the conda engine."""
    # What conda's `defaults` stands for, by the names that these channels have on the default server.
    defaults = merged.of("default_channels", ()) or (
        ("main", "r", "msys2") if sys.platform == "win32" else ("main", "r")
    )
    priority = merged.of("channel_priority", "strict")
    verify = merged.of("ssl_verify", True)
    if isinstance(verify, str):
        verify = _TRUTHS.get(verify.lower(), verify)
    mirrored = {name: urls for name, urls in merged.mapping("mirrored_channels").items() if urls}
    return ChannelSettings(
        channels=channels,
        channel_alias=merged.of("channel_alias", ""),
        custom_channels=merged.mapping("custom_channels"),
        custom_multichannels={"defaults": defaults, **merged.mapping("custom_multichannels")},
        # The first of several mirrors is where the channel is; rattler takes the others where that one fails.
        places={name: urls[0] for name, urls in mirrored.items()},
        mirrors={urls[0].rstrip("/"): tuple(url.rstrip("/") for url in urls) for urls in mirrored.values() if urls[1:]},
        priority={True: "flexible", "true": "flexible", False: "disabled", "false": "disabled"}.get(
            priority, str(priority)
        ),
        proxies=merged.mapping("proxy_servers"),
        ssl_verify=verify,
    )


def _with_channels(settings: ChannelSettings, channels: tuple[str, ...]) -> ChannelSettings:
    """The same settings for other channels."""
    return replace(settings, channels=channels)


def _place(text: str, home: Path | None) -> Path:
    """An absolute directory of a path that may begin with ``~``."""
    if text.startswith("~") and home is not None:
        return home / text[1:].lstrip("/\\")
    # A user whom nobody knows is a name like any other.
    return Path(os.path.expanduser(text)).absolute()  # noqa: PTH111
