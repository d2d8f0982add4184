"""Where things lie inside an environment, for every platform."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import BrokenEnvironmentError
from ..models import EnvironmentKind

#: Marker files: a conda prefix has the directory, a virtual environment the file (PEP 405).
CONDA_MARKER = "conda-meta"
VIRTUALENV_MARKER = "pyvenv.cfg"


@dataclasses.dataclass(frozen=True)
class Layout:
    """The directories of an environment.

    Attributes:
        prefix: Absolute root of the environment; need not exist.
        kind: What it is on disk.
        platform: As ``sys.platform`` says it: ``"linux"``, ``"darwin"``, ``"win32"``.
    """

    prefix: Path
    kind: EnvironmentKind
    platform: str = sys.platform

    @classmethod
    def of_prefix(cls, prefix: Path, platform: str = sys.platform) -> Layout:
        """Recognise the environment at a path.

        Raises:
            BrokenEnvironmentError: There is neither a conda prefix nor a virtual environment.
        """
        if (prefix / CONDA_MARKER).is_dir():
            return cls(prefix, EnvironmentKind.CONDA, platform)
        if (prefix / VIRTUALENV_MARKER).is_file():
            return cls(prefix, EnvironmentKind.VIRTUALENV, platform)
        if prefix.is_dir():
            msg = f"{prefix} is no environment: it has neither {CONDA_MARKER}/ nor {VIRTUALENV_MARKER}."
        else:
            msg = f"The environment {prefix} does not exist."
        name = prefix.name
        cure = (
            f"Create it again under its name, {name}, or remove its kernel: `jupyter kernelspec remove {name.lower()}`."
        )
        raise BrokenEnvironmentError(msg, cure=cure)

    @classmethod
    def of_interpreter(cls, python: Path, platform: str = sys.platform) -> Layout:
        """Recognise the environment that an interpreter belongs to.

        The path is taken as written: a virtual environment's interpreter is a link that leaves the environment.

        Raises:
            BrokenEnvironmentError: The interpreter lies in no environment.
        """
        folder = python.parent
        inside = folder.name.lower() in ("bin", "scripts")
        return cls.of_prefix(folder.parent if inside else folder, platform)

    @property
    def windows(self) -> bool:
        """Whether the environment is laid out for Windows."""
        return self.platform == "win32"

    @property
    def python(self) -> Path:
        """The interpreter."""
        if not self.windows:
            return self.prefix / "bin" / "python"
        if self.kind is EnvironmentKind.CONDA:
            return self.prefix / "python.exe"
        return self.prefix / "Scripts" / "python.exe"

    @property
    def bin(self) -> Path:
        """The directory of console scripts."""
        return self.prefix / ("Scripts" if self.windows else "bin")

    def executable_directories(self) -> tuple[Path, ...]:
        """What belongs on ``PATH``, first things first.

        Source: for conda on Windows the list that ``conda activate`` puts there.
        """
        if not (self.windows and self.kind is EnvironmentKind.CONDA):
            return (self.bin,)
        library = self.prefix / "Library"
        return (
            self.prefix,
            library / "mingw-w64" / "bin",
            library / "usr" / "bin",
            library / "bin",
            self.prefix / "Scripts",
            self.prefix / "bin",
        )

    def site_packages(self) -> list[Path]:
        """The environment's own package directories that exist."""
        if self.windows:
            found = [self.prefix / "Lib" / "site-packages"]
        else:
            # conda-forge's Python has a link lib/python3.1 -> python3.10: skipped, it is the same directory.
            roots = sorted(path for path in (self.prefix / "lib").glob("python3*") if not path.is_symlink())
            wanted = self._abi_directory()
            exact = [root for root in roots if wanted is not None and wanted.fullmatch(root.name)]
            found = [root / "site-packages" for root in exact or roots]
        return [path for path in found if path.is_dir()]

    def python_version(self) -> str | None:
        """The version of the environment's Python (``"3.12.4"``), as its metadata says; nothing is run."""
        if self.kind is EnvironmentKind.CONDA:
            for record in (self.prefix / CONDA_MARKER).glob("python-[0-9]*.json"):
                return record.name.split("-")[1]
            return None
        settings = self.virtualenv_settings()
        version = settings.get("version_info") or settings.get("version", "")
        match = re.match(r"\d+\.\d+(\.\d+)?", version)
        return match.group() if match else None

    def virtualenv_settings(self) -> dict[str, str]:
        """The ``key = value`` lines of ``pyvenv.cfg``; empty if there is none."""
        try:
            text = (self.prefix / VIRTUALENV_MARKER).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return {}
        pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
        return {key.strip().lower(): value.strip() for key, _, value in pairs}

    def user_site(self, environ: Mapping[str, str]) -> Path | None:
        """Where its Python looks for packages of the user's own, on Linux; the directory need not exist.

        Source: ``site.getusersitepackages``, and ``site.venv``, by which a virtual environment looks nowhere unless it
        sees the system's packages.

        Args:
            environ: The variables of the process.
        """
        settings = self.virtualenv_settings() if self.kind is EnvironmentKind.VIRTUALENV else None
        isolated = settings is not None and settings.get("include-system-site-packages", "").lower() != "true"
        base, home, version = environ.get("PYTHONUSERBASE"), environ.get("HOME"), self.python_version()
        if isolated or version is None or self.windows or not (base or home):
            return None
        own = next((folder.parent.name for folder in self.site_packages()), None)
        name = own or "python" + ".".join(version.split(".")[:2])
        return (Path(base) if base else Path(str(home), ".local")) / "lib" / name / "site-packages"

    def _abi_directory(self) -> re.Pattern[str] | None:
        """What the directory of this Python's library is called; free-threaded builds end in ``t``."""
        version = self.python_version()
        return re.compile(re.escape("python" + ".".join(version.split(".")[:2])) + "t?") if version else None
