"""Makes the checks, a few at a time, each within its time, and orders what they find."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..hardware.threads import within
from ..models import Diagnosis, Examined, Finding, Severity, now
from .check import Check, MachineCheck, NotApplicable
from .context import Context
from .wording import plain, worded

#: The worst first.
_ORDER = (Severity.PROBLEM, Severity.WARNING, Severity.NOTE)


class Doctor:
    """Examines a machine and its environments.

    Args:
        checks: What is looked at, in the order in which it is listed.
        limit: Seconds that each look may take.
        at_once: How many looks are taken at a time.
    """

    def __init__(self, checks: Sequence[Check], *, limit: float = 10.0, at_once: int = 4) -> None:
        self._checks = checks
        self._limit = limit
        self._at_once = at_once

    async def examine(self, context: Context) -> Diagnosis:
        """Make all checks; a check that fails is reported as skipped, and hides no other."""
        began = time.monotonic()
        turns = asyncio.Semaphore(self._at_once)
        answers = await asyncio.gather(*(self._make(check, context, turns) for check in self._checks))
        findings = [finding for examined, found in answers if examined is not None for finding in found]
        return Diagnosis(
            subject=context.subject,
            taken=now(),
            seconds=round(time.monotonic() - began, 3),
            # Sorted stably: within a severity in the order of the checks.
            findings=tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.severity))),
            examined=tuple(examined for examined, _ in answers if examined is not None),
        )

    async def _make(
        self, check: Check, context: Context, turns: asyncio.Semaphore
    ) -> tuple[Examined | None, list[Finding]]:
        """Make one check; of environments in all of them."""
        if isinstance(check, MachineCheck) and context.subject and not check.always:
            return None, []
        looks = await asyncio.gather(*(self._look(look, turns) for look in _looks(check, context)))
        findings = [worded(replace(finding, check=check.id)) for found, _ in looks for finding in found]
        skipped = plain(" ".join(dict.fromkeys(reason for _, reason in looks if reason)))
        return Examined(check=check.id, title=check.title, findings=len(findings), skipped=skipped), findings

    async def _look(self, look: Callable[[], list[Finding]], turns: asyncio.Semaphore) -> tuple[list[Finding], str]:
        """Look once: what was found, or why it could not be looked at."""
        async with turns:
            try:
                return await within(self._limit, look), ""
            except NotApplicable as reason:
                return [], str(reason)
            except asyncio.TimeoutError:
                return [], f"It was given up after {self._limit:g} seconds."
            # A diagnosis is wanted where things are broken: no breakage may end it.
            except Exception as error:
                return [], f"It failed ({type(error).__name__}: {error})."


def _looks(check: Check, context: Context) -> Iterable[Callable[[], list[Finding]]]:
    """What a check has to be asked: once, or once for each environment."""
    if isinstance(check, MachineCheck):
        machine = check

        def at_machine() -> list[Finding]:
            return list(machine.look(context))

        return [at_machine]

    environment_check = check

    def at(index: int) -> Callable[[], list[Finding]]:
        environment = context.environments[index]

        def look() -> list[Finding]:
            found = environment_check.look(context, environment, context.layout(environment))
            return [replace(item, subject=item.subject or environment.name) for item in found]

        return look

    return [at(index) for index, environment in enumerate(context.environments) if not environment.damaged]
