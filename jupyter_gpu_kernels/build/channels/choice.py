"""Switching to a mirror, and back: files of our own, so that nobody's is edited.

For channels that is a file that conda reads as well (:func:`~..conda.configuration.places.chosen_file`), for the
package index one that only we read (:mod:`..wheels.chosen`), since uv and pip have no place for the files of others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ...errors import ConflictError
from ...models import Mirror
from ...prefix.files import replace_file
from ..conda.condarc import Condarc
from ..conda.configuration.places import chosen_file
from ..tools.redaction import redact, uncover
from ..wheels import chosen
from ..wheels.uv import Uv

#: What conda's ``defaults`` consists of.
_DEFAULTS = ("main", "r", "msys2")

_HEAD = "# Written by jupyter gpu-kernels channels use; channels reset removes it.\n"


def use(mirror: Mirror, home: Path) -> None:
    """Take a mirror from now on.

    Args:
        mirror: The mirror.
        home: The user's home directory.

    Raises:
        ConflictError: The files cannot be written.
    """
    text = _HEAD + yaml.safe_dump(_condarc(mirror), default_flow_style=False)
    _write(chosen.default_file(), chosen.text(chosen.Chosen(mirror.id, mirror.index)))
    if mirror.channels:
        _write(chosen_file(home), text)
    else:
        _remove(chosen_file(home))


def reset(home: Path) -> None:
    """Take no mirror that was chosen here any more.

    Raises:
        ConflictError: Our files cannot be removed.
    """
    _remove(chosen_file(home))
    _remove(chosen.default_file())


def faults(
    mirror: Mirror, condarc: Condarc, channels: tuple[str, ...], uv: Uv, *, environ: Mapping[str, str], home: Path
) -> Iterator[str]:
    """Why a mirror is not in force, or not for everything, one sentence each; nothing if it is.

    Args:
        mirror: The mirror.
        condarc: What conda's configuration says.
        channels: The channels in force, names or URLs.
        uv: uv as it would be started.
        environ: The environment variables as they are.
        home: The user's home directory.
    """
    settings = replace(condarc.settings, channels=channels)
    for name, url in mirror.channels:
        members = settings.custom_multichannels.get(name, (name,))
        places = [uncover(settings.location(member)).rstrip("/") for member in members]
        if places != [url]:
            said = _who(condarc, name, str(chosen_file(home)))
            yield f"{name} is not taken from the mirror {mirror.title}{said}."
    taken = {uncover(channel.location).rstrip("/") for channel in settings.resolved()}
    if mirror.channels and not taken.intersection(url for _, url in mirror.channels):
        yield (
            f"None of the channels in force ({', '.join(map(redact, channels))}) is taken from the mirror "
            f"{mirror.title}: name one of {', '.join(name for name, _ in mirror.channels)}."
        )
    if mirror.index and uncover(uv.default_index).rstrip("/") != mirror.index:
        stronger = next((name for name in chosen.STRONGER if environ.get(name)), "")
        said = f": the variable {stronger} names another one" if stronger else ""
        if "--no-index" in uv.index_options:
            said = ": pip is configured to use no index"
        yield f"The package index of the mirror {mirror.title} is not in force{said}."


def _condarc(mirror: Mirror) -> dict[str, Any]:
    """What conda is to be told."""
    custom: dict[str, str] = {}
    multiple: dict[str, list[str]] = {}
    for name, url in mirror.channels:
        # Conda appends the name to a custom channel's address.
        if url.endswith(f"/{name}"):
            custom[name] = url[: -len(name) - 1]
        else:
            multiple[name] = [url]
    defaults = [url for wanted in _DEFAULTS for name, url in mirror.channels if name == wanted]
    content = {"custom_channels": custom, "custom_multichannels": multiple, "default_channels": defaults}
    return {key: value for key, value in content.items() if value}


def _who(condarc: Condarc, name: str, ours: str) -> str:
    """Which key of which file sends a channel elsewhere."""
    said = condarc.merged.said
    # In the order in which they are heard.
    for key in ("custom_multichannels", "mirrored_channels", "custom_channels"):
        found = said.get((key, name))
        if found and found.sources != (ours,):
            source = next(source for source in found.sources if source != ours)
            return f": {key} in {source} says otherwise, and is heard first"
    final = next((found for (key, _), found in said.items() if key == "custom_channels"), None)
    if ours in map(str, condarc.files) and final and ours not in final.sources:
        return f": custom_channels in {final.sources[0]} is marked final, so that no file after it is heard"
    alias = said.get(("channel_alias", ""))
    return f": channel_alias in {alias.sources[0]} says otherwise" if alias else ""


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, text.encode(), mode=0o644)
    except OSError as error:
        msg = f"The file {file} cannot be written: {error.strerror or error}."
        raise ConflictError(msg, cure="Make its directory writable, then try again.") from error


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except NotADirectoryError:
        pass
    except OSError as error:
        msg = f"The file {file} cannot be removed: {error.strerror or error}."
        raise ConflictError(msg, cure="Remove it by hand.") from error
