"""Where packages come from on this machine, and who says so."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfiguredValue:
    """A setting in force, and where it is made.

    Attributes:
        tool: Whose setting it is: ``"conda"``, ``"pip"``, ``"uv"``, or ``"environment"`` for variables as proxies are.
        key: What it is called there.
        value: What it is, without credentials.
        source: The file or the variable that says so, or ``"default"``.
        overridden: The sources that say something else and are not heard.
    """

    tool: str
    key: str
    value: str
    source: str
    overridden: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mirror:
    """A place that has the packages of others.

    Attributes:
        id: Its name in the data, e.g. for ``channels use``.
        title: What people call it.
        channels: Names of channels to where they are there.
        index: Its Python package index, empty if it has none.
        source: The file that knows of it.
        used: Whether it is in force now.
    """

    id: str
    title: str
    channels: tuple[tuple[str, str], ...] = ()
    index: str = ""
    source: str = ""
    used: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """What a channel or an index was found to be.

    Attributes:
        name: As configured; or the mirror's id and the name of the channel there.
        url: Where it is, without credentials; empty where the solver's own default is taken.
        kind: ``"conda"`` or ``"pypi"``.
        reachable: Whether it can be used.
        error: Why it cannot, in one sentence.
        cure: What to do about that.
        seconds: Until it answered, ``None`` if it did not.
        rate: Bytes a second of what it sent, ``None`` if that was too little to tell.
    """

    name: str
    url: str
    kind: str
    reachable: bool = True
    error: str = ""
    cure: str = ""
    seconds: float | None = None
    rate: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelsReport:
    """What is effective, and from where.

    Attributes:
        channels: Name and address of each conda channel in force, in order of priority, without credentials; the
            address is empty where the solver's own default is taken.
        indexes: Addresses of the Python package indexes in force, the first one first; empty for uv's own default.
            Where that is asked among others, it is there by its name.
        values: The settings, each with who makes it.
        mirrors: The mirrors that are known of, none of which is taken by default.
        measured: What was found out, if that was asked for.
        warnings: What is contradictory, ignored or by-passed, one sentence each.
    """

    channels: tuple[tuple[str, str], ...] = ()
    indexes: tuple[str, ...] = ()
    values: tuple[ConfiguredValue, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    measured: tuple[Measured, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class MirrorChoice:
    """The mirror to use from now on; ``None`` to use none that was chosen here."""

    mirror: str | None = None
