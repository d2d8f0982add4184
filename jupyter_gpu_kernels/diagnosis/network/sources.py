"""Where packages come from here, and what each source answers to a small question."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from ...build.conda.condarc import Condarc
from ...build.conda.engine import CondaEngine
from ...build.conda.failures import SILENT, Kind, kind_of
from ...build.conda.settings import ChannelSettings
from ...build.tools.redaction import redact
from ...build.wheels import solving
from ...build.wheels.pipconfig import Machine, config_files
from ...build.wheels.uv import Uv, prepare
from ...errors import ChannelError, DownloadError, GpuKernelsError, InstallError, RefusedError
from ...models import Installer
from ..context import Context

#: Seconds that an index gets for each answer; channels have as many.
TIMEOUT = 3
#: Seconds after which it is known that no answer will come.
LIMIT = 9.0
#: A package that every index has, or says that it has not.
QUESTION = "pip"

#: Who names a source that nobody names.
DEFAULT = "the default"

#: Variables that name indexes for uv.
INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a source said.

    Attributes:
        source: What it is, for people and without credentials: ``the conda channel conda-forge``.
        url: Where it is, without credentials; empty where only the tool that asks knows.
        kind: What is wrong, ``None`` if nothing is.
        words: The tool's sentence on it.
        proxy: The proxy that it was asked through, without credentials.
        said: Where it is named.
    """

    source: str
    url: str = ""
    kind: Kind | None = None
    words: str = ""
    proxy: str = ""
    said: str = ""

    @property
    def host(self) -> str:
        """The host."""
        return urlsplit(self.url).hostname or ""

    @property
    def silent(self) -> bool:
        """Whether nobody was there at all."""
        return self.kind in SILENT


def settings_of(context: Context, condarc: Condarc) -> tuple[ChannelSettings, dict[str, str]]:
    """The channels that are configured and those of the environments, and who asks for each.

    Raises:
        RefusedError: A configured channel is not allowed on this machine.
    """
    said = "configured for GPU kernels" if context.practice.channels else "configured" * condarc.configured
    # Who installs from indexes only, has no use for channels.
    conda = any(environment.installer is Installer.CONDA for environment in context.environments)
    unused = context.practice.default_installer is Installer.PYPI and not conda
    wanted = dict.fromkeys(() if unused else context.practice.channels or condarc.channels, said or DEFAULT)
    for environment in context.environments:
        manifest = None if environment.damaged else context.manifest_of(environment.name)
        for name in manifest.spec.channels if manifest else ():
            with contextlib.suppress(RefusedError):
                condarc.settings_for((name,))
                wanted.setdefault(name, f"asked for by the environment {environment.name}")
    settings = condarc.settings_for(tuple(wanted)) if wanted else replace(condarc.settings, channels=())
    owners = {
        channel.name: said for name, said in wanted.items() for channel in condarc.settings_for((name,)).resolved()
    }
    return settings, owners


def ask_all(context: Context, settings: ChannelSettings, owners: Mapping[str, str]) -> tuple[Answer, ...]:
    """Ask all channels and indexes at once; blocks for some seconds at most."""
    uv = prepare(environ=context.environ)

    async def ask() -> tuple[Answer, ...]:
        questions = _questions(uv, context.environ)
        if settings.channels:
            engine = CondaEngine(cache_dir=context.practice.cache_dir)
            questions.append(asyncio.ensure_future(_ask_channels(engine, settings, owners)))
        answers = await asyncio.wait_for(asyncio.gather(*reversed(questions)), LIMIT)
        return tuple(answer for group in answers for answer in group)

    return asyncio.run(ask())


async def _ask_channels(
    engine: CondaEngine, settings: ChannelSettings, owners: Mapping[str, str]
) -> tuple[Answer, ...]:
    """Ask all conda channels."""
    answers = await engine.probe(settings)
    places = {channel.name: channel.location for channel in settings.resolved()}
    return tuple(
        Answer(
            source=f"the conda channel {answer.channel}",
            url=redact(places[answer.channel]),
            kind=Kind(answer.kind) if answer.kind else None,
            words=answer.error,
            proxy=_proxy(places[answer.channel], {**os.environ, **_as_variables(settings.proxies)}),
            said=owners.get(answer.channel, ""),
        )
        for answer in answers
    )


def _questions(uv: Uv, environ: Mapping[str, str]) -> list[asyncio.Future[tuple[Answer, ...]]]:
    """One question for each package index; none where uv is told to stay offline."""
    if uv.environment.get("UV_OFFLINE", "").lower() in ("1", "true", "yes"):
        return []
    web = [url for url in uv.indexes if url.startswith(("http://", "https://"))]
    named = bool(uv.environment.get("UV_DEFAULT_INDEX") or uv.environment.get("UV_INDEX_URL"))
    if not named and "--no-index" not in uv.index_options:
        web.append("")
    return [asyncio.ensure_future(_ask_index(uv, url, environ)) for url in dict.fromkeys(web)]


async def _ask_index(uv: Uv, url: str, environ: Mapping[str, str]) -> tuple[Answer, ...]:
    """Ask one package index as uv asks it, with its proxies, certificates and credentials."""
    variables = {name: value for name, value in uv.environment.items() if name not in INDEXES}
    variables |= {"UV_HTTP_TIMEOUT": str(TIMEOUT), "UV_HTTP_RETRIES": "0"}
    if url:
        variables["UV_DEFAULT_INDEX"] = url
    alone = Uv(program=uv.program, environment=variables)
    shown = redact(url)
    answer = Answer(
        source=f"the package index {shown}" if url else "the Python Package Index",
        url=shown,
        proxy=_proxy(url or "https://", variables),
        said=named_by(url, environ) if url else DEFAULT,
    )
    with tempfile.TemporaryDirectory(prefix="gpu-kernels-") as scratch:
        cwd = Path(scratch)
        file = solving.requirements_file(cwd, "question.in", [QUESTION])
        words = ("pip", "compile", "--no-deps", "--no-cache", "--no-header", "--python", sys.executable, file)
        try:
            await solving.ask(alone, *words, cwd=cwd)
        except (ChannelError, DownloadError, InstallError) as error:
            return (_with(answer, error),)
        except GpuKernelsError:
            # It has no such package, and said so.
            pass
    return (answer,)


def _with(answer: Answer, error: GpuKernelsError) -> Answer:
    """An answer that is an error."""
    # uv says this in a hint, after it has found no version of anything.
    refused = re.search(r"\b(401 Unauthorized|403 Forbidden)", error.detail)
    kind = Kind.FORBIDDEN if refused else kind_of(error.detail)
    if answer.proxy and kind in (Kind.NAME, Kind.REFUSED):
        kind = Kind.PROXY
    found = next((word.strip("()`") for word in error.detail.split() if "://" in word), "")
    return replace(answer, url=answer.url or redact(found), kind=kind, words=error.message)


def named_by(url: str, environ: Mapping[str, str]) -> str:
    """Which variable or file of uv or pip names an index."""
    for name, value in environ.items():
        if name.startswith(("UV_", "PIP_")) and url in value:
            return f"the variable {name}"
    for path in reversed(config_files(environ, Machine.here())):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if url in path.read_text(encoding="utf-8"):
                return str(path)
    return "the configuration of pip or uv"


def _as_variables(proxies: Mapping[str, str]) -> dict[str, str]:
    """Proxies of ``.condarc`` as variables."""
    return {f"{scheme}_proxy": url for scheme, url in proxies.items()}


def _proxy(url: str, variables: Mapping[str, str]) -> str:
    """The proxy through which a URL is asked, without credentials; empty if there is none."""
    parts = urlsplit(url)
    lower = {name.lower(): value for name, value in variables.items() if value and name.lower().endswith("_proxy")}
    if _excepted(parts.hostname or "", lower.get("no_proxy", "")):
        return ""
    return redact(lower.get(f"{parts.scheme or 'https'}_proxy") or lower.get("all_proxy", ""))


def _excepted(host: str, no_proxy: str) -> bool:
    """Whether a host is asked without the proxy: it, its domain or its network is named, or all hosts are."""
    for entry in filter(None, map(str.strip, no_proxy.split(","))):
        if entry == "*" or host == entry or (host and host.endswith(f".{entry.lstrip('.')}")):
            return True
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
    return False


def files_of(condarc: Condarc) -> Sequence[str]:
    """The files that configure channels, for people."""
    return [str(path) for path in condarc.files]
