"""One configuration of what several sources say, as conda merges them, and who has said what of it.

Scalars come from the last source that has them; lists and mappings are joined, those of the last source first. Where a
source is marked final, no later one is heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .reading import LISTS, MAPPINGS, MULTIPLES, Entry, Layer

#: What one source says of a key: the source, and that.
Word = tuple[str, Entry]


@dataclass(frozen=True, kw_only=True)
class Said:
    """A value in force.

    Attributes:
        value: A text, a truth, or a tuple of texts.
        sources: Who says so; of a list, whoever has a part in it, the first one first.
        overridden: Who says something else and is not heard.
    """

    value: Any
    sources: tuple[str, ...]
    overridden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Merged:
    """All values in force.

    Attributes:
        said: By key, and by the key in it where that is a mapping; otherwise the latter is empty.
    """

    said: Mapping[tuple[str, str], Said] = field(default_factory=dict)

    def of(self, key: str, default: Any) -> Any:
        """A text, a truth or a list."""
        found = self.said.get((key, ""))
        return found.value if found else default

    def mapping(self, key: str) -> dict[str, Any]:
        """A mapping; empty if nobody says anything of it."""
        return {name: said.value for (whole, name), said in self.said.items() if whole == key and name}


def merge(layers: Sequence[Layer]) -> Merged:
    """Merge what sources say, in order of rising precedence."""
    words: dict[str, list[Word]] = {}
    for layer in layers:
        for key, entry in layer.entries.items():
            words.setdefault(key, []).append((layer.source, entry))
    said: dict[tuple[str, str], Said] = {}
    for key, heard in words.items():
        if key in LISTS:
            said[key, ""] = _joined(heard)
        elif key in (*MAPPINGS, *MULTIPLES):
            said.update({(key, name): value for name, value in _entries(heard, lists=key in MULTIPLES)})
        else:
            said[key, ""] = _last(heard)
    return Merged(said)


def _entries(words: Sequence[Word], *, lists: bool) -> Iterator[tuple[str, Said]]:
    """The entries of a mapping; each is merged on its own."""
    heard, unheard = _until_final(words)
    for name in dict.fromkeys(name for _, entry in (*heard, *unheard) for name in entry.value):
        own = [
            (source, Entry(value=entry.value[name], final=entry.marks.get(name) == "final"))
            for source, entry in heard
            if name in entry.value
        ]
        if not own:
            continue
        found = _joined(own) if lists else _last(own)
        more = tuple(source for source, entry in unheard if entry.value.get(name, found.value) != found.value)
        yield name, Said(value=found.value, sources=found.sources, overridden=(*found.overridden, *more))


def _last(words: Sequence[Word]) -> Said:
    """The scalar of the last source, or of the first one that is final."""
    source, entry = _until_final(words)[0][-1]
    others = tuple(other for other, said in words if other != source and said.value != entry.value)
    return Said(value=entry.value, sources=(source,), overridden=others)


def _joined(words: Sequence[Word]) -> Said:
    """The lists of all sources; marked entries first or last."""
    heard, unheard = _until_final(words)

    def marked(mark: str) -> list[str]:
        # Of two sources that want to be first, or last, the one that comes earlier is.
        turn = heard if mark == "top" else heard[::-1]
        return [text for _, entry in turn for text in entry.value if entry.marks.get(text) == mark]

    bottom = marked("bottom")
    rest = [text for _, entry in heard[::-1] for text in entry.value]
    # What is wanted last by the earliest source is the very last.
    last = list(dict.fromkeys(reversed(bottom)))[::-1]
    value = tuple(dict.fromkeys(text for text in (*marked("top"), *rest) if text not in last))
    return Said(
        value=(*value, *last),
        sources=tuple(dict.fromkeys(source for source, entry in heard[::-1] if entry.value)),
        overridden=tuple(source for source, entry in unheard if set(entry.value) - {*value, *last}),
    )


def _until_final(words: Sequence[Word]) -> tuple[Sequence[Word], Sequence[Word]]:
    """Those that are heard, the last of them perhaps final, and those after it."""
    for number, (_, entry) in enumerate(words, 1):
        if entry.final:
            return words[:number], words[number:]
    return words, ()
