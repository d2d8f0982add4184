"""The pipeline: from what was asked for to a verified environment with a kernelspec, or to nothing at all.

Nothing is ever installed in place: an environment is built as a *generation* beside its final path, verified there,
moved in one step, and only then registered. Whatever fails before the move leaves no trace but cached downloads.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from .._version import __version__
from ..errors import BrokenEnvironmentError, NameTakenError, NotFoundError, RefusedError, VerificationError
from ..models import (
    Environment,
    EnvironmentKind,
    EnvironmentSpec,
    Framework,
    Hardware,
    Manifest,
    Plan,
    Stage,
    Variant,
    Verification,
    VerificationOutcome,
    now,
)
from ..prefix.hooks import write_hooks
from ..prefix.layout import Layout
from ..prefix.manifest import write_manifest
from .bytecode import compile_environment, sweep_store
from .conda import neighbour
from .conda.engine import CondaEngine
from .disk.generations import Generation, Generations
from .disk.inventory import Inventory
from .disk.locks import EnvironmentLock
from .kernelspec import kernelspecs
from .planning.planner import Planned, Planner
from .reporting import Reporter
from .tools.insistence import insist
from .verification.verification import verify
from .wheels.engine import WheelsEngine


class BuildReporter(Reporter, Protocol):
    """A reporter that also hears the plan."""

    def plan(self, plan: Plan) -> None:
        """Take the plan; called once, at the end of the solve stage."""


class Workshop:
    """Makes, changes, verifies and removes environments; one writer per environment, across processes.

    Args:
        planner: Answers what would be built.
        conda: The conda installer.
        wheels: The PyPI installer.
        inventory: What is there.
        generations: Where environments of each kind are built.
        hardware: Tells what this machine has.
        state_dir: For locks and staged kernelspecs.
        bytecode_dir: Store of compiled modules, shared by all environments.
        verify_timeout: Seconds that a verification may take.
    """

    def __init__(
        self,
        *,
        planner: Planner,
        conda: CondaEngine,
        wheels: WheelsEngine,
        inventory: Inventory,
        generations: Mapping[EnvironmentKind, Generations],
        hardware: Callable[[], Hardware],
        state_dir: Path,
        bytecode_dir: Path,
        verify_timeout: float = 300,
    ) -> None:
        self._planner = planner
        self._conda = conda
        self._wheels = wheels
        self._inventory = inventory
        self._generations = generations
        self._hardware = hardware
        self.state_dir = state_dir
        self._bytecode_dir = bytecode_dir
        self._verify_timeout = verify_timeout

    def frameworks(self) -> tuple[Framework, ...]:
        """The catalogue."""
        return tuple(self._planner.catalogue)

    def hardware(self) -> Hardware:
        """What this machine has. Blocks on the driver."""
        return self._hardware()

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
        occupant = self._inventory.occupant(name)
        if occupant is not None:
            msg = f"The name {name!r} is taken by the environment {occupant}."
            raise NameTakenError(msg, cure="Choose another name, or remove that environment first.")
        for generations in self._generations.values():
            # A kernelspec whose environment somebody else has removed is in nobody's way.
            kernelspecs.unregister(name, prefix=generations.envs_dir / name)
        kernelspecs.check_name_free(name)

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
        async with self.writing(spec.name, "create"):
            await asyncio.to_thread(self.check_free, spec.name)
            return await self._build(spec, reporter)

    async def rebuild(self, name: str, *, reporter: BuildReporter) -> Manifest:
        """Build an environment anew from its spec, keeping what its user added with conda, and exchange the two.

        Raises:
            NotFoundError: There is no such environment.
            GpuKernelsError: Any of the tree; then the old environment is untouched.
        """
        async with self.writing(name, "rebuild"):
            old = await asyncio.to_thread(self._inventory.manifest, name)
            added: tuple[str, ...] = ()
            if old.kind is EnvironmentKind.CONDA:
                added = await asyncio.to_thread(neighbour.added_specs, Path(old.prefix))
            # What it is on disk stays what it is: its path is that of an environment of its kind.
            return await self._build(
                replace(old.spec, installer=old.plan.installer), reporter, spec=old.spec, keep=added
            )

    async def verify(self, name: str, *, reporter: Reporter) -> Verification:
        """Verify an environment as it is now, and keep the result in its manifest, whatever it is.

        Raises:
            NotFoundError: There is no such environment.
            BrokenEnvironmentError: Its manifest is damaged.
        """
        async with self.writing(name, "verify"):
            manifest = await asyncio.to_thread(self._inventory.manifest, name)
            prefix = Path(manifest.prefix)
            reporter.stage(Stage.VERIFY)
            verification = await self._verify(prefix, manifest, reporter)
            await asyncio.to_thread(write_manifest, prefix, replace(manifest, verification=verification))
            return verification

    async def remove(self, name: str, *, reporter: Reporter) -> None:
        """Unregister the kernel, then remove the environment, a damaged one too.

        Raises:
            NotFoundError: There is no such environment.
            InstallError: Something in it cannot be removed.
        """
        async with self.writing(name, "remove"):
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
        async with self.writing(name, "recover"):
            return await asyncio.to_thread(self._recover, name)

    def _recover(self, name: str) -> Manifest | None:
        kernelspecs.discard_staged(name, self.state_dir / "staging")
        for generations in self._generations.values():
            generations.repair()
            generations.discard_unfinished(name)
            if not (generations.envs_dir / name).exists():
                kernelspecs.unregister(name, prefix=generations.envs_dir / name)
        try:
            manifest = self._inventory.manifest(name)
        except (NotFoundError, BrokenEnvironmentError):
            return None
        # Only a verified generation is ever moved to its final path.
        self._register(manifest)
        return manifest

    def sweep(self) -> None:
        """Remove what earlier builds left behind and nobody uses any more. Blocks on the disk."""
        for generations in self._generations.values():
            generations.sweep()
        sweep_store(self._bytecode_dir)

    @contextlib.asynccontextmanager
    async def writing(self, name: str, purpose: str) -> AsyncIterator[None]:
        """Hold an environment's lock for a purpose; one writer at a time, across processes.

        Raises:
            EnvironmentBusyError: Somebody else holds it; the message says who.
        """
        lock = EnvironmentLock(self.state_dir / "locks", name)
        # Not in a thread: it takes a few system calls, and a cancelled wait for a thread would leave it locked.
        lock.acquire(purpose)
        try:
            yield
        finally:
            lock.release()

    async def _build(
        self,
        wanted: EnvironmentSpec,
        reporter: BuildReporter,
        *,
        spec: EnvironmentSpec | None = None,
        keep: tuple[str, ...] = (),
    ) -> Manifest:
        """Build what is wanted; ``spec`` is what the user asked for, if that is something else."""
        reporter.stage(Stage.SOLVE)
        planned = await self._planner.plan(wanted, keep)
        plan = replace(planned.plan, spec=spec or wanted)
        reporter.plan(plan)
        if plan.refusal is not None:
            raise RefusedError(plan.refusal.reason, cure=plan.refusal.cure, detail=plan.refusal.detail)
        kind = EnvironmentKind.CONDA if planned.conda is not None else EnvironmentKind.VIRTUALENV
        generations = self._generations[kind]
        generation = await asyncio.to_thread(generations.begin, plan.spec.name)
        try:
            await self._install(planned, generation, reporter)
            manifest = _manifest(plan, planned.framework, kind, generation)
            await asyncio.to_thread(write_manifest, generation.path, manifest)
            if plan.spec.verify:
                reporter.stage(Stage.VERIFY)
                verification = _accepted(await self._verify(generation.path, manifest, reporter))
                manifest = replace(manifest, verification=verification)
                await asyncio.to_thread(write_manifest, generation.path, manifest)
        except BaseException:
            await insist(asyncio.to_thread(generations.discard, generation))
            raise
        reporter.stage(Stage.REGISTER)
        # From here on it takes milliseconds: whoever cancels now is too late.
        await insist(asyncio.to_thread(self._finish, generations, generation, manifest))
        reporter.log(f"The kernel {manifest.kernel_name} is registered.")
        return manifest

    async def _install(self, planned: Planned, generation: Generation, reporter: Reporter) -> None:
        """Fill a generation: packages, wheels, hooks, bytecode."""
        path, final, lock = generation.path, generation.final, generation.lock
        if planned.conda is not None:
            await self._conda.install(planned.conda, generation=path, final=final, reporter=reporter, lock=lock)
            if planned.wheels is not None:
                await self._wheels.install_on_top(
                    planned.wheels, generation=path, final=final, reporter=reporter, lock=lock
                )
        elif planned.wheels is not None:
            await self._wheels.install(planned.wheels, generation=path, final=final, reporter=reporter, lock=lock)
        layout = Layout.of_prefix(path)
        await asyncio.to_thread(write_hooks, layout, final)
        reporter.stage(Stage.COMPILE)
        await compile_environment(layout, self._bytecode_dir, reporter, lock=lock)

    async def _verify(self, prefix: Path, manifest: Manifest, reporter: Reporter) -> Verification:
        """Start a real kernel from a staged kernelspec, which nobody else sees."""
        framework = self._planner.catalogue.get(manifest.spec.framework)
        reason = (await asyncio.to_thread(self._hardware)).reason
        with kernelspecs.staged(
            manifest, prefix, self.state_dir / "staging", framework_logo=framework.logo or None
        ) as kernel_dir:
            return await verify(
                kernel_dir=kernel_dir,
                kernel_name=manifest.kernel_name,
                framework=framework,
                expect_gpu=manifest.plan.variant is Variant.GPU,
                prefix=prefix,
                timeout=self._verify_timeout,
                reporter=reporter,
                hardware_reason=reason,
            )

    def _finish(self, generations: Generations, generation: Generation, manifest: Manifest) -> None:
        """Move a generation to its final path and register its kernel, or do neither."""
        try:
            generations.commit(generation)
        except BaseException:
            generations.discard(generation)
            raise
        try:
            self._register(manifest)
        except BaseException:
            generations.revert(generation)
            generations.discard(generation)
            raise
        generations.sweep()

    def _register(self, manifest: Manifest) -> None:
        if manifest.kind is EnvironmentKind.CONDA:
            neighbour.remember(Path(manifest.prefix))
        framework = self._planner.catalogue.get(manifest.spec.framework)
        kernelspecs.register(manifest, framework_logo=framework.logo or None)


def _manifest(plan: Plan, framework: Framework, kind: EnvironmentKind, generation: Generation) -> Manifest:
    return Manifest(
        name=plan.spec.name,
        kernel_name=plan.spec.name.lower(),
        display_name=plan.spec.display_name or display_name(plan, framework),
        kind=kind,
        prefix=str(generation.final),
        generation=generation.id,
        spec=plan.spec,
        plan=plan,
        created=now(),
        built_by=__version__,
    )


def display_name(plan: Plan, framework: Framework) -> str:
    """Name a kernel so that it says what it is: ``tf-warp-speed (TensorFlow 2.19 · CUDA 12.9)``."""
    if plan.framework_version is None or not framework.import_name:
        return f"{plan.spec.name} (Python {_minor(plan.python)})"
    hardware = f"CUDA {plan.cuda}" if plan.cuda else "CPU"
    return f"{plan.spec.name} ({framework.title} {_minor(plan.framework_version)} · {hardware})"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _accepted(verification: Verification) -> Verification:
    """Pass a verification on, unless the environment is of no use."""
    if verification.outcome is VerificationOutcome.FAILED:
        cure = "Read the job's log; choose another version of the framework or of Python."
        raise VerificationError(verification.sentence, cure=cure)
    return verification
