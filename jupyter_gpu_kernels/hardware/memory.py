"""Amounts of a GPU's memory in words: in powers of two, as GPUs are named after it, and as the panel has them."""

from __future__ import annotations


def amount(count: float) -> str:
    """So many bytes: ``80.0 GiB``, ``12 MiB``."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 / 10 else f"{count / 2**20:.0f} MiB"


def share(used: float, total: float) -> str:
    """So many bytes of so many, briefly: ``3.2/80.0 GiB``."""
    return f"{used / 2**30:.1f}/{amount(total)}"
