"""Writes conda packages and the repodata of a channel; see the package's docstring for how to use it."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import rattler
from rattler.index import index_fs

from . import interpreter, wheels
from .archive import TIMESTAMP, File, Link, write

Contents = bytes | str | Path | File | Link


class ChannelBuilder:
    """Collects packages in a directory; leaving the ``with`` block writes the repodata.

    Args:
        directory: The channel's directory, made if missing. More packages can be added in a later ``with`` block.
        subdir: Platform of packages that are not ``noarch``.
    """

    def __init__(self, directory: Path, *, subdir: str | None = None) -> None:
        self.directory = directory
        self.subdir = subdir or str(rattler.Subdir.current())
        self.python = platform.python_version()
        self._pool = ThreadPoolExecutor()
        self._pending: list[Future[Path]] = []

    def __enter__(self) -> ChannelBuilder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self._pool.shutdown(cancel_futures=True)

    @property
    def python_minor(self) -> str:
        """Such as ``"3.11"``."""
        return ".".join(self.python.split(".")[:2])

    @property
    def site_packages(self) -> str:
        """Where packages that are not ``noarch`` have their modules."""
        return f"lib/python{self.python_minor}/site-packages"

    @property
    def python_range(self) -> str:
        """The dependency of a package that holds compiled modules or bytecode of this Python."""
        major, minor = self.python_minor.split(".")
        return f"python >={major}.{minor},<{major}.{int(minor) + 1}.0a0"

    def add_package(
        self,
        name: str,
        version: str,
        build: str = "0",
        *,
        depends: Iterable[str] = (),
        constrains: Iterable[str] = (),
        files: Mapping[str, Contents] | None = None,
        noarch: Literal["python", "generic"] | None = None,
        entry_points: Sequence[str] = (),
        link_scripts: Mapping[str, str] | None = None,
        build_number: int | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a package.

        Args:
            name, version, build: As in its file name.
            depends, constrains: Match specs.
            files: Contents by path in the prefix; modules of ``noarch="python"`` lie in ``site-packages/``. Those that
                contain :data:`channel.PLACEHOLDER` are marked for replacement (as binary if they contain a zero byte).
                Files in ``bin/`` are executable.
            noarch: Kind of a package for all platforms.
            entry_points: ``"name = module:function"``, for ``noarch="python"``.
            link_scripts: Scripts by moment, e.g. ``{"post-link": "touch …"}``.
            build_number: Taken from the build string's end if not given.
            metadata: More fields of ``info/index.json``.
        """
        packed = {path: _contents(path, content) for path, content in (files or {}).items()}
        for moment, script in (link_scripts or {}).items():
            packed[f"bin/.{name}-{moment}.sh"] = File(script.encode(), executable=True)
        if build_number is None:
            tail = build.rpartition("_")[2]
            build_number = int(tail) if tail.isdigit() else 0
        subdir = "noarch" if noarch else self.subdir
        index: dict[str, Any] = {
            "name": name,
            "version": version,
            "build": build,
            "build_number": build_number,
            "depends": list(depends),
            "constrains": list(constrains),
            "subdir": subdir,
            "license": "BSD-3-Clause",
            "timestamp": TIMESTAMP,
            **({"noarch": noarch} if noarch else _platform_fields(self.subdir)),
            **(metadata or {}),
        }
        info = {"index.json": index, "about.json": {"summary": f"{name} for tests"}}
        if noarch == "python":
            python: dict[str, Any] = {"type": "python"}
            if entry_points:
                python["entry_points"] = list(entry_points)
            info["link.json"] = {"package_metadata_version": 1, "noarch": python}
        target = self.directory / subdir / f"{name}-{version}-{build}.tar.bz2"
        self._pending.append(self._pool.submit(write, target, info, packed))

    def add_interpreter(self) -> None:
        """Add the interpreter that is running, without its tests and its packages, as ``python``."""
        self.add_package(
            "python",
            self.python,
            "h0_0_cpython",
            files=interpreter.files(),
            metadata={"python_site_packages_path": self.site_packages},
        )

    def add_wheel(self, path: Path) -> None:
        """Add a wheel: ``noarch`` if it is pure Python, else for this Python and platform."""
        wheel = wheels.read(path, site_packages=self.site_packages, python_minor=self.python_minor)
        self.add_package(
            wheel.name,
            wheel.version,
            "pyh0_0" if wheel.pure else f"py{self.python_minor.replace('.', '')}h0_0",
            depends=[wheel.python if wheel.pure else self.python_range, *wheel.depends],
            files=wheel.files,
            noarch="python" if wheel.pure else None,
            entry_points=wheel.entry_points if wheel.pure else (),
        )

    def finish(self) -> None:
        """Wait for the archives and write the repodata."""
        while self._pending:
            self._pending.pop().result()
        for subdir in ("noarch", self.subdir):
            (self.directory / subdir).mkdir(parents=True, exist_ok=True)
        # In a thread: the caller may be inside a running event loop, which is then blocked for a moment.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, self._index()).result()

    async def _index(self) -> None:
        await index_fs(self.directory)


def _contents(path: str, content: Contents) -> File | Link:
    if isinstance(content, File | Link):
        return content
    if isinstance(content, Path):
        return File(content.read_bytes(), executable=bool(content.stat().st_mode & 0o100))
    data = content.encode() if isinstance(content, str) else content
    return File(data, executable=path.startswith("bin/"))


def _platform_fields(subdir: str) -> dict[str, str]:
    system, _, machine = subdir.partition("-")
    return {"platform": system, "arch": {"64": "x86_64", "32": "x86"}.get(machine, machine)}
