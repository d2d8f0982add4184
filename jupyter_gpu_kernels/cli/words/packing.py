"""The words of ``pack``."""

from __future__ import annotations

import argparse


def add_pack(parser: argparse.ArgumentParser) -> None:
    """Add what ``pack`` takes."""
    parser.add_argument("name", metavar="NAME", help="name of the environment")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the file, or a directory for it; otherwise NAME-PLATFORM.gpu-kernel.tar in the working directory",
    )
