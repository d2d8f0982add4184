"""The commands ``clone`` and ``rename``."""

from __future__ import annotations

import argparse

from ..errors import InvalidInputError
from ..models import CloneRequest, EnvironmentChange, JobState
from ..serve.manager import GpuKernelsManager
from .following import Answer, built, follow, outcome


async def clone(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Copy an environment."""
    request = CloneRequest(name=arguments.new, display_name=arguments.display_name)
    return await built(manager, arguments, manager.copies.clone(arguments.name, request))


async def rename(manager: GpuKernelsManager, arguments: argparse.Namespace) -> Answer:
    """Give an environment another name, or change what the Launcher shows for its kernel, or both."""
    name, title = arguments.name, arguments.display_name
    if arguments.new is None and title is None:
        msg = "Neither a new name nor a display name is given."
        raise InvalidInputError(msg, cure="Add the new name, or --display-name TEXT for what the Launcher shows.")
    if arguments.new is None:
        return await _shown(manager, name, title)
    job = await follow(manager, arguments, manager.copies.rename(name, arguments.new, stop_kernels=arguments.force))
    if job.state is not JobState.SUCCEEDED or title is None:
        said = f"{name} is now named {arguments.new}. Notebooks find its kernel again by their recipe.\n"
        return outcome(manager, job, said)
    shown = await _shown(manager, arguments.new, title)
    return outcome(manager, job, f"{name} is now named {arguments.new}.\n{shown.text}")


async def _shown(manager: GpuKernelsManager, name: str, title: str) -> Answer:
    found = await manager.change(name, EnvironmentChange(display_name=title))
    return Answer(model=found, text=f"{found.name} is now shown as {found.display_name}.\n")
