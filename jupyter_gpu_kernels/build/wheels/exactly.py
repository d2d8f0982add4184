"""Wheels that somebody names to the byte: nothing is chosen, but they must be what the index has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import InstallError, RefusedError
from ...prefix.layout import Layout
from ..reporting import Reporter
from . import ontop
from .settings import WheelsSolution
from .uv import Uv

#: Local versions of PyTorch's wheels that uv knows an index for.
_BACKEND = re.compile(r"torch==+[^+\s]+\+(cpu|cu\d{2,3}|rocm[\d.]+|xpu)\b")


def versions(pins: Sequence[str]) -> tuple[str, ...]:
    """The requirements of pins, without hashes."""
    return tuple(pin.partition(" --hash=")[0].strip() for pin in pins)


def kept_to(solution: WheelsSolution, pins: Sequence[str]) -> WheelsSolution:
    """The same solution with the hashes that were given, where some were.

    Args:
        solution: What the index has in these versions.
        pins: Lines of a requirements file: exact versions, perhaps with hashes.

    Raises:
        RefusedError: The index has other files of a package than the one that is named.
    """
    wanted, there = _hashes(pins), _hashes(solution.pins)
    lines = []
    for package in solution.packages:
        asked, offered = wanted.get(package.name, ()), there.get(package.name, ())
        common = sorted(set(asked) & set(offered))
        if asked and offered and not common:
            msg = f"The package index has other files of {package.name} {package.version} than the one that is named."
            raise RefusedError(
                msg, cure="Use the index that the file was made with, or import what was asked for instead."
            )
        hashes = common or sorted(asked) or sorted(offered)
        lines.append(" ".join((f"{package.name}=={package.version}", *(f"--hash={digest}" for digest in hashes))))
    return replace(solution, pins=tuple(lines), exact=True)


def torch_backend(requirements: Sequence[str]) -> str | None:
    """What uv calls the index of a build of PyTorch, if one is asked for by its local version (``2.7.1+cu128``)."""
    return next((match[1] for text in requirements if (match := _BACKEND.match(text.replace(" ", "")))), None)


async def missing(
    uv: Uv, solution: WheelsSolution, *, layout: Layout, cwd: Path, options: Sequence[str], reporter: Reporter
) -> tuple[str, ...]:
    """The pins of what an environment lacks; the arguments are those of :func:`.ontop.missing`.

    Raises:
        InstallError: A package of conda would have to be replaced.
    """
    there = await ontop.installed(uv, layout, cwd)
    replaced = [item for item in solution.packages if there.get(item.name, item.version) != item.version]
    if replaced:
        name, version = replaced[0].name, replaced[0].version
        msg = f"pip would replace {name} {there[name]}, which conda has installed, with {version}."
        raise InstallError(msg, cure="Take one of the two out of the file.", detail=", ".join(x.name for x in replaced))
    return tuple(pin for pin in solution.pins if pin.partition("==")[0] not in there)


def _hashes(pins: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """The hashes of pins, by name."""
    return {pin.partition("==")[0].strip(): tuple(pin.split(" --hash=")[1:]) for pin in pins}
