"""What is there: environments found by their manifests. There is no database that could fall out of step.

A listing is one scan of the environments directories and one of the kernelspecs; decoded manifests are kept by the
file's identity, so that a second listing of a thousand environments costs a thousand ``stat`` calls.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from ...errors import BrokenEnvironmentError, InvalidInputError, NotFoundError
from ...models import (
    BenchmarkResult,
    Environment,
    EnvironmentKind,
    Installer,
    Manifest,
    MemoryPreset,
    Placement,
    Variant,
    Verification,
    from_json,
)
from ...prefix.layout import CONDA_MARKER
from ...prefix.manifest import MANIFEST, read_manifest

#: Identity of a file's content: inode, modification time in ns, size.
Signature = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class _Spec:
    framework: str


@dataclass(frozen=True, kw_only=True)
class _Plan:
    framework_version: str | None
    python: str
    cuda: str | None
    variant: Variant
    installer: Installer


@dataclass(frozen=True, kw_only=True)
class _Launch:
    memory: MemoryPreset = MemoryPreset.DEFAULT
    memory_fraction: float = 0.5
    placement: Placement = field(default_factory=Placement)


@dataclass(frozen=True, kw_only=True)
class _Head:
    """The part of a manifest that a listing shows; decoding it alone skips the long list of packages."""

    name: str
    kernel_name: str
    display_name: str
    kind: EnvironmentKind
    prefix: str
    spec: _Spec
    plan: _Plan
    verification: Verification | None
    benchmark: BenchmarkResult | None
    created: str
    disk_bytes: int = 0
    launch: _Launch = _Launch()

    def environment(self) -> Environment:
        return Environment(
            name=self.name,
            kernel_name=self.kernel_name,
            display_name=self.display_name,
            kind=self.kind,
            prefix=self.prefix,
            framework=self.spec.framework,
            framework_version=self.plan.framework_version,
            python=self.plan.python,
            cuda=self.plan.cuda,
            variant=self.plan.variant,
            installer=self.plan.installer,
            verification=self.verification,
            benchmark=self.benchmark,
            registered=False,
            kernelspec="",
            created=self.created,
            disk_bytes=self.disk_bytes,
            memory=self.launch.memory,
            memory_fraction=self.launch.memory_fraction,
            placement=self.launch.placement,
        )


class Inventory:
    """The environments below some directories.

    Args:
        roots: Directories whose sub-directories may be environments.
        registered: Answers with the directory of each registered kernelspec of ours, by its environment's.
    """

    def __init__(self, roots: Sequence[Path], registered: Callable[[], Mapping[str, str]]) -> None:
        self.roots = tuple(roots)
        self._registered = registered
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Signature, Environment]] = {}
        self._decode = msgspec.json.Decoder(_Head).decode

    def environments(self) -> tuple[Environment, ...]:
        """List all environments, sorted by name, those with a damaged manifest too."""
        kernelspecs = self._registered()
        with self._lock:
            known: dict[str, tuple[Signature, Environment]] = {}
            for root in self.roots:
                for directory in _directories(root):
                    entry = self._entry(directory)
                    if entry is None:
                        continue
                    signature, environment = entry
                    kernelspec = kernelspecs.get(environment.prefix)
                    if environment.kernelspec != (kernelspec or ""):
                        environment = replace(environment, registered=bool(kernelspec), kernelspec=kernelspec or "")
                    known[directory] = (signature, environment)
            self._known = known
        return tuple(sorted((entry[1] for entry in known.values()), key=lambda environment: environment.name))

    def environment(self, name: str) -> Environment:
        """One environment of the list.

        Raises:
            NotFoundError: There is no environment of that name.
        """
        directory = str(self.prefix(name))
        self.environments()
        with self._lock:
            if directory in self._known:
                return self._known[directory][1]
        raise _not_found(name)

    def _entry(self, directory: str) -> tuple[Signature, Environment] | None:
        path = f"{directory}/{MANIFEST}"
        try:
            status = os.stat(path)  # noqa: PTH116  # a Path costs more than the call
        except OSError:
            return None
        signature = (status.st_ino, status.st_mtime_ns, status.st_size)
        known = self._known.get(directory)
        if known is not None and known[0] == signature:
            return known
        try:
            return signature, self._decode(Path(path).read_bytes()).environment()
        except (OSError, msgspec.DecodeError):
            return signature, _damaged(Path(directory))

    def prefix(self, name: str) -> Path:
        """Find an environment's directory.

        Raises:
            NotFoundError: There is no environment of that name with a manifest of ours.
        """
        for root in self.roots:
            if (root / name / MANIFEST).is_file():
                return root / name
        raise _not_found(name)

    def manifest(self, name: str) -> Manifest:
        """Read an environment's manifest.

        Raises:
            NotFoundError: There is no environment of that name.
            BrokenEnvironmentError: Its manifest is damaged or of a newer version.
        """
        prefix = self.prefix(name)
        try:
            return from_json(Manifest, read_manifest(prefix))
        except InvalidInputError as error:
            msg = f"The manifest of {name!r} is damaged: {error.message}"
            raise BrokenEnvironmentError(msg, cure=f"Remove the environment and create it again: {prefix}") from error

    def occupant(self, name: str) -> Path | None:
        """Find whatever stands in the way of a new environment of that name, whichever its letters' case."""
        for root in self.roots:
            for directory in _directories(root):
                path = Path(directory)
                if path.name.lower() == name.lower():
                    return path
        return None


def _not_found(name: str) -> NotFoundError:
    msg = f"There is no environment named {name!r}."
    return NotFoundError(msg, cure="Run `jupyter gpu-kernels list` to see the names.")


def _damaged(prefix: Path) -> Environment:
    """What is known of an environment without its manifest; it must be seen to be removed."""
    conda = (prefix / CONDA_MARKER).is_dir()
    return Environment(
        name=prefix.name,
        kernel_name=prefix.name.lower(),
        display_name=prefix.name,
        kind=EnvironmentKind.CONDA if conda else EnvironmentKind.VIRTUALENV,
        prefix=str(prefix),
        framework="",
        framework_version=None,
        python="",
        cuda=None,
        variant=Variant.CPU,
        installer=Installer.CONDA if conda else Installer.PYPI,
        verification=None,
        benchmark=None,
        registered=False,
        kernelspec="",
        created="",
        damaged="Its manifest cannot be read: remove the environment and create it again.",
    )


def _directories(root: Path) -> list[str]:
    try:
        with os.scandir(root) as entries:
            return [entry.path for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return []
