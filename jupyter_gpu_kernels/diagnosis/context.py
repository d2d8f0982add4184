"""What checks look at: all that is asked once, and where the rest lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..models import Environment, Framework, GpuReading, Hardware, Installer, Manifest
from ..prefix.layout import Layout


@dataclass(frozen=True, kw_only=True)
class Practice:
    """What checks need of how this installation is configured; the traits of the same names say what each means."""

    conda_envs_dir: Path
    virtualenvs_dir: Path
    state_dir: Path
    cache_dir: Path
    channels: tuple[str, ...] = ()
    default_installer: Installer = Installer.AUTO
    python_downloads: bool = False
    shared_package_caches: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Context:
    """What checks look at; one for each examination.

    Attributes:
        hardware: What the driver says.
        readings: What each GPU is doing now; empty where the driver does not answer.
        environ: The server's environment variables, which kernels would inherit.
        environments: All environments, or the one that was asked for.
        manifest_of: The manifest of an environment by name, ``None`` if it cannot be read. Reads the disk.
        kernel_dirs: Where kernelspecs are looked for, first things first.
        practice: How this installation is configured.
        frameworks: The catalogue.
        subject: Name of the environment that was asked for, empty for all.
        root: Where ``/dev``, ``/proc``, ``/sys`` and ``/etc`` are, for :meth:`path`.
    """

    hardware: Hardware
    readings: tuple[GpuReading, ...] = ()
    environ: Mapping[str, str]
    environments: tuple[Environment, ...] = ()
    manifest_of: Callable[[str], Manifest | None] = field(default=lambda name: None)
    kernel_dirs: tuple[Path, ...] = ()
    practice: Practice
    frameworks: tuple[Framework, ...] = ()
    subject: str = ""
    root: Path = Path("/")

    def path(self, absolute: str) -> Path:
        """A path of the system, e.g. ``/dev/nvidia0``."""
        return self.root / absolute.lstrip("/")

    def text(self, absolute: str) -> str:
        """What a small file of the system holds; empty if it cannot be read."""
        try:
            return self.path(absolute).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def framework(self, framework_id: str) -> Framework | None:
        """An entry of the catalogue, ``None`` if it has no such entry any more."""
        return next((item for item in self.frameworks if item.id == framework_id), None)

    @staticmethod
    def layout(environment: Environment) -> Layout:
        """Where things lie inside an environment; it need not exist."""
        return Layout(Path(environment.prefix), environment.kind)
