"""What is effective of channels, indexes and mirrors, from where, and what is odd about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import NotFoundError, RefusedError
from ...models import ChannelsReport, ConfiguredValue, Mirror
from ..conda import bypass
from ..conda.condarc import Condarc, read_condarc
from ..conda.settings import ChannelSettings
from ..tools.redaction import redact, uncover
from ..wheels import chosen
from ..wheels.pipconfig import Machine
from ..wheels.uv import Uv, prepare, uv_words
from . import choice, values
from .mirrors import read_mirrors


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was read at one moment; blocks for some milliseconds.

    Attributes:
        condarc: What conda's configuration says.
        channels: The channels in force, names or URLs.
        environ: The environment variables.
        machine: Where pip's and uv's configuration is.
        uv: uv, as it would be started.
        mirrors: The mirrors that are known of.
        told: What was said of files that cannot be read.
        named_by: Who names the channels, where conda's configuration does not.
    """

    condarc: Condarc
    channels: tuple[str, ...]
    environ: Mapping[str, str]
    machine: Machine
    uv: Uv
    mirrors: tuple[Mirror, ...]
    told: tuple[str, ...] = ()
    named_by: str = ""

    @classmethod
    def make(
        cls, environ: Mapping[str, str], *, channels: Sequence[str], mirror_dirs: Sequence[Path], named_by: str
    ) -> Survey:
        """Read everything.

        Args:
            environ: Environment variables.
            channels: Channels that are configured elsewhere than in conda's configuration, and before it.
            mirror_dirs: Where files of mirrors are.
            named_by: Who configures ``channels``.
        """
        condarc, told, machine = read_condarc(environ), list[str](), Machine.here()
        return cls(
            condarc=condarc,
            channels=tuple(channels) or condarc.channels,
            environ=environ,
            machine=machine,
            uv=prepare(environ=environ),
            mirrors=read_mirrors(mirror_dirs, told),
            told=(*condarc.warnings, *told),
            named_by=named_by if channels else "",
        )

    @property
    def settings(self) -> ChannelSettings:
        """The channels in force and how they are asked, whether they are allowed or not."""
        return replace(self.condarc.settings, channels=self.channels)

    def mirror(self, identifier: str) -> Mirror:
        """A mirror by its id.

        Raises:
            NotFoundError: Nobody knows of it.
        """
        for mirror in self.mirrors:
            if mirror.id == identifier:
                return mirror
        known = ", ".join(mirror.id for mirror in self.mirrors)
        msg = f"There is no mirror {identifier!r}."
        cure = f"Name one of {known}." if known else "Put its file into gpu-kernels/mirrors of Jupyter's configuration."
        raise NotFoundError(msg, cure=cure)

    def report(self) -> ChannelsReport:
        """All of it, unmeasured."""
        odd: list[str] = []
        said = (
            *self._channels_said(),
            *values.of_conda(self.condarc),
            *values.of_wheels(self.environ, self.machine, odd),
            *values.of_the_way(self.environ),
            *values.of_credentials(self.environ, self.machine.home),
        )
        return ChannelsReport(
            channels=tuple(
                (channel.name, redact(channel.location) if "://" in channel.location else "")
                for channel in self.settings.resolved()
            ),
            indexes=tuple(map(redact, self.indexes)),
            values=said,
            mirrors=tuple(replace(mirror, used=not self.faults(mirror)) for mirror in self.mirrors),
            warnings=tuple(dict.fromkeys((*self.told, *odd, *self._oddities()))),
        )

    @property
    def indexes(self) -> tuple[str, ...]:
        """The package indexes in force, the first one first; none if only uv knows, by its own default."""
        if self.uv.indexes or "--no-index" in self.uv.index_options:
            return self.uv.sources
        _, said = uv_words(self.environ, self.machine)
        found = [item.get("url") for item in said.get("index", ()) if isinstance(item, dict)]
        found += [said.get(key) for key in ("extra-index-url", "index-url", "default-index")]
        return tuple(url for item in found for url in (item if isinstance(item, list) else [item]) if url)

    def faults(self, mirror: Mirror) -> tuple[str, ...]:
        """Why a mirror is not in force, one sentence each; nothing if it is."""
        found = choice.faults(
            mirror, self.condarc, self.channels, self.uv, environ=self.environ, home=self.machine.home
        )
        return tuple(found)

    def _channels_said(self) -> Iterator[ConfiguredValue]:
        """Who names the channels where conda's configuration does not."""
        said = self.condarc.merged.said.get(("channels", ""))
        text = ", ".join(map(redact, self.channels))
        if self.named_by:
            others = said.sources if said else ()
            yield ConfiguredValue(
                tool="gpu-kernels", key="channels", value=text, source=self.named_by, overridden=others
            )
        elif said is None:
            yield ConfiguredValue(tool="gpu-kernels", key="channels", value=text, source="default")

    def _oddities(self) -> Iterator[str]:
        """What is contradictory, or by-passed."""
        try:
            self.condarc.settings_for(self.channels)
        except RefusedError as refusal:
            yield f"{refusal.message} {refusal.cure}"
        yield from bypass.sentences(self.settings)
        yield from values.about_proxies(self.condarc, self.settings, self.environ, values.hosts_of(self.settings))
        yield from self._of_the_choice()
        mirrored = {uncover(channel.location).rstrip("/") for channel in self.settings.resolved()}
        index = uncover(self.uv.default_index).rstrip("/")
        for mirror in self.mirrors:
            places = {url for _, url in mirror.channels}
            if mirror.index and mirrored & places and index != mirror.index:
                yield (
                    f"Conda packages are taken from the mirror {mirror.title}, and Python packages are not: its index "
                    f"is {mirror.index}."
                )
            elif mirror.index and index == mirror.index and places and not mirrored & places:
                yield f"Python packages are taken from the mirror {mirror.title}, and conda packages are not."

    def _of_the_choice(self) -> Iterator[str]:
        """What came of the mirror that was chosen here."""
        wanted = chosen.read(self.machine.chosen).mirror
        mirror = next((mirror for mirror in self.mirrors if mirror.id == wanted), None)
        if mirror is not None:
            yield from self.faults(mirror)
        elif wanted:
            yield (
                f"The mirror {wanted} was chosen here and is still in force, though no file knows of it any more; "
                "channels reset leaves it."
            )
