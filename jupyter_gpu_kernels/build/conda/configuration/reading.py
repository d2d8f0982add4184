"""What one configuration file, or one variable, says: its keys, with the types that they must have, and its marks.

Marks are comments at the end of a line that say whose word counts: ``#!final`` behind a key or an entry of a mapping,
``#!top`` and ``#!bottom`` behind an entry of a list
(``ParameterFlag`` in https://github.com/conda/conda/blob/main/conda/common/configuration.py).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

#: Other names of the keys that are read.
ALIASES: Final = {
    "channel": "channels",
    "envs_path": "envs_dirs",
    "verify_ssl": "ssl_verify",
    "whitelist_channels": "allowlist_channels",
}
#: Lists of texts, and what stands between the entries in a variable.
LISTS: Final = {
    "channels": ",",
    "default_channels": ",",
    "allowlist_channels": ",",
    "denylist_channels": ",",
    "envs_dirs": os.pathsep,
    "pkgs_dirs": os.pathsep,
}
#: Names with texts.
MAPPINGS: Final = ("custom_channels", "proxy_servers")
#: Names with lists of texts. ``mirrored_channels`` is mamba's, which reads the same files.
MULTIPLES: Final = ("custom_multichannels", "mirrored_channels")
SCALARS: Final = ("channel_alias", "channel_priority", "ssl_verify")
#: What would change where packages come from, and cannot be done here: what to say of it.
UNHEARD: Final = {
    "client_ssl_cert": "client certificates cannot be used here; ask for a token or a password instead",
    "offline": "channels are asked all the same; an environment from a pack needs no network",
}

_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)|%(\w+)%")
_MARK = re.compile(r"\s#!(final|top|bottom)\s*$")
# As YAML counts lines.
_LINE = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a source says of one key.

    Attributes:
        value: A text, a truth, a tuple of texts, or a dictionary of texts or of such tuples.
        final: Whether nobody after it is heard.
        marks: By entry of the list, or key of the mapping, what it is marked with.
    """

    value: Any
    final: bool = False
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """All that one source says.

    Attributes:
        source: The file, or the name of the variable.
        entries: By key.
    """

    source: str
    entries: Mapping[str, Entry]


def read_file(file: Path, environ: Mapping[str, str], warnings: list[str]) -> Layer | None:
    """What a file says with the right types; ``None``, and a warning, if it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
    except (OSError, UnicodeDecodeError) as error:
        warnings.append(f"The file {file} cannot be read and is left out: {error}")
        return None
    except yaml.YAMLError as error:
        where = f" in line {mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
        warnings.append(f"The file {file} is not valid YAML{where} and is left out.")
        return None
    # Dates that no calendar has, and nesting without an end.
    except (ValueError, RecursionError):
        warnings.append(f"The file {file} is not valid YAML and is left out.")
        return None
    if data is not None and not isinstance(data, dict):
        warnings.append(f"The file {file} has no keys and is left out.")
        return None
    lines = _LINE.split(text)
    entries: dict[str, Entry] = {}
    nodes = {key.value: (key, value) for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
    for key, value in (data or {}).items():
        name = ALIASES.get(key, key) if isinstance(key, str) else ""
        if value and name in UNHEARD:
            warnings.append(f"In the file {file} the key {key} does not count: {UNHEARD[name]}.")
        if value is None or name not in (*LISTS, *MAPPINGS, *MULTIPLES, *SCALARS):
            continue
        try:
            entries[name] = _entry(_typed(name, value, environ), nodes[key], lines)
        except TypeError as error:
            warnings.append(f"In the file {file} the key {key} is left out: it must be {error}.")
    return Layer(source=str(file), entries=entries)


def read_variables(environ: Mapping[str, str]) -> Iterator[Layer]:
    """The same keys from ``CONDA_…`` variables, a layer for each."""
    for name in (*LISTS, *SCALARS):
        for variable in (f"CONDA_{word.upper()}" for word in (name, *(old for old in ALIASES if ALIASES[old] == name))):
            text = environ.get(variable, "")
            value: Any = text
            if name in LISTS:
                value = tuple(part.strip() for part in text.split(LISTS[name]) if part.strip())
            if value:
                yield Layer(source=variable, entries={name: Entry(value=value)})
                break


def _entry(value: Any, nodes: tuple[yaml.Node, yaml.Node], lines: list[str]) -> Entry:
    """A value with the marks behind it."""
    key, node = nodes
    own = key.start_mark.line

    def mark(at: yaml.Node) -> str:
        line = at.start_mark.line
        found = _MARK.search(lines[line]) if line < len(lines) else None
        return found[1] if found else ""

    marks: dict[str, str] = {}
    if isinstance(node, yaml.SequenceNode) and isinstance(value, tuple):
        # What stands in the key's own line is said of the key.
        marks = {text: mark(item) for text, item in zip(value, node.value, strict=True) if item.start_mark.line != own}
    elif isinstance(node, yaml.MappingNode) and isinstance(value, dict):
        marks = {str(item.value): mark(item) for item, _ in node.value if item.start_mark.line != own}
    return Entry(value=value, final=mark(key) == "final", marks={name: said for name, said in marks.items() if said})


def _typed(name: str, value: object, environ: Mapping[str, str]) -> Any:
    """A value of the type that its key has; TypeError says which that is."""
    if name in LISTS:
        entries = [value] if isinstance(value, str) else value
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            msg = "a list of texts"
            raise TypeError(msg)
        return tuple(_expanded(entry, environ) for entry in entries)
    if name in MULTIPLES:
        if not isinstance(value, dict):
            msg = "names with lists of channels"
            raise TypeError(msg)
        return {str(key): _typed("channels", entry, environ) for key, entry in value.items()}
    if name in MAPPINGS:
        if not isinstance(value, dict) or not all(isinstance(entry, (str, type(None))) for entry in value.values()):
            msg = "names with texts"
            raise TypeError(msg)
        return {str(key): _expanded(entry, environ) for key, entry in value.items() if entry}
    if name == "channel_alias" and not isinstance(value, str):
        msg = "a text"
        raise TypeError(msg)
    if not isinstance(value, (str, bool)):
        msg = "a text, or true or false"
        raise TypeError(msg)
    return _expanded(value, environ) if isinstance(value, str) else value


def _expanded(text: str, environ: Mapping[str, str]) -> str:
    """Fill in environment variables, as conda does; unknown ones stay."""
    return _VARIABLE.sub(lambda match: environ.get(match[1] or match[2] or match[3], match[0]), text)
