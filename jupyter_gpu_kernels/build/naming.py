"""Names of environments: whether one is free, making it so, and what a death has left under it."""

from __future__ import annotations

from pathlib import Path

from ..errors import NameTakenError
from ..prefix.manifest import MANIFEST
from .equipment import Equipment
from .kernelspec import kernelspecs
from .kernelspec.registry import Registry


def check_free(equipment: Equipment, name: str) -> None:
    """Refuse a name that belongs to an environment or to a kernel. Blocks on the disk.

    Raises:
        NameTakenError: The message names the owner.
    """
    occupant = equipment.inventory.occupant(name)
    if occupant is not None:
        msg = f"The name {name!r} is taken by the environment {occupant}."
        cure = "Choose another name, or remove that environment first."
        if (occupant / MANIFEST).is_file() and not registered(occupant):
            cure = f"To have its kernel back, run `jupyter gpu-kernels verify {occupant.name}`."
        raise NameTakenError(msg, cure=cure)
    # A kernelspec whose environment somebody else has removed is in nobody's way.
    kernelspecs.check_name_free(name, gone=places(equipment, name))


def make_free(equipment: Equipment, name: str) -> None:
    """Take away what is left of a name's earlier kernel, unless the name is taken. Blocks on the disk.

    Raises:
        NameTakenError: The message names the owner.
    """
    check_free(equipment, name)
    for prefix in places(equipment, name):
        kernelspecs.unregister(name, prefix=prefix)


def tidy(equipment: Equipment, name: str) -> None:
    """Remove what somebody who died has left half-made under a name. Blocks on the disk."""
    kernelspecs.discard_staged(name, equipment.staging)
    for generations in equipment.generations.values():
        generations.repair()
        generations.discard_unfinished(name)


def places(equipment: Equipment, name: str) -> list[Path]:
    """Where an environment of that name may be."""
    return [generations.envs_dir / name for generations in equipment.generations.values()]


def registered(prefix: Path) -> bool:
    """Whether an environment has a kernelspec. Blocks on the disk."""
    return str(prefix) in Registry()()
