"""The settings in force of conda, pip and uv, and of the way to them: what, who says so, and who is not heard."""

from __future__ import annotations

import contextlib
import json
import netrc
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...models import ConfiguredValue
from ..conda import proxies
from ..conda.condarc import Condarc
from ..conda.proxies import excepted
from ..conda.settings import ChannelSettings
from ..tools.redaction import redact
from ..wheels import chosen, pipconfig
from ..wheels.pipconfig import Machine
from ..wheels.uv import SETTLING, uv_words

#: Variables that say how a network is reached.
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def of_conda(condarc: Condarc) -> Iterator[ConfiguredValue]:
    """What conda's files and variables say."""
    for (key, name), said in condarc.merged.said.items():
        value = ", ".join(said.value) if isinstance(said.value, tuple) else said.value
        yield ConfiguredValue(
            tool="conda",
            key=f"{key}.{redact(name)}" if name else key,
            value=redact(str(value).lower() if isinstance(value, bool) else value),
            source=", ".join(said.sources),
            overridden=said.overridden,
        )


def of_wheels(environ: Mapping[str, str], machine: Machine, warnings: list[str]) -> Iterator[ConfiguredValue]:
    """What pip, uv, variables and what was chosen here say of indexes and of the way to them.

    Args:
        environ: Environment variables.
        machine: Where the files are.
        warnings: Is told of files that cannot be read.
    """
    words = pipconfig.pip_words(environ, machine, warnings)
    file, uv = uv_words(environ, machine)
    own = chosen.read(machine.chosen)
    told: list[tuple[str, str, str, str]] = []
    for option, variables in pipconfig.MEANINGS.items():
        # In order of falling precedence: uv's variables, what was chosen here, uv's file, pip's files and variables.
        said = [(name, "environment", name, environ[name]) for name in variables if environ.get(name)]
        said = [item for item in said if item[0].lower() not in PROXIES and item[0] not in CERTIFICATES]
        pip = [(option, "pip", source, value) for source, value in reversed(words.get(option, []))]
        if option == "index-url" and own.index:
            ours = ("index", "gpu-kernels", str(machine.chosen), own.index)
            stronger = bool(pip) and pip[0][2] in chosen.STRONGER
            said += [*pip[:1], ours] if stronger else [ours]
            pip = pip[1:] if stronger else pip
        said += [(key, "uv", file, _plain(uv[key])) for key in uv if option in SETTLING.get(key, ())]
        said += pip
        # An index of uv's file stands for pip's own and for its further ones.
        if said and (len(said) > 1 or said[0] not in told):
            told.append(said[0])
            key, tool, source, value = said[0]
            others = tuple(dict.fromkeys(other for _, _, other, word in said[1:] if word != value))
            yield ConfiguredValue(tool=tool, key=key, value=_line(value), source=source, overridden=others)
    yield from (
        ConfiguredValue(tool="uv", key=key, value=_line(_plain(value)), source=file)
        for key, value in uv.items()
        if key not in SETTLING
    )
    for option in ("no-index",):
        if words.get(option):
            source, value = words[option][-1]
            yield ConfiguredValue(tool="pip", key=option, value=value, source=source)


def of_the_way(environ: Mapping[str, str]) -> Iterator[ConfiguredValue]:
    """Proxies and certificates of variables; of two spellings the small one counts."""
    for name in PROXIES:
        spellings = [word for word in (name, name.upper()) if environ.get(word)]
        if spellings:
            first, *rest = spellings
            others = tuple(word for word in rest if environ[word] != environ[first])
            value = redact(environ[first])
            yield ConfiguredValue(tool="environment", key=name, value=value, source=first, overridden=others)
    for name in CERTIFICATES:
        if environ.get(name):
            yield ConfiguredValue(tool="environment", key=name, value=environ[name], source=name)


def of_credentials(environ: Mapping[str, str], home: Path) -> Iterator[ConfiguredValue]:
    """For which hosts there are credentials in files; never what they are. Keyrings are not asked: they may ask back.

    Where rattler looks: https://docs.rs/rattler_networking/latest/rattler_networking/authentication_storage/
    """
    named = environ.get("RATTLER_AUTH_FILE")
    stored = Path(named) if named else home / ".rattler" / "credentials.json"
    with contextlib.suppress(OSError, ValueError, RecursionError):
        data = json.loads(stored.read_text("utf-8"))
        if isinstance(data, dict) and data:
            hosts = ", ".join(sorted(map(str, data)))
            yield ConfiguredValue(tool="conda", key="credentials", value=hosts, source=str(stored))
    file = Path(environ.get("NETRC") or home / ".netrc")
    with contextlib.suppress(OSError, ValueError, netrc.NetrcParseError):
        hosts = ", ".join(sorted(netrc.netrc(str(file)).hosts))
        if hosts:
            yield ConfiguredValue(tool="conda", key="credentials", value=hosts, source=str(file))


def about_proxies(
    condarc: Condarc, settings: ChannelSettings, environ: Mapping[str, str], hosts: Mapping[str, str]
) -> Iterator[str]:
    """What is contradictory of proxies, one sentence each.

    Args:
        condarc: What conda's configuration says.
        settings: The channels in force.
        environ: Environment variables.
        hosts: The hosts that are asked, and by which name.
    """
    configured = proxies.schemes(settings)
    said = [word for (key, _), item in condarc.merged.said.items() if key == "proxy_servers" for word in item.sources]
    where = " and ".join(dict.fromkeys(said))
    for scheme, url in configured.items():
        other = environ.get(f"{scheme}_proxy") or environ.get(f"{scheme}_proxy".upper())
        if other and other != url:
            yield (
                f"Channels are asked through the proxy {redact(url)} of {where}, and package indexes through "
                f"{redact(other)} of the variable {scheme}_proxy."
            )
    no_proxy = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    for host, name in hosts.items():
        if configured and excepted(host, no_proxy):
            yield (
                f"{name} is asked without the proxy of {where}, as the variable no_proxy names {host}; conda itself "
                "would use the proxy."
            )


def hosts_of(settings: ChannelSettings) -> dict[str, str]:
    """The hosts of channels, and the name of the first channel of each."""
    found: dict[str, str] = {}
    for channel in settings.resolved():
        if host := urlsplit(channel.location).hostname:
            found.setdefault(host, channel.name)
    return found


def _plain(value: Any) -> str:
    """A value of a TOML file in a line; of an index, its address."""
    if isinstance(value, list):
        return " ".join(map(_plain, value))
    if isinstance(value, dict):
        return str(value.get("url", ""))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(text: str) -> str:
    """A text in one line, without credentials; they may be in any of several URLs."""
    return redact(" ".join(text.split()))
