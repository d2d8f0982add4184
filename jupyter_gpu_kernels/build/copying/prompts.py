"""The name that a virtual environment gives itself, in the settings and scripts of its own."""

from __future__ import annotations

import os
import re

from ...prefix.layout import VIRTUALENV_MARKER


def with_prompt(name: str, content: bytes, old: str, new: str) -> bytes:
    """A file in which a virtual environment calls itself by its new name; any other file as it is.

    Args:
        name: Path below the prefix.
        content: What the file holds.
        old: Name of the original.
        new: Name of the copy.
    """
    before, after = re.escape(os.fsencode(old)), os.fsencode(new)
    if name == VIRTUALENV_MARKER:
        mention = re.compile(rb"(?m)^(prompt\s*=\s*['\"]?)" + before + rb"(?=['\"]?\s*$)")
    elif re.fullmatch(r"(bin|Scripts)/[Aa]ctivate(_this)?(\.\w+)?", name):
        # Quoted, as in a shell's test (``"xNAME" != x``), or as the value of a variable in a batch file.
        mention = re.compile(rb"((?<=['\"])x?|(?<=PROMPT=))" + before + rb"(?=['\"])")
    else:
        return content
    return mention.sub(lambda found: found.group(1) + after, content)
