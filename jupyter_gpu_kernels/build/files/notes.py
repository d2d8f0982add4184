"""The line in which our own exact files say what was asked for, so that what is made of them can be changed later.

It is a comment, which every other tool leaves out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from ...errors import InvalidInputError
from ...models import EnvironmentSpec, Installer, MemoryPreset, from_json, to_json
from ..planning import validation
from ..recipes.taking import portable

_LINE = re.compile(r"^# jupyter-gpu-kernels: (\{.*\})$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Note:
    """What was asked for.

    Attributes:
        spec: In our words.
        asked: In the match specs that conda was asked for; none for a virtual environment.
    """

    spec: EnvironmentSpec
    asked: tuple[str, ...] = ()


def line(note: Note) -> str:
    """The line for a note, without what only means this machine."""
    spec, usual = to_json(_anywhere(note.spec)), to_json(EnvironmentSpec(name=""))
    said = {"spec": {key: value for key, value in spec.items() if value != usual[key]}, "asked": note.asked}
    return f"# jupyter-gpu-kernels: {json.dumps(said, separators=(',', ':'))}"


def read(text: str) -> Note | None:
    """The note of a file, if it has one.

    Raises:
        InvalidInputError: There is one, and it is malformed, or asks for what nobody may ask for.
    """
    found = _LINE.search(text[:65536])
    if found is None:
        return None
    try:
        note = from_json(Note, json.loads(found[1]), strict=True)
        validation.check_packages(
            note.asked, Installer.CONDA, channels=note.spec.channels, most=validation.MAX_IMPORTED
        )
    except (ValueError, RecursionError, InvalidInputError) as error:
        reason = f" {error.message}" if isinstance(error, InvalidInputError) else ""
        msg = f"What the file says of what was asked for is malformed.{reason}"
        cure = "Remove the line that begins with # jupyter-gpu-kernels."
        raise InvalidInputError(msg, cure=cure) from None
    return replace(note, spec=_anywhere(note.spec))


def _anywhere(spec: EnvironmentSpec) -> EnvironmentSpec:
    """What of a spec means any machine, and any user."""
    return replace(
        portable(spec), memory=MemoryPreset.DEFAULT, memory_fraction=EnvironmentSpec.memory_fraction, display_name=None
    )
