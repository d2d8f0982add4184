"""The file ``conda-meta/history``: what was done to an environment, and what its user asked for.

Its format is conda's, see ``conda/history.py`` in https://github.com/conda/conda.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from datetime import datetime

#: The conda whose history format this is. A later version here would keep older condas from changing the environment.
CONDA_VERSION = "4.4.0"

_HEAD = re.compile(r"==>\s*(.+?)\s*<==")
_COMMENT = re.compile(r"#\s*(.+?):\s*(.*)")
_NAME = re.compile(r"(?:.*::)?\s*([A-Za-z0-9_.-]+)")


def block(when: datetime, command: str, packages: Iterable[str], specs: Iterable[str]) -> str:
    """Write one entry.

    Args:
        when: Local time.
        command: Of the ``# cmd:`` line.
        packages: Added packages as ``channel/subdir::name-version-build``.
        specs: What was asked for.
    """
    return "".join(
        f"{line}\n"
        for line in (
            f"==> {when:%Y-%m-%d %H:%M:%S} <==",
            f"# cmd: {command}",
            f"# conda version: {CONDA_VERSION}",
            *(f"+{package}" for package in packages),
            f"# update specs: {json.dumps(list(specs))}",
        )
    )


def specs(text: str, *, ours: str) -> tuple[dict[str, str], dict[str, str]]:
    """Read what was asked for.

    Args:
        text: The whole file.
        ours: Command of the entries that are not from outside.

    Returns:
        What was asked for in our entries, and what is asked for after all entries; specs by name of package.
    """
    own: dict[str, str] = {}
    now: dict[str, str] = {}
    is_ours = False
    for line in text.splitlines():
        if _HEAD.match(line):
            is_ours = False
        elif comment := _COMMENT.match(line):
            key, value = comment.groups()
            if key == "cmd":
                is_ours = value == ours
            elif key in ("update specs", "install specs", "create specs"):
                wishes = {name_of(spec): spec for spec in _listed(value)}
                now |= wishes
                if is_ours:
                    own |= wishes
            elif key in ("remove specs", "uninstall specs", "neutered specs"):
                for spec in _listed(value):
                    now.pop(name_of(spec), None)
    return own, now


def name_of(spec: str) -> str:
    """The package that a match spec speaks of, lower case."""
    found = _NAME.match(spec)
    return found.group(1).lower() if found else spec


def _listed(value: str) -> list[str]:
    """Read a list as conda writes it: a Python or JSON list, or in old versions words with commas between."""
    if value.startswith("["):
        try:
            return [str(spec) for spec in ast.literal_eval(value)]
        except (ValueError, SyntaxError):
            return []
    # Versions have commas of their own: "numpy>=1,<2" is one spec.
    return [spec.strip() for spec in re.split(r",(?=\s*[A-Za-z_])", value) if spec.strip()]
