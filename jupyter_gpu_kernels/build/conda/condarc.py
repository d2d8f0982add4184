"""What ``.condarc`` files and ``CONDA_…`` variables say of channels and places, merged as conda merges them.

Where conda looks, and in which order: https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/
use-condarc.html#searching-for-condarc. Scalars come from the last file that has them; lists and mappings are joined,
those of the last file first. Conda's ``#!top``, ``#!bottom`` and ``#!final`` marks are not read.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from ...errors import RefusedError
from .settings import ChannelSettings

#: Where nothing is configured. Conda's own default has terms of use that this package cannot accept for a user.
DEFAULT_CHANNELS: Final = ("conda-forge",)

#: Other names of the keys that are read.
_ALIASES: Final = {
    "channel": "channels",
    "envs_path": "envs_dirs",
    "verify_ssl": "ssl_verify",
    "whitelist_channels": "allowlist_channels",
}
_LISTS: Final = ("channels", "default_channels", "envs_dirs", "allowlist_channels", "denylist_channels")
_MAPPINGS: Final = ("custom_channels", "custom_multichannels", "proxy_servers")
_SCALARS: Final = ("channel_alias", "channel_priority", "ssl_verify")

_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)|%(\w+)%")


@dataclass(frozen=True, kw_only=True)
class Condarc:
    """The merged configuration.

    Attributes:
        channels: The channels, ``conda-forge`` where none is configured.
        configured: Whether somebody configured them.
        envs_dirs: Where environments go, in order of preference; empty if nothing is said.
        allowlist: The only channels that may be used; empty for all.
        denylist: The channels that may not be used.
        settings: All that concerns the channels.
        files: The files that were read, in order of rising precedence.
        warnings: One sentence for each file, or key of a file, that was left out.
    """

    channels: tuple[str, ...] = DEFAULT_CHANNELS
    configured: bool = False
    envs_dirs: tuple[Path, ...] = ()
    allowlist: tuple[str, ...] = ()
    denylist: tuple[str, ...] = ()
    settings: ChannelSettings = field(default_factory=lambda: ChannelSettings(channels=DEFAULT_CHANNELS))
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
            if not allowed or self._listed(channel.location, self.denylist):
                msg = f"The configuration of conda on this machine does not allow the channel {channel.name}."
                raise RefusedError(msg, cure="Choose another channel, or ask who looks after this machine.")
        return settings

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
    layers: list[dict[str, Any]] = []
    files: list[Path] = []
    for file in candidates(variables, home=home or Path.home(), root=root):
        layer = _read(file, variables, warnings)
        if layer is not None:
            files.append(file)
            layers.append(layer)
    layers.append(_from_variables(variables))
    merged = _merge(layers)
    channels = merged.get("channels", ())
    return Condarc(
        channels=channels or DEFAULT_CHANNELS,
        configured=bool(channels),
        envs_dirs=tuple(_place(text, home) for text in merged.get("envs_dirs", ())),
        allowlist=merged.get("allowlist_channels", ()),
        denylist=merged.get("denylist_channels", ()),
        settings=_settings(merged, channels or DEFAULT_CHANNELS),
        files=tuple(files),
        warnings=tuple(warnings),
    )


def candidates(
    environ: Mapping[str, str], *, home: Path, root: Path = Path("/"), windows: bool | None = None
) -> list[Path]:
    """The files that exist, in order of rising precedence.

    Args:
        environ: Environment variables.
        home: The user's home directory.
        root: The file system's root.
        windows: Whether this is Windows; ``None`` to find out.
    """
    windows = sys.platform == "win32" if windows is None else windows
    directories = [root / "ProgramData/conda"] if windows else [root / "etc/conda", root / "var/lib/conda"]
    if "CONDA_ROOT" in environ:
        directories.append(Path(environ["CONDA_ROOT"]))
    elif "CONDA_EXE" in environ:
        # <root>/bin/conda, or <root>/Scripts/conda.exe.
        directories.append(Path(environ["CONDA_EXE"]).parent.parent)
    if "XDG_CONFIG_HOME" in environ:
        directories.append(Path(environ["XDG_CONFIG_HOME"]) / "conda")
    directories += [home / ".config/conda", home / ".conda"]
    files = [file for directory in directories for file in _in_directory(directory)]
    files.append(home / ".condarc")
    if environ.get("CONDA_PREFIX"):
        files += _in_directory(Path(environ["CONDA_PREFIX"]))
    if environ.get("CONDARC"):
        files.append(Path(os.path.expanduser(environ["CONDARC"])))  # noqa: PTH111
    # Several of these may be one place; its last turn counts.
    # Where one may not look, as in the home directory of whom one was before ``sudo``, nothing is configured.
    existing = [file for file in files if os.path.isfile(file)]  # noqa: PTH113
    return list(reversed(dict.fromkeys(reversed(existing))))


def _in_directory(directory: Path) -> Iterator[Path]:
    """The names that conda knows in a directory."""
    yield directory / ".condarc"
    yield directory / "condarc"
    with contextlib.suppress(OSError):
        yield from sorted(file for file in directory.glob("condarc.d/*") if file.suffix in (".yml", ".yaml"))


def _read(file: Path, environ: Mapping[str, str], warnings: list[str]) -> dict[str, Any] | None:
    """What a file says with the right types; ``None``, and a warning, if it cannot be read."""
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        warnings.append(f"The file {file} cannot be read and is left out: {error}")
        return None
    except yaml.YAMLError as error:
        where = f" in line {mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
        warnings.append(f"The file {file} is not valid YAML{where} and is left out.")
        return None
    # Dates that no calendar has, and nesting without an end.
    except (ValueError, RecursionError):
        warnings.append(f"The file {file} is not valid YAML and is left out.")
        return None
    if data is None:
        return {}
    if not isinstance(data, dict):
        warnings.append(f"The file {file} has no keys and is left out.")
        return None
    layer: dict[str, Any] = {}
    for key, value in data.items():
        name = _ALIASES.get(key, key)
        if value is None or name not in (*_LISTS, *_MAPPINGS, *_SCALARS):
            continue
        try:
            layer[name] = _typed(name, value, environ)
        except TypeError as error:
            warnings.append(f"In the file {file} the key {key} is left out: it must be {error}.")
    return layer


def _typed(name: str, value: object, environ: Mapping[str, str]) -> Any:
    """A value of the type that its key has; TypeError says which that is."""
    if name in _LISTS:
        entries = [value] if isinstance(value, str) else value
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            msg = "a list of texts"
            raise TypeError(msg)
        return tuple(_expanded(entry, environ) for entry in entries)
    if name == "custom_multichannels":
        if not isinstance(value, dict):
            msg = "names with lists of channels"
            raise TypeError(msg)
        return {str(key): _typed("channels", entry, environ) for key, entry in value.items()}
    if name in _MAPPINGS:
        if not isinstance(value, dict) or not all(isinstance(entry, (str, type(None))) for entry in value.values()):
            msg = "names with texts"
            raise TypeError(msg)
        return {str(key): _expanded(entry, environ) for key, entry in value.items() if entry}
    if name == "channel_alias" and not isinstance(value, str):
        msg = "a text"
        raise TypeError(msg)
    if not isinstance(value, (str, bool)):
        msg = "a text, or true or false"
        raise TypeError(msg)
    return _expanded(value, environ) if isinstance(value, str) else value


def _expanded(text: str, environ: Mapping[str, str]) -> str:
    """Fill in environment variables, as conda does; unknown ones stay."""
    return _VARIABLE.sub(lambda match: environ.get(match[1] or match[2] or match[3], match[0]), text)


def _from_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    """The same keys from ``CONDA_…`` variables, which overrule every file."""
    layer: dict[str, Any] = {}
    for name, separator in (("channels", ","), ("envs_dirs", os.pathsep)):
        text = environ.get(f"CONDA_{name.upper()}") or (environ.get("CONDA_ENVS_PATH") if name == "envs_dirs" else None)
        if text:
            layer[name] = tuple(part.strip() for part in text.split(separator) if part.strip())
    for name in _SCALARS:
        if text := environ.get(f"CONDA_{name.upper()}"):
            layer[name] = text
    return layer


def _merge(layers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One configuration of layers in order of rising precedence."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if key in _LISTS:
                merged[key] = tuple(dict.fromkeys((*value, *merged.get(key, ()))))
            elif key in _MAPPINGS:
                merged[key] = {**merged.get(key, {}), **value}
            else:
                merged[key] = value
    return merged


def _settings(merged: Mapping[str, Any], channels: tuple[str, ...]) -> ChannelSettings:
    """The channels' part in the words of the conda engine."""
    # What conda's `defaults` stands for, by the names that these channels have on the default server.
    defaults = merged.get("default_channels") or (("main", "r", "msys2") if sys.platform == "win32" else ("main", "r"))
    priority = merged.get("channel_priority", "strict")
    verify = merged.get("ssl_verify", True)
    if isinstance(verify, str):
        words = {"true": True, "yes": True, "1": True, "truststore": True, "false": False, "no": False, "0": False}
        verify = words.get(verify.lower(), verify)
    return ChannelSettings(
        channels=channels,
        channel_alias=str(merged.get("channel_alias", "")),
        custom_channels=merged.get("custom_channels", {}),
        custom_multichannels={"defaults": defaults, **merged.get("custom_multichannels", {})},
        priority={True: "strict", "true": "strict", False: "disabled", "false": "disabled"}.get(
            priority, str(priority)
        ),
        # Conda also takes scheme://host for a key; only the schemes have a counterpart in the engine.
        proxies={key: url for key, url in merged.get("proxy_servers", {}).items() if key in ("http", "https", "all")},
        ssl_verify=verify,
    )


def _with_channels(settings: ChannelSettings, channels: tuple[str, ...]) -> ChannelSettings:
    """The same settings for other channels."""
    return ChannelSettings(**{**vars(settings), "channels": channels})


def _place(text: str, home: Path | None) -> Path:
    """An absolute directory of a path that may begin with ``~``."""
    if text.startswith("~") and home is not None:
        return home / text[1:].lstrip("/\\")
    # A user whom nobody knows is a name like any other.
    return Path(os.path.expanduser(text)).absolute()  # noqa: PTH111
