"""Being a good neighbour of conda: what it expects to find in an environment and about it, and what it left there."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from ..tools.redaction import redact, uncover
from . import history
from .settings import CondaRequest

#: What conda's ``# cmd:`` line says in the blocks that are ours.
COMMAND = "jupyter gpu-kernels"


def settle(prefix: Path, request: CondaRequest) -> None:
    """Finish a newly linked environment: rattler leaves its records private and its history empty.

    Args:
        prefix: Where the environment lies now, final or not: nothing written here names it.
        request: What was asked for.
    """
    mode = 0o666 & ~_umask()
    names = {uncover(channel.location).rstrip("/"): channel.name for channel in request.settings.resolved()}
    packages = []
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        # As conda does it: what everybody may read holds no credentials.
        clean = {**record, "url": uncover(record["url"]), "channel": uncover(record["channel"])}
        if clean != record:
            path.write_text(json.dumps(clean, indent=2, ensure_ascii=False), encoding="utf-8")
        if sys.platform != "win32":
            path.chmod(mode)
        base, subdir, file = clean["url"].rsplit("/", 2)
        stem = file.removesuffix(".conda").removesuffix(".tar.bz2")
        packages.append(f"{names.get(base, base)}/{subdir}::{stem}")
    now = datetime.now()
    blocks = [history.block(now, f"{COMMAND} create", packages, request.specs)]
    if request.keep:
        # Apart from ours, so that the next rebuild still knows that these were added from outside.
        blocks.append(history.block(now, f"{COMMAND} keep", (), request.keep))
    file = prefix / "conda-meta" / "history"
    file.write_text(redact("".join(blocks)), encoding="utf-8")
    if sys.platform != "win32":
        file.chmod(mode)


def added_specs(prefix: Path) -> tuple[str, ...]:
    """What was added to an environment from outside since it was built, with ``conda install`` and its like.

    Args:
        prefix: The environment; one that is not ours or not there has nothing added.

    Returns:
        Match specs, in order of their first appearance.
    """
    ours, wished = _history(prefix)
    if not ours:
        return ()
    for record in _records(prefix):
        # Tools that keep no history leave their wishes here.
        wishes = [*(record.get("requested_specs") or ()), record.get("requested_spec") or ""]
        name = str(record.get("name", ""))
        if name not in ours and any(wishes):
            wished.setdefault(name, next(filter(None, wishes)))
    return tuple(spec for name, spec in wished.items() if ours.get(name) != spec)


def asked_specs(prefix: Path) -> tuple[str, ...]:
    """What an environment was asked to hold, by us and from outside, in that order; nothing without a history.

    Args:
        prefix: The environment. Blocks on its disk.
    """
    return tuple(_history(prefix)[1].values())


def remember(prefix: Path) -> None:
    """Let ``conda env list`` know an environment, if its file can be written: conda too does without.

    Args:
        prefix: Its final path.
    """
    with contextlib.suppress(OSError), _environments_file() as file:
        lines = file.read().splitlines()
        if str(prefix) not in lines:
            _rewrite(file, [*lines, str(prefix)])


def forget(prefix: Path) -> None:
    """Let ``conda env list`` forget an environment, if its file can be written.

    Args:
        prefix: Its final path.
    """
    if not _environments_path().exists():
        return
    with contextlib.suppress(OSError), _environments_file() as file:
        lines = file.read().splitlines()
        if str(prefix) in lines:
            _rewrite(file, [line for line in lines if line != str(prefix)])


def _environments_path() -> Path:
    """The file in which conda keeps the environments of a user."""
    return Path.home() / ".conda" / "environments.txt"


@contextlib.contextmanager
def _environments_file() -> Iterator[IO[str]]:
    """The file, open and locked against others of us; conda itself takes no lock."""
    path = _environments_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+", encoding="utf-8") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _rewrite(file: IO[str], lines: Iterable[str]) -> None:
    """Replace the contents in place, so that owner, mode and links stay as they are."""
    file.seek(0)
    file.write("".join(f"{line}\n" for line in lines))
    file.truncate()


def _history(prefix: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What was asked for in our entries of an environment's history, and after all entries."""
    return history.specs(_text(prefix / "conda-meta" / "history"), ours=f"{COMMAND} create")


def _records(prefix: Path) -> Iterator[Mapping[str, Any]]:
    """The readable package records of an environment."""
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        with contextlib.suppress(OSError, ValueError):
            yield json.loads(path.read_text(encoding="utf-8"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _umask() -> int:
    """The process's umask, read without changing it where the system tells."""
    status = _text(Path("/proc/self/status"))
    for line in status.splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    umask = os.umask(stat.S_IWGRP | stat.S_IWOTH)
    os.umask(umask)
    return umask
