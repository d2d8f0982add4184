"""Which of this user's kernels have which GPUs of this host: records that end with the processes they are about.

A record counts while its kernel runs, or anything that this left in its session; while its server is about to start
it; and for a moment after its death, in which its server may start it anew. What servers say at the end of a kernel
only hastens this: they do not always come to say it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import filelock
from jupyter_core.paths import jupyter_runtime_dir

from ..models import Lease, to_json
from .processes import identity_of
from .records import Record, Sessions, decoded, running, seen

#: Seconds to wait for other processes that change the records, each for some milliseconds.
PATIENCE = 10.0

#: Days after which the records of hosts, boots and containers that are no more are removed from a shared home.
KEPT_DAYS = 30


class LeaseRecords:
    """The records of one user on one host.

    Args:
        directory: Where they are kept; ``None`` for the place that all servers of this user on this host share.
        clock: A clock that all processes of the host share.

    Attributes:
        directory, clock: As given.
    """

    def __init__(self, directory: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.directory = directory or lease_directory()
        self._path = self.directory / "leases.json"
        self.clock = clock

    def current(self) -> tuple[Lease, ...]:
        """The leases that count now, the oldest first. Nothing is raised, and no kernel waits for this."""
        stored = self._readable()
        counting = self._counting(stored)
        if counting != stored:
            # When a kernel was first seen dead has to be remembered; if that fails, the next reader will.
            with contextlib.suppress(OSError), self.changing(patience=0):
                pass
        return tuple(sorted((record.lease for record in counting.values()), key=lambda lease: lease.since))

    @contextlib.contextmanager
    def changing(self, patience: float = PATIENCE) -> Iterator[dict[str, Record]]:
        """Hold the lock, with the records that count, by kernel id; what is changed is written, unless this raises.

        Args:
            patience: Seconds to wait for the lock.

        Raises:
            OSError: The records cannot be locked or written here.
        """
        self._make_directory()
        lock = filelock.FileLock(self.directory / "lock", timeout=patience, poll_interval=0.005, thread_local=False)
        try:
            lock.acquire()
        except NotImplementedError as error:
            msg = f"{self.directory} lies where files cannot be locked"
            raise OSError(msg) from error
        try:
            stored = self._read()
            records = self._counting(stored)
            yield records
            if records != stored:
                self._write(records)
        finally:
            lock.release()

    def counting(self) -> dict[str, Record]:
        """The records that count now, by kernel id, for whom cannot change them. Nothing is raised."""
        return self._counting(self._readable())

    def started(self, kernel_id: str, pid: int) -> None:
        """Tie a record to its kernel's process, which was just started.

        Raises:
            OSError: The records cannot be written.
        """
        process = identity_of(pid)
        with self.changing() as records:
            record = records.get(kernel_id)
            if record is not None and process is not None:
                records[kernel_id] = dataclasses.replace(
                    record, lease=dataclasses.replace(record.lease, kernel=process)
                )

    def died(self, kernel_id: str) -> None:
        """Note that a kernel was seen dead: the time in which it may be started anew begins.

        Raises:
            OSError: The records cannot be written.
        """
        with self.changing():
            # Whoever looks notes it.
            pass

    def release(self, kernel_id: str) -> None:
        """Note that a kernel was stopped for good; what it has is free once its processes are gone.

        Raises:
            OSError: The records cannot be written.
        """
        with self.changing() as records:
            record = records.get(kernel_id)
            if record is not None:
                stopped = dataclasses.replace(record, stopped=True)
                if record.lease.kernel is not None and running(record.lease.kernel, Sessions()):
                    records[kernel_id] = stopped
                else:
                    del records[kernel_id]

    def _counting(self, stored: Mapping[str, Record]) -> dict[str, Record]:
        """The records that count, with the time of the kernel's death where it has died since."""
        found: dict[str, Record] = {}
        now, sessions = self.clock(), Sessions()
        for kernel_id, record in stored.items():
            still = seen(record, now, sessions)
            if still is not None:
                found[kernel_id] = still
        return found

    def _readable(self) -> dict[str, Record]:
        """What is written, as far as it can be read."""
        try:
            return self._read()
        except OSError:
            return {}

    def _read(self) -> dict[str, Record]:
        """What is written; nothing where nothing is, or nothing that makes sense or is ours.

        Raises:
            OSError: It cannot be read just now, and so must not be replaced.
        """
        try:
            data = json.loads(self._path.read_bytes())
        except (FileNotFoundError, PermissionError, ValueError, RecursionError):
            return {}
        records = [decoded(entry) for entry in data] if isinstance(data, list) else []
        return {record.lease.kernel_id: record for record in records if record is not None}

    def _write(self, records: Mapping[str, Record]) -> None:
        """Replace what is written; a reader sees all of the old or all of the new."""
        descriptor, temporary = tempfile.mkstemp(dir=self.directory, prefix=".leases-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump([to_json(record) for record in records.values()], file, indent=1)
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _make_directory(self) -> None:
        """Make the directory, for this user alone, and tidy up beside it."""
        if self.directory.is_dir():
            return
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        oldest = time.time() - KEPT_DAYS * 86400
        with contextlib.suppress(OSError):
            for folder in self.directory.parent.iterdir():
                if folder.stat().st_mtime < oldest:
                    for path in folder.iterdir():
                        path.unlink()
                    folder.rmdir()


def lease_directory() -> Path:
    """Where the records of this user on this host are kept: where Jupyter keeps what it knows of running kernels.

    A home may be shared by hosts, and by containers of one host: each has its own, and each boot a new one.
    """
    parts = [socket.gethostname()]
    # Linux only; elsewhere a pid that came round again is told by its start.
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8])
        parts.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115  # no path, but a name
    name = re.sub(r"[^\w.-]+", "-", "-".join(parts)).strip("-.")
    return Path(jupyter_runtime_dir()) / "gpu-kernels" / "leases" / name


def current_leases(directory: Path | None = None) -> tuple[Lease, ...]:
    """The leases that count now, the oldest first; for those who only look. Blocks for some milliseconds."""
    return LeaseRecords(directory).current()
