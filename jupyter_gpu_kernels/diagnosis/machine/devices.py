"""The device nodes through which programs reach the GPUs, and containers that lack them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from ...models import Finding
from ..check import note, problem, warning
from ..context import Context
from .surroundings import container, gpu_nodes, module_version, nvidia_gpus, shown, windows_subsystem

_TOOLKIT = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html"

#: How each kind of container is given GPUs.
_CURES = {
    "Docker": (
        "Start the container with `--gpus all`; the host needs the NVIDIA Container Toolkit for it.",
        "https://docs.docker.com/engine/containers/resource_constraints/#gpu",
    ),
    "Podman": (
        "Start the container with `--device nvidia.com/gpu=all`; the host needs the NVIDIA Container Toolkit for it.",
        "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/cdi-support.html",
    ),
    "Kubernetes": (
        "Ask for a GPU in the pod's limits (`nvidia.com/gpu: 1`), or choose a server profile that has one.",
        "https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/",
    ),
    "Apptainer": (
        "Start the container with `--nv`.",
        "https://apptainer.org/docs/user/latest/gpu.html",
    ),
}


def container_without_gpu(context: Context) -> Iterator[Finding]:
    """A container that was not given the GPUs which its host has."""
    kind = container(context)
    if not kind or context.hardware.gpus or gpu_nodes(context):
        return
    gpus, module, wanted = nvidia_gpus(context), module_version(context), context.environ.get("NVIDIA_VISIBLE_DEVICES")
    # Images made for CUDA set that variable, too: without a trace of a GPU it proves nothing.
    if not (gpus or module):
        yield note(
            f"This {kind} container has no GPU: kernels compute on the CPU.",
            evidence=[context.hardware.reason] if context.hardware.reason else [],
            cure="Nothing needs to be done; if the host has a GPU, start the container with it.",
            link=_TOOLKIT,
        )
        return
    cure, link = _CURES.get(kind, ("Start the container with the host's /dev/nvidia* and driver libraries.", _TOOLKIT))
    yield problem(
        f"The host of this {kind} container has an NVIDIA GPU, but the container was not given it.",
        evidence=[
            *(f"On the host's PCI bus: NVIDIA GPU {address}" for address in gpus),
            *([f"The host's driver: {module}"] if module else []),
            "Missing: /dev/nvidia0 and the like",
            *([f"NVIDIA_VISIBLE_DEVICES={wanted}"] if wanted is not None else []),
        ],
        cure=cure,
        link=link,
    )


def driver_capabilities(context: Context) -> Iterator[Finding]:
    """A container that was given GPUs, but not the libraries to compute with them."""
    kind, value = container(context), context.environ.get("NVIDIA_DRIVER_CAPABILITIES", "")
    parts = {part.strip() for part in value.split(",")}
    if not kind or not value.strip() or parts & {"all", "compute"}:
        return
    if not (gpu_nodes(context) or context.hardware.driver):
        return
    yield problem(
        f"This {kind} container was given GPUs to look at, but not to compute with.",
        evidence=[f"NVIDIA_DRIVER_CAPABILITIES={value}"],
        cure="Start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility.",
        link="https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html",
    )


def memory_node(context: Context) -> Iterator[Finding]:
    """GPUs that can be looked at, but not computed with, as ``/dev/nvidia-uvm`` is missing."""
    if not context.path("/dev/nvidiactl").exists() or context.path("/dev/nvidia-uvm").exists():
        return
    if windows_subsystem(context):
        return
    evidence = ["There: /dev/nvidiactl", "Missing: /dev/nvidia-uvm"]
    if container(context):
        yield problem(
            "This container has no /dev/nvidia-uvm: GPUs are listed, but CUDA cannot be initialised.",
            evidence=evidence,
            cure="Run `sudo nvidia-modprobe -u -c=0` on the host, then start the container anew.",
        )
    elif not _makes_nodes(context.path("/usr/bin/nvidia-modprobe")):
        yield warning(
            "/dev/nvidia-uvm is missing, and nothing is installed that makes it when it is needed: "
            "GPUs are listed, but CUDA cannot be initialised.",
            evidence=[*evidence, "Missing, or not set-uid root: /usr/bin/nvidia-modprobe"],
            cure="Install nvidia-modprobe, or run `sudo modprobe nvidia-uvm` at each boot.",
        )


def may_use(path: Path) -> bool:
    """Whether this user may read and write a device."""
    return os.access(path, os.R_OK | os.W_OK)


def permissions(context: Context, may: Callable[[Path], bool] = may_use) -> Iterator[Finding]:
    """Devices that this user may not use."""
    gpus = gpu_nodes(context)
    shared = [path for path in map(context.path, ("/dev/nvidiactl", "/dev/nvidia-uvm")) if path.exists()]
    denied = [path for path in (*gpus, *shared) if not may(path)]
    if not denied:
        return
    evidence = [_owner(context, path) for path in denied]
    if set(denied) < set(gpus):
        yield note(
            f"This user may use some of the GPUs only: not {', '.join(shown(context, path) for path in denied)}.",
            evidence=evidence,
            cure="If that is not intended, ask whoever runs the machine for access to them.",
        )
    else:
        yield problem(
            f"This user may not use {', '.join(shown(context, path) for path in denied)}: no kernel finds a GPU.",
            evidence=evidence,
            cure="Ask whoever runs the machine for access (often membership in the group `video`), then log in anew.",
        )


def _owner(context: Context, path: Path) -> str:
    """Who owns a device, and what its mode is."""
    # Imported here: Windows has neither, and no such devices.
    import grp
    import pwd

    status = path.stat()
    try:
        owner = f"{pwd.getpwuid(status.st_uid).pw_name}:{grp.getgrgid(status.st_gid).gr_name}"
    except KeyError:
        owner = f"{status.st_uid}:{status.st_gid}"
    return f"{shown(context, path)}: {stat.filemode(status.st_mode)} {owner}"


def _makes_nodes(program: Path) -> bool:
    """Whether a program is there that CUDA calls to have its devices made."""
    try:
        return bool(program.stat().st_mode & stat.S_ISUID)
    except OSError:
        return False
