"""A copy of an environment's tree that shares all files but those that name its path, or that somebody may edit.

What an installer brought is hard-linked, as conda links it from its cache: whoever changes it replaces it. What names
the prefix is written anew, and so is what nobody claims as long as it is small. Where a link cannot be made (another
filesystem, too many names) the file is copied.
"""

# A tree has a hundred thousand files, for each of which a Path would cost more than the system's call.
# ruff: noqa: PTH101,PTH102,PTH115,PTH116,PTH123,PTH211

from __future__ import annotations

import errno
import mmap
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import InstallError
from ...prefix.hooks import HOOK_NAME, LINKS
from ...prefix.layout import CONDA_MARKER, VIRTUALENV_MARKER, Layout
from ...prefix.manifest import MANIFEST
from .claims import Claim, Claims, read_claims
from .prefixes import Prefixes, TooLongError
from .prompts import with_prompt
from .records import amend_conda, amend_wheel

#: Bytes up to which a file that nobody claims is copied, and not shared: people edit such files where they are.
SMALL = 1 << 20

#: Bytes up to which a file that nobody claims is searched for the prefix; what is larger is data.
SEARCHED = 1 << 28

#: How a filesystem says that it cannot give a file another name, though it could be read and written elsewhere.
UNLINKABLE = frozenset({errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP})

#: Where hooks of conda environments are.
HOOKS = ("etc/conda/activate.d", "etc/conda/deactivate.d")


@dataclass
class Tally:
    """How far a copy has come; read by one thread while another writes.

    Attributes:
        total: Files there are, 0 while that is not known.
        done: Files that are done.
        linked: Of those, files that are shared.
        copied: Files that have a content of their own.
        rewritten: Files of those that named the prefix.
        stop: Set by whoever does not want the copy any more.
        oddities: What is no file, directory or link, and was left out.
    """

    total: int = 0
    done: int = 0
    linked: int = 0
    copied: int = 0
    rewritten: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    oddities: list[str] = field(default_factory=list)


class StoppedError(Exception):
    """Nobody wants the copy any more."""


@dataclass
class _Found:
    """What is in a tree, by path below the prefix."""

    #: A directory comes before what is in it; the first one is the prefix.
    folders: list[str] = field(default_factory=lambda: [""])
    links: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    compiled: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)


class TreeCopy:
    """One copy of one tree. Blocks on the disk: call it in a thread.

    Args:
        layout: The environment that is copied.
        target: An empty directory for the copy.
        final: The path that the copy will have, which its files name.
        tally: Told how far it has come.
    """

    def __init__(self, layout: Layout, target: Path, final: Path, tally: Tally) -> None:
        self._source, self._target = str(layout.prefix), str(target)
        self._layout = layout
        self._names = (layout.prefix.name, final.name)
        self._prefixes = Prefixes.of(layout.prefix, final)
        self._tally = tally
        self._claims = Claims()
        self._link = os.link
        #: By path below the prefix: the content of what was written anew.
        self._rewritten: dict[str, bytes] = {}
        #: By device and inode: the first copy of a file with several names.
        self._first: dict[tuple[int, int], str] = {}

    def make(self) -> None:
        """Make the copy.

        Raises:
            InstallError: A program has no room for the new path.
            OSError: Something cannot be read or written.
            StoppedError: As the tally was told.
        """
        self._claims = read_claims(self._layout)
        found = self._list()
        self._tally.total = sum(map(len, (found.files, found.links, found.compiled, found.records)))
        for name in found.folders[1:]:
            os.mkdir(f"{self._target}/{name}")
        self._all(found.links, self._symlink)
        self._all(found.files, self._file)
        # Later, for bytecode of what was written anew might look valid: only time and size are compared.
        self._all(found.compiled, self._bytecode)
        self._all(found.records, self._record)
        for wheel in {self._claims.records[name] for name in self._rewritten if name in self._claims.records}:
            amend_wheel(Path(self._target), wheel, self._rewritten)
        for name in reversed(found.folders):
            self._finish_folder(name)

    def _list(self) -> _Found:
        found = _Found()
        for folder in found.folders:
            with os.scandir(f"{self._source}/{folder}") as entries:
                for entry in entries:
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if _ours(folder, name):
                        continue
                    if entry.is_symlink():
                        found.links.append(name)
                    elif entry.is_dir():
                        found.folders.append(name)
                    elif folder == CONDA_MARKER and name.endswith(".json"):
                        found.records.append(name)
                    elif name.endswith(".pyc") and folder.endswith("__pycache__"):
                        found.compiled.append(name)
                    else:
                        found.files.append(name)
        return found

    def _all(self, names: list[str], deed: Callable[[str], None]) -> None:
        """Do some files; what vanishes meanwhile, as temporary files do, is as good as done."""
        for name in names:
            if self._tally.stop.is_set():
                raise StoppedError
            try:
                deed(name)
            except FileNotFoundError:
                if os.path.lexists(f"{self._source}/{name}"):
                    raise
            self._tally.done += 1

    def _symlink(self, name: str) -> None:
        os.symlink(self._prefixes.path(os.readlink(f"{self._source}/{name}")), f"{self._target}/{name}")
        self._tally.copied += 1

    def _file(self, name: str) -> None:
        source, target = f"{self._source}/{name}", f"{self._target}/{name}"
        claimed = self._claims.files.get(name)
        if claimed is not None and claimed.claim is Claim.PLAIN:
            # The quick way, for almost all of them.
            self._share(source, target)
            return
        status = os.lstat(source)
        if not stat.S_ISREG(status.st_mode):
            self._tally.oddities.append(name)
            return
        identity = (status.st_dev, status.st_ino)
        if status.st_nlink > 1 and identity in self._first:
            self._share(self._first[identity], target)
            return
        made = self._rewrite(name, source, status)
        if made is not None:
            self._write(target, made, status)
            self._rewritten[name] = made
            self._tally.rewritten += 1
        elif claimed is None and status.st_size <= SMALL:
            shutil.copy2(source, target)
            self._tally.copied += 1
        else:
            self._share(source, target)
            return
        self._first[identity] = target

    def _rewrite(self, name: str, source: str, status: os.stat_result) -> bytes | None:
        """The new content of a file, ``None`` if it does not name the prefix."""
        claimed = self._claims.files.get(name)
        if not status.st_size or (claimed is None and status.st_size > SEARCHED):
            return None
        with open(source, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            mentioned = self._prefixes.named_in(view.find)
            if not mentioned and name != VIRTUALENV_MARKER and not _activation(name):
                return None
            content = view[:]
        text = claimed.claim is Claim.TEXT if claimed and claimed.claim is not Claim.DOUBTFUL else b"\0" not in content
        if text:
            made = with_prompt(name, self._prefixes.text(content), *self._names)
        else:
            try:
                made = self._prefixes.binary(content, claimed.room if claimed else None)
            except TooLongError:
                msg = f"{name} has no room for a path as long as that of {self._names[1]!r}."
                cure = f"Choose a name that is no longer than {self._names[0]!r}."
                raise InstallError(msg, cure=cure) from None
        return made if made != content else None

    def _write(self, target: str, content: bytes, status: os.stat_result) -> None:
        with open(target, "wb") as file:
            file.write(content)
        os.chmod(target, stat.S_IMODE(status.st_mode))
        if sys.platform == "darwin" and b"\0" in content:
            # A program whose signature does not fit is not started. The same is done by conda.
            subprocess.run(["/usr/bin/codesign", "--sign", "-", "--force", target], check=False, capture_output=True)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        self._tally.copied += 1

    def _bytecode(self, name: str) -> None:
        folder, _, file = name.rpartition("/")
        if f"{folder.removesuffix('__pycache__')}{file.partition('.')[0]}.py" not in self._rewritten:
            self._share(f"{self._source}/{name}", f"{self._target}/{name}")

    def _record(self, name: str) -> None:
        """Conda's record of a package: conda and others write into it."""
        target = f"{self._target}/{name}"
        shutil.copy2(f"{self._source}/{name}", target)
        amend_conda(Path(target), self._rewritten)
        self._tally.copied += 1

    def _share(self, source: str, target: str) -> None:
        """Give a file another name, or copy it."""
        try:
            self._link(source, target)
            self._tally.linked += 1
        except OSError as error:
            if error.errno not in UNLINKABLE:
                raise
            shutil.copy2(source, target, follow_symlinks=False)
            self._tally.copied += 1

    def _finish_folder(self, name: str) -> None:
        """Give a directory the mode and the times of the original, now that nothing more comes into it.

        Whoever owns it may write it in any case: what is ours comes into it, and it will be deleted one day.
        """
        target = f"{self._target}/{name}"
        status = os.stat(f"{self._source}/{name}")
        os.chmod(target, stat.S_IMODE(status.st_mode) | stat.S_IRWXU)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _ours(folder: str, name: str) -> bool:
    """What is made anew for each environment: its manifest, its hooks, and the links that these use."""
    if folder in HOOKS:
        return name[len(folder) + 1 :].rpartition(".")[0] == HOOK_NAME
    return name in (MANIFEST, LINKS)


def _activation(name: str) -> bool:
    """Whether a file may be an activation script of a virtual environment, which names it."""
    return name.lower().startswith(("bin/activate", "scripts/activate"))


def report_of(tally: Tally) -> str:
    """Say what became of the files."""
    said = f"{tally.linked} files are shared with the original, {tally.copied} are its own"
    return f"{said}, of which {tally.rewritten} name its path."
