"""Taking credentials out of what people, logs and manifests get to see."""

from __future__ import annotations

import re

#: Whatever stands between ``//`` and the last ``@`` before the path.
CREDENTIALS = re.compile(r"(?<=://)[^/\s\"'`<>]+@")

#: Parameters that are keys to something.
TOKENS = re.compile(r"(?i)([?&](?:[\w-]*(?:token|key|secret|password|signature|sig|auth))=)[^&#\s\"'`]+")


def redact(text: str) -> str:
    """Replace user names, passwords and tokens in every URL of a text by stars."""
    return TOKENS.sub(r"\1****", CREDENTIALS.sub("****@", text))
