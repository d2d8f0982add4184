"""One check made on a machine of the test's own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jupyter_gpu_kernels.diagnosis.checks import CHECKS
from jupyter_gpu_kernels.diagnosis.context import Context, Practice
from jupyter_gpu_kernels.diagnosis.doctor import Doctor
from jupyter_gpu_kernels.diagnosis.environments import asking
from jupyter_gpu_kernels.diagnosis.kernelspecs import starters
from jupyter_gpu_kernels.diagnosis.machine import libraries
from jupyter_gpu_kernels.models import Diagnosis, Finding, Hardware

# A busy machine is no broken one: here everything that is asked gets the time that it may need there.
Doctor.__init__.__kwdefaults__["limit"] = 200.0
asking.LIMIT = starters.PATIENCE = libraries.PATIENCE = 90.0


def make_context(root: Path, **changes: Any) -> Context:
    """A machine with nothing: no GPU, no variable, no environment; files of the system lie below ``root``."""
    practice = Practice(
        conda_envs_dir=root / "envs",
        virtualenvs_dir=root / "virtualenvs",
        state_dir=root / "state",
        cache_dir=root / "cache",
    )
    nothing: dict[str, Any] = {"hardware": Hardware(), "environ": {}, "practice": practice, "root": root}
    return Context(**{**nothing, **changes})


def examine(check_id: str, context: Context) -> Diagnosis:
    """Make one check of the table as the doctor makes it."""
    (check,) = [check for check in CHECKS if check.id == check_id]
    return asyncio.run(Doctor([check]).examine(context))


def look(check_id: str, context: Context) -> tuple[Finding, ...]:
    """What one check of the table finds; it must not be skipped."""
    diagnosis = examine(check_id, context)
    assert [item.skipped for item in diagnosis.examined] == [""], diagnosis.examined
    return diagnosis.findings
