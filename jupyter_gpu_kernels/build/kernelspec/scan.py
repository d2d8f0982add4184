"""The kernelspecs that Jupyter finds, and those that it does not find because of them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import BrokenEnvironmentError
from ...prefix.layout import Layout
from .kernel_json import PROVISIONER
from .registry import entries, ours_in, owner_of, read

#: Names of an interpreter that jupyter_client replaces by that of the server (KernelManager.format_kernel_cmd).
SERVER_PYTHON = ("python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}")


@dataclass(frozen=True, kw_only=True)
class Kernelspec:
    """One kernelspec on disk.

    Attributes:
        place: Its directory.
        content: Its ``kernel.json``, empty if that cannot be read.
        hidden_by: The kernelspec of the same name that Jupyter takes instead, ``None`` if it takes this one.
    """

    place: Path
    content: Mapping[str, Any] = field(repr=False)
    hidden_by: Path | None = None

    @property
    def name(self) -> str:
        """The kernel's name, as Jupyter has it."""
        return self.place.name.lower()

    @property
    def title(self) -> str:
        """What the Launcher shows."""
        return str(self.content.get("display_name") or self.name)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata, empty if there are none."""
        metadata = self.content.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def ours(self) -> bool:
        """Whether it was made here."""
        return ours_in(dict(self.content)) is not None

    @property
    def environment(self) -> Path | None:
        """The environment that a kernelspec of ours is for."""
        owner = owner_of(ours_in(dict(self.content)))
        return Path(_possible(owner)) if owner else None

    @property
    def provisioner(self) -> str:
        """Who starts the kernel, empty for Jupyter's own way."""
        stanza = self.metadata.get("kernel_provisioner")
        return str(stanza.get("provisioner_name") or "") if isinstance(stanza, dict) else ""

    @property
    def adopted(self) -> bool:
        """Whether it is not ours and yet started by our provisioner."""
        return not self.ours and self.provisioner == PROVISIONER

    @property
    def argv(self) -> tuple[str, ...]:
        """The command, empty if there is none; with what jupyter_client fills in, but for the connection file."""
        argv = self.content.get("argv")
        here = {"{resource_dir}": str(self.place), "{prefix}": sys.prefix}
        return tuple(_filled(_possible(str(word)), here) for word in argv) if isinstance(argv, list) else ()

    def program(self, environ: Mapping[str, str]) -> Path | None:
        """The program that would be started, whether it is there or not.

        Returns:
            ``None`` where the command names one that is not on ``PATH``, or where there is no command.
        """
        if not self.argv:
            return None
        first = self.argv[0]
        if first in SERVER_PYTHON:
            return Path(sys.executable)
        if os.path.isabs(first):  # noqa: PTH117  # a Path would swallow dots
            return Path(first)
        found = shutil.which(first, path=environ.get("PATH"))
        return Path(found) if found else None

    def layout(self, environ: Mapping[str, str]) -> Layout | None:
        """The environment whose Python runs the kernel; ``None`` if it is no Python of an environment."""
        program = self.program(environ)
        if program is None or not program.name.lower().startswith("python"):
            return None
        try:
            return Layout.of_interpreter(program)
        except (BrokenEnvironmentError, OSError):
            return None


def kernelspecs(directories: Iterable[Path]) -> Iterator[Kernelspec]:
    """Read all kernelspecs.

    Args:
        directories: Where Jupyter looks for them, first things first.
    """
    first: dict[str, Path] = {}
    for folder in dict.fromkeys(directories):
        for entry in map(Path, entries(folder)):
            # No other user's private directory may end the search.
            if not os.path.isfile(entry / "kernel.json"):  # noqa: PTH113
                continue
            hidden_by = first.get(entry.name.lower())
            first.setdefault(entry.name.lower(), entry)
            yield Kernelspec(place=entry, content=read(entry), hidden_by=hidden_by)


def seen(path: Path) -> bool | None:
    """Whether something is there, ``None`` where this user may not look."""
    try:
        path.stat()
    except PermissionError:
        return None
    except (OSError, ValueError):
        return False
    return True


def _possible(word: str) -> str:
    """A word that can be a part of a command or a path; what no system takes is exchanged for a question mark."""
    try:
        os.fsencode(word)
    except UnicodeEncodeError:
        word = word.encode("utf-8", "replace").decode("utf-8")
    return word.replace("\0", "?")


def _filled(word: str, values: Mapping[str, str]) -> str:
    """A word with values in the place of names in braces."""
    for name, value in values.items():
        word = word.replace(name, value)
    return word
