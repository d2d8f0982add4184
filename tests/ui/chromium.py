"""The machine's own Chromium, for those who drive it."""

from __future__ import annotations

import os
import shutil
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

MISSING = (
    "JupyterLab is looked at in Chromium here, and there is none. Install it (make browser; on Debian and Ubuntu: "
    "apt-get install chromium), or name its program in the environment variable CHROMIUM."
)


def launch_arguments() -> dict[str, Any]:
    """How Playwright launches it.

    Raises:
        LookupError: There is none.
    """
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise LookupError(MISSING)
    arguments = ["--disable-gpu", "--disable-background-networking"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium's sandbox refuses root.
        arguments.append("--no-sandbox")
    return {"executable_path": found, "args": arguments}
