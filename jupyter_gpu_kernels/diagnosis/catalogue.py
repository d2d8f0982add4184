"""All checks, in the order in which they are listed. A check is in this table, or is not made."""

from __future__ import annotations

from .check import Check

#: Of the machine.
MACHINE: tuple[Check, ...] = ()

#: Of each environment.
ENVIRONMENTS: tuple[Check, ...] = ()

#: Of kernelspecs, wherever they come from.
KERNELSPECS: tuple[Check, ...] = ()

#: Of the network and the disk.
SUPPLIES: tuple[Check, ...] = ()

CHECKS: tuple[Check, ...] = (*MACHINE, *ENVIRONMENTS, *KERNELSPECS, *SUPPLIES)
