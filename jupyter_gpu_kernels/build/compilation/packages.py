"""What is installed in an environment: its packages, their modules, and conda's records of them."""

# Thousands of files are looked at one by one, for which a Path would cost more than the system's call.
# ruff: noqa: PTH101,PTH105,PTH108,PTH112,PTH113,PTH116,PTH117,PTH118,PTH120,PTH123

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import os
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

#: Length of what precedes the code in a bytecode file. Source: PEP 552.
HEADER = 16


class Module(NamedTuple):
    """A module that needs bytecode."""

    source: str
    pyc: str
    #: Path within the package's tree; what tracebacks show until the import system puts the real path there.
    name: str
    mtime: int
    size: int
    #: Whether the source is the package's own, unchanged.
    pristine: bool

    def header(self) -> bytes:
        """The header of valid bytecode of this module. Source: PEP 552."""
        numbers = (0, self.mtime & 0xFFFFFFFF, self.size & 0xFFFFFFFF)
        return importlib.util.MAGIC_NUMBER + b"".join(number.to_bytes(4, "little") for number in numbers)

    def compiled(self) -> bool:
        """Whether there is valid bytecode."""
        return read_header(self.pyc) == self.header()


class Package(NamedTuple):
    """An installed package."""

    #: Content of the package, as a name; empty where nothing can be shared.
    key: str
    modules: list[Module]
    #: Its conda record, if it has one.
    record: str | None


class Environment:
    """The packages of an environment."""

    def __init__(self, prefix: str, site_packages: list[str]) -> None:
        self.prefix = prefix
        self.site_packages = site_packages
        roots = list(site_packages)
        library = os.path.dirname(os.path.realpath(os.__file__))
        real = os.path.realpath(prefix)
        # A virtual environment's standard library is somebody else's.
        if library.startswith(real + os.sep):
            roots.append(prefix + library[len(real) :])
        self.roots = tuple(root.rstrip(os.sep) + os.sep for root in roots)
        self._claimed: set[str] = set()

    def packages(self) -> Iterator[Package]:
        """Every package, first conda's."""
        records = os.path.join(self.prefix, "conda-meta")
        if os.path.isdir(records):
            for entry in sorted(os.listdir(records)):
                if entry.endswith(".json"):
                    yield self._conda(os.path.join(records, entry))
        for root in self.site_packages:
            for entry in sorted(os.listdir(root)):
                record = os.path.join(root, entry, "RECORD")
                if entry.endswith(".dist-info") and record not in self._claimed and os.path.isfile(record):
                    yield self._wheel(root, record)

    def _conda(self, path: str) -> Package:
        record = load_record(path)
        entries = record.get("paths_data", {}).get("paths") or [{"_path": name} for name in record.get("files", ())]
        modules: list[Module] = []
        for entry in entries:
            name = entry["_path"]
            source = os.path.join(self.prefix, *name.split("/"))
            if name.endswith(".dist-info/RECORD"):
                self._claimed.add(source)
            if entry.get("path_type", "hardlink") == "hardlink":
                size = None if "prefix_placeholder" in entry else entry.get("size_in_bytes")
                modules.extend(self._module(source, name, size))
        return Package(record.get("sha256") or record.get("md5") or "", modules, path)

    def _wheel(self, root: str, path: str) -> Package:
        modules: list[Module] = []
        digest = hashlib.sha256()
        with open(path, encoding="utf-8", newline="") as file:
            rows = sorted(row for row in csv.reader(file) if len(row) == 3 and row[0].endswith(".py"))
        for name, checksum, size in rows:
            # Scripts differ from one environment to the next: only modules make the key.
            if ".." not in name.split("/") and not os.path.isabs(name):
                digest.update("\0".join((name, checksum, size, "")).encode())
                known = int(size) if checksum and size.isdigit() else None
                modules.extend(self._module(os.path.join(root, *name.split("/")), name, known))
        return Package(digest.hexdigest(), modules, None)

    def _module(self, source: str, name: str, size: int | None) -> Iterator[Module]:
        """The module at a path, if there is one; ``size`` is what the package says of it."""
        if source.endswith(".py") and source.startswith(self.roots):
            try:
                status = os.stat(source)
            except OSError:
                return
            pyc = importlib.util.cache_from_source(source)
            yield Module(source, pyc, name, int(status.st_mtime), status.st_size, size == status.st_size)


def read_header(path: str) -> bytes:
    """The header of a bytecode file, shorter where there is none."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(HEADER)
    except OSError:
        return b""


def load_record(path: str) -> dict[str, Any]:
    """Read a conda record; a damaged one has no files."""
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def amend(package: Package, prefix: str) -> None:
    """Enter bytecode into a package's conda record, as conda does, so that ``conda remove`` takes it away too."""
    if package.record is None:
        return
    record = load_record(package.record)
    listed = set(record.get("files", ()))
    names = (
        os.path.relpath(module.pyc, prefix).replace(os.sep, "/") for module in package.modules if module.compiled()
    )
    new = [name for name in names if name not in listed]
    if new:
        record["files"] = [*record.get("files", ()), *new]
        paths = record.setdefault("paths_data", {"paths_version": 1}).setdefault("paths", [])
        paths.extend({"_path": name, "path_type": "pyc_file"} for name in new)
        write(package.record, json.dumps(record, indent=2).encode(), os.stat(package.record).st_mode & 0o777)


def write(path: str, data: bytes, mode: int) -> None:
    """Write a file in one step."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
