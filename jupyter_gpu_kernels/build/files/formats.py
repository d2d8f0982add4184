"""The table of formats: what a file is, and who reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ...errors import InvalidInputError
from ...models import FileFormat
from . import conda_lock, environment_yml, explicit, pixi_lock, requirements_txt, texts
from .parsed import Parsed

#: Reads a text for a platform.
Reader = Callable[[str, str], Parsed]

READERS: Mapping[FileFormat, Reader] = {
    FileFormat.ENVIRONMENT_YML: environment_yml.read,
    FileFormat.EXACT_YML: environment_yml.read,
    FileFormat.EXPLICIT: explicit.read,
    FileFormat.LOCK: pixi_lock.read,
    FileFormat.CONDA_LOCK: conda_lock.read,
    FileFormat.REQUIREMENTS: requirements_txt.read,
}

#: Said of a file that is nothing of all that.
CURE = "Give an environment.yml, an @EXPLICIT list, a pixi.lock, a conda-lock.yml, or a requirements.txt."


def recognise(text: str, file_name: str = "") -> FileFormat:
    """What a text is; what is in it counts, and its name only where that leaves it open.

    Raises:
        InvalidInputError: It is nothing that can be imported.
    """
    if text.lstrip().startswith("{"):
        return FileFormat.RECIPE
    if re.search(rf"^[ \t]*{explicit.MARK}[ \t]*$", text, re.MULTILINE):
        return FileFormat.EXPLICIT
    keys = set(re.findall(r"^([A-Za-z_]+):(?:\s|$)", text, re.MULTILINE))
    if "version" in keys and "environments" in keys:
        return FileFormat.LOCK
    if "package" in keys and ("metadata" in keys or "version" in keys):
        return FileFormat.CONDA_LOCK
    if keys & {"dependencies", "channels"}:
        return FileFormat.ENVIRONMENT_YML
    if keys or text.lstrip().startswith(("<", "%", "---", "[")):
        msg = "The file is nothing that environments can be made of."
        raise InvalidInputError(msg, cure=CURE)
    first = next((line.strip() for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")), "")
    option = first.startswith("-")
    if not option and not re.match(r"[A-Za-z0-9][\w.-]*\s*(\[[\w\s,.-]*\])?\s*($|[=<>!~;@\\(#])", first[:300]):
        msg = "The file is nothing that environments can be made of."
        raise InvalidInputError(msg, cure=CURE)
    return FileFormat.REQUIREMENTS


def read(text: str, *, platform: str, file_name: str = "", name: str | None = None) -> Parsed:
    """Read a text, whatever it is.

    Args:
        text: The file.
        platform: Conda's name of the platform that it is read for.
        file_name: What it is called.
        name: Of several environments of a lock, the one to take.

    Raises:
        InvalidInputError: It is malformed, too large, nothing that can be imported, or it has what no file may have.
        RefusedError: It has nothing for this platform.
    """
    clean = texts.checked(text)
    kind = recognise(clean, file_name)
    if kind is FileFormat.LOCK:
        return pixi_lock.read(clean, platform, name or "")
    reader = READERS.get(kind)
    if reader is None:
        msg = f"A {kind.value} cannot be read here."
        raise InvalidInputError(msg, cure=CURE)
    if kind is not FileFormat.CONDA_LOCK:
        # Whatever people write by hand is short; only tools write long lists.
        texts.measured(clean, texts.HANDWRITTEN if kind is FileFormat.ENVIRONMENT_YML else texts.LOCKED)
    return reader(clean, platform)
