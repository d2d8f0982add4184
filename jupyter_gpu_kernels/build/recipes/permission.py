"""Which channels of a recipe may be used: those that the user's own configuration knows, and no other.

A notebook comes from anywhere, and whoever has a channel decides what is run. So a notebook never brings a channel of
its own; it is built from the known ones, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...models import EnvironmentSpec
from ..conda.settings import ChannelSettings
from ..tools.redaction import redact, uncover


@dataclass(frozen=True, kw_only=True)
class Permitted:
    """A spec that asks for known channels only.

    Attributes:
        spec: What is left of what was asked for.
        left_out: The channels that are not known, without credentials.
    """

    spec: EnvironmentSpec
    left_out: tuple[str, ...] = ()


def permitted(spec: EnvironmentSpec, configured: ChannelSettings) -> Permitted:
    """Leave out channels that the configuration does not know by name or address.

    Where none is left, the configured ones are taken: an empty list means them.

    Args:
        spec: What a recipe asks for.
        configured: What the configuration says where nobody asks for a channel.
    """
    secrets = any(uncover(channel.location) != channel.location for channel in configured.resolved())
    known = _known(configured)
    kept = [channel for channel in spec.channels if _locations(channel, configured) <= known]
    left_out = tuple(dict.fromkeys(channel for channel in spec.channels if channel not in kept))
    # Configured addresses may have passwords, which must not go into a spec: then all of them are taken.
    channels = () if secrets else tuple(kept)
    return Permitted(
        spec=replace(spec, channels=channels, packages=_unbound(spec.packages, channels)),
        left_out=tuple(map(redact, left_out)),
    )


def _known(configured: ChannelSettings) -> set[str]:
    """Addresses of every channel that the configuration speaks of."""
    # ``defaults`` means something by itself, so that its being there says nothing.
    multichannels = [name for name in configured.custom_multichannels if name != "defaults"]
    names = (*configured.channels, *configured.custom_channels, *multichannels)
    return {location for name in names for location in _locations(name, configured)}


def _locations(channel: str, configured: ChannelSettings) -> set[str]:
    """Where a channel is, by the configuration's words; several places for one that stands for several."""
    resolved = replace(configured, channels=(channel,)).resolved()
    return {uncover(item.location) for item in resolved}


def _unbound(packages: Sequence[str], channels: Sequence[str]) -> tuple[str, ...]:
    """Packages that may come from any channel where theirs is left out: ``lab::tool`` becomes ``tool``."""

    def unbound(package: str) -> str:
        channel, separator, name = package.partition("::")
        return name if separator and channel not in channels else package

    return tuple(map(unbound, packages))
