"""Builds of packs: with the archives that are in them, and no network."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from ...errors import RefusedError, SolveError
from ...models import EnvironmentKind, EnvironmentSpec, Installer, Manifest, PlannedPackage, Stage
from .. import naming
from ..conda.pins import CondaPin
from ..conda.settings import CondaRequest, CondaSolution
from ..disk.generations import Generation
from ..equipment import Equipment
from ..files import pixi_lock
from ..planning import telling
from ..planning.planner import Planned
from ..planning.targets import platform_name
from ..recipes.taking import portable
from ..reporting import BuildReporter, Reporter
from ..wheels.answering import EXPANSION
from ..wheels.settings import WheelsSolution
from . import stopping
from .label import CONDA, WHEELS, Label, malformed
from .tape import open_pack, unpack

#: Where the archives lie in a generation while it is filled; whatever removes the generation removes them.
_ARCHIVES = ".pack"

#: What is said of where wheels come from.
SOURCE = "the pack"


class Opener:
    """Plans and builds what packs hold.

    Args:
        equipment: What it is done with.
    """

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment

    async def spec(self, file: Path) -> EnvironmentSpec:
        """What a pack counts as asked for, with the name of the environment that was packed.

        Raises:
            NotFoundError: There is no such file.
            InvalidInputError: It is no pack, or a damaged one.
            RefusedError: It is for another platform.
        """
        label, _ = await asyncio.to_thread(_read, file)
        installer = Installer.CONDA if label.kind is EnvironmentKind.CONDA else Installer.PYPI
        # Whoever made the pack has no say in what only concerns this machine.
        spec = replace(portable(label.recipe.spec), name=label.recipe.name, installer=installer)
        catalogue = self._equipment.planner.catalogue
        if not catalogue.has(spec.framework):
            # Another lab's framework: what its packages are is told like that of anybody's.
            names = [file.path.rsplit("/", 1)[-1].rsplit("-", 2)[0] for file in label.below(CONDA)]
            names += [file.path.rsplit("/", 1)[-1].split("-")[0] for file in label.below(WHEELS)]
            spec = replace(spec, framework=telling.framework_of(catalogue, names), extras=(), recipe=False)
        return spec

    async def plan(self, file: Path, spec: EnvironmentSpec) -> Planned:
        """What would be built of a pack; nothing is unpacked, and nothing asked of the network.

        Args:
            file: The pack.
            spec: From :meth:`spec`, perhaps by another name.

        Raises:
            NotFoundError: There is no such file.
            InvalidInputError: It is no pack, or a damaged one.
            RefusedError: It is for another platform, needs another Python, or comes from channels that may not be used.
        """
        label, lock = await asyncio.to_thread(_read, file)
        conda = await self._conda(label, lock, spec)
        wheels = await self._wheels(label, conda)
        planned = await self._equipment.planner.plan_given(spec, conda=conda, wheels=wheels)
        warnings = (*planned.plan.warnings, *label.warnings)
        return replace(planned, plan=replace(planned.plan, warnings=warnings))

    async def build(self, file: Path, spec: EnvironmentSpec, *, reporter: BuildReporter) -> Manifest:
        """Build, verify and register what a pack holds.

        Args:
            file: The pack.
            spec: From :meth:`spec`, perhaps by another name.
            reporter: Hears the stages and their progress, in bytes.

        Raises:
            GpuKernelsError: Any of the tree; then nothing but cached packages is left.
            asyncio.CancelledError: Cancelled; likewise.
        """
        planned: Planned | None = None

        async def planning() -> Planned:
            nonlocal planned
            planned = await self.plan(file, spec)
            return planned

        async def fill(generation: Generation, reporter: Reporter) -> None:
            assert planned is not None  # the build plans before it fills
            directory = generation.path / _ARCHIVES
            await _unpacked(file, directory, sum(item.size for item in planned.plan.packages), reporter)
            conda = planned.conda and replace(planned.conda, archives=str(directory / CONDA))
            wheels = planned.wheels and replace(planned.wheels, directory=str(directory / WHEELS))
            await self._equipment.construction.install(
                replace(planned, conda=conda, wheels=wheels), generation, reporter
            )
            await asyncio.to_thread(shutil.rmtree, directory)

        async with self._equipment.writing(spec.name, "import"):
            await asyncio.to_thread(naming.make_free, self._equipment, spec.name)
            return await self._equipment.construction.build(planning, reporter, fill=fill)

    async def _conda(self, label: Label, lock: str, spec: EnvironmentSpec) -> CondaSolution | None:
        """The conda packages, each with its archive."""
        if label.kind is not EnvironmentKind.CONDA:
            return None
        exact = (await asyncio.to_thread(pixi_lock.read, lock, label.platform)).exact
        pins = exact.conda if exact else ()
        packed = {file.path: file.sha256 for file in label.below(CONDA)}
        if {_place(pin) for pin in pins} != set(packed):
            raise malformed(detail="the lock has other packages")
        if any(pin.sha256 and pin.sha256 != packed[_place(pin)] for pin in pins):
            raise malformed(detail="the lock has other hashes")
        planner, places = self._equipment.planner, tuple(dict.fromkeys(pin.channel for pin in pins))
        # Refuses those that an administrator does not allow: for these packages, and for later ones.
        await planner.channel_settings(replace(spec, channels=places))
        await planner.channel_settings(spec)
        # The configured ones come first, and are called as they are called here.
        configured = await planner.channel_settings(replace(spec, channels=()))
        settings = replace(configured, channels=(*configured.channels, *places))
        request = CondaRequest(specs=label.specs, settings=settings)
        pinned = await self._equipment.conda.pin(pins, request, lock=lock)
        if pinned.bare:
            raise malformed(detail="the lock tells too little")
        return replace(pinned.solution, download_bytes=0)

    async def _wheels(self, label: Label, conda: CondaSolution | None) -> WheelsSolution | None:
        """The wheels, and a Python for them where no other packages bring one."""
        files = label.below(WHEELS)
        if not files:
            return None
        packages, pins = [], []
        for file in files:
            try:
                name, version = parse_wheel_filename(file.path.rsplit("/", 1)[-1])[:2]
            except InvalidWheelFilename as error:
                raise malformed(detail=str(error)) from error
            packages.append(
                PlannedPackage(name=name, version=str(version), source="pypi", size=file.size, stage=Stage.WHEELS)
            )
            pins.append(f"{canonicalize_name(name)}=={version} --hash=sha256:{file.sha256}")
        python, interpreter = label.python, ""
        if conda is None:
            python, interpreter = await self._python(label)
        return WheelsSolution(
            packages=tuple(sorted(packages, key=lambda item: item.name)),
            python=python,
            interpreter=interpreter,
            requirements=label.requirements,
            indexes=(SOURCE,),
            disk_bytes=EXPANSION * sum(file.size for file in files),
            pins=tuple(sorted(pins)),
            exact=True,
        )

    async def _python(self, label: Label) -> tuple[str, str]:
        try:
            found = await self._equipment.wheels.interpreter(label.python)
        except SolveError as error:
            msg = f"The pack has wheels, and takes its Python from this machine. {error.message}"
            raise RefusedError(
                msg, cure="Install that Python here, or pack a conda kernel, which has its own."
            ) from error
        return found.version, found.path


def _read(file: Path) -> tuple[Label, str]:
    """The label and the lock of a pack for this platform."""
    with open_pack(file) as (_, label, lock):
        if label.platform != platform_name():
            msg = f"The pack is for {label.platform}, and this machine is {platform_name()}."
            raise RefusedError(msg, cure="Have it packed on a machine like this one, or import its environment.yml.")
        return label, lock


def _place(pin: CondaPin) -> str:
    """Where a package is in a pack."""
    return f"{CONDA}/{pin.subdir}/{unquote(pin.url.rsplit('/', 1)[1])}"


async def _unpacked(file: Path, directory: Path, total: int, reporter: Reporter) -> None:
    """Unpack a pack, and tell how far that has come."""
    reporter.stage(Stage.DOWNLOAD)
    await stopping.told(lambda tell: unpack(file, directory, tell), stopping.bytes_to(reporter, total))
