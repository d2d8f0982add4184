"""The words of ``clone``, ``rename``, ``adopt`` and ``release``."""

from __future__ import annotations

import argparse


def add_clone(parser: argparse.ArgumentParser) -> None:
    """The words of ``clone``."""
    parser.add_argument("name", metavar="NAME", help="name of the environment")
    parser.add_argument("new", metavar="NEW", help="name of the copy")
    parser.add_argument("--display-name", metavar="TEXT", help="what the Launcher shows for the copy")


def add_renaming(parser: argparse.ArgumentParser) -> None:
    """The words of ``rename``."""
    parser.add_argument("name", metavar="NAME", help="name of the environment")
    parser.add_argument("new", metavar="NEW_NAME", nargs="?", help="its new name, and in lower case its kernel's")
    parser.add_argument("--display-name", metavar="TEXT", help="what the Launcher shows from now on")
    parser.add_argument("--force", action="store_true", help="also where a process still runs from the environment")


def add_adoption(parser: argparse.ArgumentParser) -> None:
    """The words of ``adopt``."""
    parser.add_argument("prefix", metavar="PREFIX", nargs="?", help="directory of the environment; without, list them")
    parser.add_argument("--name", metavar="NAME", help="name of the kernel; otherwise the one that it has, or its own")
    parser.add_argument("--display-name", metavar="TEXT", help="what the Launcher shows")
    parser.add_argument(
        "--install-ipykernel",
        action="store_true",
        help="install ipykernel, and what that needs, where it is missing; nothing that is there is replaced",
    )


def add_release(parser: argparse.ArgumentParser) -> None:
    """The words of ``release``."""
    parser.add_argument("subject", metavar="PREFIX|KERNEL", help="directory of the environment, or name of its kernel")
