"""Models as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

from ..models import (
    BenchmarkResult,
    Environment,
    ErrorReport,
    Framework,
    Hardware,
    Job,
    Manifest,
    Plan,
    Verification,
)


def size(count: float) -> str:
    """A number of bytes, in decimal units as package sites give them."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows under each other, the first one being the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def error(report: ErrorReport) -> str:
    """What happened, and what to do next."""
    return f"Error: {report.message}\n{report.cure}\n"


def environments(found: Sequence[Environment]) -> str:
    """A table of environments."""
    if not found:
        return "There are no environments. `jupyter gpu-kernels create NAME --framework F` makes one.\n"
    head = ("NAME", "FRAMEWORK", "VERSION", "CUDA", "PYTHON", "INSTALLER", "STATE")
    rows = [
        (
            environment.name,
            environment.framework,
            environment.framework_version or "-",
            environment.cuda or "-",
            environment.python,
            environment.installer.value,
            _state(environment),
        )
        for environment in found
    ]
    return columns([head, *rows])


def _state(environment: Environment) -> str:
    verification = environment.verification
    state = verification.outcome.value.replace("_", " ") if verification else "not verified"
    return state if environment.registered else f"{state}, not registered"


def plan(plan: Plan) -> str:
    """A plan, without its long list of packages."""
    if plan.refusal is not None:
        return f"It cannot be built: {plan.refusal.reason}\n{plan.refusal.cure}\n"
    rows = [
        ("Framework", f"{plan.spec.framework} {plan.framework_version or ''}".strip()),
        ("Variant", f"{plan.variant.value} ({_clause(plan.variant_reason)})"),
        ("CUDA", plan.cuda or "none"),
        ("Python", plan.python),
        ("Installer", f"{plan.installer.value} ({_clause(plan.installer_reason)})"),
        ("Channels", ", ".join(plan.channels) or "-"),
        ("Packages", f"{len(plan.packages)} (--json lists them)"),
        ("Download", size(plan.download_bytes)),
        ("On disk", f"about {size(plan.disk_bytes)}"),
    ]
    return columns(rows) + "".join(f"Note: {warning}\n" for warning in plan.warnings)


def manifest(manifest: Manifest) -> str:
    """What is known of an environment."""
    plan = manifest.plan
    rows = [
        ("Name", manifest.name),
        ("Kernel", f"{manifest.display_name} ({manifest.kernel_name})"),
        ("Framework", f"{manifest.spec.framework} {plan.framework_version or ''}".strip()),
        ("Variant", plan.variant.value),
        ("CUDA", plan.cuda or "none"),
        ("Python", plan.python),
        ("Installer", f"{plan.installer.value} ({_clause(plan.installer_reason)})"),
        ("Packages", str(len(plan.packages))),
        ("Prefix", manifest.prefix),
        ("Created", manifest.created),
    ]
    text = columns(rows)
    text += verification(manifest.verification) if manifest.verification else "It was not verified.\n"
    return text + (benchmark(manifest.benchmark) if manifest.benchmark else "")


def verification(verification: Verification) -> str:
    """What a verification found."""
    devices = f"Devices: {', '.join(verification.devices)}\n" if verification.devices else ""
    return f"{verification.sentence}\n{devices}"


def benchmark(result: BenchmarkResult) -> str:
    """The benchmark's table."""
    head = ("WORKLOAD", "DEVICE", "NAME", "MEDIAN", "SPREAD", "RUNS", "TOTAL", "PEAK MEMORY")
    rows = [
        (
            timing.workload,
            timing.device,
            timing.device_name,
            f"{timing.median * 1000:.2f} ms",
            f"{timing.spread * 1000:.2f} ms",
            str(timing.runs),
            f"{timing.total:.2f} s",
            size(timing.peak_memory) if timing.peak_memory is not None else "-",
        )
        for timing in result.timings
    ]
    text = f"{result.framework}\n{columns([head, *rows])}"
    text += "".join(f"The GPU is {factor:.1f} times as fast: {name}.\n" for name, factor in result.speedups.items())
    return text + (f"No GPU half: {result.gpu_missing}\n" if result.gpu_missing else "")


def frameworks(found: Sequence[Framework]) -> str:
    """A table of the catalogue."""
    rows = [
        (framework.id, framework.title, ", ".join(kind.value for kind in framework.variants()), _summary(framework))
        for framework in found
    ]
    return columns([("ID", "TITLE", "VARIANTS", "SUMMARY"), *rows])


def _summary(framework: Framework) -> str:
    return f"{framework.summary} (legacy)" if framework.legacy else framework.summary


def hardware(found: Hardware) -> str:
    """The machine's GPUs, or why there are none."""
    if not found.gpus:
        return f"{found.reason or 'There is no usable GPU.'}\n"
    head = ("INDEX", "NAME", "MEMORY", "COMPUTE", "UUID")
    rows = [(str(gpu.index), gpu.name, size(gpu.memory_total), gpu.compute_capability, gpu.uuid) for gpu in found.gpus]
    return f"Driver {found.driver}, CUDA up to {found.cuda}\n{columns([head, *rows])}"


def jobs(found: Sequence[Job]) -> str:
    """A table of jobs."""
    if not found:
        return "There are no jobs.\n"
    rows = [
        (
            job.id,
            job.kind.value,
            job.name,
            job.state.value,
            job.stage.value if job.stage and not job.state.final else "-",
            f"{job.owner.host}:{job.owner.pid}" if job.owner and not job.state.final else "-",
            job.created,
        )
        for job in found
    ]
    return columns([("ID", "KIND", "NAME", "STATE", "STAGE", "PROCESS", "CREATED"), *rows])


def _clause(sentence: str) -> str:
    """A sentence, fit to stand in brackets."""
    return sentence.rstrip(".")
