"""The NVIDIA driver: whether it is there, whole, loaded, and new enough."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...build.planning.drivers import MINIMUM_DRIVERS, driver_runs, minimum_driver
from ...hardware.nvml import REASONS
from ...models import Environment, Finding, Vendor
from ...prefix.layout import Layout
from .. import remedies
from ..check import note, problem, warning
from ..context import Context
from .surroundings import (
    WSL_LIBRARY,
    container,
    libraries,
    library_version,
    module_installed,
    module_loaded,
    module_version,
    nvidia_gpus,
    secure_boot,
    shown,
    windows_subsystem,
)

_INSTALLING = "https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/"
_COMPATIBILITY = "https://docs.nvidia.com/deploy/cuda-compatibility/"
_WSL = "https://docs.nvidia.com/cuda/wsl-user-guide/"

_MISMATCH = REASONS["NVML_ERROR_LIB_RM_VERSION_MISMATCH"]


def missing(context: Context) -> Iterator[Finding]:
    """A GPU that no NVIDIA driver serves."""
    gpus = nvidia_gpus(context)
    if context.hardware.driver or not gpus or module_loaded(context, "nvidia") or container(context):
        return
    evidence = [*(f"On the PCI bus: NVIDIA GPU {address}" for address in gpus), f"NVML: {context.hardware.reason}"]
    module = module_installed(context)
    if module_loaded(context, "nouveau"):
        yield problem(
            "The free driver nouveau serves the NVIDIA GPU, and CUDA cannot use it.",
            evidence=[*evidence, "Loaded: nouveau"],
            cure="Install NVIDIA's driver, which keeps nouveau from being loaded, and reboot.",
            link=_INSTALLING,
        )
    elif module is None:
        yield problem(
            "This machine has an NVIDIA GPU, but NVIDIA's driver is not installed: kernels compute on the CPU.",
            evidence=evidence,
            cure="Install NVIDIA's driver and reboot; environments bring all else of CUDA themselves.",
            link=_INSTALLING,
        )
    elif secure_boot(context):
        yield problem(
            "NVIDIA's driver is installed but not loaded; Secure Boot lets none but signed modules be loaded.",
            evidence=[*evidence, f"Not loaded: {shown(context, module)}", "The firmware's Secure Boot is on"],
            cure="Enrol the key that the module is signed with (`sudo mokutil --import KEY`), or turn Secure Boot off.",
            link=_INSTALLING,
        )
    else:
        yield problem(
            "NVIDIA's driver is installed but not loaded.",
            evidence=[*evidence, f"Not loaded: {shown(context, module)}"],
            cure="Load it with `sudo modprobe nvidia`, or reboot; `sudo dmesg | grep -i nvidia` says what stops it.",
            link=_INSTALLING,
        )


def no_gpu(context: Context) -> Iterator[Finding]:
    """A machine that has no NVIDIA GPU at all: nothing is wrong with it."""
    hardware = context.hardware
    if hardware.gpus or nvidia_gpus(context) or container(context) or windows_subsystem(context):
        return
    if hardware.vendor in (Vendor.AMD, Vendor.APPLE):
        yield note(
            hardware.reason or "This machine's GPU is not NVIDIA's, and is not used through CUDA.",
            cure="Choose a framework, or a build, that computes on this GPU or on the CPU.",
        )
    elif not module_version(context):
        yield note(
            "This machine has no NVIDIA GPU: kernels compute on the CPU.",
            evidence=[hardware.reason] if hardware.reason else [],
            cure="Nothing needs to be done; to build for another machine, name its CUDA (--target-cuda 12.9).",
        )


def mismatch(context: Context) -> Iterator[Finding]:
    """A driver whose library and kernel module are not of one version."""
    module = module_version(context)
    found = libraries(context, "libnvidia-ml")
    versions = {library_version(path) for path in found}
    known = context.hardware.reason == _MISMATCH
    if known or (module and versions and module not in versions and not context.hardware.driver):
        yield problem(
            "The NVIDIA driver's libraries and its kernel module are of different versions: it was updated since the "
            "machine was booted, and no program finds a GPU until they agree.",
            evidence=[
                f"Kernel module: {module or 'unknown'}",
                *(f"Library: {library_version(path)} ({shown(context, path)})" for path in found),
            ],
            cure=(
                "Start the container anew, so that it gets the host's new libraries."
                if container(context)
                else "Reboot, or end all programs that use the GPU and load the module anew."
            ),
        )


def libraries_missing(context: Context) -> Iterator[Finding]:
    """A kernel module without the libraries that belong to it."""
    module = module_version(context)
    if context.hardware.driver or not module or context.hardware.reason == _MISMATCH:
        return
    if libraries(context, "libnvidia-ml") or windows_subsystem(context) or container(context):
        return
    yield problem(
        f"The kernel module of NVIDIA's driver {module} is loaded, but the driver's libraries are not installed.",
        evidence=[f"Loaded: nvidia {module}", f"NVML: {context.hardware.reason}"],
        cure=f"Install the libraries of version {module}, which distributions keep in a package for computing.",
        link=_INSTALLING,
    )


def too_old(context: Context) -> Iterator[Finding]:
    """A driver that does not run what is built today."""
    driver, newest = context.hardware.driver, max(MINIMUM_DRIVERS)
    branch = _branch(driver or "")
    if driver is None or branch is None or branch >= int(MINIMUM_DRIVERS[newest]):
        return
    runs = next((major for major in sorted(MINIMUM_DRIVERS, reverse=True) if branch >= int(MINIMUM_DRIVERS[major])), 0)
    evidence = [f"Driver: {driver}", *(f"CUDA {cuda} needs driver {needed}" for cuda, needed in _newer_than(branch))]
    if runs < newest - 1:
        yield warning(
            f"The NVIDIA driver {driver} is too old for most of what is built today"
            f"{f'; it runs builds for CUDA {runs} and older' if runs else ''}.",
            evidence=evidence,
            cure=f"Install driver {MINIMUM_DRIVERS[newest]} or newer, if the GPU is supported by it.",
            link=_COMPATIBILITY,
        )
    else:
        yield note(
            f"The NVIDIA driver {driver} runs builds for CUDA {runs}; those for CUDA {newest} need a newer one.",
            evidence=evidence,
            cure=f"Nothing needs to be done: builds that fit are chosen. Driver {MINIMUM_DRIVERS[newest]} runs both.",
            link=_COMPATIBILITY,
        )


def too_old_for(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """A driver that does not run what an environment was built with."""
    driver, cuda = context.hardware.driver, environment.cuda
    branch = _branch(driver or "")
    if driver is None or cuda is None or branch is None or branch >= int(minimum_driver(cuda)):
        return
    # NVIDIA's forward compatibility: libraries of a newer driver, which the environment brings.
    if (layout.prefix / "cuda-compat").is_dir():
        return
    # The driver of Windows has other numbers; what it runs, it says itself.
    if windows_subsystem(context) and driver_runs(context.hardware.cuda or "0", cuda):
        return
    manifest = context.manifest_of(environment.name)
    spec = manifest.spec if manifest else None
    if spec is not None and spec.target_cuda:
        return
    free = spec is not None and not (spec.cuda or spec.version)
    yield problem(
        f"{environment.name} is built for CUDA {cuda}, which this machine's NVIDIA driver {driver} does not run.",
        evidence=[f"Driver: {driver}", f"CUDA {cuda} needs driver {minimum_driver(cuda)} or newer"],
        cure=(
            f"Rebuild it, which chooses a build that fits, or install driver {minimum_driver(cuda)} or newer."
            if free
            else f"Install driver {minimum_driver(cuda)} or newer, or create it anew for an older CUDA."
        ),
        remedy=remedies.rebuild(environment.name) if free else None,
        link=_COMPATIBILITY,
    )


def windows(context: Context) -> Iterator[Finding]:
    """A Linux inside Windows that does not get at Windows's driver."""
    if not windows_subsystem(context):
        return
    lent = context.path(WSL_LIBRARY)
    own = libraries(context, "libcuda")
    if own:
        yield problem(
            "A Linux driver of NVIDIA's is installed inside Windows's Linux subsystem and hides Windows's own.",
            evidence=[shown(context, path) for path in own],
            cure="Remove the Linux driver here: the subsystem uses the driver that is installed in Windows.",
            link=_WSL,
        )
    elif not lent.exists() and not context.hardware.driver:
        yield note(
            "Windows lends no NVIDIA driver to this Linux: kernels compute on the CPU.",
            evidence=[f"Missing: {WSL_LIBRARY}"],
            cure="If the machine has an NVIDIA GPU, install its driver in Windows and run `wsl --update` there.",
            link=_WSL,
        )
    elif not context.hardware.driver:
        yield problem(
            "Windows lends its NVIDIA driver to this Linux, but programs do not find it.",
            evidence=[f"There: {WSL_LIBRARY}", f"NVML: {context.hardware.reason}"],
            cure="Run `echo /usr/lib/wsl/lib | sudo tee /etc/ld.so.conf.d/ld.wsl.conf && sudo ldconfig`.",
            link=_WSL,
        )


def _branch(driver: str) -> int | None:
    """The branch of a driver's version: ``570`` of ``570.86.15``; ``None`` for what is no version."""
    found = re.match(r"\d+", driver)
    return int(found[0]) if found else None


def _newer_than(branch: int) -> list[tuple[int, str]]:
    return [(cuda, needed) for cuda, needed in sorted(MINIMUM_DRIVERS.items()) if int(needed) > branch]
