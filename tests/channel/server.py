"""Hands directories out over HTTP on the loopback interface, and fails on demand.

Usage (or take the fixtures ``serve_channel`` and ``faulty_channel``)::

    with serve(directory) as server:
        server.url                                             # "http://127.0.0.1:41234/lab"
        server.fail("*/numpy-*", Drop(at=0.5), times=2)        # the first two requests for numpy
        server.fail("*repodata*", Status(503), after=1)        # every request but the first
        server.requests                                        # [Request(method="GET", path="/lab/noarch/…", …)]
        server.heal()                                          # all faults gone

Patterns are :mod:`fnmatch` patterns on the path (without query), e.g. ``"/lab/linux-64/*"``. The first programmed fault
that matches and is not used up answers. Closing does not wait for hanging clients.
"""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import mimetypes
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .faults import Fault


@dataclass
class Request:
    """One request, logged when it arrives and completed as it is answered.

    Attributes:
        method, path: As asked, without query.
        headers: Lower-case names.
        status: What was answered, 0 as long as nothing was.
        sent: Bytes of the body so far.
        started, ended: ``time.monotonic()``; ``ended`` is ``None`` while it lasts.
    """

    method: str
    path: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None


class _GoneError(Exception):
    """The server closes, or the client has gone."""


@dataclass
class _Programmed:
    pattern: str
    fault: Fault
    left: int | None
    skip: int


class Server:
    """A directory on the loopback interface; made by :func:`serve`."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.name = name
        #: ``user:password`` without which nothing is given out, empty for none.
        self.credentials = ""
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._programmed: list[_Programmed] = []
        self._requests: list[Request] = []
        self._httpd = _Httpd(self)
        self._thread = threading.Thread(
            target=self._httpd.serve_forever, args=(0.05,), name=f"serve {name}", daemon=True
        )
        self._thread.start()

    @property
    def base_url(self) -> str:
        """Without the channel's name: what a channel alias would be."""
        return f"http://127.0.0.1:{self._httpd.server_port}"

    @property
    def url(self) -> str:
        """Of the directory: the channel."""
        return f"{self.base_url}/{self.name}"

    @property
    def requests(self) -> list[Request]:
        """Requests in order of arrival."""
        with self._lock:
            return list(self._requests)

    def asked(self, pattern: str) -> int:
        """How many requests for a pattern have come."""
        return sum(fnmatch.fnmatchcase(request.path, pattern) for request in self.requests)

    def forget(self) -> None:
        """Empty the log."""
        with self._lock:
            self._requests.clear()

    def fail(self, pattern: str, fault: Fault, *, times: int | None = None, after: int = 0) -> None:
        """Answer matching requests with a fault: so many times (``None``: always), after so many good answers."""
        with self._lock:
            self._programmed.append(_Programmed(pattern, fault, times, after))

    def heal(self) -> None:
        """Forget all faults; requests that are stalled already stay so."""
        with self._lock:
            self._programmed.clear()

    def close(self) -> None:
        """Stop, cutting whatever hangs."""
        self.closing.set()
        self._httpd.shutdown()
        self._httpd.server_close()
        self._thread.join()

    def fault_for(self, path: str) -> Fault | None:
        """The fault that this request has to get, counted as used."""
        with self._lock:
            for programmed in self._programmed:
                if programmed.left == 0 or not fnmatch.fnmatchcase(path, programmed.pattern):
                    continue
                if programmed.skip:
                    programmed.skip -= 1
                    continue
                if programmed.left is not None:
                    programmed.left -= 1
                return programmed.fault
        return None

    def log(self, request: Request) -> None:
        """Remember a request."""
        with self._lock:
            self._requests.append(request)

    def file(self, path: str) -> Path | None:
        """The file behind a path, if there is one inside the directory."""
        prefix = f"/{self.name}/"
        if not path.startswith(prefix):
            return None
        file = (self.directory / unquote(path).removeprefix(prefix)).resolve()
        return file if file.is_relative_to(self.directory.resolve()) and file.is_file() else None


@contextlib.contextmanager
def serve(directory: Path, *, name: str = "lab") -> Iterator[Server]:
    """Serve a directory as ``http://127.0.0.1:<port>/<name>``."""
    server = Server(directory, name)
    try:
        yield server
    finally:
        server.close()


class _Httpd(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, server: Server) -> None:
        self.owner = server
        self._open: set[socket.socket] = set()
        self.to_reset: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._open.discard(request)
        if request in self.to_reset:
            # Lingering for 0 seconds makes close() send a reset; shutdown() would end the stream in good order first.
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.to_reset.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Httpd
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        owner = self.server.owner
        self.base_url = owner.base_url
        self.path = urlsplit(self.path).path
        self.body = b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.entry = Request(self.command, self.path, headers)
        owner.log(self.entry)
        try:
            self._answer(owner)
        except (_GoneError, OSError):
            self.close_connection = True
        finally:
            self.entry.ended = time.monotonic()

    do_HEAD = do_GET  # noqa: N815

    def _answer(self, owner: Server) -> None:
        file = owner.file(self.path)
        self.body = file.read_bytes() if file else b""
        wanted = "Basic " + base64.b64encode(owner.credentials.encode()).decode()
        if owner.credentials and self.headers.get("Authorization") != wanted:
            self.head(401, {"WWW-Authenticate": 'Basic realm="lab"'}, length=0)
        elif fault := owner.fault_for(self.path):
            fault.answer(self)
        elif file is None:
            self.head(404)
        else:
            tag = f'"{file.stat().st_mtime_ns:x}-{len(self.body):x}"'
            if self.headers.get("If-None-Match") == tag:
                self.head(304, {"ETag": tag}, length=0)
            else:
                self.head(200, {"ETag": tag})
                self.send(self.body)

    def head(self, status: int, headers: dict[str, str] | None = None, *, length: int | None = None) -> None:
        self.entry.status = status
        self.send_response(status)
        length = len(self.body) if length is None else length
        kind = mimetypes.guess_type(self.path, strict=False)[0] or "application/octet-stream"
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, data: bytes) -> None:
        if self.command != "HEAD":
            # Counted first: whoever has read the bytes finds them in the log.
            self.entry.sent += len(data)
            self.wfile.write(data)

    def sleep(self, seconds: float | None = None) -> None:
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            if self.server.owner.closing.is_set() or self._client_gone():
                raise _GoneError
            rest = 0.2 if until is None else until - time.monotonic()
            if rest <= 0:
                return
            self.server.owner.closing.wait(min(rest, 0.2))

    def drop(self) -> None:
        self.server.to_reset.add(self.connection)
        raise _GoneError

    def _client_gone(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        try:
            return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing to the standard error stream."""
