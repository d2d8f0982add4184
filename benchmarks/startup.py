"""What the extension adds to the start of a server (goal: under 100 ms)."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .material import workplace
from .measure import Sample, milliseconds, paired, show, turns, verdict

ROUNDS = 9
GOAL = 0.1
WITHOUT, WITH = "without", "with"

#: What a server that has only started must not have imported.
HEAVY = ("rattler", "pynvml")

#: Seconds in which a server must answer.
PATIENCE = 60.0

#: Seconds after its first answer that a server goes on to be watched: what a start does in the background counts.
AFTERGLOW = 3.0


def main() -> None:
    """Print how long a server takes with and without the extension."""
    listening: dict[str, list[float]] = {WITHOUT: [], WITH: []}
    answering: dict[str, list[float]] = {WITHOUT: [], WITH: []}
    with workplace() as place:
        for counts, name in turns((WITHOUT, WITH), ROUNDS):
            times = _start(place.root, extension=name == WITH)
            if counts:
                listening[name].append(times[0])
                answering[name].append(times[1])
        imported = _imported(place.root)
    heavy = sorted(name for name in imported if name.split(".")[0] in HEAVY)
    assert "jupyter_gpu_kernels.serve.app" in imported
    assert not heavy, f"a server that only starts has imported {', '.join(heavy)}"
    samples = [Sample(f"listening, {name} it", tuple(values)) for name, values in listening.items()]
    samples += [Sample(f"first answer, {name} it", tuple(values)) for name, values in answering.items()]
    more, later = paired(samples[1], samples[0]), paired(samples[3], samples[2])
    note = (
        f"the extension adds {1000 * more:+.1f} ms until the server listens, {1000 * later:+.1f} ms until it "
        f"answers (medians of pairs): {verdict(max(more, later), GOAL)} (goal {milliseconds(GOAL)})\n"
        f"neither {' nor '.join(HEAVY)} is imported"
    )
    show("Start of a server, without and with the extension", samples, note=note)


def _command(port: int, *, extension: bool, options: tuple[str, ...] = ()) -> list[str]:
    """A server with nothing but the extension, if that; no configuration counts (see JUPYTER_NO_CONFIG)."""
    return [
        *(sys.executable, *options, "-m", "jupyter_server", "--no-browser", "--allow-root", "--log-level=ERROR"),
        *(f"--port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"),
        *("--IdentityProvider.token=", "--ServerApp.terminals_enabled=False"),
        f"--ServerApp.jpserver_extensions={{'jupyter_gpu_kernels': {extension}}}",
    ]


def _start(root: Path, *, extension: bool) -> tuple[float, float]:
    """Start a server and stop it; return seconds until it listens, and until it answers."""
    port = _free_port()
    start = time.perf_counter()
    with _running(_command(port, extension=extension), root, subprocess.DEVNULL) as server:
        listens = _connected(port, server) - start
        _ask(port)
        return listens, time.perf_counter() - start


def _imported(root: Path) -> set[str]:
    """The names of all modules that a server with the extension has imported some time after its start."""
    port = _free_port()
    log = root / "imports.txt"
    command = _command(port, extension=True, options=("-X", "importtime"))
    with log.open("w") as file, _running(command, root, file) as server:
        _connected(port, server)
        _ask(port)
        time.sleep(AFTERGLOW)
    return set(re.findall(r"^import time:.*\| +(\S+)$", log.read_text(), re.MULTILINE))


@contextlib.contextmanager
def _running(command: list[str], root: Path, errors: Any) -> Iterator[subprocess.Popen[bytes]]:
    environ = {**os.environ, "JUPYTER_NO_CONFIG": "1"}
    server = subprocess.Popen(command, cwd=root, env=environ, stdout=subprocess.DEVNULL, stderr=errors)
    try:
        yield server
    finally:
        server.terminate()
        server.wait()


def _connected(port: int, server: subprocess.Popen[bytes]) -> float:
    """Wait until a server listens; return when that was."""
    deadline = time.perf_counter() + PATIENCE
    while time.perf_counter() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return time.perf_counter()
        time.sleep(0.002)
    msg = f"the server has not started (status {server.poll()})"
    raise RuntimeError(msg)


def _ask(port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=PATIENCE) as answer:
        assert answer.status == 200


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
