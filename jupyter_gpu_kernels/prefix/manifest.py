"""The manifest: one JSON file inside the environment that says what was built."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BrokenEnvironmentError
from ..models import LaunchPolicy, Manifest, Placement, Variant, to_json
from .files import replace_file
from .placement import override_placement

#: Where the manifest lies, relative to the prefix.
MANIFEST = "share/jupyter-gpu-kernels/manifest.json"

#: The newest shape that this version reads.
SCHEMA_VERSION = 1

#: A rebuild is no cure: what to build is in the manifest.
_REBUILD = "Remove the environment and create it again."


def read_manifest(prefix: Path) -> dict[str, Any]:
    """Read the manifest of an environment, as decoded JSON.

    Raises:
        BrokenEnvironmentError: It is missing, damaged, or written by a newer version of this package.
    """
    path = prefix / MANIFEST
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        msg = f"There is no manifest in {prefix}."
        raise BrokenEnvironmentError(msg, cure=_REBUILD) from error
    except (OSError, ValueError) as error:
        msg = f"The manifest {path} cannot be read."
        raise BrokenEnvironmentError(msg, cure=_REBUILD, detail=str(error)) from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        msg = f"The manifest {path} is damaged: it does not say its version."
        raise BrokenEnvironmentError(msg, cure=_REBUILD)
    if version > SCHEMA_VERSION:
        msg = f"The manifest {path} was written by a newer version of jupyter_gpu_kernels (shape {version})."
        raise BrokenEnvironmentError(msg, cure="Upgrade jupyter_gpu_kernels here.")
    return dict(data)


def write_manifest(prefix: Path, manifest: Manifest) -> None:
    """Write the manifest atomically: a reader sees the old one or the new one, also after a power cut."""
    path = prefix / MANIFEST
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(to_json(manifest), indent=1, ensure_ascii=False) + "\n"
    # As readable as its environment.
    replace_file(path, text.encode(), mode=0o644, durable=True)


def read_launch(prefix: Path) -> tuple[LaunchPolicy, bool]:
    """How kernels of the environment are started, and whether they may use a GPU: all may but those of CPU builds.

    Raises:
        BrokenEnvironmentError: The manifest is damaged or too new.
    """
    if not (prefix / MANIFEST).exists():
        return LaunchPolicy(), True
    manifest = read_manifest(prefix)
    plan = manifest.get("plan")
    cpu = isinstance(plan, dict) and plan.get("variant") == Variant.CPU.value
    return override_policy(LaunchPolicy(), manifest.get("launch")), not cpu


def override_policy(policy: LaunchPolicy, wishes: object, ignored: list[str] | None = None) -> LaunchPolicy:
    """Change what a mapping of wishes names; anything unknown or of another type is ignored.

    Args:
        policy: What it is without.
        wishes: Of any shape: somebody may have written it by hand.
        ignored: Gets a sentence for what makes no sense in it.
    """
    ignored = [] if ignored is None else ignored
    if not isinstance(wishes, Mapping):
        if wishes:
            ignored.append("The launch policy in kernel.json is no table of values, and is ignored.")
        return policy
    taken: dict[str, Any] = {}
    for field in dataclasses.fields(policy):
        if field.name not in wishes:
            continue
        present, wish = getattr(policy, field.name), wishes[field.name]
        kind = type(present)
        if kind is Placement:
            taken[field.name] = override_placement(present, wish, ignored)
            continue
        if issubclass(kind, enum.Enum):
            # As JSON has it.
            wish = next((member for member in kind if member.value == wish), None)
        elif kind is float and type(wish) is int and abs(wish) < 2**53:
            wish = float(wish)
        if type(wish) is kind and (field.name != "memory_fraction" or 0 < wish <= 1):
            taken[field.name] = wish
        else:
            ignored.append(f"The launch policy's {field.name!r} makes no sense, and is ignored.")
    return dataclasses.replace(policy, **taken)
