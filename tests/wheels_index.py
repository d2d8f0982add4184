"""A small package index over loopback, with faults, and a maker of small wheels."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import json
import random
import re
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from wheel_files import write_wheel


def make_wheel(
    directory: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: tuple[str, ...] = (),
    requires_python: str = "",
    payload: int = 0,
    script: str = "",
    tag: str = "py3-none-any",
) -> Path:
    """Write a wheel of one module, with `payload` bytes that do not compress, and perhaps a console script."""
    module = name.replace("-", "_")
    files = {f"{module}/__init__.py": f"__version__ = {version!r}\n\ndef main():\n    print(__version__)\n".encode()}
    if payload:
        files[f"{module}/payload.bin"] = random.Random(name).randbytes(payload)
    return write_wheel(
        directory,
        name,
        version,
        files,
        requires=requires,
        requires_python=requires_python,
        tag=tag,
        entry_points=f"[console_scripts]\n{script} = {module}:main\n" if script else "",
    )


class Index:
    """Wheels of a directory, served as a package index.

    Paths in `requests` and `faults` begin with `/simple/` or `/files/`.

    `faults` maps a part of a path to what happens there: an HTTP status, or "drop", "flip", "hang", "trickle" (of the
    body). A fault may be a list: one for each request, then none.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.faults: dict[str, int | str | list[int | str]] = {}
        self.requests: list[tuple[str, str]] = []
        self.credentials = ""
        self.with_sizes = True
        self.stopped = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        # No two have the same address, lest uv's cache answers for another one that had the same port.
        self.root = f"/{secrets.token_hex(4)}"
        self.url = f"http://{self.host}{self.root}/simple"

    def fault(self, path: str) -> int | str | None:
        for part, fault in self.faults.items():
            if part in path:
                if isinstance(fault, list):
                    return fault.pop(0) if fault else None
                return fault
        return None

    def page(self, project: str) -> bytes | None:
        found = []
        for wheel in sorted(self.directory.glob("*.whl")):
            if re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower() != project:
                continue
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            entry = {"filename": wheel.name, "url": f"{self.root}/files/{wheel.name}", "hashes": {"sha256": digest}}
            found.append(entry | ({"size": wheel.stat().st_size} if self.with_sizes else {}))
        if not found:
            return None
        return json.dumps({"meta": {"api-version": "1.0"}, "name": project, "files": found}).encode()

    def _handler(index) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                pass

            def answer(self, status: int, body: bytes = b"", kind: str = "text/html") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="index"')
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                path = unquote(self.path).removeprefix(index.root)
                index.requests.append((self.command, path))
                if index.credentials:
                    wanted = "Basic " + base64.b64encode(index.credentials.encode()).decode()
                    if self.headers.get("Authorization") != wanted:
                        return self.answer(401)
                fault = index.fault(path)
                if isinstance(fault, int):
                    return self.answer(fault, html.escape(f"fault {fault}").encode())
                if match := re.fullmatch(r"/simple/([^/]+)/?", path):
                    page = index.page(match[1])
                    return self.answer(200, page, "application/vnd.pypi.simple.v1+json") if page else self.answer(404)
                file = index.directory / path.removeprefix("/files/")
                if not path.startswith("/files/") or not file.is_file():
                    return self.answer(404)
                return self.file(file.read_bytes(), fault)

            def file(self, body: bytes, fault: str | None) -> None:
                if fault == "flip":
                    middle = len(body) // 2
                    body = body[:middle] + bytes([body[middle] ^ 255]) + body[middle + 1 :]
                if fault not in ("drop", "hang", "trickle"):
                    return self.answer(200, body, "application/zip")
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "HEAD":
                    return None
                with contextlib.suppress(OSError):
                    self.wfile.write(body[: len(body) // 2])
                    self.wfile.flush()
                    if fault == "hang":
                        index.stopped.wait(120)
                    if fault == "trickle":
                        for start in range(len(body) // 2, len(body), 4096):
                            self.wfile.write(body[start : start + 4096])
                            self.wfile.flush()
                            if index.stopped.wait(0.1):
                                break
                self.close_connection = True
                return None

        return Handler

    def __enter__(self) -> Index:
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@contextlib.contextmanager
def serve(directory: Path) -> Iterator[Index]:
    """Serve the wheels of a directory until the block ends."""
    with Index(directory) as index:
        yield index
