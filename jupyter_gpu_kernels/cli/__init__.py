"""The command line, ``jupyter gpu-kernels``: the same manager as the server's, without a server."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the entry point of ``jupyter-gpu-kernels``.

    Args:
        argv: The words after the program's name; ``None`` for this process's own.

    Returns:
        The exit code, see :mod:`.exits`.
    """
    from .arguments import parse

    arguments, traits = parse(argv)
    # Imported here: asking for help must not wait for anything else.
    from .run import run

    return run(arguments, traits)
