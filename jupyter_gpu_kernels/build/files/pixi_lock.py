"""rattler's lock file, which is ``pixi.lock``; versions 4 to 7 of its format.

Its shape: https://pixi.sh/latest/workspace/lockfile/. What it says of each package is read by rattler itself later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from ...errors import InvalidInputError, RefusedError
from ...models import EnvironmentSpec, FileFormat, Installer
from ..conda.pins import CondaPin
from . import notes, texts
from .conda_lock import other_platforms
from .parsed import Exact, Parsed, WheelPin, conda_pin, shown, wheel_pin

#: Versions of the format that are known.
VERSIONS = ("4", "5", "6", "7")

DEFAULT = "default"

_PACKAGES = "packages"


def read(text: str, platform: str, environment: str = "") -> Parsed:
    """Read a file for a platform.

    Args:
        text: The file.
        platform: Conda's name of the platform.
        environment: The environment to take, if there is one of that name; else ``default``, or the only one.

    Raises:
        InvalidInputError: It is malformed, or has what no imported file may have.
        RefusedError: It has nothing for this platform.
    """
    data = texts.mapping(text)
    if str(data.get("version")) not in VERSIONS:
        msg = (
            f"The lock has version {shown(str(data.get('version')))} of its format; {VERSIONS[-1]} is the newest known."
        )
        raise InvalidInputError(msg, cure="Import the environment.yml of the environment, or update this package.")
    environments = _named(data.get("environments"), "environments")
    name = _chosen(environments, environment)
    # Since version 7 a platform may have a name of its own.
    subdirs = {
        str(item.get("name")): str(item.get("subdir") or item.get("name"))
        for item in data.get("platforms") or ()
        if isinstance(item, dict)
    }
    packages = _named(_named(environments[name], name).get("packages"), "packages")
    mine = next((listed for key, listed in packages.items() if subdirs.get(key, key) == platform), None)
    if not mine:
        raise other_platforms(sorted(packages), platform)
    if not isinstance(mine, list):
        raise _malformed(_PACKAGES)
    texts.counted(len(mine), "packages")
    known = {_place(entry): entry for entry in data.get("packages") or () if isinstance(entry, dict)}
    conda: list[CondaPin] = []
    wheels: list[WheelPin] = []
    for entry in mine:
        if not isinstance(entry, dict):
            raise _malformed(_PACKAGES)
        place = _place(entry)
        if "conda" in entry:
            conda.append(_conda(place, known.get(place, {}), platform))
        elif "pypi" in entry:
            wheels.append(_wheel(place, known.get(place, {})))
        else:
            raise _malformed(_PACKAGES)
    note = notes.read(text)
    plain = EnvironmentSpec(
        name="" if name == DEFAULT else name, installer=Installer.CONDA, recipe=False, companions=False
    )
    exact = Exact(conda=tuple(conda), wheels=tuple(wheels), lock=text)
    return Parsed(format=FileFormat.LOCK, spec=note.spec if note else plain, exact=exact, note=note)


def with_hashes(text: str, wheels: Sequence[Mapping[str, str]]) -> str:
    """A lock that rattler wrote, with the hashes of Python packages, which it is not given.

    Args:
        text: The lock.
        wheels: The packages, each with ``url`` and ``sha256``.
    """
    for wheel in wheels:
        if wheel["sha256"]:
            entry = re.compile(rf"^(- pypi: {re.escape(wheel['url'])}\n(?:  (?:name|version): .*\n)+)", re.MULTILINE)
            text = entry.sub(rf"\g<1>  sha256: {wheel['sha256']}\n", text)
    return text


def _chosen(environments: dict[str, Any], wished: str) -> str:
    """The environment that is taken."""
    names = list(environments)
    if wished in environments:
        return wished
    if DEFAULT in environments:
        return DEFAULT
    if len(names) == 1:
        return names[0]
    there = ", ".join(shown(name) for name in names[:8])
    msg = f"The lock has several environments, and none is called default: {there}."
    raise RefusedError(msg, cure="Give the new environment the name of the one that you want.")


def _place(entry: dict[str, Any]) -> str:
    """Where a package is; the same text stands in both lists."""
    return str(entry.get("conda") or entry.get("pypi") or entry.get("url") or "")


def _conda(place: str, entry: dict[str, Any], platform: str) -> CondaPin:
    return conda_pin(place, platform=platform, md5=str(entry.get("md5") or ""), sha256=str(entry.get("sha256") or ""))


def _wheel(place: str, entry: dict[str, Any]) -> WheelPin:
    """A Python package; it is taken from the configured index, if that has the same file."""
    if not re.match(r"https?://", place):
        msg = f"The lock takes a Python package from {shown(place)}, and not from a package index."
        raise InvalidInputError(msg, cure="Leave that package out of the lock, and install it afterwards.")
    name, version, digest = (str(entry.get(key) or "") for key in ("name", "version", "sha256"))
    file, _, fragment = place.rsplit("/", 1)[-1].partition("#")
    if not digest and fragment.startswith("sha256="):
        digest = fragment.removeprefix("sha256=")
    if not (name and version):
        try:
            name, version = map(str, parse_wheel_filename(file)[:2])
        except InvalidWheelFilename:
            msg = f"The lock does not say which version of a package {shown(place)} is."
            raise InvalidInputError(msg, cure="Have the lock made again.") from None
    return wheel_pin(name, version, (f"sha256:{digest}",) if digest else ())


def _named(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise _malformed(what)
    return value


def _malformed(what: str) -> InvalidInputError:
    return InvalidInputError(f"What the lock says under {shown(what)} is malformed.", cure="Have the lock made again.")
