"""Trying the extras of a framework in the kernel that the framework was tried in."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ...models import Extra, ExtraCheck
from ..reporting import Reporter
from .trial import KernelDiedError, KernelSilentError, TrialKernel
from .verdict import one_line

#: Seconds for one extra: a large package is slow to import where it was never imported before.
PATIENCE = 120.0

#: Calls a function of the probe, until a moment on :func:`time.monotonic`'s clock.
Ask = Callable[[str, float], Awaitable[dict[str, Any]]]


async def check_extras(
    kernel: TrialKernel, extras: Sequence[Extra], ask: Ask, deadline: float, reporter: Reporter
) -> tuple[ExtraCheck, ...]:
    """Import each extra and run its verification; whatever one does to the kernel is said, and takes nothing back.

    Args:
        kernel: Where the framework was tried.
        extras: What to try.
        ask: Asks the probe in it.
        deadline: When to give up, on :func:`time.monotonic`'s clock.
        reporter: Its log gets the sentences, and the traceback of what fails.
    """
    found: list[ExtraCheck] = []
    gone = ""
    for extra in extras:
        if gone:
            check = _check(extra, f"{extra.title} was not tried: {gone}.")
        else:
            check, gone = await _try(kernel, extra, ask, deadline, reporter)
        reporter.log(check.sentence)
        found.append(check)
    return tuple(found)


async def _try(
    kernel: TrialKernel, extra: Extra, ask: Ask, deadline: float, reporter: Reporter
) -> tuple[ExtraCheck, str]:
    """Try one extra; with it, why the kernel can be asked no more, which is empty if it can."""
    reporter.log(f"Trying {extra.title} in the same kernel.")
    record = str(kernel.private / f"{extra.id}.json")
    call = f"extra({extra.import_name!r}, {dict(extra.environ)!r}, {extra.verification!r}, {record!r})"
    started = time.monotonic()
    try:
        answer = await ask(call, min(deadline, started + PATIENCE))
    except KernelDiedError as error:
        return _check(extra, f"The kernel {error.manner} while {extra.title} was tried."), "the kernel had ended"
    except KernelSilentError:
        took = time.monotonic() - started
        return _check(extra, f"{extra.title} did not answer within {took:.0f} seconds."), "the kernel was still busy"
    if error_line := str(answer.get("error", "")):
        for line in str(answer.get("traceback", "")).strip().splitlines()[-10:]:
            reporter.log(line[:1000])
        return _check(extra, f"{extra.title} does not work here: {one_line(error_line)}."), ""
    report = answer.get("report", {})
    if problem := str(report.get("problem") or ""):
        return _check(extra, f"{one_line(problem)}."), ""
    told = one_line(str(report.get("sentence") or f"{extra.title} imports"), 600)
    return _check(extra, f"{told}.", works=True), ""


def _check(extra: Extra, sentence: str, *, works: bool = False) -> ExtraCheck:
    return ExtraCheck(id=extra.id, title=extra.title, works=works, sentence=sentence)
