"""The workshop: every verb on environments, one writer at a time; :mod:`.construction` does the building."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from ..errors import BrokenEnvironmentError, NotFoundError
from ..models import (
    DiskUsage,
    Environment,
    EnvironmentChange,
    EnvironmentSpec,
    Framework,
    Hardware,
    Manifest,
    Plan,
    Stage,
    Verification,
    VerificationOutcome,
)
from ..prefix.manifest import write_manifest
from . import naming
from .bytecode import sweep_store
from .changing import changed, exchange
from .conda import neighbour
from .contents.installed import contents
from .contents.outside import outside
from .disk.usage import measure
from .equipment import Equipment
from .kernelspec import kernelspecs
from .kernelspec.kernel_json import logo
from .planning import validation
from .planning.preference import Preference
from .reporting import BuildReporter, Reporter
from .tools.insistence import finish, insist
from .wheels.settings import Hold


class Workshop:
    """Makes, changes, verifies and removes environments; one writer per environment, across processes.

    Args:
        equipment: What it is done with.
    """

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment
        self._planner = equipment.planner
        self._construction = equipment.construction
        self._inventory = equipment.inventory
        self._generations = equipment.generations
        self.state_dir = equipment.state_dir

    def frameworks(self) -> tuple[Framework, ...]:
        """The catalogue."""
        return tuple(self._planner.catalogue)

    def hardware(self) -> Hardware:
        """What this machine has. Blocks on the driver."""
        return self._equipment.hardware()

    def framework(self, framework_id: str) -> Framework:
        """An entry of the catalogue.

        Raises:
            UnknownFrameworkError: There is none of that id.
        """
        return self._planner.catalogue.get(framework_id)

    def logo(self, framework_id: str) -> bytes:
        """The drawing of a framework, an SVG, as its kernels get it. Blocks on the disk.

        Raises:
            UnknownFrameworkError: There is none of that id.
        """
        framework = self.framework(framework_id)
        return logo(framework.logo or framework.id).read_bytes()

    def environments(self) -> tuple[Environment, ...]:
        """List the environments. Blocks on the disk."""
        return self._inventory.environments()

    def manifest(self, name: str) -> Manifest:
        """Read an environment's manifest. Blocks on the disk.

        Raises:
            NotFoundError: There is no environment of that name.
            BrokenEnvironmentError: Its manifest is damaged.
        """
        return self._inventory.manifest(name)

    def usage(self, name: str) -> DiskUsage:
        """Measure what an environment takes on disk, a damaged one too. Blocks on the disk, perhaps for seconds.

        Raises:
            NotFoundError: There is no environment of that name.
        """
        return measure(self._inventory.prefix(name))

    def check(self, spec: EnvironmentSpec) -> None:
        """Refuse what is malformed or not in the catalogue.

        Raises:
            InvalidInputError: What is wrong with it.
        """
        self._planner.check(spec)

    def check_free(self, name: str) -> None:
        """Refuse a name that belongs to an environment or to a kernel. Blocks on the disk.

        Raises:
            NameTakenError: The message names the owner.
        """
        naming.check_free(self._equipment, name)

    async def plan(self, spec: EnvironmentSpec) -> Plan:
        """Answer what would be built; nothing is downloaded but metadata, and a refusal is part of the plan.

        Raises:
            InvalidInputError: The spec is malformed.
            SolveError: No set of packages satisfies it.
            ChannelError: A channel or index does not answer as it should.
        """
        return (await self._planner.plan(spec)).plan

    async def create(self, spec: EnvironmentSpec, *, reporter: BuildReporter) -> Manifest:
        """Build, verify and register a new environment.

        Raises:
            GpuKernelsError: Any of the tree; then nothing but cached downloads is left.
            asyncio.CancelledError: Cancelled; likewise.
        """
        self.check(spec)
        async with self._equipment.writing(spec.name, "create"):
            await asyncio.to_thread(naming.make_free, self._equipment, spec.name)
            await asyncio.to_thread(kernelspecs.check_place, sys_prefix=spec.sys_prefix)
            return await self._construction.build(lambda: self._planner.plan(spec), reporter)

    async def rebuild(self, name: str, *, reporter: BuildReporter) -> Manifest:
        """Build an environment anew from its spec, keeping what its user added from outside, and exchange the two.

        Raises:
            NotFoundError: There is no such environment.
            GpuKernelsError: Any of the tree; then the old environment is untouched.
        """
        async with self._equipment.writing(name, "rebuild"):
            old = await asyncio.to_thread(self._inventory.manifest, name)
            more = await asyncio.to_thread(lambda: outside(contents(old)))
            preference = Preference(
                keep=more.specs, wheels=Hold(kept=more.requirements), remarks=tuple(more.lost.values())
            )
            # What it is on disk stays what it is: its path is that of an environment of its kind.
            wanted = replace(old.spec, installer=old.plan.installer)
            return await self._construction.build(
                lambda: self._planner.plan(wanted, preference), reporter, replaces=old
            )

    async def verify(self, name: str, *, reporter: Reporter) -> Verification:
        """Verify an environment as it is now, and keep the result in its manifest, whatever it is.

        A kernelspec that somebody has removed is put back, unless the environment is of no use.

        Raises:
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
        """
        async with self._equipment.writing(name, "verify"):
            manifest = await asyncio.to_thread(self._inventory.manifest, name)
            prefix = Path(manifest.prefix)
            reporter.stage(Stage.VERIFY)
            verification = await self._construction.verify(prefix, manifest, reporter)
            await asyncio.to_thread(write_manifest, prefix, replace(manifest, verification=verification))
            useful = verification.outcome is not VerificationOutcome.FAILED
            if useful and not await asyncio.to_thread(naming.registered, prefix):
                await finish(asyncio.to_thread(self._construction.register, manifest))
                reporter.log(f"The kernel {manifest.kernel_name} is registered again.")
            return verification

    async def change(self, name: str, change: EnvironmentChange) -> Environment:
        """Change what can be changed without building anything, wherever it is written.

        Raises:
            InvalidInputError: It cannot be changed to that.
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
            InstallError: Something cannot be written; then everything is as before.
        """
        validation.check_change(change)
        async with self._equipment.writing(name, "change"):
            old = await asyncio.to_thread(self._inventory.manifest, name)
            registered = await asyncio.to_thread(naming.registered, Path(old.prefix))
            register = self._construction.register if registered else None
            await finish(asyncio.to_thread(exchange, old, changed(old, change), register))
            return await asyncio.to_thread(self._inventory.environment, name)

    async def remove(self, name: str, *, reporter: Reporter) -> None:
        """Unregister the kernel, then remove the environment, a damaged one too.

        Raises:
            NotFoundError: There is no such environment.
            InstallError: Something in it cannot be removed.
        """
        async with self._equipment.writing(name, "remove"):
            prefix = await asyncio.to_thread(self._inventory.prefix, name)
            reporter.log(f"Removing the kernel and the environment {prefix}.")
            # Begun, it is brought to its end: half an environment is of no use to whoever cancels.
            await insist(asyncio.to_thread(self._remove, name, prefix))

    def _remove(self, name: str, prefix: Path) -> None:
        generations = next(item for item in self._generations.values() if item.envs_dir == prefix.parent)
        kernelspecs.unregister(name, prefix=prefix)
        neighbour.forget(prefix)
        generations.discard(generations.trash(name))

    async def recover(self, name: str) -> Manifest | None:
        """After the death of a job: finish what was built whole, remove what was not.

        Returns:
            The manifest of the environment, or ``None`` if there is none.
        """
        async with self._equipment.writing(name, "recover"):
            # The lock is let go only when the thread is done, whoever cancels.
            return await finish(asyncio.to_thread(self._recover, name))

    def _recover(self, name: str) -> Manifest | None:
        naming.tidy(self._equipment, name)
        for prefix in naming.places(self._equipment, name):
            if not prefix.exists():
                kernelspecs.unregister(name, prefix=prefix)
        try:
            manifest = self._inventory.manifest(name)
        except (NotFoundError, BrokenEnvironmentError):
            return None
        # What is at its final path is whole, and verified unless its user wished otherwise.
        self._construction.register(manifest)
        return manifest

    def sweep(self) -> None:
        """Remove what earlier builds left behind and nobody uses any more. Blocks on the disk."""
        for generations in self._generations.values():
            generations.sweep()
        sweep_store(self._equipment.bytecode_dir)
