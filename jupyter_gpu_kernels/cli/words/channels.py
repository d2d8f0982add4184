"""The words of ``channels``."""

from __future__ import annotations

import argparse


def add_channels(parser: argparse.ArgumentParser) -> None:
    """Add what ``channels`` takes."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=("use", "reset"),
        help="use a mirror from now on, or none of those chosen here; without, nothing is changed",
    )
    parser.add_argument("mirror", metavar="MIRROR", nargs="?", help="id of the mirror to use")
    parser.add_argument(
        "--measure",
        action="store_true",
        help="ask all channels, mirrors and indexes how good they are; takes seconds",
    )
