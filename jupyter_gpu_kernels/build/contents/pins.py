"""What uv has put into an environment, to the byte: kept inside of it, for those who write it down elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...prefix.files import replace_file

#: Where the pins lie, relative to the prefix.
PINS = "share/jupyter-gpu-kernels/wheels.txt"

#: Begins the lines that name what somebody added with pip, and what is kept through rebuilds therefore.
_KEPT = "# kept: "
_TITLE = "# Wheels of this environment, as they were installed."


@dataclass(frozen=True, kw_only=True)
class Pins:
    """The wheels of an environment as they were installed; what was added later is not among them.

    Attributes:
        lines: Lines of a requirements file: ``name==version``, with ``--hash=sha256:…`` where the index said it. In
            order of name, without credentials or URLs.
        kept: Requirements of what was added from outside and kept by a rebuild; they are among the lines too.
    """

    lines: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The normalised names of the packages."""
        return frozenset(line.partition("==")[0].strip() for line in self.lines)


def write_pins(prefix: Path, lines: Sequence[str], kept: Sequence[str] = ()) -> None:
    """Keep the pins of an environment that is being built. Blocks on the disk."""
    path = prefix / PINS
    path.parent.mkdir(parents=True, exist_ok=True)
    text = [_TITLE, *(f"{_KEPT}{requirement}" for requirement in kept), *sorted(lines)]
    # As readable as its environment.
    replace_file(path, "".join(f"{line}\n" for line in text).encode(), mode=0o644)


def read_pins(prefix: Path) -> Pins:
    """Read the pins of an environment; one without wheels, or of an older version of this package, has none."""
    try:
        text = (prefix / PINS).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Pins()
    lines = [line.strip() for line in text.splitlines()]
    return Pins(
        lines=tuple(line for line in lines if line and not line.startswith("#")),
        kept=tuple(line.removeprefix(_KEPT) for line in lines if line.startswith(_KEPT)),
    )
