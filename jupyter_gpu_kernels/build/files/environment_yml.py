"""``environment.yml``, as ``conda env create -f`` takes it.

Its keys: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html#creating-an-environment
-file-manually.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import yaml

from ...errors import InvalidChannelError, InvalidInputError, InvalidPackageError
from ...models import EnvironmentSpec, FileFormat, Installer
from ..planning import validation
from . import notes, requirement_lines, texts
from .parsed import Parsed, shown

_KEYS = frozenset({"name", "channels", "dependencies", "prefix", "variables", "platforms", "category"})

#: What a virtual environment has as well, where all else comes by pip; the version, if any, is that of Python.
_OF_BOTH = re.compile(r"pip|ipykernel|python(?:\s*==?\s*(?P<version>\d+\.\d+(?:\.\d+)?)(?:\.\*)?)?")


def write(*, name: str, channels: Sequence[str], packages: Sequence[str], pip: Sequence[str], head: str = "") -> str:
    """The text of a file.

    Args:
        name: Name of the environment.
        channels: Channels, without credentials.
        packages: Match specs.
        pip: Requirements for pip, which comes with them.
        head: What is said before, in comments.
    """
    has_pip = any(re.match(r"pip\b(?!-)", package) for package in packages)
    dependencies: list[Any] = [*packages, *(["pip"] if pip and not has_pip else ())]
    dependencies += [{"pip": list(pip)}] if pip else []
    data: dict[str, Any] = {"name": name, "channels": list(channels), "dependencies": dependencies}
    if not channels:
        del data["channels"]
    return head + yaml.safe_dump(data, sort_keys=False, default_flow_style=False, width=1000, allow_unicode=True)


def read(text: str, platform: str) -> Parsed:
    """Read a file.

    Raises:
        InvalidInputError: It is malformed, or has what no imported file may have.
    """
    texts.measured(text, texts.HANDWRITTEN)
    data = texts.mapping(text)
    channels = _channels(data.get("channels"))
    packages: list[str] = []
    pip: list[str] = []
    for entry in _listed(data.get("dependencies"), "dependencies"):
        if isinstance(entry, str):
            packages.append(entry.strip())
        elif isinstance(entry, dict) and set(entry) == {"pip"}:
            pip += [_text(item, "pip") for item in _listed(entry["pip"], "pip")]
        else:
            msg = f"Under dependencies the file has {shown(str(entry))}, which is neither a package nor a pip section."
            raise InvalidInputError(msg, cure="Correct or remove that entry.")
    texts.counted(len(packages) + len(pip), "packages")
    for package in packages:
        if len(package) > validation.MAX_LENGTH:
            msg = f"{shown(package)} is too long for a package."
            raise InvalidPackageError(msg, cure=f"Give at most {validation.MAX_LENGTH} characters.")
        _refuse_foreign_channel(package, channels)
    python = _python(packages)
    lines = requirement_lines.read([line for item in pip for line in requirement_lines.joined(item)], python=python)
    if any(line.hashes for line in lines):
        msg = "The pip section of the file has hashes, which conda does not take there."
        raise InvalidPackageError(msg, cure="Remove the hashes, or import a lock.")
    spec = EnvironmentSpec(
        name=str(data.get("name") or ""),
        installer=Installer.CONDA,
        channels=channels,
        packages=tuple(dict.fromkeys(packages)),
        pip=tuple(dict.fromkeys(line.text for line in lines)),
        recipe=False,
        companions=False,
    )
    spec = _of_either(spec, notes.read(text))
    return Parsed(format=FileFormat.ENVIRONMENT_YML, spec=spec, warnings=tuple(_unheeded(data)))


def _of_either(spec: EnvironmentSpec, note: notes.Note | None) -> EnvironmentSpec:
    """The same for a virtual environment where no channel answers, if pip has all that matters.

    Our own files say what theirs was, and it becomes that again.
    """
    found = [_OF_BOTH.fullmatch(package) for package in spec.packages]
    if spec.channels or not spec.pip or None in found:
        return spec
    python = next((item["version"] for item in found if item and item["version"]), None)
    installer = note.spec.installer if note else Installer.AUTO
    return dataclasses.replace(spec, installer=installer, packages=(), python=python)


def _unheeded(data: dict[str, Any]) -> list[str]:
    """What is not heeded, one sentence each."""
    found = []
    if data.get("prefix"):
        found.append("The prefix that the file names is not heeded: environments have a place of their own here.")
    if data.get("variables"):
        found.append("The variables that the file sets are not kept: set them in the notebook, or in the server.")
    if others := sorted(str(key) for key in data.keys() - _KEYS):
        found.append(f"What the file says under {', '.join(others)[:100]} is not heeded.")
    return found


def _channels(value: Any) -> tuple[str, ...]:
    """The channels, and nothing else: ``nodefaults`` only says what holds here anyway."""
    entries = [_text(item, "channels") for item in _listed(value, "channels")]
    for entry in entries:
        if entry.startswith("file:") or re.match(r"[/~.\\]|[A-Za-z]:[\\/]", entry):
            msg = f"The file names {shown(entry)}, a directory of some machine, as a channel."
            raise InvalidChannelError(msg, cure="Name the channel, or its http(s) address.")
    return tuple(dict.fromkeys(entry for entry in entries if entry != "nodefaults"))


def _listed(value: Any, key: str) -> list[Any]:
    """A list that may be missing."""
    if value is None:
        return []
    if not isinstance(value, list):
        msg = f"What the file says under {key} is no list."
        raise InvalidInputError(msg, cure=f"Write each entry of {key} on a line of its own that begins with a hyphen.")
    texts.counted(len(value), "packages")
    return value


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        msg = f"Under {key} the file has {shown(str(value))}, which is no text."
        raise InvalidInputError(msg, cure="Correct or remove that entry.")
    return value.strip()


def _refuse_foreign_channel(package: str, channels: Sequence[str]) -> None:
    """Refuse a package from a channel that the file does not list: it would be a hidden one."""
    channel, separator, _ = package.partition("::")
    if separator and channel not in channels:
        msg = f"{shown(package)} comes from the channel {shown(channel)}, which the file does not list."
        raise InvalidChannelError(msg, cure="Add the channel to channels in the file, if you trust it.")


def _python(packages: Sequence[str]) -> str:
    """The version of Python that is asked for, for markers; empty if that is open."""
    for package in packages:
        if match := re.match(r"(?:\S+::)?python\s*={0,2}\s*(\d+\.\d+(?:\.\d+)?)", package):
            return match[1]
    return ""
