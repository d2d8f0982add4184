"""A real JupyterLab with a home of its own, whose conda packages come from the tests' channel.

To look at the panel on that channel, with a driver that is not there if you like::

    python -m tests.ui.lab
    python -m tests.ui.lab --driver '{"cuda": "12.9", "gpus": [{"name": "NVIDIA H200"}]}' --locale zh_CN
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

API = "jupyter-gpu-kernels"

TESTS = Path(__file__).resolve().parents[1]

#: Seconds in which a server must answer, and end.
PATIENCE = 60.0

#: What reaches the server from outside; all else is its own.
INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER")

#: A machine without a driver, whatever machine this is.
NO_DRIVER = {"error": "NVML_ERROR_LIBRARY_NOT_FOUND"}

#: JupyterLab's settings, by plugin: it must not ask whether to fetch news, nor fetch any.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


@dataclass
class Lab:
    """A running JupyterLab.

    Attributes:
        root: Directory of all that is its own.
        url: Its base address, with a slash at the end.
        token: What it wants to see.
        process: Its process; it leads a group of its own.
    """

    root: Path
    url: str
    token: str
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        """Where it listens."""
        return urllib.parse.urlsplit(self.url).port or 80

    @property
    def home(self) -> Path:
        """Home of the person who uses it."""
        return self.root / "home"

    @property
    def folder(self) -> Path:
        """What its file browser shows."""
        return self.root / "work"

    @property
    def data(self) -> Path:
        """Jupyter's data directory."""
        return self.root / "data"

    @property
    def environments(self) -> Path:
        """Directory of the conda environments."""
        return self.home / ".conda" / "envs"

    def address(self, path: str = "lab", **query: str) -> str:
        """Address of a page, with the token."""
        return f"{self.url}{path}?{urllib.parse.urlencode({'token': self.token, **query})}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask its REST interface; answer with the JSON, or ``None`` where there is none."""
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else (b"" if method == "POST" else None)
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def finished(self, job: dict[str, Any]) -> dict[str, Any]:
        """Wait until a job has ended; answer with its end."""
        deadline = time.monotonic() + 3 * PATIENCE
        while job["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, job
            time.sleep(0.05)
            job = self.call("GET", f"{API}/jobs/{job['id']}")
        return job

    def create(self, name: str, **spec: Any) -> None:
        """Make a GPU kernel, without the panel."""
        body = {"name": name, "framework": "warpdrive", "variant": "cpu", **spec}
        done = self.finished(self.call("POST", f"{API}/environments", body))
        assert done["state"] == "succeeded", done

    def traces(self, name: str) -> list[str]:
        """What a build of a name has left, but for downloads."""
        from manager import traces

        return traces(name, self.home, self.data)

    def set(self, plugin: str, settings: Mapping[str, Any] | None) -> None:
        """Set what the person has set for a plugin of JupyterLab; ``None``: nothing."""
        package, _, name = plugin.partition(":")
        file = self.root / "settings" / package / f"{name}.jupyterlab-settings"
        file.unlink(missing_ok=True)
        if settings is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(settings))


@contextlib.contextmanager
def lab(
    root: Path,
    *,
    channels: Sequence[str],
    manager: Mapping[str, Any] | None = None,
    driver: Mapping[str, Any] | Path | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    port: int = 0,
    python: Path = Path(sys.executable),
) -> Iterator[Lab]:
    """Start JupyterLab, and end it with all its kernels.

    Args:
        root: A directory for all that is its own; one that a server had before is taken up.
        channels: URLs of conda channels.
        manager: More traits of ``GpuKernelsManager``.
        driver: The driver that it believes to see, or the file that says so (see ``hardware/fake.py``); this machine's
            if ``None``.
        settings: More settings of JupyterLab, by plugin.
        port: Where to listen; any free port if 0.
        python: The interpreter of another JupyterLab than ours.
    """
    environ = {name: os.environ[name] for name in INHERITED if name in os.environ}
    # What its person has comes before what the installation has, as it does outside of virtual environments.
    environ |= {**_places(root), "JUPYTER_PREFER_ENV_PATH": "0"}
    if driver is not None:
        environ["JUPYTER_GPU_KERNELS_FAKE_NVML"] = str(driver) if isinstance(driver, Path) else json.dumps(driver)
    traits = {"channels": list(channels), "catalogue_dirs": [str(TESTS / "data" / "frameworks")], **(manager or {})}
    config = {
        "ServerApp": {"ip": "127.0.0.1", "open_browser": False, "root_dir": str(root / "work")},
        "LabApp": {"extension_manager": "readonly"},
        "GpuKernelsManager": {"cache_dir": str(root / "cache"), **traits},
    }
    (root / "config" / "jupyter_server_config.json").write_text(json.dumps(config))
    token = "secret"
    options = [f"--port={port or _free_port()}", f"--IdentityProvider.token={token}"]
    # Only root needs the permission to be root.
    options += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [str(python), "-m", "jupyterlab", *options]
    with (root / "lab.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=root, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        made = Lab(root, _address(root, process), token, process)
        for plugin, values in {**SETTINGS, **(settings or {})}.items():
            made.set(plugin, values)
        yield made
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    """End a server; in good order it ends its kernels itself, otherwise they find out that it has gone."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(how)
    try:
        process.wait(PATIENCE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _places(root: Path) -> dict[str, str]:
    """The directories of a server, made, by the variables that name them."""
    places = {
        "HOME": "home",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "UV_CACHE_DIR": "uv",
    }
    for name in ("work", *places.values()):
        (root / name).mkdir(parents=True, exist_ok=True)
    return {variable: str(root / name) for variable, name in places.items()}


def _address(root: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait until a server answers; return its address."""
    information = root / "runtime" / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            url = str(json.loads(information.read_text())["url"]).replace("localhost", "127.0.0.1")
            with urllib.request.urlopen(f"{url}api", timeout=PATIENCE):
                return url
        time.sleep(0.05)
    tail = "\n".join((root / "lab.log").read_text(errors="replace").splitlines()[-30:])
    msg = f"JupyterLab has not started (status {process.poll()}):\n{tail}"
    raise RuntimeError(msg)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.ui.lab", description="JupyterLab on the tests' channel.")
    parser.add_argument("--driver", type=json.loads, help="a driver that is not there, as JSON: see hardware/fake.py")
    parser.add_argument("--locale", default="default", help="language of JupyterLab, such as zh_CN")
    parser.add_argument("--theme", default="JupyterLab Light", help='such as "JupyterLab Dark"')
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--root", type=Path, help="a directory to keep; otherwise a temporary one")
    arguments = parser.parse_args()
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    from channel import serve, standard_channel

    settings = {
        "@jupyterlab/translation-extension:plugin": {"locale": arguments.locale},
        "@jupyterlab/apputils-extension:themes": {"theme": arguments.theme},
    }
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(KeyboardInterrupt))
        root = arguments.root or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lab-")))
        channel = stack.enter_context(serve(standard_channel(TESTS.parent / ".artifacts" / "tests")))
        traits = {"driver": arguments.driver, "settings": settings, "port": arguments.port}
        running = stack.enter_context(lab(root.absolute(), channels=[channel.url], **traits))
        print(f"{running.address(reset='')}\nits files and its log: {running.root}", flush=True)  # noqa: T201
        running.process.wait()


if __name__ == "__main__":
    main()
