"""Amounts in a sentence."""

from __future__ import annotations


def size(count: float) -> str:
    """Bytes for people: ``1.4 GB``, ``23.0 MB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def and_more(count: int) -> str:
    """How many more there are than the first, to be said after it; nothing if it is the only one."""
    return f", and {count - 1} more" if count > 1 else ""
