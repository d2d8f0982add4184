"""What the doctor finds."""

from __future__ import annotations

import dataclasses
import enum


class Severity(str, enum.Enum):
    """How much a finding matters."""

    #: Something that works, but not as most people expect; or that the provisioner prevents.
    NOTE = "note"
    #: Something that will fail, or be slow, under certain conditions.
    WARNING = "warning"
    #: Something that fails now.
    PROBLEM = "problem"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Remedy:
    """A cure that can be done here, by a button or by ``--fix``.

    Attributes:
        id: What is done, one of a fixed set: ``"rebuild"``, ``"remove-kernelspec"``, ….
        subject: What it is done to: name of an environment or kernelspec, or a path.
        label: A few words for a button.
        question: What to ask before it is done, as it cannot be undone; empty if nothing is lost by it.
    """

    id: str
    subject: str
    label: str
    question: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        check: Stable id of the check, e.g. ``"driver-too-old"``.
        severity: How much it matters.
        subject: Name of the environment or kernelspec that it is about, empty for the machine.
        sentence: What is wrong, in plain words.
        evidence: What shows it: files, versions, variables, messages; one fact each.
        cure: What to do next, one sentence.
        remedy: The cure, if it can be done here.
        link: A page that says more, empty if there is none.
    """

    check: str
    severity: Severity
    subject: str = ""
    sentence: str
    evidence: tuple[str, ...] = ()
    cure: str
    remedy: Remedy | None = None
    link: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examined:
    """One thing that was looked at.

    Attributes:
        check: Stable id of the check.
        title: What was looked at, a few words.
        findings: How many findings it made.
        skipped: Why it could not look, empty if it did.
    """

    check: str
    title: str
    findings: int = 0
    skipped: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What the doctor found.

    Attributes:
        subject: Name of the environment that was asked for, empty for the machine and all environments.
        taken: When.
        seconds: How long it took.
        findings: The findings, the worst first.
        examined: All that was looked at.
    """

    subject: str = ""
    taken: str
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    examined: tuple[Examined, ...] = ()
