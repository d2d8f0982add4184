"""What a check is: a function that looks, under a stable id."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..models import Environment, Finding, Remedy, Severity
from ..prefix.layout import Layout
from .context import Context


class NotApplicable(Exception):  # noqa: N818 - it is no failure
    """A check cannot look here; the text is one sentence that says why."""


@dataclass(frozen=True, kw_only=True)
class MachineCheck:
    """Looks at the machine, once.

    Attributes:
        id: Stable, lower case with hyphens: ``"driver-too-old"``.
        title: What it looks at, a few words: ``"Age of the driver"``.
        look: Yields what it finds; it blocks, and runs in a thread with a limit of time.
        remedies: Ids of the remedies that its findings may offer; none but these can be applied.
        always: Whether it also matters to whoever asks about one environment.
    """

    id: str
    title: str
    look: Callable[[Context], Iterable[Finding]]
    remedies: tuple[str, ...] = ()
    always: bool = True


@dataclass(frozen=True, kw_only=True)
class EnvironmentCheck:
    """Looks at each environment that has a readable manifest.

    Attributes:
        id, title, remedies: As for :class:`MachineCheck`.
        look: Yields what it finds in one environment, likewise.
    """

    id: str
    title: str
    look: Callable[[Context, Environment, Layout], Iterable[Finding]]
    remedies: tuple[str, ...] = ()


Check = MachineCheck | EnvironmentCheck


def _finding(
    severity: Severity,
    sentence: str,
    *,
    cure: str,
    evidence: Iterable[str] = (),
    subject: str = "",
    remedy: Remedy | None = None,
    link: str = "",
) -> Finding:
    """A finding; the doctor adds the id of the check, and the environment's name.

    Args:
        severity: How much it matters.
        sentence: What is wrong, in plain words.
        cure: What to do next, one sentence.
        evidence: What shows it, one fact each.
        subject: Name of the kernelspec or environment, empty for the machine or for the environment looked at.
        remedy: The cure, if it can be done here.
        link: A page that says more.
    """
    return Finding(
        check="",
        severity=severity,
        subject=subject,
        sentence=sentence,
        evidence=tuple(evidence),
        cure=cure,
        remedy=remedy,
        link=link,
    )


#: Findings of something that fails now; that will fail or be slow under certain conditions; and that works, but not as
#: most people expect.
problem = functools.partial(_finding, Severity.PROBLEM)
warning = functools.partial(_finding, Severity.WARNING)
note = functools.partial(_finding, Severity.NOTE)
