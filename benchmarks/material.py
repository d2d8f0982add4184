"""What benchmarks work on: the tests' channel and wheels on loopback, and a home of their own, gone afterwards.

The servers run in a process of their own (``python -m benchmarks.material``), so that what is measured shares neither
an interpreter nor an event loop with them.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jupyter_gpu_kernels.models import EnvironmentSpec, Installer, Manifest, Plan, Progress, Stage, Variant
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

CHECKOUT = Path(__file__).resolve().parents[1]
STORE = CHECKOUT / ".artifacts" / "tests"
if str(CHECKOUT / "tests") not in sys.path:
    sys.path.append(str(CHECKOUT / "tests"))

#: What must not reach a benchmark from outside, by prefix of the variable's name.
FOREIGN = (
    *("CONDA", "CUDA_", "IPYTHON", "JPY_", "JUPYTER", "LD_", "MAMBA_", "NVIDIA_", "PIP_", "PIXI_", "PYTHON"),
    *("RATTLER_", "UV_", "VIRTUAL_ENV", "XDG_", "_CE_", "_CONDA"),
)

CONDA = EnvironmentSpec(name="conda", framework="warpdrive", installer=Installer.CONDA, variant=Variant.CPU)
PYPI = EnvironmentSpec(name="pypi", framework="python", installer=Installer.PYPI, packages=("numpy", "six"))


@dataclass(frozen=True)
class Workplace:
    """Where a benchmark works.

    Attributes:
        root: A directory of its own, deleted afterwards.
        channel: URL of the tests' conda channel.
    """

    root: Path
    channel: str

    def manager(self, cache: str = "cache", **traits: Any) -> GpuKernelsManager:
        """A manager as a server has it, on the tests' channel; caches of other names are other caches."""
        from manager import make_manager

        return make_manager(self.channel, str(self.root / cache), **traits)


@dataclass
class Stopwatch:
    """A reporter that takes the time of each stage, in seconds."""

    stages: dict[Stage, float] = field(default_factory=dict)
    _last: Stage | None = None
    _since: float = 0.0

    def stage(self, stage: Stage) -> None:
        """End a stage and begin another; the same one may come again."""
        self.stop()
        self._last, self._since = stage, time.perf_counter()

    def stop(self) -> None:
        """End the last stage."""
        if self._last is not None:
            passed = time.perf_counter() - self._since
            self.stages[self._last] = self.stages.get(self._last, 0.0) + passed
        self._last = None

    def progress(self, progress: Progress) -> None:
        """Nothing is done with progress."""

    def log(self, line: str) -> None:
        """Nothing is done with the log."""

    def plan(self, plan: Plan) -> None:
        """Nothing is done with the plan."""


async def build(manager: GpuKernelsManager, spec: EnvironmentSpec, name: str, **changes: Any) -> Manifest:
    """Create an environment without a job, and without a word."""
    spec = replace(spec, name=name, **changes)
    manifest: Manifest = await manager.workshop.create(spec, reporter=Stopwatch())  # type: ignore[arg-type]
    return manifest


@contextlib.contextmanager
def workplace() -> Iterator[Workplace]:
    """Serve the channel and the wheels, and give this process and its children a home of their own."""
    from channel import standard_channel, standard_wheels

    # Before the variables change: where they must be made first, the package index is the user's.
    directories = standard_channel(STORE), standard_wheels(STORE)
    with tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        with served(*directories) as (channel, index), private(root, index):
            yield Workplace(root, channel)


@contextlib.contextmanager
def private(root: Path, index: str) -> Iterator[None]:
    """Change the variables of this process, and put them back."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith(FOREIGN)]:
        del os.environ[name]
    home = root / "home"
    places = {
        "HOME": home,
        "USERPROFILE": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "UV_CACHE_DIR": root / "uv",
    }
    for name, place in places.items():
        place.mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(place)
    os.environ |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_DEFAULT_INDEX": index}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def served(channel: Path, wheels: Path) -> Iterator[tuple[str, str]]:
    """Serve both directories from another process until the block ends; answer with the two URLs."""
    command = [sys.executable, "-m", "benchmarks.material", str(channel), str(wheels)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        urls = json.loads(process.stdout.readline())
        try:
            yield urls["channel"], urls["index"]
        finally:
            process.stdin.close()


def main(channel: str, wheels: str) -> None:
    """Serve until nobody holds our standard input any more."""
    import wheels_index
    from channel import serve

    with serve(Path(channel)) as server, wheels_index.serve(Path(wheels)) as index:
        print(json.dumps({"channel": server.url, "index": index.url}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
