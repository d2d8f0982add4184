"""Run all benchmarks, or those named."""

from __future__ import annotations

import argparse
import importlib
import sys

NAMES = ("launch", "bytecode", "create", "clone", "packing", "listing", "stall", "startup", "usage", "search", "panel")


def main() -> int:
    """Run the benchmarks named on the command line; all by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(NAMES)}")
    names = parser.parse_args().names or NAMES
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    for name in names:
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
