"""The words of ``packages``, ``install``, ``uninstall`` and ``update``."""

from __future__ import annotations

import argparse


def add_listing(parser: argparse.ArgumentParser) -> None:
    """The words of ``packages``."""
    parser.add_argument("name", metavar="NAME", help="name of the environment")


def add_install(parser: argparse.ArgumentParser) -> None:
    """The words of ``install``."""
    parser.add_argument("name", metavar="NAME", help="name of the environment")
    parser.add_argument(
        "install", metavar="PACKAGE", nargs="*", help="package, perhaps with a version, such as 'pillow >=11'"
    )
    parser.set_defaults(several="install")
    parser.add_argument(
        "--pip",
        metavar="REQUIREMENT",
        action="append",
        default=[],
        help="package of the Python Package Index, on top of the conda packages; may be repeated",
    )
    _add_caution(parser)


def add_uninstall(parser: argparse.ArgumentParser) -> None:
    """The words of ``uninstall``."""
    parser.add_argument("name", metavar="NAME", help="name of the environment")
    parser.add_argument("uninstall", metavar="PACKAGE", nargs="+", help="package that was asked for, or added")
    _add_caution(parser)


def add_update(parser: argparse.ArgumentParser) -> None:
    """The words of ``update``."""
    parser.add_argument("name", metavar="NAME", help="name of the environment")
    parser.add_argument("update", metavar="PACKAGE", nargs="*", help="package to bring to its newest version that fits")
    parser.set_defaults(several="update")
    parser.add_argument("--all", dest="update_all", action="store_true", help="all packages")
    _add_caution(parser)


def _add_caution(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
