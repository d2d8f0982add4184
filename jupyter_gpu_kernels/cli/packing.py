"""The command ``pack``."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from ..models import JobState
from ..serve.manager import GpuKernelsManager
from . import text
from .following import Answer, follow, outcome


async def pack(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Write an environment with all its packages into a file."""
    target = Path(arguments.output) if arguments.output else None
    job = await follow(manager, arguments, manager.packing.pack(arguments.name, target))
    if job.state is not JobState.SUCCEEDED:
        return outcome(manager, job, "")
    size = await asyncio.to_thread(os.path.getsize, job.file)
    said = f"{job.file} ({text.size(size)})\nOn the other machine: jupyter gpu-kernels import {Path(job.file).name}\n"
    return outcome(manager, job, said)
