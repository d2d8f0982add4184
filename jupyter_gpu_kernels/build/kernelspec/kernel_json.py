"""What a kernelspec of ours holds: ``kernel.json`` and a drawing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from ...models import Manifest
from ...prefix.layout import Layout

#: Our key in a kernelspec's metadata; where it is, the kernelspec is ours.
KEY = "jupyter_gpu_kernels"

PROVISIONER = "gpu-kernels-provisioner"

#: First ipykernel whose kernels can encrypt; declared of an older one it freezes a server that encrypts.
CURVE_SINCE = Version("7.3")
#: First ipykernel with a debugger.
DEBUGGER_SINCE = Version("6.0")


def logo(stem: str) -> Path:
    """The drawing of a framework: a chip with its initials; the plain Python one where there is no other."""
    folder = Path(__file__).parent / "logos"
    path = folder / f"{stem}.svg"
    return path if path.parent == folder and path.is_file() else folder / "python.svg"


def kernel_json(manifest: Manifest, prefix: Path) -> dict[str, Any]:
    """The content of ``kernel.json``.

    Args:
        manifest: What was built.
        prefix: Where it is now: its final path, or that of the generation for a verification.
    """
    content = plain_json(Layout.of_prefix(prefix), manifest.display_name)
    content["metadata"][KEY] = {
        "environment": manifest.name,
        "prefix": manifest.prefix,
        "framework": manifest.spec.framework,
        "framework_version": manifest.plan.framework_version,
        "variant": manifest.plan.variant.value,
        "cuda": manifest.plan.cuda,
    }
    return content


def plain_json(layout: Layout, display_name: str) -> dict[str, Any]:
    """The content of ``kernel.json`` for any environment: its own ipykernel, started by the provisioner.

    Args:
        layout: The environment.
        display_name: What the Launcher shows.
    """
    python, ipykernel = _version(layout.python_version()), _version(_ipykernel(layout))
    # As `ipykernel install` does: with frozen modules debuggers miss breakpoints. Python has them from 3.11 on.
    options = ["-Xfrozen_modules=off"] if python >= Version("3.11") else []
    metadata: dict[str, Any] = {
        "debugger": ipykernel >= DEBUGGER_SINCE,
        "kernel_provisioner": {"provisioner_name": PROVISIONER, "config": {}},
    }
    if ipykernel >= CURVE_SINCE:
        metadata["supported_encryption"] = ["curve"]
    return {
        "argv": [str(layout.python), *options, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": display_name,
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": metadata,
    }


def _ipykernel(layout: Layout) -> str | None:
    """The version of ipykernel that is installed in an environment, as its metadata says; nothing is run."""
    for folder in layout.site_packages():
        for path in folder.glob("ipykernel-*.dist-info"):
            return path.name.removesuffix(".dist-info").partition("-")[2]
    return None


def _version(text: str | None) -> Version:
    """A version, 0 if it is unknown."""
    try:
        return Version(text or "0")
    except InvalidVersion:
        return Version("0")
