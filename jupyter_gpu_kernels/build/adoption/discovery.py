"""Environments of this machine that were made elsewhere, by what lies on disk: no process is started."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ...errors import BrokenEnvironmentError
from ...models import ForeignEnvironment
from ...prefix.layout import CONDA_MARKER, Layout
from ...prefix.manifest import MANIFEST
from ..contents.census import found_version
from ..disk.generations import NURSERY
from ..kernelspec.scan import Kernelspec, kernelspecs
from .handover import NO_IPYKERNEL, additions_of, obstacle, target

#: Names that tell nothing: an environment of that name is called after the directory that it is in.
ANONYMOUS = frozenset({".venv", "venv", ".env", "env", ".virtualenv", "virtualenv", "default"})


class Foreign:
    """Looks for environments that were made elsewhere. Blocks on the disk.

    Args:
        envs_dirs: Directories of conda environments.
        directories: Where Jupyter looks for kernelspecs, first things first.
        environ: Variables of the process.
    """

    def __init__(
        self, envs_dirs: Iterable[Path], directories: tuple[Path, ...], environ: Mapping[str, str] | None = None
    ) -> None:
        self._envs_dirs = tuple(envs_dirs)
        self._directories = directories
        self._environ = os.environ if environ is None else environ
        #: By the environment's real path: its kernelspecs, the one that Jupyter takes before others first.
        self._specs: dict[str, list[tuple[Kernelspec, Layout]]] = {}
        for spec in kernelspecs(directories):
            layout = None if spec.ours or spec.hidden_by else spec.layout(self._environ)
            if layout is not None:
                self._specs.setdefault(os.path.realpath(layout.prefix), []).append((spec, layout))

    def all(self) -> tuple[ForeignEnvironment, ...]:
        """All of them, in order of name; those that are broken, or have no Python, are left out."""
        found: dict[str, ForeignEnvironment] = {}
        for prefix in self._prefixes():
            real = os.path.realpath(prefix)
            if real not in found and (described := self.at(prefix)) is not None:
                found[real] = described
        return tuple(sorted(found.values(), key=lambda item: (item.name.lower(), item.prefix)))

    def at(self, prefix: Path) -> ForeignEnvironment | None:
        """The environment at a path; ``None`` if it is ours, broken, has no Python or is none at all."""
        layout = layout_of(prefix)
        if layout is None:
            return None
        version = found_version(layout, "ipykernel", self._environ)
        spec = self.kernelspec(prefix)
        return ForeignEnvironment(
            prefix=str(prefix),
            kind=layout.kind,
            name=name_of(prefix),
            python=layout.python_version() or "",
            ipykernel=str(version) if version is not None else None,
            kernel_name=spec.name if spec else "",
            display_name=spec.title if spec else "",
            kernelspec=str(spec.place) if spec else "",
            adopted=spec is not None and spec.adopted,
            added=tuple(addition.name for addition in additions_of(spec)) if spec else (),
            obstacle=self._obstacle(layout, spec, missing=version is None),
        )

    def kernelspec(self, prefix: Path) -> Kernelspec | None:
        """The kernelspec of an environment: an adopted one, or else one that can be, or else the first."""
        specs = [spec for spec, _ in self._specs.get(os.path.realpath(prefix), ())]
        return min(specs, key=_preference, default=None)

    def adopted(self, subject: str) -> tuple[Kernelspec, ...]:
        """The adopted kernelspecs of an environment, by its directory, or the one of a kernel's name."""
        real = os.path.realpath(subject) if Path(subject).is_absolute() else None
        return tuple(
            spec
            for prefix, specs in self._specs.items()
            for spec, _ in specs
            if spec.adopted and (spec.name == subject.lower() or prefix == real)
        )

    def _obstacle(self, layout: Layout, spec: Kernelspec | None, *, missing: bool) -> str:
        """Why an environment cannot be adopted, a sentence."""
        if spec is not None and spec.adopted:
            return ""
        if missing and not all(os.access(folder, os.W_OK) for folder in layout.site_packages()):
            return "It has no ipykernel, and you may not install anything there."
        if spec is None:
            return ""
        hindrance = obstacle(spec)
        if hindrance not in ("", NO_IPYKERNEL):
            return f"Its kernel {spec.title!r} is left alone: {hindrance}. Another name makes another kernel for it."
        if target(spec.place, self._directories) is None:
            return f"You may not write {spec.place}. Another name makes another kernel for it."
        return ""

    def _prefixes(self) -> Iterator[Path]:
        """Where environments may be."""
        try:
            lines = (Path.home() / ".conda" / "environments.txt").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            lines = []
        yield from (Path(line.strip()) for line in lines if os.path.isabs(line.strip()))  # noqa: PTH117
        folders = list(self._envs_dirs)
        if conda := self._environ.get("CONDA_EXE"):
            folders.append(Path(conda).parent.parent / "envs")
        for folder in dict.fromkeys(folders):
            # The directory of a conda itself has its environments in `envs`.
            yield folder.parent
            yield from _children(folder)
        for specs in self._specs.values():
            yield from (layout.prefix for _, layout in specs)


def layout_of(prefix: Path) -> Layout | None:
    """Where things lie in an environment that was made elsewhere; ``None`` if it is ours, broken or has no Python."""
    if not prefix.is_absolute() or NURSERY in prefix.parts or ".." in prefix.parts:
        return None
    try:
        layout = Layout.of_prefix(prefix)
        usable = not (prefix / MANIFEST).is_file() and os.access(layout.python, os.X_OK) and layout.site_packages()
    except (BrokenEnvironmentError, OSError, ValueError):
        return None
    return layout if usable else None


def name_of(prefix: Path) -> str:
    """What people call an environment."""
    return prefix.parent.name if prefix.name.lower() in ANONYMOUS and prefix.parent.name else prefix.name


def _preference(spec: Kernelspec) -> int:
    """Which of several kernelspecs is meant, the least first."""
    if spec.adopted:
        return 0
    return 1 if obstacle(spec) in ("", NO_IPYKERNEL) else 2


def _children(folder: Path) -> list[Path]:
    """The environments in a directory of conda environments."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if os.path.isdir(folder / name / CONDA_MARKER)]  # noqa: PTH112
