"""The gist of the solver's explanations."""

from __future__ import annotations

import re

from ...errors import SolveError

#: What rattler draws its trees with.
BRANCHES = " │├└─"

_NOWHERE = re.compile(r"(\S[^\n]*?), for which no candidates were found")
_NO_CANDIDATES = re.compile(r"No candidates were found for (.+?)\.?\s*$", re.MULTILINE)


def unsatisfiable(text: str) -> SolveError:
    """The error of an unsolvable request: the gist of rattler's tree, which is kept as the detail."""
    gist = text.strip().removeprefix("Cannot solve the request because of: ")
    nowhere = list(dict.fromkeys(spec.strip(BRANCHES) for spec in _NOWHERE.findall(gist)))
    missing = _NO_CANDIDATES.search(gist)
    cure = "Ask for other versions or fewer packages, or add a channel that has what is missing."
    if missing and not nowhere:
        return SolveError(f"No channel has {missing.group(1)}.", cure=cure, detail=text)
    head = re.split(r" cannot be installed|, which|\n", gist, maxsplit=1)[0].strip(BRANCHES)[:200]
    cuda = [spec for spec in nowhere if spec.startswith("__cuda")]
    if cuda:
        msg = f"{head} cannot be installed: it needs an NVIDIA driver with CUDA ({cuda[0]}), which is not there."
        cure = "Take the CPU variant or another version, or name the CUDA of the machine it is meant for."
    elif nowhere:
        msg = f"{head} cannot be installed: no channel has {' or '.join(nowhere[:3])}."
    elif "time" in gist.lower() and len(gist.splitlines()) <= 2:
        msg = "The solver found no answer in time."
        cure = "Ask for fewer packages or for narrower versions."
    else:
        msg = f"The wished packages do not go together: {head} is in conflict with the others."
    return SolveError(msg, cure=cure, detail=text)
