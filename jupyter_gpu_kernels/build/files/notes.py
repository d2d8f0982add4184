"""The line in which our own exact files say what was asked for, so that what is made of them can be changed later.

It is a comment, which every other tool leaves out.
"""

from __future__ import annotations

import dataclasses
import json
import re

from ...errors import InvalidInputError
from ...models import EnvironmentSpec, MemoryPreset, Placement, from_json, to_json
from ..tools.redaction import uncover

_LINE = re.compile(r"^# jupyter-gpu-kernels: (\{.*\})$", re.MULTILINE)


def line(spec: EnvironmentSpec) -> str:
    """The line for a spec, without what only means this machine."""
    return f"# jupyter-gpu-kernels: {json.dumps(to_json(portable(spec)), separators=(',', ':'))}"


def portable(spec: EnvironmentSpec) -> EnvironmentSpec:
    """A spec without what only means its machine: passwords, GPUs, places."""
    return dataclasses.replace(
        spec,
        channels=tuple(map(uncover, spec.channels)),
        memory=MemoryPreset.DEFAULT,
        memory_fraction=EnvironmentSpec.memory_fraction,
        placement=Placement(),
        sys_prefix=False,
        verify=True,
    )


def read(text: str) -> tuple[EnvironmentSpec | None, bool]:
    """The spec of a file, if it has one, and whether it has.

    Raises:
        InvalidInputError: There is one, and it is malformed.
    """
    found = _LINE.findall(text[:65536])
    if not found:
        return None, False
    try:
        data = json.loads(found[0])
    except (ValueError, RecursionError):
        msg = "What the file says of what was asked for is malformed."
        raise InvalidInputError(msg, cure="Remove the line that begins with # jupyter-gpu-kernels.") from None
    return portable(from_json(EnvironmentSpec, data)), True
