"""Taking credentials out of what people, logs and manifests get to see."""

from __future__ import annotations

import re

#: What stands in for a secret.
HIDDEN = "***"

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'`<>]+")
# Greedy to the last @ before the path, since passwords hold @ more often than they should.
_USER = re.compile(r"(?<=://)[^/?#]+@")
# Where channel servers take a token: https://docs.conda.io/projects/conda/en/stable/dev-guide/deep-dives/
_TOKEN = re.compile(r"(?<=/t/)[^/?#]+")
_QUERY = re.compile(r"\?[^#)\]}]+")


def redact(text: str) -> str:
    """Hide the credentials of every URL in a text: user and password, ``/t/<token>/``, the query."""

    def hide(match: re.Match[str]) -> str:
        url = _USER.sub(f"{HIDDEN}@", match.group())
        return _QUERY.sub(f"?{HIDDEN}", _TOKEN.sub(HIDDEN, url))

    return _URL.sub(hide, text)


def uncover(url: str) -> str:
    """Take the credentials out of a URL, so that it works for whoever has credentials of their own."""
    return re.sub(r"/t/[^/?#]+(?=/|$)", "", _USER.sub("", url)) if "://" in url else url
