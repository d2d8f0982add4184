"""An exchange in two renames, for filesystems that have no exchange in one step, with a journal for crashes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from ...prefix.files import sync_directory
from .filesystem import rename_new

JOURNAL = ".journal"

#: What an old environment's directory is called beside its successor's, between and after the two renames.
ASIDE = "-old"


@dataclass(frozen=True)
class Journal:
    """An exchange of a generation with the environment at its final path.

    Attributes:
        path: The journal's file. It exists from before the first rename until after the last.
        final: Where the environment is used.
    """

    path: Path
    final: Path

    @classmethod
    def of(cls, nursery: Path, identifier: str, final: Path) -> Journal:
        """The journal of a generation's exchange."""
        return cls(nursery / (identifier + JOURNAL), final)

    @classmethod
    def read(cls, path: Path) -> Journal:
        """Read a journal that a crash has left; a damaged one was never acted upon, it names no final path."""
        try:
            name = json.loads(path.read_text(encoding="utf-8"))["name"]
        except (ValueError, KeyError, TypeError):
            name = ""
        # Only the name is written: the directory may have been moved, or mounted elsewhere, since.
        return cls(path, path.parent.parent / Path(str(name)).name)

    @property
    def generation(self) -> Path:
        """The new environment, before the exchange."""
        return self.path.with_name(self.path.name.removesuffix(JOURNAL))

    @property
    def aside(self) -> Path:
        """The old environment, after the exchange."""
        return self.path.with_name(self.generation.name + ASIDE)

    def exchange(self) -> Path:
        """Move the old environment aside and the generation into its place.

        Returns:
            Where the old environment is.

        Raises:
            OSError: It failed; the old environment is where it was.
        """
        self._write()
        try:
            self.final.rename(self.aside)
            rename_new(self.generation, self.final)
        except OSError:
            if not os.path.lexists(self.final) and os.path.lexists(self.aside):
                self.aside.rename(self.final)
            self.path.unlink()
            raise
        sync_directory(self.final.parent)
        self.path.unlink()
        return self.aside

    def undo(self) -> None:
        """Exchange the two again; interrupted, either of them is in place after :meth:`repair`."""
        self.aside.stat()  # Where nothing was put aside nothing may be taken away.
        self._write()
        self.final.rename(self.generation)
        self.aside.rename(self.final)
        self.path.unlink()

    def repair(self) -> None:
        """Bring an interrupted exchange to an end.

        Before the first rename nothing happened. After it the generation, which is complete and verified, moves in;
        should it be gone, the old environment returns.
        """
        if self.final != self.path.parent.parent and not os.path.lexists(self.final):
            for candidate in (self.generation, self.aside):
                if os.path.lexists(candidate):
                    rename_new(candidate, self.final)
                    sync_directory(self.final.parent)
                    break
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        with self.path.open("w", encoding="utf-8") as file:
            json.dump({"name": self.final.name}, file)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(self.path.parent)
