"""Words of others in our sentences: on one line, no longer than anybody reads, and nothing that a terminal obeys."""

from __future__ import annotations

import re
from dataclasses import replace

from ..build.tools.redaction import redact
from ..models import Finding, Remedy

#: Characters that are shown of a text; some variables have hundreds of directories.
LONGEST = 1000

#: Controls, line breaks, what reverses the direction of writing, and halves of characters, which cannot be written.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str, longest: int = LONGEST) -> str:
    """A text that can be shown anywhere: what is no character of writing is told by its number.

    People show a diagnosis to others: credentials of URLs are hidden, wherever they come from.
    """
    text = redact(text)
    cut = text if len(text) <= longest else f"{text[:longest]}…"
    return _UNFIT.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), cut)


def worded(finding: Finding) -> Finding:
    """A finding all of whose words can be shown; what a remedy is done to stays as it is."""
    return replace(
        finding,
        subject=plain(finding.subject),
        sentence=plain(finding.sentence),
        evidence=tuple(map(plain, finding.evidence)),
        cure=plain(finding.cure),
        remedy=_worded(finding.remedy) if finding.remedy is not None else None,
    )


def _worded(remedy: Remedy) -> Remedy | None:
    """A remedy, ``None`` where its subject cannot be told: a path need not be text, and JSON has nothing else."""
    try:
        remedy.subject.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return replace(remedy, label=plain(remedy.label), question=plain(remedy.question))
