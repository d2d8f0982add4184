"""What a pack says of itself; it is the first thing in it."""

from __future__ import annotations

import dataclasses
import json
import re

from ...errors import GpuKernelsError, InvalidInputError
from ...models import EnvironmentKind, KernelRecipe, from_json, to_json

#: Names of the members that are no packages, in order.
LABEL, LOCK = "gpu-kernel.json", "pixi.lock"

#: Where the packages are: each conda package below its platform.
CONDA, WHEELS = "conda", "wheels"

#: What packs are called. They are not compressed: packages are.
SUFFIX = ".gpu-kernel.tar"

#: Version of all this; readers refuse a newer one.
SCHEMA_VERSION = 1

#: Bytes of a label, and of a lock, above which it is none.
LIMIT = 32 * 1024 * 1024

_FILE = re.compile(r"(conda/[a-z0-9_-]+|wheels)/[A-Za-z0-9_][A-Za-z0-9_.+!%=~-]*\.(conda|tar\.bz2|whl)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedFile:
    """A package in a pack.

    Attributes:
        path: Name of the member.
        size: Bytes.
        sha256: SHA-256 in hexadecimal.
    """

    path: str
    size: int
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Label:
    """What a pack says of itself.

    Attributes:
        schema_version: Version of this shape.
        platform: Conda's name of the platform that its packages are for.
        kind: What is made of it.
        python: Exact version of its Python.
        recipe: What was asked for, for whoever wants to solve it anew.
        specs: What counts as asked for among the conda packages.
        requirements: The same of the wheels.
        files: Its packages.
        warnings: What of the environment is not in it, one sentence each.
    """

    schema_version: int = SCHEMA_VERSION
    platform: str
    kind: EnvironmentKind
    python: str
    recipe: KernelRecipe
    specs: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    files: tuple[PackedFile, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all packages."""
        return sum(file.size for file in self.files)

    def below(self, directory: str) -> tuple[PackedFile, ...]:
        """The files in a directory of the pack."""
        return tuple(file for file in self.files if file.path.startswith(f"{directory}/"))


def write_label(label: Label) -> bytes:
    """The label as it is in a pack."""
    return json.dumps(to_json(label), indent=2, ensure_ascii=False).encode()


def read_label(data: bytes) -> Label:
    """Read the label of a pack.

    Raises:
        InvalidInputError: It is malformed, of a newer version, or names files as no pack has them.
    """
    try:
        raw = json.loads(data)
        version = raw["schema_version"]
        if isinstance(version, int) and version > SCHEMA_VERSION:
            msg = "The pack was made by a newer version of jupyter-gpu-kernels."
            raise InvalidInputError(msg, cure="Update jupyter-gpu-kernels on this machine.")
        label = from_json(Label, raw, strict=True)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise malformed(str(error)) from error
    except GpuKernelsError as error:
        if "newer version" in error.message:
            raise
        raise malformed(error.message) from error
    paths = [file.path for file in label.files]
    good = all(_FILE.fullmatch(file.path) and file.size > 0 and _hash(file.sha256) for file in label.files)
    if not paths or not good or len(set(paths)) != len(paths):
        raise malformed(detail="files")
    return label


def malformed(detail: str = "") -> InvalidInputError:
    """What is said of a file that is no pack, or no good one."""
    msg = "The file is no pack of a kernel, or it is damaged."
    return InvalidInputError(msg, cure="Have it copied or made again.", detail=detail[:2000])


def _hash(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None
