"""What this machine has, in one answer that never fails."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace

from ..models import Hardware
from .fake import VARIABLE, FakeNvml
from .nvml import DriverNvml, Nvml, NvmlError

#: Says which CUDA the solver may count on, whatever the driver says; empty for none:
#: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-virtual.html#overriding-detected-packages
OVERRIDE = "CONDA_OVERRIDE_CUDA"


def hardware(nvml: Nvml | None = None, environ: Mapping[str, str] | None = None) -> Hardware:
    """Ask the driver, and the environment variables that overrule it.

    It blocks for some tens of milliseconds, more where the driver has to wake up: call it in a thread.

    Args:
        nvml: Whom to ask; ``None`` for this machine's driver, or the fake that the environment describes.
        environ: Environment variables; ``None`` for this process's own.
    """
    variables = os.environ if environ is None else environ
    try:
        if nvml is None:
            description = variables.get(VARIABLE, "")
            nvml = FakeNvml.described(description) if description else DriverNvml()
        found = _ask(nvml)
    except NvmlError as error:
        found = Hardware(reason=str(error))
    return _overruled(found, variables.get(OVERRIDE))


def _ask(nvml: Nvml) -> Hardware:
    """The driver's own answer."""
    nvml.open()
    try:
        driver, cuda = nvml.driver_version(), nvml.cuda_version()
        try:
            gpus, reason = nvml.gpus(), ""
        except NvmlError as error:
            gpus, reason = (), str(error)
        if not gpus and not reason:
            reason = "The NVIDIA driver is there, but it shows no GPU: none was given to this session or container."
        return Hardware(driver=driver, cuda=cuda, gpus=gpus, reason=reason)
    finally:
        nvml.close()


def _overruled(found: Hardware, override: str | None) -> Hardware:
    """The answer as ``CONDA_OVERRIDE_CUDA`` has it."""
    if override is None:
        return found
    version = override.strip()
    if not version:
        return replace(found, cuda=None, notes=(f"{OVERRIDE} is empty: no CUDA is offered to the solver.",))
    if not re.fullmatch(r"\d{1,2}(\.\d{1,2}){0,2}", version):
        return replace(found, notes=(f"{OVERRIDE} is {override[:40]!r}, which is no CUDA version, and is ignored.",))
    version = ".".join([*version.split("."), "0"][:2])
    return replace(found, cuda=version, notes=(f"{OVERRIDE} says that CUDA {version} can be counted on.",))
