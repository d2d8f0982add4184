"""Fitting what is said to the width of a terminal: whole words, and what a row says stays in its column."""

from __future__ import annotations

import re
import shutil
import textwrap
from typing import TextIO

#: Columns below which a last column is not worth keeping apart.
NARROWEST = 24

#: The words of a row before its last column.
_HEAD = re.compile(r"(?:.*\S)? {2,}(?=\S)")


def fitted(stream: TextIO, text: str) -> None:
    """Write a text; on a terminal no line is longer than that is wide, elsewhere lines are left alone."""
    stream.write(fit(text, shutil.get_terminal_size().columns) if stream.isatty() else text)


def fit(text: str, width: int) -> str:
    """Break the long lines of a text.

    Args:
        text: Complete lines.
        width: Columns that there are.
    """
    return "".join(_fit(line, width) for line in text.splitlines(keepends=True))


def _fit(line: str, width: int) -> str:
    line = line.rstrip("\n")
    if len(line) <= width:
        return f"{line}\n"
    head = _HEAD.match(line)
    indent = len(head[0]) if head else 0
    if width - indent < NARROWEST:
        return f"{line}\n"
    kept = textwrap.TextWrapper(
        width=width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
    # The head is one long word to the wrapper, so that its own spaces stay as they are.
    body = "\0" * indent + line[indent:]
    return "\n".join(kept.wrap(body)).replace("\0" * indent, line[:indent], 1) + "\n"
