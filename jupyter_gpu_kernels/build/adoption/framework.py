"""Which framework an environment is for that nobody here has made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...models import Framework
from ...prefix.layout import Layout


def framework_of(prefix: Path, frameworks: Iterable[Framework]) -> Framework:
    """The first framework of a catalogue that is there, by what lies on disk; plain Python if there is none.

    Args:
        prefix: The environment.
        frameworks: The catalogue.
    """
    folders = Layout.of_prefix(prefix).site_packages()
    known = tuple(frameworks)
    plain = next(framework for framework in known if not framework.import_name)
    named = (framework for framework in known if framework.import_name)
    return next((item for item in named if any(_has(folder, item.import_name) for folder in folders)), plain)


def _has(folder: Path, module: str) -> bool:
    """Whether a module is in a directory of packages."""
    path = folder.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()
