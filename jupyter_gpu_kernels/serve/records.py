"""Jobs on disk: one small JSON record and one log file for each, readable by every process of the user.

Everything here blocks on the file system: call it in a thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ..errors import InvalidInputError, NotFoundError
from ..models import Job, from_json, to_json

#: Lines of the log that travel with a job.
TAIL_LINES = 200

#: Bytes of a log file after which further lines are dropped: a tool gone wild must not fill the disk.
LOG_LIMIT = 16 * 1024 * 1024

_ID = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")
_Signature = tuple[int, int, int]


class JobRecords:
    """The directory of job records.

    Args:
        directory: Where they are; made with the first record, readable by the user alone, since logs tell much.
        keep: How many finished jobs are kept.
        days: For how many days finished jobs are kept.
    """

    def __init__(self, directory: Path, *, keep: int = 100, days: float = 30) -> None:
        self.directory = directory
        self.keep = keep
        self.days = days
        self._known: dict[str, tuple[_Signature, Job]] = {}
        self._saved: dict[str, int] = {}
        self._lock = threading.Lock()

    def save(self, job: Job) -> None:
        """Write a job's record atomically, unless a later revision of it was written from here already."""
        with self._lock:
            if self._saved.get(job.id, -1) >= job.revision:
                return
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._path(job.id)
            temporary = path.with_name(f".{job.id}.{os.getpid()}.tmp")
            with _private(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
                file.write(json.dumps(to_json(replace(job, log=()))).encode())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            self._saved[job.id] = job.revision

    def load(self, job_id: str) -> Job:
        """Read a job, with the last lines of its log.

        Raises:
            NotFoundError: There is no such job, or nobody can read its record.
        """
        job = self._read(self._path(job_id)) if _ID.fullmatch(job_id) else None
        if job is None:
            msg = "There is no such job."
            raise NotFoundError(msg, cure="Ask for the list of jobs: old ones are forgotten after a while.")
        return replace(job, log=self.tail(job_id))

    def all(self) -> tuple[Job, ...]:
        """Read all jobs, without their logs; the newest first. Files that did not change are not read again."""
        found = [self._read(path) for path in self.directory.glob("*.json")]
        return tuple(sorted((job for job in found if job), key=lambda job: (job.created, job.id), reverse=True))

    def append(self, job_id: str, lines: Iterable[str]) -> None:
        """Add lines to a job's log."""
        data = "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")
        if not data:
            return
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _private(self.log_path(job_id), os.O_WRONLY | os.O_CREAT | os.O_APPEND) as file:
            if file.tell() + len(data) <= LOG_LIMIT:
                file.write(data)

    def tail(self, job_id: str) -> tuple[str, ...]:
        """The last lines of a job's log, oldest first."""
        try:
            with self.log_path(job_id).open(encoding="utf-8", errors="replace") as file:
                return tuple(line.rstrip("\n") for line in deque(file, TAIL_LINES))
        except OSError:
            return ()

    def log(self, job_id: str) -> str:
        """The whole log of a job.

        Raises:
            NotFoundError: There is no such job.
        """
        self.load(job_id)
        try:
            return self.log_path(job_id).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def age(self, job_id: str) -> float:
        """Seconds since a record was written or touched; endless for one that is not there."""
        try:
            return time.time() - self._path(job_id).stat().st_mtime
        except OSError:
            return float("inf")

    def touch(self, job_ids: Iterable[str]) -> None:
        """Show that somebody works on these jobs."""
        for job_id in job_ids:
            with contextlib.suppress(OSError):
                os.utime(self._path(job_id))

    def log_path(self, job_id: str) -> Path:
        """Where the whole log of a job is."""
        return self.directory / f"{job_id}.log"

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the directory against other processes, while deciding who works on what.

        Raises:
            InstallError: The directory cannot be written.
        """
        # Imported here: a server that only starts needs no file lock.
        from filelock import FileLock

        from ..build.disk.filesystem import explained

        with explained(f"No job can be kept in {self.directory}"):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self.directory / ".lock", timeout=30):
                yield

    def prune(self) -> None:
        """Forget finished jobs that are too many or too old, and what was left of writes that a crash cut short."""
        horizon = time.time() - self.days * 86400
        finished = [job for job in self.all() if job.state.final]
        for rank, job in enumerate(finished):
            if rank >= self.keep or _seconds(job.finished or job.created) < horizon:
                self._forget(job.id)
        for path in self.directory.glob(".*.tmp"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - 3600:
                    path.unlink()

    def _forget(self, job_id: str) -> None:
        self._path(job_id).unlink(missing_ok=True)
        self.log_path(job_id).unlink(missing_ok=True)
        self._known.pop(job_id, None)
        self._saved.pop(job_id, None)

    def _path(self, job_id: str) -> Path:
        return self.directory / f"{job_id}.json"

    def _read(self, path: Path) -> Job | None:
        """Read a record; ``None`` if there is none, or one that this version cannot read (it is left alone)."""
        try:
            status = path.stat()
            signature = (status.st_ino, status.st_mtime_ns, status.st_size)
            known = self._known.get(path.stem)
            if known is not None and known[0] == signature:
                return known[1]
            job = from_json(Job, json.loads(path.read_bytes()))
        except (OSError, ValueError, InvalidInputError):
            return None
        self._known[path.stem] = (signature, job)
        return job


@contextlib.contextmanager
def _private(path: Path, flags: int) -> Iterator[BinaryIO]:
    """Open a file that its owner alone may read."""
    with os.fdopen(os.open(path, flags, 0o600), "ab" if flags & os.O_APPEND else "wb") as file:
        yield file


def _seconds(moment: str) -> float:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return 0.0
