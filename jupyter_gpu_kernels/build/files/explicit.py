"""conda's ``@EXPLICIT`` list: the address of each package with its hash, for one platform.

Python packages stand in comments, which conda leaves out, as other tools write them: ``# pip NAME @ URL --hash=…``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from ...errors import InvalidInputError, RefusedError
from ...models import EnvironmentSpec, FileFormat, Installer
from ..conda.pins import CondaPin
from . import notes, texts
from .parsed import Exact, Parsed, WheelPin, conda_pin, shown, wheel_pin

MARK = "@EXPLICIT"

_WHEEL = re.compile(r"# pip (?P<name>[^\s@=]+)\s*(?:@\s*(?P<url>\S+)|==\s*(?P<version>\S+))(?P<rest>.*)")
_HASHES = re.compile(r"--hash=(\S+)|#(sha256)[=:]([0-9A-Fa-f]+)")


def write(
    *, platform: str, conda: Sequence[CondaPin], wheels: Sequence[WheelPin], head: str = "", note: notes.Note
) -> str:
    """The text of a file.

    Args:
        platform: Conda's name of the platform.
        conda: The conda packages, in the order in which they can be linked.
        wheels: The Python packages.
        head: What is said before, in comments.
        note: What was asked for, which goes along.
    """
    lines = [f"# platform: {platform}", notes.line(note), MARK]
    # MD5 where there is one: every conda takes it. Whether a package is genuine is seen from the channel's SHA-256.
    lines += [f"{pin.url}#{pin.md5 or f'sha256:{pin.sha256}'}" if pin.md5 or pin.sha256 else pin.url for pin in conda]
    lines += [f"# pip {pin.line}" for pin in wheels]
    return head + "".join(f"{line}\n" for line in lines)


def read(text: str, platform: str) -> Parsed:
    """Read a file.

    Raises:
        InvalidInputError: It is malformed, or has what no imported file may have.
        RefusedError: It is for another platform.
    """
    conda: dict[str, CondaPin] = {}
    wheels: dict[str, WheelPin] = {}
    for raw in text.split("\n"):
        line = raw.strip()
        if match := re.fullmatch(r"#\s*platform:\s*(\S+)", line):
            if match[1] != platform:
                msg = f"The file is for {shown(match[1])}, and this machine is {platform}."
                raise RefusedError(
                    msg, cure="Import the environment.yml of that environment: it is solved for this one."
                )
        elif match := _WHEEL.fullmatch(line):
            wheel = _wheel(match)
            wheels[wheel.name] = wheel
        elif line and not line.startswith("#") and line != MARK:
            url, _, fragment = line.partition("#")
            kind, _, value = fragment.rpartition(":")
            kind = kind or ("sha256" if len(value) == 64 else "md5")
            if kind not in ("md5", "sha256"):
                msg = f"The file gives {shown(url)} a hash of a kind that conda does not have."
                raise InvalidInputError(msg, cure="Have the file made again.")
            pin = conda_pin(url, platform=platform, md5=value * (kind == "md5"), sha256=value * (kind == "sha256"))
            conda[pin.parts[0]] = pin
        texts.counted(len(conda) + len(wheels), "packages")
    note = notes.read(text)
    exact = Exact(conda=tuple(conda.values()), wheels=tuple(wheels.values()))
    plain = EnvironmentSpec(name="", installer=Installer.CONDA, recipe=False, companions=False)
    return Parsed(format=FileFormat.EXPLICIT, spec=note.spec if note else plain, exact=exact, note=note)


def _wheel(match: re.Match[str]) -> WheelPin:
    """A Python package of a comment; its address only tells its version."""
    version = match["version"]
    if not version:
        file = unquote(urlsplit(match["url"]).path).rsplit("/", 1)[-1]
        try:
            version = str(parse_wheel_filename(file)[1])
        except InvalidWheelFilename:
            msg = f"The file names {shown(match['url'])}, which is no wheel of the package index."
            raise InvalidInputError(msg, cure="Leave that package out, and add it with pip afterwards.") from None
    given = f"{match['url'] or ''} {match['rest']}"
    hashes = tuple(whole or f"{kind}:{value}" for whole, kind, value in _HASHES.findall(given))
    return wheel_pin(match["name"], version, hashes)
