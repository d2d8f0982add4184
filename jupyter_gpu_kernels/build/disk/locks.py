"""One writer per environment, in this process and in all others.

The lock is the operating system's own (``flock``, ``LockFileEx``) and ends with the process that holds it, however
that ends. On NFS it holds between hosts from Linux 2.6.12 on; where a mount has no locks at all (``nolock``) it holds
only between processes of one host.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ...errors import EnvironmentBusyError, InvalidInputError
from ...hardware.processes import alive, identity
from ...models import ProcessIdentity, from_json, now, to_json
from ...prefix.files import replace_file
from .filesystem import explained

#: What is being done to a busy environment, by its holder's purpose.
DOINGS = {
    "create": "built",
    "rebuild": "rebuilt",
    "remove": "removed",
    "verify": "verified",
    "benchmark": "benchmarked",
    "change": "changed",
    "edit": "changed",
    "import": "built",
    "clone": "cloned",
    "rename": "renamed",
    "pack": "packed",
    "adopt": "adopted",
    "release": "released",
    "recover": "tidied up",
}


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a lock.

    Attributes:
        process: The process.
        purpose: What for: a :class:`~jupyter_gpu_kernels.models.JobKind`'s value, or ``"recover"``.
        since: Since when.
    """

    process: ProcessIdentity
    purpose: str
    since: str


class EnvironmentLock:
    """The right to change one environment; held by one of these objects at a time, whichever thread or process.

    Args:
        directory: Where locks are kept; made if need be.
        name: Name of the environment. Names that differ in case only share a lock, as their kernels share a name.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name.lower()
        self.path = directory / f"{self.name}.lock"
        # Not thread-local: what one thread has acquired, another may release.
        self._lock = FileLock(self.path, thread_local=False)
        self._note = directory / f"{self.name}.holder.json"
        self._guard = threading.Lock()

    def acquire(self, purpose: str) -> None:
        """Take the lock if it is free, without waiting.

        Args:
            purpose: What for, as :class:`Holder` has it.

        Raises:
            EnvironmentBusyError: Somebody holds it; the message says who, what for and since when.
            InstallError: The lock's directory cannot be written.
        """
        with self._guard, explained(f"{self.path} cannot be locked"):
            if self._lock.is_locked:
                raise self._busy()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(blocking=False)
            except Timeout:
                raise self._busy() from None
            try:
                self._write(Holder(process=identity(), purpose=purpose, since=now()))
            except BaseException:
                self._lock.release()
                raise

    def release(self) -> None:
        """Give the lock back; without effect if it is not held."""
        with self._guard:
            if self._lock.is_locked:
                self._note.unlink(missing_ok=True)
                self._lock.release()

    @contextlib.contextmanager
    def hold(self, purpose: str) -> Iterator[None]:
        """Hold the lock for a while, or raise as :meth:`acquire`."""
        self.acquire(purpose)
        try:
            yield
        finally:
            self.release()

    def holder(self) -> Holder | None:
        """Who holds the lock now, ``None`` if nobody does or it is not known; the lock is not touched."""
        try:
            holder = from_json(Holder, json.loads(self._note.read_bytes()))
            datetime.fromisoformat(holder.since)
        except (OSError, ValueError, InvalidInputError):
            return None
        # The note of a dead process stays behind, its lock does not.
        return holder if alive(holder.process) else None

    def _busy(self) -> EnvironmentBusyError:
        holder = self.holder()
        cure = "Wait until that is finished, or cancel it."
        if holder is None:
            return EnvironmentBusyError(f"Another process is working on the environment {self.name!r}.", cure=cure)
        process = holder.process
        where = "" if process.host == socket.gethostname() else f" on {process.host}"
        since = datetime.fromisoformat(holder.since).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        doing = DOINGS.get(holder.purpose, "worked on")
        msg = f"The environment {self.name!r} is being {doing} by process {process.pid}{where} since {since}."
        return EnvironmentBusyError(msg, cure=cure)

    def _write(self, holder: Holder) -> None:
        replace_file(self._note, json.dumps(to_json(holder)).encode(), mode=0o644)
