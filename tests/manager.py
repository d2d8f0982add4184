"""A manager on the test channel, and a way to see that nothing is left of a build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir

from jupyter_gpu_kernels.models import Plan, Progress, Stage
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

FRAMEWORKS = Path(__file__).parent / "data" / "frameworks"


def make_manager(channel: str, cache_dir: Path, **traits: Any) -> GpuKernelsManager:
    """A manager of the test's own home that knows one channel and the tests' frameworks."""
    settings = {"channels": [channel], "cache_dir": str(cache_dir), "catalogue_dirs": [str(FRAMEWORKS)]}
    return GpuKernelsManager(**{**settings, **traits})


class Recorder:
    """A reporter that remembers everything."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.steps: list[tuple[Stage | None, Progress]] = []
        self.lines: list[str] = []
        self.plans: list[Plan] = []

    def stage(self, stage: Stage) -> None:
        self.stages.append(stage)

    def progress(self, progress: Progress) -> None:
        # A benchmark has no stages.
        self.steps.append((self.stages[-1] if self.stages else None, progress))

    def log(self, line: str) -> None:
        self.lines.append(line)

    def plan(self, plan: Plan) -> None:
        self.plans.append(plan)


def traces(name: str, home: Path | None = None, data: Path | None = None) -> list[str]:
    """Every file or directory that a build of a name has left, but for downloads: none after a failure.

    Args:
        name: Name of the environment.
        home: Home of whoever built it; our own if not given.
        data: Their Jupyter data directory, likewise.
    """
    home, data = home or Path.home(), data or Path(jupyter_data_dir())
    places = [home / ".conda" / "envs", data / "gpu-kernels" / "envs"]
    found = [path for place in places for path in (place / name, *(place / ".gen").glob(f"*{name}*"))]
    found += [path for place in places for path in (place / ".gen").glob(".trash-*")]
    found += [data / "kernels" / name, *(data / "gpu-kernels" / "staging").glob(f"{name}-*")]
    found += (data / "gpu-kernels" / "locks").glob(f"{name}.holder*")
    listed = home / ".conda" / "environments.txt"
    mentions = [line for line in (listed.read_text() if listed.exists() else "").splitlines() if name in line]
    return [str(path) for path in found if path.exists()] + mentions
