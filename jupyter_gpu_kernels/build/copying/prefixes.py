"""Putting one prefix in the place of another in the bytes of a file, as conda does where it links packages."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: Bytes of a first line that the system reads. Source: BINPRM_BUF_SIZE of Linux before 5.1; IMG_SHSIZE of macOS.
LONGEST_SHEBANG = 512 if sys.platform == "darwin" else 127

_SHEBANG = re.compile(rb"\A#!\s*(\S+)([^\n]*)")


class TooLongError(Exception):
    """A prefix does not fit into a program, whose strings cannot grow."""


@dataclass(frozen=True)
class Prefixes:
    """What is replaced by what.

    Attributes:
        pairs: Old and new prefixes; a prefix may have two names where a link leads to it.
    """

    pairs: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def of(cls, old: Path, new: Path) -> Prefixes:
        """For an environment that moves from one path to another, under its paths' real names too."""
        real = Path(os.path.realpath(old)), Path(os.path.realpath(new.parent)) / new.name
        pairs = dict.fromkeys((real, (old, new)))
        return cls(tuple((os.fsencode(before), os.fsencode(after)) for before, after in pairs))

    def named_in(self, find: Callable[[bytes], int]) -> bool:
        """Whether something names one of the old prefixes; ``find`` is its method of that name."""
        return any(find(old) >= 0 for old, _ in self.pairs)

    def text(self, content: bytes) -> bytes:
        """A text with the new prefix; a first line that grows too long for the system names no path any more."""
        changed = content
        for old, new in self.pairs:
            changed = _named(old).sub(_constant(new), changed)
        if changed == content:
            return content
        first = _SHEBANG.match(changed)
        if first is None or len(first.group()) <= LONGEST_SHEBANG:
            return changed
        # As conda does it: the environment's program is found where the environment is activated.
        program, rest = first.group(1), first.group(2)
        return b"#!/usr/bin/env " + program.rpartition(b"/")[2] + rest + changed[first.end() :]

    def binary(self, content: bytes, room: int | None = None) -> bytes:
        """A program or library with the new prefix; its strings keep their places, filled up with NUL.

        Args:
            content: The file.
            room: Bytes that each mention of a prefix had in the package, which are there for longer ones; ``None``
                where nobody knows.

        Raises:
            TooLongError: The new prefix does not fit.
        """
        for old, new in self.pairs:
            content = _strings(content, old, new, room)
        return content

    def path(self, target: str) -> str:
        """A path with the new prefix, if it lies below the old one."""
        name = os.fsencode(target)
        for old, new in self.pairs:
            if name == old or name.startswith(old + os.fsencode(os.sep)):
                return os.fsdecode(new + name[len(old) :])
        return target


def _named(old: bytes) -> re.Pattern[bytes]:
    """Mentions of a prefix, and not of another whose name begins with its name."""
    return re.compile(re.escape(old) + rb"(?![A-Za-z0-9_-]|\.[A-Za-z0-9])")


def _constant(new: bytes) -> Callable[[re.Match[bytes]], bytes]:
    return lambda _: new


def _strings(content: bytes, old: bytes, new: bytes, room: int | None) -> bytes:
    """Replace a prefix in every string that ends with NUL."""
    mention = _named(old)
    if len(old) == len(new):
        return mention.sub(_constant(new), content)
    made, position = [], 0
    while (found := mention.search(content, position)) is not None:
        end = content.find(b"\0", found.end())
        end = len(content) if end < 0 else end
        string, count = mention.subn(_constant(new), content[found.start() : end])
        space = end - found.start()
        if len(string) > space and room is not None:
            # The package had a longer prefix here, and what was left over was filled up with NUL.
            spare = count * (room - len(old))
            filled = content[end : end + max(spare, 0) + 1]
            if len(filled.rstrip(b"\0")) == 0:
                space += min(max(spare, 0), len(filled) - 1)
        if len(string) > space:
            raise TooLongError
        made += [content[position : found.start()], string.ljust(space, b"\0")]
        position = found.start() + space
    return b"".join((*made, content[position:]))
