"""Texts of others: their size, their characters, their YAML. Nothing in them may cost more than it says."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ...errors import InvalidInputError, TooLargeError

#: Bytes that a file may have that people write, and one that tools write.
HANDWRITTEN = 256 * 1024
LOCKED = 8 * 1024 * 1024

#: Packages that a file may name. The largest environments have about a thousand.
MOST = 2000

#: How deep YAML may go: locks have eight levels.
_DEPTH = 16

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_TAG = re.compile(r"tag:yaml\.org,2002:(?:str|seq|map|null|bool|int|float)")

# libyaml is ten times as fast, and not always there.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """A safe loader of what JSON could say too, which takes no key twice; numbers and dates stay texts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping with keys that are texts, each once."""
        keys = [key.value for key, _ in node.value]
        if not all(isinstance(key, str) for key in keys):
            msg = "A key in the file is no text."
            raise InvalidInputError(msg, cure="Correct the file.")
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            msg = f"The file has the key {twice[:50]!r} twice in one place, so that nobody knows which counts."
            raise InvalidInputError(msg, cure="Remove one of the two.")
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return made


# `1.10` is a version and no number, and 2024-01-01 no date.
_Loader.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
    if (kept := [item for item in resolvers if item[0] in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:bool")])
}


def decoded(data: bytes) -> str:
    """The text of a file.

    Raises:
        InvalidInputError: It is none, or too large.
    """
    measured(data, LOCKED)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        msg = "The file is no text in UTF-8."
        raise InvalidInputError(msg, cure="Give the file that was exported, as it was.") from None
    return checked(text)


def checked(text: str) -> str:
    """The same text with one kind of line ends.

    Raises:
        InvalidInputError: It has characters that no such file has, or none at all.
        TooLargeError: It is too large.
    """
    measured(text, LOCKED)
    if not text.strip():
        msg = "The file is empty."
        raise InvalidInputError(msg, cure="Give the file that was exported, as it was.")
    if strange := _CONTROL.search(text):
        msg = f"The file has a character that no such file has: {strange.group()!a}."
        raise InvalidInputError(msg, cure="Give the file that was exported, as it was.")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def measured(text: str | bytes, most: int) -> None:
    """Refuse what is too large; characters are counted in a text.

    Raises:
        TooLargeError: It is.
    """
    if len(text) > most:
        msg = f"The file is {len(text)} bytes long, and such files have {most} at most."
        raise TooLargeError(msg, cure="Give the file that was exported, as it was.")


def counted(entries: int, what: str) -> None:
    """Refuse what nobody has.

    Raises:
        TooLargeError: There are too many entries.
    """
    if entries > MOST:
        msg = f"The file names {entries} {what}, and {MOST} are the most that is taken."
        raise TooLargeError(msg, cure="Leave out what is not needed.")


def mapping(text: str) -> dict[str, Any]:
    """What a YAML file says, if it is harmless.

    Raises:
        InvalidInputError: It is no YAML, or makes use of what only attacks make use of.
    """
    cure = "Correct the file, or have it exported again."
    try:
        _walk(text)
        data = yaml.load(text, Loader=_Loader)  # it is a safe one
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        problem = str(getattr(error, "problem", "") or "it cannot be read")
        msg = f"The file is not valid YAML{where}: {problem[:150]}."
        raise InvalidInputError(msg, cure=cure) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # What a tag says that does not fit what it stands before.
        msg = "The file is not valid YAML."
        raise InvalidInputError(msg, cure=cure) from error
    if not isinstance(data, dict):
        msg = "The file has no keys, as these files have."
        raise InvalidInputError(msg, cure=cure)
    return data


def _walk(text: str) -> None:
    """Look at YAML without making anything of it.

    Raises:
        InvalidInputError: It repeats itself by reference, is deeper than any such file, or names types.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.AliasEvent):
            msg = f"The file repeats a part of itself (*{event.anchor}), which no such file does."
            raise InvalidInputError(msg, cure="Write that part out.")
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        if depth > _DEPTH:
            msg = "The file is nested deeper than any such file."
            raise InvalidInputError(msg, cure="Give the file that was exported, as it was.")
        tag = getattr(event, "tag", None)
        if tag and tag != "!" and not _TAG.fullmatch(str(tag)):
            msg = f"The file names a type ({str(tag)[:50]}), which no such file does."
            raise InvalidInputError(msg, cure="Remove it.")
