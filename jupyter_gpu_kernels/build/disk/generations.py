"""Generations: an environment is built beside its final path and moved there in one step.

::

    <envs_dir>/<name>                    what everybody uses
    <envs_dir>/.gen/<name>-<8 hex>       a generation: while it is built, or old and still in use
    <envs_dir>/.gen/<name>-<8 hex>.lock  shared by its builder and the builder's tools
    <envs_dir>/.gen/<…>.journal          an exchange in two steps, where the filesystem has none in one
    <envs_dir>/.gen/.trash-<…>           being deleted

Everything here blocks: call it in a thread. The caller holds the environment's lock (:mod:`.locks`); what is locked
here only tells :meth:`Generations.sweep`, in whichever process, that somebody is at work.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ...errors import NameTakenError, NotFoundError
from ...prefix.files import sync_directory
from ...prefix.manifest import MANIFEST
from ..tools.leash import Share
from .filesystem import exchange, explained, remove_tree, rename_new
from .journal import JOURNAL, Journal
from .occupancy import occupied

#: Directory of generations below the directory of environments; the dot hides it from ``conda env list``.
NURSERY = ".gen"
LOCK = ".lock"
TRASH = ".trash-"

#: Seconds in which the tools of a dead builder are gone, with some to spare.
PATIENCE = 15.0

#: Tells backup tools to pass the directory over. Source: https://bford.info/cachedir/
CACHEDIR_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Environments being built by jupyter_gpu_kernels.\n"


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One build of an environment.

    Attributes:
        id: ``<name>-<8 hex>``, also the directory's name.
        path: Where it is built; an empty directory at first.
        final: Where it will be used.
        lock: File that is locked while it is built. A tool that writes into the generation should share this lock
            (``run_tool(lock=…)``), so that nobody sweeps while a tool outlives our sudden death.
    """

    id: str
    path: Path
    final: Path
    lock: Path


class Generations:
    """The generations of the environments in one directory.

    Args:
        envs_dir: Directory of environments; it may be a link.
        swap: Lets two paths change places in one step, or says that it cannot.
    """

    def __init__(self, envs_dir: Path, *, swap: Callable[[Path, Path], bool] = exchange) -> None:
        self.envs_dir = envs_dir.absolute()
        self.nursery = self.envs_dir / NURSERY
        self._swap = swap
        self._shares: dict[str, Share] = {}
        # What each environment's last commit here has put aside.
        self._olds: dict[Path, Path | None] = {}
        self._guard = threading.Lock()

    def begin(self, name: str) -> Generation:
        """Make room for a new generation of an environment.

        Raises:
            NameTakenError: Something that is not ours has the environment's path.
            InstallError: The directory cannot be written.
        """
        final = self.envs_dir / name
        self._check_ours(final)
        identifier = f"{name}-{secrets.token_hex(4)}"
        path = self.nursery / identifier
        lock = self.nursery / (identifier + LOCK)
        with explained(f"{self.envs_dir} cannot take a new environment"):
            self.nursery.mkdir(parents=True, exist_ok=True)
            tag = self.nursery / "CACHEDIR.TAG"
            if not tag.exists():
                tag.write_text(CACHEDIR_TAG)
            # Not the whole lock: each tool takes its share before it starts, so that there is no moment between our
            # death and theirs in which nobody has one. Where the filesystem has no locks, nothing is ever swept.
            share = Share(str(lock))
            share.take()
            path.mkdir()
        with self._guard:
            self._shares[identifier] = share
        return Generation(id=identifier, path=path, final=final, lock=lock)

    def commit(self, generation: Generation) -> Path | None:
        """Put a finished generation in its final place, in one step.

        Interrupted at any point it is completed or undone by :meth:`sweep`: the final path has the whole new or the
        whole old environment. A final path that is a link is replaced as a link; the tree it led to stays.

        Returns:
            Where the old environment is now, ``None`` if there was none. It stays there as long as a process uses it.

        Raises:
            NameTakenError: Something that is not ours has the final path.
            InstallError: It cannot be moved; the old environment is as it was, the generation where it was.
        """
        self._check_ours(generation.final)
        old: Path | None = None
        with explained(f"{generation.final} cannot be put in place"):
            if not os.path.lexists(generation.final):
                try:
                    rename_new(generation.path, generation.final)
                except FileExistsError as error:
                    raise _taken(generation.final) from error
            elif self._swap(generation.path, generation.final):
                old = generation.path
            else:
                old = Journal.of(self.nursery, generation.id, generation.final).exchange()
            sync_directory(self.envs_dir)
            sync_directory(self.nursery)
        self._olds[generation.final] = old
        self._unlock(generation.id)
        return old

    def discard(self, generation: Generation | Path) -> None:
        """Delete a generation, or what :meth:`trash` or :meth:`commit` returned; no matter if it is gone already.

        Raises:
            InstallError: Something in it cannot be deleted.
        """
        path = generation.path if isinstance(generation, Generation) else generation.absolute()
        if path.parent != self.nursery:
            msg = f"{path} is no generation of {self.envs_dir}"
            raise ValueError(msg)
        with explained(f"{path} cannot be deleted"):
            self._delete(path)
        self._unlock(path.name)

    def trash(self, name: str) -> Path:
        """Take an environment away from its final path, in one step.

        Returns:
            Where it is now, for :meth:`discard`; forgotten, it goes with the next :meth:`sweep`.

        Raises:
            NotFoundError: There is no such environment.
            NameTakenError: What is there is not ours.
            InstallError: It cannot be moved.
        """
        final = self.envs_dir / name
        if not os.path.lexists(final):
            msg = f"There is no environment named {name!r} in {self.envs_dir}."
            raise NotFoundError(msg, cure="Run `jupyter gpu-kernels list` to see the names.")
        self._check_ours(final)
        with explained(f"{final} cannot be removed"):
            self.nursery.mkdir(exist_ok=True)
            path = self.nursery / (TRASH + secrets.token_hex(8))
            final.rename(path)
            sync_directory(self.envs_dir)
        return path

    def revert(self, generation: Generation) -> None:
        """Undo the :meth:`commit` just made: the old environment is back, the generation where it was built.

        Raises:
            InstallError: That cannot be done; the new environment is still in place.
        """
        old = self._olds.get(generation.final)
        with explained(f"{generation.final} cannot be taken back"):
            if old is None:
                rename_new(generation.final, generation.path)
            elif old == generation.path:
                exchange(old, generation.final)
            else:
                Journal.of(self.nursery, generation.id, generation.final).undo()
            sync_directory(self.envs_dir)

    def repair(self) -> None:
        """Bring exchanges to an end that a crash has interrupted, so that no environment is missing."""
        for name in self._names():
            if name.endswith(JOURNAL):
                with self._alone(name.removesuffix(JOURNAL)) as alone, contextlib.suppress(OSError):
                    if alone:
                        Journal.read(self.nursery / name).repair()

    def sweep(self) -> tuple[str, ...]:
        """Repair, then delete all generations that nobody builds or uses.

        What cannot be deleted now is left for the next time. Call it at start and after a build.

        Returns:
            The ids of the deleted generations.
        """
        self.repair()
        for name in self._names():
            if name.startswith(TRASH):
                with contextlib.suppress(OSError):
                    remove_tree(self.nursery / name)
        swept = self._sweep(self._trees())
        for name in self._names():
            if name.endswith(LOCK) and not os.path.lexists(self.nursery / name.removesuffix(LOCK)):
                with self._alone(name.removesuffix(LOCK)) as alone, contextlib.suppress(OSError):
                    if alone:
                        (self.nursery / name).unlink()
        return swept

    def abandoned(self) -> tuple[Path, ...]:
        """What :meth:`sweep` would delete; nothing is."""
        trees = set(self._trees())
        left = [path for path in sorted(trees - occupied(trees)) if not self._locked(path.name)]
        trash = [self.nursery / name for name in self._names() if name.startswith(TRASH)]
        return (*left, *filter(_forgotten, trash))

    def discard_unfinished(self, name: str) -> tuple[str, ...]:
        """Delete what dead builders of an environment have left; the caller holds the environment's lock.

        Their tools die with them, but perhaps a moment later: that is waited for.

        Returns:
            The ids of the deleted generations.
        """
        ours = re.compile(re.escape(name) + "-[0-9a-f]{8}(-old)?")
        swept: tuple[str, ...] = ()
        deadline = time.monotonic() + PATIENCE
        while True:
            swept += self._sweep([path for path in self._trees() if ours.fullmatch(path.name)])
            left = [path for path in self._trees() if ours.fullmatch(path.name) and self._locked(path.name)]
            if not left or time.monotonic() > deadline:
                return swept
            time.sleep(0.05)

    def _sweep(self, trees: list[Path]) -> tuple[str, ...]:
        """Delete those of some generations that nobody builds or uses."""
        swept = []
        for path in sorted(set(trees) - occupied(trees)):
            with self._alone(path.name) as alone, contextlib.suppress(OSError):
                if alone:
                    self._delete(path)
                    swept.append(path.name)
                    (self.nursery / (path.name + LOCK)).unlink()
        return tuple(swept)

    def _check_ours(self, final: Path) -> None:
        """Refuse a path that is taken by something that we did not make."""
        with explained(f"{final} cannot be looked into"):
            if os.path.lexists(final) and not (final / MANIFEST).is_file():
                raise _taken(final)

    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self.nursery))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []

    def _trees(self) -> list[Path]:
        """All generations, unfinished, old or in use."""
        paths = [self.nursery / name for name in self._names() if not name.startswith(".")]
        return [path for path in paths if path.is_symlink() or path.is_dir()]

    def _locked(self, identifier: str) -> bool:
        with self._alone(identifier) as alone:
            return not alone

    def _delete(self, path: Path) -> None:
        """Delete a tree; first it loses its name, so that nothing half-deleted looks like an environment."""
        if not os.path.lexists(path):
            return
        if not path.name.startswith(TRASH):
            path = path.rename(self.nursery / (TRASH + secrets.token_hex(8)))
        remove_tree(path)

    @contextlib.contextmanager
    def _alone(self, identifier: str) -> Iterator[bool]:
        """Whether nobody builds a generation; nobody can begin to while the context lasts."""
        lock = FileLock(self.nursery / (identifier + LOCK), thread_local=False)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _unlock(self, identifier: str) -> None:
        with self._guard:
            share = self._shares.pop(identifier, None)
        if share is not None:
            with contextlib.suppress(OSError):
                (self.nursery / (identifier + LOCK)).unlink()
            share.release()


def _forgotten(trash: Path) -> bool:
    """Whether nobody is deleting something any more: that would change it all the time."""
    with contextlib.suppress(OSError):
        return time.time() - trash.lstat().st_mtime > PATIENCE
    return False


def _taken(final: Path) -> NameTakenError:
    msg = f"{final} exists and was not made by jupyter_gpu_kernels."
    return NameTakenError(msg, cure="Choose another name, or move that directory away.")
