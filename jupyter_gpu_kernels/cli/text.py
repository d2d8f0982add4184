"""Models as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

from ..models import (
    BenchmarkResult,
    Environment,
    ErrorReport,
    Framework,
    GpuPolicy,
    Installer,
    Job,
    Manifest,
    MemoryPreset,
    Placement,
    Plan,
    Variant,
    Verification,
)

#: Lines of a tool's own words that are shown; a job's log has them all.
LONGEST_DETAIL = 20


#: Bytes, name and decimals of the units of sizes: decimal ones, as package sites give them.
_UNITS = ((1, "B", 0), (1e3, "kB", 1), (1e6, "MB", 1), (1e9, "GB", 2))


def size(count: float) -> str:
    """A number of bytes."""
    scale, unit, decimals = _unit(count)
    return f"{count / scale:.{decimals}f} {unit}"


def share(done: float, total: float) -> str:
    """How many bytes of how many, briefly: ``0.95/2.74 GB``."""
    scale, unit, decimals = _unit(total)
    return f"{done / scale:.{decimals}f}/{total / scale:.{decimals}f} {unit}"


def _unit(count: float) -> tuple[float, str, int]:
    return next((item for item in _UNITS if count < 1000 * item[0]), _UNITS[-1])


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows under each other, the first one being the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def error(report: ErrorReport) -> str:
    """What happened, and what to do next."""
    return f"Error: {report.message}\n{report.cure}\n"


def details(report: ErrorReport) -> str:
    """The tool's own words, where the cure is to read them, indented; only their end, where they are long."""
    lines = report.detail.strip().splitlines() if "details" in report.cure else []
    shown = [*(["…"] if len(lines) > LONGEST_DETAIL else []), *lines[-LONGEST_DETAIL:]]
    return "".join(f"  {line}\n" for line in ("Details:", *shown)) if lines else ""


def environments(found: Sequence[Environment]) -> str:
    """A table of environments."""
    if not found:
        return "There are no environments. `jupyter gpu-kernels create NAME --framework F` makes one.\n"
    head = ("NAME", "FRAMEWORK", "VERSION", "CUDA", "PYTHON", "INSTALLER", "SIZE", "STATE")
    rows = [
        (
            environment.name,
            environment.framework or "-",
            environment.framework_version or "-",
            environment.cuda or "-",
            environment.python or "-",
            environment.installer.value,
            size(environment.disk_bytes) if environment.disk_bytes else "-",
            _state(environment),
        )
        for environment in found
    ]
    return columns([head, *rows])


def _state(environment: Environment) -> str:
    if environment.damaged:
        return "damaged: remove it and create it again"
    verification = environment.verification
    state = verification.outcome.value.replace("_", " ") if verification else "not verified"
    return state if environment.registered else f"{state}, not registered"


def plan(plan: Plan) -> str:
    """A plan, without its long list of packages."""
    if plan.refusal is not None:
        return f"It cannot be built: {plan.refusal.reason}\n{plan.refusal.cure}\n"
    rows = [
        ("Framework", f"{plan.spec.framework} {plan.framework_version or ''}".strip()),
        ("Variant", _with_reason(plan.variant.value, plan.variant_reason)),
        ("CUDA", _cuda(plan)),
        ("Python", plan.python),
        ("Installer", _with_reason(plan.installer.value, plan.installer_reason)),
        _sources(plan),
        ("Packages", f"{len(plan.packages)} (--json lists them)"),
        ("Download", size(plan.download_bytes) if plan.download_bytes else "nothing, all of it is cached"),
        ("On disk", f"about {size(plan.disk_bytes)}"),
    ]
    return columns(rows) + notes(plan)


def outline(plan: Plan) -> str:
    """A plan in a line, and its notes: for those who have asked for the build already."""
    framework = f"{plan.spec.framework} {plan.framework_version or ''}".strip()
    build = f"CUDA {plan.cuda}" if plan.cuda else "CPU"
    download = f"{size(plan.download_bytes)} to download" if plan.download_bytes else "nothing to download"
    parts = (f"{framework} ({build})", f"Python {plan.python}", f"from {plan.installer.value}", download)
    why = f"{plan.cuda_reason}\n" if plan.cuda_reason else ""
    if plan.variant is Variant.CPU and plan.spec.variant is Variant.AUTO and plan.framework_version:
        why += f"Note: It is for the CPU. {plan.variant_reason}\n"
    if plan.installer is Installer.PYPI and plan.spec.installer is Installer.AUTO:
        why += f"Note: It comes from PyPI. {plan.installer_reason}\n"
    return f"{', '.join(parts)}, about {size(plan.disk_bytes)} on disk.\n{why}{notes(plan)}"


def notes(plan: Plan) -> str:
    """What should be read before a build."""
    return "".join(f"Note: {warning}\n" for warning in plan.warnings)


def _sources(plan: Plan) -> tuple[str, str]:
    """Where the packages come from, by the name that the installer has for such places."""
    if plan.installer is Installer.CONDA:
        return "Channels", ", ".join(plan.channels) or "-"
    return "Indexes", ", ".join(plan.channels) or "the Python Package Index"


def manifest(manifest: Manifest) -> str:
    """What is known of an environment."""
    plan = manifest.plan
    rows = [
        ("Name", manifest.name),
        ("Kernel", f"{manifest.display_name} ({manifest.kernel_name})"),
        ("Framework", f"{manifest.spec.framework} {plan.framework_version or ''}".strip()),
        *([("Extras", ", ".join(manifest.spec.extras))] if manifest.spec.extras else []),
        ("Variant", plan.variant.value),
        ("CUDA", _cuda(plan)),
        ("Python", plan.python),
        ("Installer", _with_reason(plan.installer.value, plan.installer_reason)),
        ("Packages", str(len(plan.packages))),
        ("On disk", size(manifest.disk_bytes) if manifest.disk_bytes else "unknown"),
        ("Memory", memory(manifest.launch.memory, manifest.launch.memory_fraction)),
        ("GPUs", placement(manifest.launch.placement)),
        ("Prefix", manifest.prefix),
        ("Created", manifest.created),
    ]
    text = columns(rows)
    text += verification(manifest.verification) if manifest.verification else "It was not verified.\n"
    return text + (benchmark(manifest.benchmark) if manifest.benchmark else "")


def placement(placement: Placement) -> str:
    """Which GPUs a kernel is given."""
    counted = f"the {placement.count} GPUs that are" if placement.count > 1 else "the GPU that is"
    chosen = {
        GpuPolicy.AUTO: "the least used GPU where there are several",
        GpuPolicy.ALL: "all GPUs",
        GpuPolicy.LEAST_USED: f"{counted} least used",
        GpuPolicy.EXCLUSIVE: f"{counted} free, for itself alone",
        GpuPolicy.FIXED: ", ".join(placement.devices),
    }[placement.policy]
    several = max(placement.count, len(placement.devices)) > 1 or placement.policy is GpuPolicy.ALL
    them = "them" if several else "it"
    return f"{chosen}, waiting up to {placement.wait:g} s for {them}" if placement.wait else chosen


def verification(verification: Verification) -> str:
    """What a verification found."""
    devices = f"Devices: {', '.join(verification.devices)}\n" if verification.devices else ""
    extras = "".join(f"{check.sentence}\n" for check in verification.extras)
    return f"{verification.sentence}\n{devices}{extras}"


def benchmark(result: BenchmarkResult) -> str:
    """The benchmark's table."""
    head = ("WORKLOAD", "DEVICE", "MEDIAN", "SPREAD", "RUNS", "TOTAL", "PEAK MEMORY", "NAME")
    rows = [
        (
            timing.workload,
            timing.device,
            f"{timing.median * 1000:.2f} ms",
            f"{timing.spread * 1000:.2f} ms",
            str(timing.runs),
            f"{timing.total:.2f} s",
            size(timing.peak_memory) if timing.peak_memory is not None else "-",
            timing.device_name,
        )
        for timing in result.timings
    ]
    if not rows:
        return f"{result.framework}\nNothing was measured. {result.gpu_missing or ''}".rstrip() + "\n"
    text = f"{result.framework}\n{columns([head, *rows])}"
    text += "".join(f"The GPU is {factor:.1f} times as fast: {name}.\n" for name, factor in result.speedups.items())
    return text + (f"No GPU half: {result.gpu_missing}\n" if result.gpu_missing else "")


def frameworks(found: Sequence[Framework]) -> str:
    """A table of the catalogue."""
    rows = [
        (
            framework.id,
            framework.title,
            ", ".join(kind.value for kind in framework.variants()),
            ", ".join(extra.id for extra in framework.extras) or "-",
            _summary(framework),
        )
        for framework in found
    ]
    return columns([("ID", "TITLE", "VARIANTS", "EXTRAS", "SUMMARY"), *rows])


def _summary(framework: Framework) -> str:
    return f"{framework.summary} (legacy)" if framework.legacy else framework.summary


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
            job.created[:19].replace("T", " "),
        )
        for job in found
    ]
    return columns([("ID", "KIND", "NAME", "STATE", "STAGE", "PROCESS", "CREATED (UTC)"), *rows])


def memory(preset: MemoryPreset, fraction: float) -> str:
    """A memory preset."""
    return f"{preset.value} ({fraction:g})" if preset is MemoryPreset.FRACTION else preset.value


def _cuda(plan: Plan) -> str:
    """The CUDA of a plan, and why."""
    return plan.cuda_reason.removeprefix("CUDA ") or plan.cuda or "none"


def _with_reason(value: str, reason: str) -> str:
    """What was chosen, and why, if that is known."""
    return f"{value}. {reason}" if reason else value
