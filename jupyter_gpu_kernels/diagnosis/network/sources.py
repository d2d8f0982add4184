"""Where packages come from here, and what each source answers to a small question."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ...build.channels import indexes
from ...build.conda import proxies
from ...build.conda.condarc import Condarc
from ...build.conda.engine import CondaEngine
from ...build.conda.failures import SILENT, Kind
from ...build.conda.settings import ChannelSettings
from ...build.tools.redaction import redact
from ...build.wheels.pipconfig import Machine, config_files
from ...build.wheels.uv import Uv, prepare
from ...errors import RefusedError
from ...models import Installer
from ..context import Context

#: Seconds that an index gets for each answer; channels have as many.
TIMEOUT = 3
#: Seconds after which it is known that no answer will come.
LIMIT = 9.0

#: Who names a source that nobody names.
DEFAULT = "the default"


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
        questions = [asyncio.ensure_future(_ask_index(uv, url, context.environ)) for url in indexes.addresses(uv)]
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
            proxy=redact(proxies.proxy_for(places[answer.channel], {**os.environ, **proxies.variables(settings)})),
            said=owners.get(answer.channel, ""),
        )
        for answer in answers
    )


async def _ask_index(uv: Uv, url: str, environ: Mapping[str, str]) -> tuple[Answer, ...]:
    """Ask one package index."""
    said = await indexes.ask(uv, url, timeout=TIMEOUT)
    shown = redact(url)
    answer = Answer(
        source=f"the package index {shown}" if url else "the Python Package Index",
        url=shown,
        kind=said.kind,
        proxy=redact(said.proxy),
        said=named_by(url, environ) if url else DEFAULT,
    )
    if said.error is None:
        return (answer,)
    found = next((word.strip("()`") for word in said.error.detail.split() if "://" in word), "")
    return (replace(answer, url=answer.url or redact(found), words=said.error.message),)


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


def files_of(condarc: Condarc) -> Sequence[str]:
    """The files that configure channels, for people."""
    return [str(path) for path in condarc.files]
