"""What this machine has, in one answer that never fails."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from ..models import Hardware, Vendor
from .driver import DriverNvml
from .fake import VARIABLE, FakeNvml
from .nvml import Nvml, NvmlError
from .vendor import REASONS, vendor_of

#: Says which CUDA the solver may count on, whatever the driver says; empty for none:
#: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-virtual.html#overriding-detected-packages
OVERRIDE = "CONDA_OVERRIDE_CUDA"

#: What NVIDIA's container tools were told. It says nothing about a container that has GPUs: those that use CDI have
#: ``void`` there, too (https://github.com/NVIDIA/nvidia-container-toolkit/pull/395).
REQUESTED = "NVIDIA_VISIBLE_DEVICES"


def hardware(
    nvml: Nvml | None = None,
    environ: Mapping[str, str] | None = None,
    vendor: Callable[[], Vendor] = vendor_of,
) -> Hardware:
    """Ask the driver, and the environment variables that overrule it.

    It blocks for some tens of milliseconds, more where the driver has to wake up: call it in a thread.

    Args:
        nvml: Whom to ask; ``None`` for this machine's driver, or the fake that the environment describes.
        environ: Environment variables; ``None`` for this process's own.
        vendor: Tells whose GPUs there are where the driver shows none.
    """
    variables = os.environ if environ is None else environ
    try:
        found = _ask(open_nvml(variables) if nvml is None else nvml, variables)
    except NvmlError as error:
        found = _without_driver(error, vendor())
    return _overruled(found, variables.get(OVERRIDE))


def open_nvml(environ: Mapping[str, str] | None = None) -> Nvml:
    """The driver to ask, not opened yet: the fake that the environment describes, else this machine's own.

    Args:
        environ: Environment variables; ``None`` for this process's own.

    Raises:
        NvmlError: The environment describes a fake badly.
    """
    description = (os.environ if environ is None else environ).get(VARIABLE, "")
    return FakeNvml.described(description) if description else DriverNvml()


def _ask(nvml: Nvml, environ: Mapping[str, str]) -> Hardware:
    """The driver's own answer."""
    nvml.open()
    try:
        driver, cuda = nvml.driver_version(), nvml.cuda_version()
        try:
            gpus, reason = nvml.gpus(), ""
        except NvmlError as error:
            gpus, reason = (), str(error)
        if not gpus and not reason:
            reason = _unseen(environ)
        return Hardware(
            driver=driver, cuda=cuda, gpus=gpus, vendor=Vendor.NVIDIA, reason=reason, notes=nvml.notes() if gpus else ()
        )
    finally:
        nvml.close()


def _unseen(environ: Mapping[str, str]) -> str:
    """Why a driver shows no GPU."""
    said = environ.get(REQUESTED)
    if said in ("", "none", "void"):
        return (
            f"The NVIDIA driver is there, but this container was started without a GPU ({REQUESTED} is {said!r}): "
            "start it with one."
        )
    return "The NVIDIA driver is there, but it shows no GPU: none was given to this session or container."


def _without_driver(error: NvmlError, vendor: Vendor) -> Hardware:
    """What there is where no driver answers."""
    # A library without a loaded driver is what some distributions install everywhere.
    missing = error.code == "NVML_ERROR_LIBRARY_NOT_FOUND"
    other = error.code == "NVML_ERROR_DRIVER_NOT_LOADED" and vendor is not Vendor.NVIDIA
    reason = REASONS.get(vendor, "") if missing or other else ""
    return Hardware(vendor=vendor, reason=reason or str(error))


def _overruled(found: Hardware, override: str | None) -> Hardware:
    """The answer as ``CONDA_OVERRIDE_CUDA`` has it."""
    if override is None:
        return found
    version = override.strip()
    if not version:
        return _noted(replace(found, cuda=None), f"{OVERRIDE} is empty: no CUDA is offered to the solver.")
    if not re.fullmatch(r"\d{1,2}(\.\d{1,2}){0,2}", version):
        return _noted(found, f"{OVERRIDE} is {override[:40]!r}, which is no CUDA version, and is ignored.")
    version = ".".join([*version.split("."), "0"][:2])
    return _noted(replace(found, cuda=version), f"{OVERRIDE} says that CUDA {version} can be counted on.")


def _noted(found: Hardware, note: str) -> Hardware:
    return replace(found, notes=(*found.notes, note))
