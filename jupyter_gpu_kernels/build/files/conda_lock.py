"""conda-lock's unified lock file (``conda-lock.yml``, version 1); read only.

Its shape: https://github.com/conda/conda-lock/blob/main/conda_lock/lockfile/v1/models.py.
"""

from __future__ import annotations

from typing import Any

from ...errors import InvalidInputError, RefusedError
from ...models import EnvironmentSpec, FileFormat, Installer
from ..conda.pins import CondaPin
from . import texts
from .parsed import Exact, Parsed, WheelPin, conda_pin, shown, wheel_pin

#: Categories of packages that are installed; the others are extras that somebody must ask for.
_TAKEN = ("main", "dev")


def read(text: str, platform: str) -> Parsed:
    """Read a file for a platform.

    Raises:
        InvalidInputError: It is malformed, or has what no imported file may have.
        RefusedError: It has nothing for this platform.
    """
    data = texts.mapping(text)
    if str(data.get("version")) != "1":
        msg = f"The lock has version {shown(str(data.get('version')))} of its format, and 1 can be read."
        raise InvalidInputError(msg, cure="Import the environment.yml that it was made from.")
    entries = data.get("package")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        msg = "The lock does not list its packages."
        raise InvalidInputError(msg, cure="Have it made again.")
    platforms = sorted({str(entry.get("platform")) for entry in entries})
    mine = [entry for entry in entries if entry.get("platform") == platform]
    if not mine:
        raise other_platforms(platforms, platform)
    taken = [entry for entry in mine if entry.get("category", "main") in _TAKEN and entry.get("optional") is not True]
    texts.counted(len(taken), "packages")
    conda = [_conda(entry, platform) for entry in taken if entry.get("manager") == "conda"]
    wheels = [_wheel(entry) for entry in taken if entry.get("manager") == "pip"]
    if len(conda) + len(wheels) < len(taken):
        msg = "The lock has packages that are neither conda's nor pip's."
        raise InvalidInputError(msg, cure="Import the environment.yml that it was made from.")
    left = len(mine) - len(taken)
    warnings = (f"{left} packages of the lock's extra categories are left out.",) if left else ()
    spec = EnvironmentSpec(name="", installer=Installer.CONDA, recipe=False, companions=False)
    exact = Exact(conda=tuple(conda), wheels=tuple(wheels))
    return Parsed(format=FileFormat.CONDA_LOCK, spec=spec, exact=exact, warnings=warnings)


def other_platforms(platforms: list[str], platform: str) -> RefusedError:
    """The refusal of a lock that has nothing for this platform."""
    there = ", ".join(shown(item).strip("'") for item in platforms[:8]) or "none"
    msg = f"The lock has no packages for this platform ({platform}), but for: {there}."
    return RefusedError(msg, cure="Import the environment.yml that it was made from: it is solved for this machine.")


def _conda(entry: dict[str, Any], platform: str) -> CondaPin:
    hashes = _hashes(entry)
    return conda_pin(
        str(entry.get("url") or ""), platform=platform, md5=hashes.get("md5", ""), sha256=hashes.get("sha256", "")
    )


def _wheel(entry: dict[str, Any]) -> WheelPin:
    hashes = _hashes(entry)
    if "git+" in str(entry.get("url") or "") or (entry.get("source") and not hashes):
        msg = f"The lock takes {shown(str(entry.get('name')))} from a place of its own, and not from a package index."
        raise InvalidInputError(msg, cure="Leave that package out of the lock.")
    found = (f"sha256:{hashes['sha256']}",) if "sha256" in hashes else ()
    return wheel_pin(str(entry.get("name") or ""), str(entry.get("version") or ""), found)


def _hashes(entry: dict[str, Any]) -> dict[str, str]:
    hashes = entry.get("hash")
    return {str(kind): str(value) for kind, value in hashes.items() if value} if isinstance(hashes, dict) else {}
