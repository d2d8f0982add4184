"""A workshop for tests of what surrounds it: it builds nothing, waits when told to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from jupyter_gpu_kernels.benchmark.result import read_submitted
from jupyter_gpu_kernels.build.changing import changed
from jupyter_gpu_kernels.build.kernelspec.kernel_json import logo
from jupyter_gpu_kernels.build.planning import validation
from jupyter_gpu_kernels.build.reporting import BuildReporter
from jupyter_gpu_kernels.errors import (
    EnvironmentBusyError,
    GpuKernelsError,
    NameTakenError,
    NotFoundError,
    UnknownFrameworkError,
)
from jupyter_gpu_kernels.models import (
    BenchmarkResult,
    DiskUsage,
    Environment,
    EnvironmentChange,
    EnvironmentKind,
    EnvironmentSpec,
    FoundPackage,
    Framework,
    Gpu,
    Hardware,
    Installer,
    Manifest,
    Plan,
    PlannedPackage,
    Progress,
    Refusal,
    Stage,
    Timing,
    Variant,
    Verification,
    VerificationOutcome,
    now,
)
from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

VERIFICATION = Verification(outcome=VerificationOutcome.VERIFIED, sentence="TensorFlow 2.19.0 computes.", seconds=1.5)

BENCHMARK = BenchmarkResult(
    framework="TensorFlow 2.19.0",
    timings=(
        Timing(
            workload="convolution", device="cpu", device_name="A CPU", median=0.2, spread=0.01, runs=100, total=20.0
        ),
        Timing(
            workload="convolution", device="gpu", device_name="A GPU", median=0.01, spread=0.001, runs=100, total=1.0
        ),
    ),
    speedups={"convolution": 20.0},
    finished="2026-11-20T00:00:00.000+00:00",
)


class ScriptedWorkshop:
    """Obeys the protocol of serve/workshop.py.

    Attributes:
        built: Manifests of the environments there are, by name.
        called: What was asked, in order, e.g. ``"create tf"``.
        cleaned: Names whose unfinished work was cleaned away.
        failure: Raised by the next long verb.
        hold: Set, a long verb waits at its middle until :attr:`go` is set.
        at_work: Set while a long verb is at its middle.
        recovered: What :meth:`recover` answers.
        refusal: Refusal of every plan.
    """

    def __init__(self) -> None:
        self.built: dict[str, Manifest] = {}
        self.called: list[str] = []
        self.cleaned: list[str] = []
        self.failure: Exception | None = None
        self.hold = False
        self.go = asyncio.Event()
        self.at_work = asyncio.Event()
        self.working = 0
        self.most_working = 0
        self.recovered: Manifest | None = None
        self.refusal: Refusal | None = None
        self.during: Callable[[BuildReporter], None] = lambda reporter: None

    async def plan(self, spec: EnvironmentSpec) -> Plan:
        self.called.append(f"plan {spec.name}")
        if self.failure:
            raise self.failure
        return plan_of(spec, self.refusal)

    async def create(self, spec: EnvironmentSpec, *, reporter: BuildReporter) -> Manifest:
        reporter.stage(Stage.SOLVE)
        reporter.plan(plan_of(spec, None))
        await self._work("create", spec.name, reporter)
        self.built[spec.name] = manifest_of(spec)
        return self.built[spec.name]

    async def rebuild(self, name: str, *, reporter: BuildReporter) -> Manifest:
        await self._work("rebuild", name, reporter)
        self.built[name] = replace(self.built[name], created=now())
        return self.built[name]

    async def verify(self, name: str, *, reporter: BuildReporter) -> Verification:
        reporter.stage(Stage.VERIFY)
        await self._work("verify", name, reporter)
        return VERIFICATION

    async def benchmark(self, name: str, *, reporter: BuildReporter) -> BenchmarkResult:
        await self._work("benchmark", name, reporter)
        return BENCHMARK

    async def keep_benchmark(self, name: str, data: object) -> BenchmarkResult:
        result = read_submitted(data)
        self._check_idle(name)
        self.called.append(f"keep {name}")
        self.built[name] = replace(self.built[name], benchmark=result)
        return result

    async def change(self, name: str, change: EnvironmentChange) -> Environment:
        validation.check_change(change)
        self._check_idle(name)
        self.called.append(f"change {name}")
        self.built[name] = changed(self.built[name], change)
        return environment_of(self.built[name])

    async def remove(self, name: str, *, reporter: BuildReporter) -> None:
        await self._work("remove", name, reporter)
        del self.built[name]

    async def recover(self, name: str) -> Manifest | None:
        self.called.append(f"recover {name}")
        return self.recovered

    def check(self, spec: EnvironmentSpec) -> None:
        validation.check(spec)
        if spec.framework not in ("tensorflow", "python"):
            msg = f"The catalogue has no framework {spec.framework!r}."
            raise UnknownFrameworkError(msg, cure="Choose one of: tensorflow.")

    def check_free(self, name: str) -> None:
        if name.lower() in (taken.lower() for taken in self.built):
            msg = f"The name {name!r} is taken."
            raise NameTakenError(msg, cure="Choose another.")

    def environments(self) -> tuple[Environment, ...]:
        return tuple(environment_of(manifest) for _, manifest in sorted(self.built.items()))

    def manifest(self, name: str) -> Manifest:
        if name not in self.built:
            msg = f"There is no environment named {name!r}."
            raise NotFoundError(msg, cure="List them.")
        return self.built[name]

    def usage(self, name: str) -> DiskUsage:
        return DiskUsage(bytes=self.manifest(name).disk_bytes, freed_bytes=1)

    def sweep(self) -> None:
        self.called.append("sweep")

    def frameworks(self) -> tuple[Framework, ...]:
        return (
            Framework(id="tensorflow", title="TensorFlow", nickname="tf", summary="Machine learning.", recipes=()),
            Framework(id="python", title="Python", summary="Nothing else.", recipes=()),
        )

    def framework(self, framework_id: str) -> Framework:
        for framework in self.frameworks():
            if framework.id == framework_id:
                return framework
        msg = f"There is no framework {framework_id!r}."
        raise UnknownFrameworkError(msg, cure="Choose one of: tensorflow.")

    def logo(self, framework_id: str) -> bytes:
        return logo(self.framework(framework_id).id).read_bytes()

    def hardware(self) -> Hardware:
        gpu = Gpu(index=0, uuid="GPU-1", name="A GPU", memory_total=2**34, compute_capability="9.0")
        return Hardware(driver="580.1", cuda="13.0", gpus=(gpu,))

    def _check_idle(self, name: str) -> None:
        if self.working:
            msg = f"The environment {name!r} is being worked on."
            raise EnvironmentBusyError(msg, cure="Wait.")

    async def _work(self, doing: str, name: str, reporter: BuildReporter) -> None:
        self.called.append(f"{doing} {name}")
        self.working += 1
        self.most_working = max(self.most_working, self.working)
        try:
            reporter.log(f"{doing} {name}")
            reporter.stage(Stage.DOWNLOAD)
            reporter.progress(Progress(packages_done=1, packages_total=2, bytes_done=50, bytes_total=100))
            self.during(reporter)
            self.at_work.set()
            if self.hold:
                await self.go.wait()
            await asyncio.sleep(0)
            if self.failure:
                raise self.failure
            reporter.stage(Stage.REGISTER)
        except asyncio.CancelledError:
            # Cleaning up takes a moment, during which nobody may interrupt it.
            await asyncio.sleep(0.05)
            self.cleaned.append(name)
            raise
        except GpuKernelsError:
            self.cleaned.append(name)
            raise
        finally:
            self.working -= 1


class ScriptedSearch:
    """Finds what was asked for, and keeps what that was."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    async def names(self, text: str, environment: str | None, limit: int) -> tuple[FoundPackage, ...]:
        self.asked.append((text, environment, limit))
        return (FoundPackage(name=text, source="conda-forge"),)

    async def package(self, name: str, environment: str | None) -> FoundPackage:
        self.asked.append((name, environment))
        return FoundPackage(name=name, source="conda-forge", versions=("2.0", "1.0"), installed="1.0")

    async def close(self) -> None:
        """Nothing is under way."""


class ScriptedManager(GpuKernelsManager):
    """The real manager over a scripted workshop."""

    workshop: ScriptedWorkshop
    search: ScriptedSearch  # type: ignore[assignment]  # which looks no package up

    def _workshop_default(self) -> ScriptedWorkshop:
        return ScriptedWorkshop()

    def _search_default(self) -> ScriptedSearch:
        return ScriptedSearch()


def plan_of(spec: EnvironmentSpec, refusal: Refusal | None = None) -> Plan:
    packages = () if refusal else (PlannedPackage(name="tensorflow", version="2.19.0", size=100),)
    return Plan(
        spec=spec,
        installer=Installer.CONDA,
        installer_reason="The channels answer.",
        variant=Variant.GPU,
        variant_reason="The driver runs CUDA 13.0.",
        python="" if refusal else "3.12.4",
        framework_version=None if refusal else "2.19.0",
        cuda=None if refusal else "12.9",
        channels=("conda-forge",),
        packages=packages,
        download_bytes=sum(package.size for package in packages),
        disk_bytes=300,
        warnings=("It is large.",),
        refusal=refusal,
    )


def manifest_of(spec: EnvironmentSpec) -> Manifest:
    return Manifest(
        name=spec.name,
        kernel_name=spec.name.lower(),
        display_name=f"{spec.name} (TensorFlow 2.19 · CUDA 12.9)",
        kind=EnvironmentKind.CONDA,
        prefix=f"/nowhere/{spec.name}",
        generation=f"{spec.name}-00000000",
        spec=spec,
        plan=plan_of(spec),
        verification=VERIFICATION,
        created=now(),
        disk_bytes=1_500_000_000,
        built_by="0",
    )


def environment_of(manifest: Manifest) -> Environment:
    return Environment(
        name=manifest.name,
        kernel_name=manifest.kernel_name,
        display_name=manifest.display_name,
        kind=manifest.kind,
        prefix=manifest.prefix,
        framework=manifest.spec.framework,
        framework_version=manifest.plan.framework_version,
        python=manifest.plan.python,
        cuda=manifest.plan.cuda,
        variant=manifest.plan.variant,
        installer=manifest.plan.installer,
        verification=manifest.verification,
        benchmark=manifest.benchmark,
        registered=True,
        kernelspec=f"/nowhere/kernels/{manifest.kernel_name}",
        created=manifest.created,
        disk_bytes=manifest.disk_bytes,
        memory=manifest.launch.memory,
        memory_fraction=manifest.launch.memory_fraction,
        placement=manifest.launch.placement,
    )
