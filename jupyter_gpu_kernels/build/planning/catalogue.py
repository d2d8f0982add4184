"""The catalogue: what can be installed, one TOML file each.

The files in ``frameworks/`` beside this module are data only. A lab adds its own, or replaces a bundled one by giving
the same ``id``, in ``gpu-kernels/frameworks/`` of the Jupyter config path. A file that is wrong is left out and told of
in :attr:`Catalogue.warnings`; it takes no other file down. Fields: :class:`~jupyter_gpu_kernels.models.Framework`.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Formatter
from typing import Any

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ...errors import InvalidInputError, UnknownFrameworkError
from ...models import Extra, Framework, Installer, Recipe, Variant
from ...models.serialization import convert
from . import validation

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BUNDLED = Path(__file__).parent / "frameworks"

_ID = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_RANGES = ("versions", "python", "cuda", "capability")
_PLACEHOLDERS = {"packages": {"version"}, "cuda_package": {"cuda"}, "torch_backend": {"cuda"}}


class FrameworkFileError(ValueError):
    """A framework's file is wrong; the text names the key."""


class Catalogue:
    """The frameworks that can be installed.

    Attributes:
        warnings: One sentence for each file that was left out.
    """

    def __init__(self, frameworks: Sequence[Framework], warnings: Sequence[str] = ()) -> None:
        self._frameworks = {framework.id: framework for framework in frameworks}
        self.warnings = tuple(warnings)

    @classmethod
    def load(cls, extra_dirs: Sequence[Path] = ()) -> Catalogue:
        """Read the bundled frameworks, then a lab's.

        Args:
            extra_dirs: More directories of TOML files, the most important first, as in Jupyter's own paths.
        """
        frameworks: list[Framework] = []
        warnings: list[str] = []
        # What is added later replaces what has the same id.
        for directory in (BUNDLED, *reversed(extra_dirs)):
            try:
                # A glob keeps errors to itself since Python 3.13.
                files = sorted(path for path in directory.iterdir() if path.suffix == ".toml")
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                warnings.append(f"The framework files in {directory} are left out: {error}")
                continue
            for file in files:
                try:
                    frameworks.append(read_framework(file))
                except (OSError, FrameworkFileError) as error:
                    warnings.append(f"The framework file {file} is left out: {error}")
        return cls(frameworks, warnings)

    def get(self, framework_id: str) -> Framework:
        """The framework of an id.

        Raises:
            UnknownFrameworkError: There is none.
        """
        try:
            return self._frameworks[framework_id]
        except KeyError:
            msg = f"There is no framework {framework_id!r}."
            raise UnknownFrameworkError(msg, cure=f"Choose one of: {', '.join(self._frameworks)}.") from None

    def has(self, framework_id: str) -> bool:
        """Whether there is an entry of that id."""
        return framework_id in self._frameworks

    def __iter__(self) -> Iterator[Framework]:
        """The frameworks: the living in order of title, then the legacy ones, plain Python last."""
        return iter(
            sorted(
                self._frameworks.values(), key=lambda item: (not item.package, bool(item.legacy), item.title.lower())
            )
        )

    def __len__(self) -> int:
        return len(self._frameworks)


def read_framework(file: Path) -> Framework:
    """Read and check one file.

    Raises:
        OSError: It cannot be read.
        FrameworkFileError: It is no TOML, or does not describe a framework.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        msg = "it is not UTF-8 text."
        raise FrameworkFileError(msg) from error
    except tomllib.TOMLDecodeError as error:
        msg = f"it is not valid TOML: {error}."
        raise FrameworkFileError(msg) from error
    _refuse_unknown_keys(Framework, data, "")
    try:
        framework = convert(Framework, data)
    except msgspec.ValidationError as error:
        msg = f"{_plain(str(error))}."
        raise FrameworkFileError(msg) from error
    _check(framework)
    bundled = file.parent == BUNDLED
    return dataclasses.replace(framework, source="" if bundled else str(file))


def _plain(message: str) -> str:
    """Turn msgspec's path (``- at `$.recipes[0].variant```) into a key that stands in the file."""
    text, _, path = message.partition(" - at `$")
    text = text.replace("Object missing required field", "a required key is missing:").replace("`", "'")
    return f"key '{path.strip('`.')}': {text}" if path else text


def _refuse_unknown_keys(model: Any, data: object, path: str) -> None:
    """Find a key that the model does not have; msgspec lets them pass in dataclasses."""
    if not isinstance(data, dict):
        return
    hints = typing.get_type_hints(model)
    for key, value in data.items():
        if key not in hints or key == "source":
            msg = f"there is no key '{path}{key}'; known are {', '.join(name for name in hints if name != 'source')}."
            raise FrameworkFileError(msg)
        # The dataclass inside tuple[Recipe, ...] or Guard | None, if there is one.
        inner = [part for part in (hints[key], *typing.get_args(hints[key])) if dataclasses.is_dataclass(part)]
        if inner and isinstance(value, list):
            for index, item in enumerate(value):
                _refuse_unknown_keys(inner[0], item, f"{path}{key}[{index}].")
        elif inner:
            _refuse_unknown_keys(inner[0], value, f"{path}{key}.")


def _check(framework: Framework) -> None:
    """Check what types cannot say."""
    if not _ID.fullmatch(framework.id):
        msg = f"key 'id': {framework.id!r} is not a short lower-case word."
        raise FrameworkFileError(msg)
    if framework.nickname and not _ID.fullmatch(framework.nickname):
        msg = f"key 'nickname': {framework.nickname!r} is not a short lower-case word."
        raise FrameworkFileError(msg)
    if not framework.recipes:
        msg = "key 'recipes': there must be at least one."
        raise FrameworkFileError(msg)
    for index, link in enumerate(framework.links):
        if not link.url.startswith(("https://", "http://")):
            msg = f"key 'links[{index}].url': {link.url!r} is not a web address."
            raise FrameworkFileError(msg)
    try:
        compile(framework.verification, "<verification>", "exec")
    except (SyntaxError, ValueError) as error:
        msg = f"key 'verification': it is not Python: {error}."
        raise FrameworkFileError(msg) from error
    for index, recipe in enumerate(framework.recipes):
        _check_recipe(recipe, f"recipes[{index}]")
    for index, extra in enumerate(framework.extras):
        _check_extra(extra, f"extras[{index}]")
    ids = [extra.id for extra in framework.extras]
    if len(set(ids)) < len(ids):
        msg = "key 'extras': two of them have the same id."
        raise FrameworkFileError(msg)


def _check_extra(extra: Extra, path: str) -> None:
    """Check one extra; the path is for the sentence."""
    if not _ID.fullmatch(extra.id):
        msg = f"key '{path}.id': {extra.id!r} is not a short lower-case word."
        raise FrameworkFileError(msg)
    try:
        SpecifierSet(extra.python)
        validation.check_packages(extra.packages, Installer.CONDA)
        validation.check_packages((*extra.pip, *extra.wheels), Installer.PYPI)
        compile(extra.verification, "<verification>", "exec")
    except InvalidSpecifier as error:
        msg = f"key '{path}.python': {extra.python!r} is not a range such as '>=3.10,<3.14'."
        raise FrameworkFileError(msg) from error
    except InvalidInputError as error:
        msg = f"key '{path}': {error.message}"
        raise FrameworkFileError(msg) from error
    except (SyntaxError, ValueError) as error:
        msg = f"key '{path}.verification': it is not Python: {error}."
        raise FrameworkFileError(msg) from error


def _check_recipe(recipe: Recipe, path: str) -> None:
    """Check one recipe; the path is for the sentence."""
    if recipe.variant is Variant.AUTO or recipe.installer is Installer.AUTO:
        msg = f"key '{path}': a recipe is for one variant and one installer, not for 'auto'."
        raise FrameworkFileError(msg)
    for key in _RANGES:
        try:
            SpecifierSet(getattr(recipe, key))
        except InvalidSpecifier as error:
            msg = f"key '{path}.{key}': {getattr(recipe, key)!r} is not a range such as '>=3.10,<3.14'."
            raise FrameworkFileError(msg) from error
    for key, allowed in _PLACEHOLDERS.items():
        value = getattr(recipe, key)
        for text in (value,) if isinstance(value, str) else value:
            _check_placeholders(text, allowed, f"{path}.{key}")
    # Conda writes "any version" as a star, requirements as nothing.
    free = "*" if recipe.installer is Installer.CONDA else ""
    trial = tuple(text.replace("{version}", free) for text in recipe.packages)
    try:
        validation.check_packages(trial, recipe.installer)
        validation.check_channels(recipe.channels)
    except InvalidInputError as error:
        msg = f"key '{path}': {error.message}"
        raise FrameworkFileError(msg) from error


def _check_placeholders(text: str, allowed: set[str], path: str) -> None:
    """Refuse ``{…}`` that nothing would fill."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        msg = f"key '{path}': {text!r}: {error}."
        raise FrameworkFileError(msg) from error
    if names - allowed:
        msg = f"key '{path}': {text!r} has a placeholder other than {', '.join(sorted(allowed))}."
        raise FrameworkFileError(msg)
