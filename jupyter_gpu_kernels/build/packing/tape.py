"""Packs as files: tar archives, written whole or not at all, and read with suspicion."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import stat
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from ...errors import InvalidInputError, NotFoundError
from .label import LABEL, LIMIT, LOCK, Label, malformed, read_label, write_label

#: Bytes that are read and written at a time.
_CHUNK = 1024 * 1024

#: Members of packs: files, and what says how large a large one is, which has few bytes.
_TYPES, _HEADER = (tarfile.REGTYPE, tarfile.XHDTYPE), 1024

#: Ends the name of a pack that is being written, where a file cannot be without a name.
PARTIAL = ".part"


def write_pack(
    target: Path, label: Label, lock: str, source: Callable[[str], Path], tell: Callable[[int, str], None]
) -> None:
    """Write a pack, which has its name only when it is whole. Blocks on the disk.

    Args:
        target: Where it shall be; what is there is replaced.
        label: What it says of itself.
        lock: Its lock.
        source: Tells where the file of a member is.
        tell: Called with the bytes that were written of the packages, and the member at work; it may raise.

    Raises:
        OSError: It cannot be written; nothing is left then.
    """
    done = 0
    with _emerging(target) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in ((LABEL, write_label(label)), (LOCK, lock.encode())):
            tar.addfile(_member(name, len(data)), io.BytesIO(data))
        for packed in label.files:
            with source(packed.path).open("rb") as archive:
                start = done

                def count(position: int, start: int = start, path: str = packed.path) -> None:
                    tell(start + position, path)

                tar.addfile(_member(packed.path, packed.size), _Counted(archive, count))
            done += packed.size


@contextlib.contextmanager
def open_pack(path: Path) -> Iterator[tuple[tarfile.TarFile, Label, str]]:
    """Open a pack for reading. Blocks on the disk.

    Yields:
        The archive, behind the label and the lock; the label; the lock.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: It is no pack, or holds something else than files by the names of packages.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise malformed(detail="not a file")
        file = path.open("rb")
    except OSError as error:
        msg = f"The pack {path} cannot be read."
        raise NotFoundError(msg, cure="Check its name and its permissions.", detail=str(error)) from error
    with file:
        try:
            with tarfile.open(fileobj=file, mode="r:", tarinfo=_Member) as tar:
                label = read_label(_text(tar, LABEL))
                lock = _text(tar, LOCK).decode()
                yield tar, label, lock
        except (tarfile.TarError, UnicodeDecodeError, EOFError) as error:
            raise malformed(str(error)) from error


def is_pack(path: Path) -> bool:
    """Whether a file begins as a pack does, whatever it is called. Blocks on the disk."""
    try:
        # Whoever opens a pipe waits for somebody at its other end.
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            return tarfile.TarInfo.frombuf(file.read(512), "utf-8", "strict").name == LABEL
    except (OSError, tarfile.TarError, UnicodeDecodeError):
        return False


def unpack(path: Path, directory: Path, tell: Callable[[int, str], None]) -> None:
    """Put the packages of a pack into an empty directory, each checked against its hash. Blocks on the disk.

    Nothing in the archive decides where anything is written: what is not as the label says is refused.

    Args:
        path: The pack.
        directory: Where to; what is left there after an error is the caller's to remove.
        tell: Called with the bytes that have been written, and the member at work; it may raise.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: The pack is damaged, or is none.
    """
    with open_pack(path) as (tar, label, _):
        done = 0
        for packed in label.files:
            member = tar.next()
            if member is None or not _plain(member) or (member.name, member.size) != (packed.path, packed.size):
                raise malformed(detail=f"{member.name if member else 'the end'} in place of {packed.path}")
            content = tar.extractfile(member)
            assert content is not None  # of a regular file
            target = directory / packed.path
            target.parent.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256()
            with target.open("xb") as file:
                while chunk := content.read(_CHUNK):
                    file.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    tell(done, packed.path)
            if digest.hexdigest() != packed.sha256:
                msg = f"In the pack, {packed.path.rsplit('/', 1)[-1]} is damaged: its hash is not what it must be."
                raise InvalidInputError(msg, cure="Copy the pack again, or have it made again.")
        if tar.next() is not None:
            raise malformed(detail="more files than it says")


def _text(tar: tarfile.TarFile, name: str) -> bytes:
    """The next member, which must have that name."""
    member = tar.next()
    if member is None or member.name != name or not _plain(member) or member.size > LIMIT:
        raise malformed(name)
    content = tar.extractfile(member)
    assert content is not None  # of a regular file
    data = content.read()
    if len(data) != member.size:
        raise malformed(name)
    return data


class _Member(tarfile.TarInfo):
    """A member, unless it is one that a pack cannot have: Python reads those as a whole, and some of them for hours."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        """Read a header; called by :mod:`tarfile`."""
        member = super().frombuf(buf, encoding, errors)
        if member.type not in _TYPES or (member.type != tarfile.REGTYPE and member.size > _HEADER):
            msg = "a member that is no file"
            raise tarfile.ReadError(msg)
        return member


def _plain(member: tarfile.TarInfo) -> bool:
    """Whether a member is a file and nothing else: no link, no directory, no device, and no file with holes."""
    return member.isreg() and not member.issparse()


def _member(name: str, size: int) -> tarfile.TarInfo:
    """A plain file that tells nothing of whoever packed it."""
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    return member


class _Counted(io.RawIOBase):
    """A file that tells how much of it has been read."""

    def __init__(self, file: BinaryIO, count: Callable[[int], None]) -> None:
        self._file = file
        self._count = count

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read some bytes."""
        data = self._file.read(size)
        self._count(self._file.tell())
        return data


@contextlib.contextmanager
def _emerging(target: Path) -> Iterator[IO[bytes]]:
    """A new file that gets its name when all is well, and on the disk; without one, even a sudden death leaves nothing.

    Raises:
        OSError: It cannot be written.
    """
    partial = target.with_name(f".{target.name}{PARTIAL}")
    nameless = _nameless(target.parent)
    descriptor = nameless
    if descriptor is None:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if nameless is not None:
                partial.unlink(missing_ok=True)
                _name(file.fileno(), partial)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if sys.platform != "win32":
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _name(descriptor: int, path: Path) -> None:
    """Give a file without a name one."""
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        # Without a descriptor of a directory Python makes a link to the link in /proc.
        os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=directory, follow_symlinks=True)
    finally:
        os.close(directory)


def _nameless(directory: Path) -> int | None:
    """A file without a name in a directory, where the system can do that."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(directory, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT):
            return None
        raise
