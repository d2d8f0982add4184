"""What the system itself says of GPUs, driver and container, whether or not the driver answers."""

from __future__ import annotations

import re
from pathlib import Path

from ...hardware.vendor import CLASSES, NVIDIA
from ..context import Context

#: Where distributions, containers and Windows's subsystem keep the driver's libraries.
LIBRARY_DIRECTORIES = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/nvidia/lib64",
    "/run/opengl-driver/lib",
)

#: The library that Windows's driver lends to its Linux subsystem.
WSL_LIBRARY = "/usr/lib/wsl/lib/libcuda.so.1"

_MODULE_VERSION = re.compile(r"Kernel Module(?: for \S+)?\s+(\d+\.\d+(?:\.\d+)?)")


def nvidia_gpus(context: Context) -> list[str]:
    """Addresses of NVIDIA's GPUs on the PCI bus, but for those that are set aside for virtual machines."""
    return sorted(
        device.name
        for device in _entries(context.path("/sys/bus/pci/devices"))
        if _line(device / "vendor") == NVIDIA
        and _line(device / "class").startswith(CLASSES)
        and (device / "driver").resolve().name != "vfio-pci"
    )


def module_loaded(context: Context, name: str) -> bool:
    """Whether a module of the Linux kernel is loaded."""
    return context.path(f"/sys/module/{name}").is_dir()


def module_version(context: Context) -> str:
    """Version of the NVIDIA kernel module that is loaded; empty without one."""
    found = _MODULE_VERSION.search(context.text("/proc/driver/nvidia/version"))
    return found[1] if found else context.text("/sys/module/nvidia/version").strip()


def module_installed(context: Context) -> Path | None:
    """The NVIDIA kernel module on disk for the Linux kernel that runs; ``None`` without one, or in a container."""
    release = context.text("/proc/sys/kernel/osrelease").strip()
    modules = context.path(f"/lib/modules/{release}") if release else None
    if modules is None or not modules.is_dir():
        return None
    for place in ("updates/dkms", "updates", "extra", "kernel/drivers/video", "kernel/nvidia-*", "weak-updates", "."):
        found = next((path for folder in modules.glob(place) for path in folder.glob("nvidia.ko*")), None)
        if found is not None:
            return found
    return next(modules.glob("**/nvidia.ko*"), None)


def libraries(context: Context, stem: str) -> list[Path]:
    """The driver's libraries of a name (``libnvidia-ml``) that carry their version in theirs."""
    return [
        path
        for folder in LIBRARY_DIRECTORIES
        for path in sorted(context.path(folder).glob(f"{stem}.so.[0-9]*.[0-9]*"))
        if not path.is_symlink()
    ]


def library_version(path: Path) -> str:
    """Version in the name of one of the driver's libraries: ``535.161.07`` of ``libcuda.so.535.161.07``."""
    return path.name.partition(".so.")[2]


def secure_boot(context: Context) -> bool:
    """Whether the firmware lets none but signed modules be loaded."""
    name = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    try:
        # Four bytes of attributes, then the value: https://docs.kernel.org/filesystems/efivarfs.html
        return context.path(name).read_bytes()[4:5] == b"\x01"
    except OSError:
        return False


def windows_subsystem(context: Context) -> bool:
    """Whether this Linux runs inside Windows."""
    return "microsoft" in context.text("/proc/version").lower() or context.path("/dev/dxg").exists()


def container(context: Context) -> str:
    """What kind of container this is: ``"Docker"``, ``"Podman"``, ``"Kubernetes"``, …; empty for none."""
    environ = context.environ
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return "Kubernetes"
    if "APPTAINER_CONTAINER" in environ or "SINGULARITY_CONTAINER" in environ:
        return "Apptainer"
    if context.path("/run/.containerenv").exists() or environ.get("container") == "podman":
        return "Podman"
    if context.path("/.dockerenv").exists():
        return "Docker"
    groups = context.text("/proc/1/cgroup")
    kinds = {"kubepods": "Kubernetes", "docker": "Docker", "libpod": "Podman", "containerd": "containerd", "lxc": "LXC"}
    return next((kind for mark, kind in kinds.items() if mark in groups), "")


def gpu_nodes(context: Context) -> list[Path]:
    """The device nodes of GPUs: ``/dev/nvidia0``, …."""
    return sorted(path for path in _entries(context.path("/dev")) if re.fullmatch(r"nvidia\d+", path.name))


def shown(context: Context, path: Path) -> str:
    """A path of the system as its users know it."""
    try:
        return f"/{path.relative_to(context.root)}"
    except ValueError:
        return str(path)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
