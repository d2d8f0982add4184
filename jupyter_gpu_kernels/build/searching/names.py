"""All names of some channels, and finding the best of them while somebody types."""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import InvalidInputError

#: Characters of a question; no package has a name that long.
LONGEST = 100

_SEPARATORS = re.compile(r"[\s_-]+")


def fold(name: str) -> str:
    """What names are compared by: upper and lower case, hyphens, underscores and spaces are the same."""
    return _SEPARATORS.sub("-", name.strip().lower())


def refuse_hostile(text: str) -> None:
    """Refuse what can be part of no name.

    Raises:
        InvalidInputError: It is too long, or has characters that cannot be printed.
    """
    if len(text) > LONGEST:
        msg = f"What is looked for is {len(text)} characters long, more than {LONGEST}."
        raise InvalidInputError(msg, cure="Look for a part of the package's name.")
    if not text.isprintable():
        msg = "What is looked for has characters that cannot be printed."
        raise InvalidInputError(msg, cure="Look for a part of the package's name.")


@dataclass(frozen=True, slots=True)
class Names:
    """The names that some channels have, each once; some ten thousand of them are searched in milliseconds.

    Attributes:
        folded: As they are compared, in order.
        written: As they are written, in that order; mostly the same objects.
        owners: Number of the first channel that has each.
    """

    folded: tuple[str, ...]
    written: tuple[str, ...]
    owners: bytes

    @classmethod
    def of(cls, channels: Sequence[Sequence[str]]) -> Names:
        """Take the names of channels, in their order of priority."""
        found: dict[str, int] = {}
        # The first channel comes last, and wins.
        for number in reversed(range(len(channels))):
            found.update(dict.fromkeys(channels[number], min(number, 255)))
        pairs = sorted((fold(name), name) for name in found)
        return cls(
            folded=tuple(name if name == folded else folded for folded, name in pairs),
            written=tuple(name for _, name in pairs),
            owners=bytes(found[name] for _, name in pairs),
        )

    def best(self, text: str, limit: int) -> tuple[tuple[str, int], ...]:
        """The names that somebody who types this may mean, and whose they are.

        Exact ones come first, then those that begin so, then those of which a word begins so, then those with it
        anywhere; the short ones before the long ones.
        """
        wish = fold(text)
        if not wish:
            return ()
        at_word = f"-{wish}"

        def rank(number: int) -> tuple[int, int, str]:
            name = self.folded[number]
            kind = 0 if name == wish else 1 if name.startswith(wish) else 2 if at_word in name else 3
            return kind, len(name), name

        hits = [number for number, name in enumerate(self.folded) if wish in name]
        return tuple((self.written[number], self.owners[number]) for number in heapq.nsmallest(limit, hits, key=rank))

    def __len__(self) -> int:
        return len(self.folded)
