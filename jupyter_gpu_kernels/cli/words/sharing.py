"""The words of ``export`` and ``import``."""

from __future__ import annotations

import argparse

from ...models import FileFormat

#: The formats that are written.
FORMATS = [item.value for item in FileFormat if item not in (FileFormat.CONDA_LOCK, FileFormat.PACK)]


def add_export(parser: argparse.ArgumentParser) -> None:
    """The words of ``export``."""
    parser.add_argument("name", metavar="NAME", help="name of the environment")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=FileFormat.ENVIRONMENT_YML.value,
        help="environment.yml for what was asked for, solved anew wherever it is imported; the others for exactly what "
        "there is, but for recipe.json, which is what notebooks carry",
    )
    parser.add_argument(
        "--platform",
        metavar="P",
        action="append",
        default=[],
        help="lock for this platform, too, e.g. osx-arm64 (with --format pixi.lock)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write there, and not to stdout")


def add_import(parser: argparse.ArgumentParser) -> None:
    """The words of ``import``."""
    parser.add_argument("file", metavar="FILE", help="what was exported, or a pack; - for stdin")
    parser.add_argument("--name", metavar="NAME", help="name of the new environment; otherwise the file's own")
    parser.add_argument("--display-name", metavar="TEXT", help="what the Launcher shows")
    parser.add_argument("--no-verify", dest="verify", action="store_false", help="register without verification")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be built")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
