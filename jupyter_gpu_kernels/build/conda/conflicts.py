"""The gist of the solver's explanations, which are trees of many lines."""

from __future__ import annotations

import re

from ...errors import SolveError

_OPENING = "Cannot solve the request because of: "
#: Wishes that no channel can grant stand alone, without a tree.
_UNKNOWN = re.compile(r"No candidates were found for (.+?)\.?\s*$", re.MULTILINE)
#: A wish at the root of the tree: in the opening line, or on the outermost branches.
_ROOT = re.compile(r"^(?:├─ |└─ )?(?! )([^│├└\n]+?) (?:cannot|can) be installed", re.MULTILINE)
_NOWHERE = re.compile(r"([^│├└─\s][^│├└─\n]*?), for which no candidates were found")
_CUDA_CONFLICT = re.compile(r"(__cuda [^│├└─\n]*?), which conflicts")
_CUDA_GIVEN = re.compile(r"__cuda (\d[\w.]*)\s*$", re.MULTILINE)


def unsatisfiable(text: str) -> SolveError:
    """The error of an unsolvable request.

    Args:
        text: What rattler says; it is kept as the detail.
    """
    tree = text.strip().removeprefix(_OPENING)
    roots = [root for root in dict.fromkeys(_ROOT.findall(tree)) if not root.startswith("__")]
    wishes = " and ".join(roots[:4]) or "What is wished for"
    needed = list(dict.fromkeys(_NOWHERE.findall(tree)))
    cuda = [spec for spec in (*needed, *_CUDA_CONFLICT.findall(tree)) if spec.startswith("__cuda")]
    cure = "Ask for other versions or fewer packages, or add a channel that has what is missing."
    if unknown := _UNKNOWN.findall(tree):
        msg = f"No channel has {' or '.join(text.removesuffix(' *') for text in dict.fromkeys(unknown))}."
        cure = "Check the spelling, take another version, add a channel that has it, or ask pip for it."
    elif cuda:
        given = _CUDA_GIVEN.search(tree)
        there = f"that of the driver is {given.group(1)}" if given else "there is no NVIDIA driver"
        msg = f"{wishes} cannot be installed: CUDA is needed ({cuda[0]}), and {there}."
        cure = "Take the CPU variant or another version, or name the CUDA of the machine it is meant for."
    elif needed:
        msg = f"{wishes} cannot be installed: {' or '.join(needed[:3])} is needed, which cannot be had with the rest."
    elif len(roots) > 1:
        msg = f"{wishes} exclude each other."
    elif "time" in tree.lower() and len(tree.splitlines()) <= 2:
        msg = "The solver found no answer in time."
        cure = "Ask for fewer packages or for narrower versions."
    else:
        msg = f"{wishes} cannot be installed."
    return SolveError(msg, cure=cure, detail=text)
