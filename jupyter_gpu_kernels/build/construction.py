"""From a spec to a verified environment in its place with a kernelspec, or to nothing at all.

Nothing is ever installed in place: an environment is built as a *generation* beside its final path, verified there,
moved in one step, and only then registered. Whatever fails before the move leaves no trace but cached downloads.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

from .._version import __version__
from ..errors import RefusedError, VerificationError
from ..models import (
    DiskUsage,
    EnvironmentKind,
    EnvironmentSpec,
    Framework,
    Hardware,
    Installer,
    LaunchPolicy,
    Manifest,
    MappedLibrary,
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
from .bytecode import compile_environment
from .conda import neighbour
from .conda.engine import CondaEngine
from .contents.pins import write_pins
from .disk.generations import Generation, Generations
from .disk.usage import measure
from .kernelspec import kernelspecs
from .planning.planner import Planned, Planner
from .reporting import BuildReporter, Reporter
from .tools.insistence import finish, insist
from .tools.redaction import uncover
from .verification.verification import verify
from .wheels.engine import WheelsEngine

#: Fills an empty generation with an environment whose files speak of its final path.
Fill = Callable[[Generation, Reporter], Awaitable[None]]


class Construction:
    """Builds, verifies and registers; the caller holds the environment's lock.

    Args:
        planner: Answers what would be built.
        conda: The conda installer.
        wheels: The PyPI installer.
        generations: Where environments of each kind are built.
        hardware: Tells what this machine has.
        staging: Directory of kernelspecs that nobody else sees.
        bytecode_dir: Store of compiled modules, shared by all environments.
        verify_timeout: Seconds that a verification may take.
    """

    def __init__(
        self,
        *,
        planner: Planner,
        conda: CondaEngine,
        wheels: WheelsEngine,
        generations: Mapping[EnvironmentKind, Generations],
        hardware: Callable[[], Hardware],
        staging: Path,
        bytecode_dir: Path,
        verify_timeout: float,
    ) -> None:
        self._planner = planner
        self._conda = conda
        self._wheels = wheels
        self._generations = generations
        self._hardware = hardware
        self._staging = staging
        self._bytecode_dir = bytecode_dir
        self._verify_timeout = verify_timeout

    async def build(
        self,
        planning: Callable[[], Awaitable[Planned]],
        reporter: BuildReporter,
        *,
        replaces: Manifest | None = None,
        fill: Fill | None = None,
        succeeds: Path | None = None,
    ) -> Manifest:
        """Build an environment, in place of the one of that name if there is one.

        Args:
            planning: Answers what is built; it may take a while, which is a stage of the job.
            reporter: Hears the plan, the stages and their progress.
            replaces: The environment that is built anew; what its user asked for stays on record.
            fill: Fills the generation, ``None`` for the installers, which put there what was planned.
            succeeds: An environment whose kernelspec this one takes over, if it is of the same name.

        Raises:
            GpuKernelsError: Any of the tree; then everything is as before, but for cached downloads.
            asyncio.CancelledError: Cancelled; likewise.
        """
        reporter.stage(Stage.SOLVE)
        planned = await planning()
        plan = planned.plan
        if replaces is not None:
            plan = replace(plan, spec=replaces.spec, installer_reason=replaces.plan.installer_reason)
        reporter.plan(plan)
        if plan.refusal is not None:
            raise RefusedError(plan.refusal.reason, cure=plan.refusal.cure, detail=plan.refusal.detail)
        kind = EnvironmentKind.CONDA if plan.installer is Installer.CONDA else EnvironmentKind.VIRTUALENV
        generations = self._generations[kind]
        generation, cancelled = await insist(asyncio.to_thread(generations.begin, plan.spec.name))
        try:
            if cancelled:
                raise asyncio.CancelledError
            await (fill(generation, reporter) if fill else self.install(planned, generation, reporter))
            await self._finish_files(planned.plan.spec, generation, reporter)
            usage = await finish(asyncio.to_thread(measure, generation.path))
            manifest = _manifest(plan, planned.framework, kind, generation, usage)
            await finish(asyncio.to_thread(write_manifest, generation.path, manifest))
            if plan.spec.verify:
                reporter.stage(Stage.VERIFY)
                verification = _accepted(await self.verify(generation.path, manifest, reporter))
                verification = _moved(verification, generation.path, generation.final)
                manifest = replace(manifest, verification=verification)
                await finish(asyncio.to_thread(write_manifest, generation.path, manifest))
        except BaseException:
            await insist(asyncio.to_thread(generations.discard, generation))
            raise
        reporter.stage(Stage.REGISTER)
        # From here on it takes milliseconds: whoever cancels now is too late.
        await insist(asyncio.to_thread(self._finish, generations, generation, manifest, succeeds))
        reporter.log(f"The kernel {manifest.kernel_name} is registered.")
        return manifest

    async def verify(self, prefix: Path, manifest: Manifest, reporter: Reporter) -> Verification:
        """Start a real kernel from a staged kernelspec, which nobody else sees.

        Args:
            prefix: Where the environment is now.
            manifest: What was built.
            reporter: Its log gets the sentence.
        """
        framework = self._planner.catalogue.get(manifest.spec.framework)
        reason = (await asyncio.to_thread(self._hardware)).reason
        async with self._staged(manifest, prefix, framework) as kernel_dir:
            return await verify(
                kernel_dir=kernel_dir,
                kernel_name=manifest.kernel_name,
                framework=framework,
                expect_gpu=manifest.plan.variant is Variant.GPU,
                prefix=prefix,
                timeout=self._verify_timeout,
                reporter=reporter,
                hardware_reason=reason,
                extras=tuple(extra for extra in framework.extras if extra.id in manifest.spec.extras),
            )

    def register(self, manifest: Manifest, *, succeeds: Path | None = None) -> None:
        """Make an environment in its place known to conda and to Jupyter. Blocks on the disk.

        Args:
            manifest: What is there.
            succeeds: As for :meth:`build`.

        Raises:
            NameTakenError: The kernel's name belongs to somebody else.
            InstallError: The kernelspec cannot be written.
        """
        if manifest.kind is EnvironmentKind.CONDA:
            neighbour.remember(Path(manifest.prefix))
        framework = self._planner.catalogue.get(manifest.spec.framework)
        kernelspecs.register(manifest, framework_logo=framework.logo or None, succeeds=succeeds)

    async def install(self, planned: Planned, generation: Generation, reporter: Reporter) -> None:
        """Fill a generation with packages and wheels; a part of :meth:`build`."""
        path, final, lock = generation.path, generation.final, generation.lock
        if planned.conda is not None:
            await self._conda.install(planned.conda, generation=path, final=final, reporter=reporter, lock=lock)
        if planned.wheels is not None:
            install = self._wheels.install if planned.conda is None else self._wheels.install_on_top
            pins = await install(planned.wheels, generation=path, final=final, reporter=reporter, lock=lock)
            await finish(asyncio.to_thread(write_pins, path, pins, planned.wheels.kept))

    async def _finish_files(self, spec: EnvironmentSpec, generation: Generation, reporter: Reporter) -> None:
        """Add what is ours to a filled generation: hooks and bytecode."""
        layout = Layout.of_prefix(generation.path)
        await finish(asyncio.to_thread(write_hooks, layout, generation.final, _launch_policy(spec)))
        reporter.stage(Stage.COMPILE)
        await compile_environment(layout, self._bytecode_dir, reporter, lock=generation.lock)

    @contextlib.asynccontextmanager
    async def _staged(self, manifest: Manifest, prefix: Path, framework: Framework) -> AsyncIterator[Path]:
        """Stage a kernelspec for a while; the disk is waited for in threads."""
        place = kernelspecs.staged(manifest, prefix, self._staging, framework_logo=framework.logo or None)
        with contextlib.ExitStack() as stack:
            kernel_dir, cancelled = await insist(asyncio.to_thread(stack.enter_context, place))
            try:
                if cancelled:
                    raise asyncio.CancelledError
                yield kernel_dir
            finally:
                await finish(asyncio.to_thread(stack.close))

    def _finish(
        self, generations: Generations, generation: Generation, manifest: Manifest, succeeds: Path | None
    ) -> None:
        """Move a generation to its final path and register its kernel, or do neither."""
        try:
            generations.commit(generation)
        except BaseException:
            generations.discard(generation)
            raise
        try:
            self.register(manifest, succeeds=succeeds)
        except BaseException:
            generations.revert(generation)
            generations.discard(generation)
            raise
        # What cannot be swept now takes nothing back of what was built.
        with contextlib.suppress(OSError):
            generations.sweep()


def _manifest(
    plan: Plan, framework: Framework, kind: EnvironmentKind, generation: Generation, usage: DiskUsage
) -> Manifest:
    # Whoever may read the environment may read this: a channel's password stays with whoever gave it.
    spec = replace(plan.spec, channels=tuple(map(uncover, plan.spec.channels)))
    return Manifest(
        name=plan.spec.name,
        kernel_name=plan.spec.name.lower(),
        display_name=plan.spec.display_name or display_name(plan, framework),
        kind=kind,
        prefix=str(generation.final),
        generation=generation.id,
        spec=spec,
        plan=replace(plan, spec=spec),
        launch=_launch_policy(spec),
        created=now(),
        disk_bytes=usage.bytes,
        built_by=__version__,
    )


def _launch_policy(spec: EnvironmentSpec) -> LaunchPolicy:
    """How kernels are started, as far as the spec says it."""
    return LaunchPolicy(memory=spec.memory, memory_fraction=spec.memory_fraction, placement=spec.placement)


def display_name(plan: Plan, framework: Framework) -> str:
    """Name a kernel so that it says what it is: ``tf-warp-speed (TensorFlow 2.19 · CUDA 12.9)``."""
    if plan.framework_version is None or not framework.import_name:
        return f"{plan.spec.name} (Python {_minor(plan.python)})"
    hardware = f"CUDA {plan.cuda}" if plan.cuda else "CPU"
    return f"{plan.spec.name} ({framework.named(_minor(plan.framework_version))} · {hardware})"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _moved(verification: Verification, source: Path, target: Path) -> Verification:
    """Name libraries of an environment by the path that it will have."""

    def moved(library: MappedLibrary) -> MappedLibrary:
        path = Path(library.path)
        return replace(library, path=str(target / path.relative_to(source))) if path.is_relative_to(source) else library

    return replace(verification, libraries=tuple(map(moved, verification.libraries)))


def _accepted(verification: Verification) -> Verification:
    """Pass a verification on, unless the environment is of no use."""
    if verification.outcome is VerificationOutcome.FAILED:
        cure = "Read the job's log; choose another version of the framework or of Python."
        raise VerificationError(verification.sentence, cure=cure)
    return verification
