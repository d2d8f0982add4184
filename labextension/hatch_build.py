"""Builds the panel when pip builds the package: with npm, which then trusts whom the machine trusts, as pip does."""

from __future__ import annotations

import os
from typing import Any

from hatch_jupyter_builder import npm_builder


def build(target_name: str, version: str, **options: Any) -> None:
    """Build the panel; the options are those of ``npm_builder``."""
    # Node trusts the authorities that it was built with, and no company's own, unless it is told to.
    os.environ.setdefault("NODE_USE_SYSTEM_CA", "1")
    if "SSL_CERT_FILE" in os.environ:
        os.environ.setdefault("NODE_EXTRA_CA_CERTS", os.environ["SSL_CERT_FILE"])
    npm_builder(target_name, version, **options)
