"""The words of ``recipe``."""

from __future__ import annotations

import argparse


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add what ``recipe`` takes."""
    parser.add_argument("notebook", metavar="NOTEBOOK", help="file of the notebook")
    parser.add_argument("--name", metavar="NAME", help="name of the environment; otherwise that in the notebook")
    parser.add_argument("--build", action="store_true", help="build it, and register its kernel")
