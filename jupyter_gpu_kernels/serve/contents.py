"""Files as a browser knows them: below the root of the server's contents, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import InvalidInputError, NotFoundError

#: Bytes of a name that file systems take.
_LONGEST = 255


def below(root: Path | None, path: str) -> Path:
    """A place below the root of the server's contents; whether there is anything is not asked. Blocks on the disk.

    Args:
        root: That root, ``None`` where there is no server: then any path is taken, as a shell takes it.
        path: With slashes, relative to the root; a slash at the beginning means the root.

    Raises:
        InvalidInputError: It leads out of the root, perhaps by a link, or cannot be a path.
    """
    if "\x00" in path or len(path) > 4096 or max(len(os.fsencode(part)) for part in path.split("/")) > _LONGEST:
        msg = "The path of the file is none."
        raise InvalidInputError(msg, cure="Choose a file of the file browser.")
    if root is None:
        return Path(path).expanduser().absolute()
    parts = [part for part in path.split("/") if part not in ("", ".")]
    try:
        base = root.resolve()
        found = base.joinpath(*parts).resolve()
    except (OSError, RuntimeError, ValueError):
        found = base = Path()
    if ".." in parts or not found.is_relative_to(base) or found == base:
        msg = f"{path[:100]!r} is no file below the directory that this server shows."
        raise InvalidInputError(msg, cure="Choose a file of the file browser, or upload it there.")
    return found


def read(root: Path | None, path: str, most: int) -> bytes:
    """What is in a file below the root of the server's contents. Blocks on the disk.

    Args:
        root: As for :func:`below`.
        path: Likewise.
        most: Bytes that are read, and one more if there are more.

    Raises:
        InvalidInputError: It leads out of the root, or is no file.
        NotFoundError: There is no such file, or it cannot be read.
    """
    place = below(root, path)
    try:
        if not place.is_file():
            msg = f"There is no file {path[:100]!r}."
            raise NotFoundError(msg, cure="Check its name.")
        with place.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        msg = f"The file {path[:100]!r} cannot be read: {error.strerror}."
        raise NotFoundError(msg, cure="Check its permissions.") from error
