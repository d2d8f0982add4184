"""From an environment, as it is now, to a text of one of the formats."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import GpuKernelsError, InvalidInputError, RefusedError
from ...models import EnvironmentKind, EnvironmentSpec, ExportedFile, FileFormat, Installer, KernelRecipe, Manifest
from ..conda import neighbour
from ..conda.pins import CondaPin
from ..contents.installed import Contents, contents
from ..contents.pins import read_pins
from ..equipment import Equipment
from ..planning import extras, filling
from ..planning.choices import find
from ..planning.preference import FROM_NOTHING
from ..planning.targets import platform_name, target
from ..recipes.taking import recipe_of
from ..tools.redaction import uncover
from . import environment_yml, explicit, notes, pixi_lock, recipe_json, requirements_txt
from .parsed import WheelPin, wheel_pin

#: Platforms that conda has packages for, as far as frameworks of the catalogue do.
PLATFORMS = ("linux-64", "linux-aarch64", "linux-ppc64le", "osx-64", "osx-arm64", "win-64", "win-arm64")

#: What the file of each format is called, after the environment's name.
_NAMES = {
    FileFormat.ENVIRONMENT_YML: ".yml",
    FileFormat.EXACT_YML: "-exact.yml",
    FileFormat.EXPLICIT: "-explicit.txt",
    FileFormat.LOCK: "-pixi.lock",
    FileFormat.REQUIREMENTS: "-requirements.txt",
    FileFormat.RECIPE: "-recipe.json",
}

#: What only conda environments can be written to, and only virtual ones.
_OF_CONDA = (FileFormat.EXPLICIT, FileFormat.LOCK)
_OF_PYPI = (FileFormat.REQUIREMENTS,)


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """What is exported."""

    manifest: Manifest
    contents: Contents
    recipe: KernelRecipe
    platform: str
    asked: tuple[str, ...]
    conda: tuple[CondaPin, ...]
    wheels: tuple[WheelPin, ...]
    warnings: tuple[str, ...]

    @property
    def virtual(self) -> bool:
        """Whether it is a virtual environment."""
        return self.manifest.kind is EnvironmentKind.VIRTUALENV

    @property
    def head(self) -> str:
        """What a file says first."""
        return f"# The environment {self.manifest.name} of {self.platform}, written by jupyter-gpu-kernels.\n"

    @property
    def note(self) -> notes.Note:
        """What was asked for, for our own exact files."""
        return notes.Note(spec=self.recipe.spec, asked=self.asked)


class Exporter:
    """Writes environments.

    Args:
        equipment: What environments are made with.
    """

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment

    async def export(self, manifest: Manifest, kind: FileFormat, platforms: Sequence[str] = ()) -> ExportedFile:
        """Write an environment.

        Args:
            manifest: The environment's.
            kind: The format.
            platforms: Further platforms that a lock shall be for; they are solved now.

        Raises:
            InvalidInputError: There is no such platform, or the format has none.
            RefusedError: Such an environment cannot be written so.
            BrokenEnvironmentError: It is damaged.
            ChannelError: A lock needs an answer that does not come.
        """
        _check(manifest, kind, platforms)
        subject = await asyncio.to_thread(_subject, manifest)
        text, more = await self._text(subject, kind, platforms)
        return ExportedFile(
            file_name=f"{manifest.name}{_NAMES[kind]}",
            format=kind,
            text=text,
            warnings=tuple(dict.fromkeys((*subject.warnings, *more))),
        )

    async def _text(self, subject: _Subject, kind: FileFormat, platforms: Sequence[str]) -> tuple[str, Sequence[str]]:
        manifest = subject.manifest
        if kind is FileFormat.RECIPE:
            return recipe_json.write(subject.recipe), ()
        if kind is FileFormat.REQUIREMENTS:
            pins, warnings = _hashed(subject.wheels)
            text = requirements_txt.write(
                python=manifest.plan.python, wheels=pins, head=subject.head, note=subject.note
            )
            return text, warnings
        if kind is FileFormat.EXPLICIT:
            return explicit.write(
                platform=subject.platform,
                conda=subject.conda,
                wheels=subject.wheels,
                head=subject.head,
                note=subject.note,
            ), ()
        if kind is FileFormat.LOCK:
            return await self._lock(subject, platforms)
        exact = kind is FileFormat.EXACT_YML
        packages, pip = _exactly(subject) if exact else await self._asked(subject)
        channels = () if subject.virtual else await self._channels(subject)
        head = subject.head
        if subject.virtual:
            # To conda it is one of its own; here it becomes what it was.
            head += f"{notes.line(notes.Note(spec=EnvironmentSpec(name=manifest.name, installer=Installer.PYPI)))}\n"
        text = environment_yml.write(name=manifest.name, channels=channels, packages=packages, pip=pip, head=head)
        local = [channel for channel in channels if channel.startswith("file:")]
        return text, [f"The channel {channel} is a directory of this machine." for channel in local]

    async def _channels(self, subject: _Subject) -> tuple[str, ...]:
        """The channels by the names that they are configured with."""
        try:
            channels = (await self._equipment.planner.channel_settings(subject.manifest.spec)).channels
        except RefusedError:
            # It was allowed when the environment was made.
            channels = subject.manifest.plan.channels
        return tuple(dict.fromkeys(uncover(channel).rstrip("/") for channel in channels))

    async def _asked(self, subject: _Subject) -> tuple[Sequence[str], Sequence[str]]:
        """What was asked for, of conda and of pip."""
        spec = subject.recipe.spec
        planner = self._equipment.planner
        framework = extras.supplemented(planner.catalogue.get(spec.framework), spec)
        if not subject.virtual:
            return subject.asked, extras.on_top(framework, spec)
        python = ".".join(subject.manifest.plan.python.split(".")[:2])
        plan = subject.manifest.plan
        aim = target(spec, await asyncio.to_thread(self._equipment.hardware))
        wish = dataclasses.replace(spec, version=plan.framework_version, python=python)
        recipes = [item for item in framework.recipes if item.installer is Installer.PYPI]
        recipes = [item for item in recipes if item.variant is plan.variant] or recipes
        if not spec.recipe or not recipes:
            return [f"python={python}", "pip"], [*spec.packages, *spec.pip, "ipykernel"]
        found = find(framework, wish, plan.variant, Installer.PYPI, aim)
        recipe = next((item for item in recipes if item == found), recipes[0])
        request = filling.wheels_request(framework, recipe, spec, aim, FROM_NOTHING)
        return [f"python={python}", "pip"], request.requirements

    async def _lock(self, subject: _Subject, platforms: Sequence[str]) -> tuple[str, Sequence[str]]:
        """A lock, with what other platforms would get."""
        wheels, warnings = await self._located(subject)
        records = [str(record.path) for record in subject.contents.records if record.url]
        entries = [{"platform": subject.platform, "records": records, "wheels": wheels}]
        for platform in dict.fromkeys(platforms):
            if platform == subject.platform:
                continue
            wish = dataclasses.replace(subject.recipe.spec, installer=Installer.CONDA, pip=(), extras=())
            try:
                planned = await self._equipment.planner.elsewhere(platform).plan(wish)
            except GpuKernelsError as error:
                warnings.append(f"Nothing is locked for {platform}: {error.message}")
                continue
            if planned.plan.refusal is not None or planned.conda is None:
                why = planned.plan.refusal.reason if planned.plan.refusal else "conda has no such build."
                warnings.append(f"Nothing is locked for {platform}: {why}")
                continue
            entries.append({"platform": platform, "payload": planned.conda.payload})
            if subject.wheels:
                warnings.append(f"The packages of pip are locked for {subject.platform} alone.")
        text = await self._equipment.conda.lock(entries)
        return subject.head + notes.line(subject.note) + "\n" + pixi_lock.with_hashes(text, wheels), warnings

    async def _located(self, subject: _Subject) -> tuple[list[dict[str, str]], list[str]]:
        """Where the wheels are; the index is asked, since an environment does not know."""
        if not subject.wheels:
            return [], []
        lines = [pin.line for pin in subject.wheels]
        solution = await self._equipment.wheels.solve_exactly(lines, python=subject.manifest.plan.python, on_top=True)
        found, warnings = [], []
        for package in solution.packages:
            url, _, digest = solution.files.get(package.name, "").partition("#sha256=")
            if url.startswith(("http://", "https://")):
                found.append({"name": package.name, "version": package.version, "url": url, "sha256": digest})
            else:
                warnings.append(f"{package.name} comes from a directory of this machine and is left out.")
        return found, warnings


def _check(manifest: Manifest, kind: FileFormat, platforms: Sequence[str]) -> None:
    """Refuse what cannot be written."""
    if kind in (FileFormat.CONDA_LOCK, FileFormat.PACK):
        msg = f"A {kind.value} is not written here."
        cure = "Export a pixi.lock instead." if kind is FileFormat.CONDA_LOCK else "Use the command pack."
        raise InvalidInputError(msg, cure=cure)
    virtual = manifest.kind is EnvironmentKind.VIRTUALENV
    if virtual and kind in _OF_CONDA:
        msg = f"{manifest.name} is a virtual environment, and {kind.value} is of conda packages."
        raise RefusedError(msg, cure="Export its requirements.txt, which has exact versions and hashes.")
    if not virtual and kind in _OF_PYPI:
        msg = f"{manifest.name} is a conda environment, and {kind.value} would lack its conda packages."
        raise RefusedError(msg, cure="Export its environment.yml, or an exact format: explicit.txt or pixi.lock.")
    if platforms and kind is not FileFormat.LOCK:
        msg = f"Only a {FileFormat.LOCK.value} is for several platforms."
        raise InvalidInputError(msg, cure="Leave out the platforms, or choose that format.")
    if strange := next((item for item in platforms if item not in PLATFORMS), None):
        msg = f"{strange[:50]!r} is no platform."
        raise InvalidInputError(msg, cure=f"Choose of: {', '.join(PLATFORMS)}.")


def _subject(manifest: Manifest) -> _Subject:
    """Look into an environment. Blocks on the disk."""
    found = contents(manifest)
    platform = platform_name()
    recipe = recipe_of(manifest, found, platform)
    warnings = []
    conda = []
    for record in found.records:
        if re.match(r"https?://", record.url):
            conda.append(CondaPin(url=record.url, md5=record.md5, sha256=record.sha256))
        else:
            warnings.append(f"{record.name} comes from a directory of this machine and is left out of exact files.")
    hashes = {line.partition("==")[0].strip(): line for line in read_pins(Path(manifest.prefix)).lines}
    wheels = []
    for item in found.distributions:
        if item.origin or item.editable:
            warnings.append(f"{item.name} was installed from {item.origin or 'a directory'} and is left out.")
            continue
        version, *digests = hashes.get(item.name, "").partition("==")[2].split(" --hash=")
        known = tuple(digests) if version.strip() == item.version else ()
        wheels.append(wheel_pin(item.name, item.version, known))
    return _Subject(
        manifest=manifest,
        contents=found,
        recipe=recipe,
        platform=platform,
        asked=_specs(manifest, found),
        conda=tuple(conda),
        wheels=tuple(wheels),
        warnings=tuple(warnings),
    )


def _specs(manifest: Manifest, found: Contents) -> tuple[str, ...]:
    """The match specs that a conda environment was asked to hold, by us and from outside. Blocks on the disk."""
    if manifest.kind is EnvironmentKind.VIRTUALENV:
        return ()
    if asked := neighbour.asked_specs(Path(manifest.prefix)):
        return asked
    # Without a history, what nobody else needs is about what was asked for.
    needed = {spec.split(maxsplit=1)[0].lower() for record in found.records for spec in record.depends if spec.strip()}
    return tuple(record.name for record in found.records if record.name not in needed)


def _exactly(subject: _Subject) -> tuple[Sequence[str], Sequence[str]]:
    """Every package in its version, of conda and of pip."""
    pip = [f"{pin.name}=={pin.version}" for pin in subject.wheels]
    if subject.virtual:
        return [f"python={subject.manifest.plan.python}", "pip"], pip
    return [f"{item.name}={item.version}={item.build}" for item in subject.contents.records], pip


def _hashed(wheels: Sequence[WheelPin]) -> tuple[Sequence[WheelPin], Sequence[str]]:
    """Wheels with hashes, or all without: pip wants them for all or for none."""
    bare = [pin.name for pin in wheels if not pin.hashes]
    if not bare:
        return wheels, ()
    warning = f"No hashes are given, since none is known of {', '.join(bare[:5])}{', …' if len(bare) > 5 else ''}."
    return [dataclasses.replace(pin, hashes=()) for pin in wheels], (warning,)
