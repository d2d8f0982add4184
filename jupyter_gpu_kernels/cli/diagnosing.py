"""The command ``diagnose``: what is wrong, in words, and cures that are carried out."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Collection, Iterator

from ..errors import GpuKernelsError, InvalidInputError
from ..models import Diagnosis, ErrorReport, Finding, Remedy, Severity, from_json
from ..serve.manager import GpuKernelsManager
from . import text
from .exits import Exit
from .fitting import fitted
from .following import Answer, agreed, follow, outcome, somebody_there

#: What a finding begins with, and what several of them are called.
_TITLES = {
    Severity.PROBLEM: ("Problem", "problems"),
    Severity.WARNING: ("Warning", "warnings"),
    Severity.NOTE: ("Note", "notes"),
}


async def diagnose(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Look what is wrong, and cure what was asked to be cured."""
    asked = _asked(arguments.fix)
    found = await manager.diagnose(arguments.name)
    failed = False
    if asked is not None:
        cures = dict.fromkeys(_cures(found, asked))
        for remedy in cures:
            failed = not await _cure(manager, arguments, remedy) or failed
        if cures:
            found = await manager.diagnose(arguments.name)
        else:
            sys.stderr.write("There is nothing that can be cured here.\n")
    broken = failed or any(finding.severity is Severity.PROBLEM for finding in found.findings)
    return Answer(model=found, text=described(found), exit_code=Exit.FAILED if broken else Exit.DONE)


def described(found: Diagnosis) -> str:
    """A diagnosis as a person reads it, the worst first."""
    parts = [*map(finding, found.findings), _summary(found)]
    return "\n".join(parts) + "".join(
        f"Not looked at: {item.title} ({item.check}). {item.skipped}\n" for item in found.examined if item.skipped
    )


def finding(found: Finding) -> str:
    """A finding: the sentence, what shows it, and what to do."""
    where = f" ({found.subject})" if found.subject and found.subject not in found.sentence else ""
    lines = [f"{_TITLES[found.severity][0]}{where}: {found.sentence}"]
    lines += [f"    {fact}" for fact in found.evidence]
    lines.append(f"  {found.cure}")
    if found.remedy is not None:
        lines.append(f"  To have it done: jupyter gpu-kernels diagnose --fix {found.check}")
    if found.link:
        lines.append(f"  See {found.link}")
    return "".join(f"{line}\n" for line in lines)


def _summary(found: Diagnosis) -> str:
    """How much was looked at, and how much was found."""
    looked = sum(not item.skipped for item in found.examined)
    counts = Counter(finding.severity for finding in found.findings)
    made = f"{looked} checks made"
    if not counts:
        return f"{made}: nothing is wrong.\n"
    parts = [f"{counts[kind]} {_named(kind, counts[kind])}" for kind in _TITLES if counts[kind]]
    return f"{made}: {', '.join(parts)}.\n"


def _named(kind: Severity, count: int) -> str:
    one, several = _TITLES[kind]
    return one.lower() if count == 1 else several


def _asked(checks: list[str] | None) -> Collection[str] | None:
    """The checks whose findings are to be cured, empty for all; ``None`` where nothing is.

    Raises:
        InvalidInputError: There is no such check, or nothing that it finds can be cured here.
    """
    if not checks:
        return checks
    # Imported here: the checks need more than the other commands do.
    from ..diagnosis.checks import CHECKS

    curable = {check.id for check in CHECKS if check.remedies}
    for check in checks:
        if check not in curable:
            known = any(item.id == check for item in CHECKS)
            msg = f"Nothing that {check} finds can be cured here." if known else f"There is no check {check!r}."
            raise InvalidInputError(msg, cure=f"Name some of: {', '.join(sorted(curable))}.")
    return checks


def _cures(found: Diagnosis, asked: Collection[str]) -> Iterator[Remedy]:
    """The remedies that were asked for; those of notes only where their check is named."""
    for item in found.findings:
        wanted = item.check in asked if asked else item.severity is not Severity.NOTE
        if item.remedy is not None and wanted:
            yield item.remedy


async def _cure(manager: GpuKernelsManager, arguments: argparse.Namespace, remedy: Remedy) -> bool:
    """Carry a remedy out, if its user agrees, and answer whether nothing failed."""
    from ..diagnosis.remedies import JOBS
    from ..diagnosis.wording import plain

    done = plain(f"{remedy.label}: {remedy.subject}")
    if remedy.question and not arguments.yes:
        if not somebody_there():
            _say(f"{done}: not done, as it has to be confirmed. Add --yes to do it without being asked.\n")
            return True
        if not agreed(remedy.question):
            _say(f"{done}: not done.\n")
            return True
    try:
        if remedy.id in JOBS:
            answer = outcome(manager, await follow(manager, arguments, manager.doctoring.apply(remedy)), "")
            _say(answer.error or f"{done}: done.\n")
            return answer.exit_code == Exit.DONE
        await manager.doctoring.apply(remedy)
    except GpuKernelsError as error:
        _say(f"{done}: not done.\n{text.error(from_json(ErrorReport, error.to_json()))}")
        return False
    _say(f"{done}: done.\n")
    return True


def _say(words: str) -> None:
    fitted(sys.stderr, words)
