"""Whether what is known of an environment is still true, and what its kernels need from whoever runs them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from ..._version import __version__
from ...build.contents.census import census
from ...models import Environment, Finding, GpuReading, MemoryPreset, Variant, VerificationOutcome
from ...prefix.layout import Layout
from ..check import note, problem, warning
from ..context import Context
from ..remedies import verify
from .builds import builds

#: How many packages are told one by one.
_TOLD = 10

#: What of a framework takes a GPU's memory at once, and the variables that make it take what it needs.
_GREEDY = {
    "tensorflow": ("nearly all of the GPU's memory", ("TF_FORCE_GPU_ALLOW_GROWTH",)),
    "jax": ("three quarters of the GPU's memory", ("XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_PYTHON_CLIENT_ALLOCATOR")),
}


def look_at_verification(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """A verification that failed, that saw no GPU, or that was never made."""
    found = environment.verification
    gpus = context.hardware.gpus
    if found is None:
        yield note(
            "It was never verified: nobody knows whether its kernel works.",
            cure="Verify it.",
            remedy=verify(environment.name),
        )
    elif found.outcome is VerificationOutcome.FAILED:
        yield problem(
            f"Its last verification failed: {found.sentence}",
            evidence=[f"Verified {found.checked}"],
            cure="Verify it again; if that fails too, rebuild it.",
            remedy=verify(environment.name),
        )
    elif found.outcome is VerificationOutcome.GPU_NOT_SEEN and gpus and environment.variant is Variant.GPU:
        yield warning(
            f"Its last verification saw no GPU, and this machine has {gpus[0].name}: {found.sentence}",
            evidence=[f"Verified {found.checked}"],
            cure="Verify it again.",
            remedy=verify(environment.name),
        )
    elif found.outcome is VerificationOutcome.GPU_NOT_SEEN and environment.variant is Variant.CPU:
        # It looks for no GPU: it was to have one that could not be given.
        yield warning(
            f"Its last verification came to nothing: {found.sentence}",
            evidence=[f"Verified {found.checked}"],
            cure=f"Let it have any GPU: `jupyter gpu-kernels placement {environment.name} auto`. Then verify it again.",
            remedy=verify(environment.name),
        )


def look_at_changes(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """Packages that came after the last verification."""
    checked = _moment(environment.verification.checked if environment.verification else "")
    if checked is None:
        return
    packages = census(layout)
    later = {}
    for kind in (packages.conda, packages.python):
        for package in kind.values():
            try:
                changed = package.metadata.stat().st_mtime
            except OSError:
                continue
            # A second of grace: a file system may keep time by another clock.
            if changed > checked + 1:
                later[package.name] = package
    if later:
        names = sorted(later)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield note(
            f"Packages were installed after its last verification: {', '.join(names[:3])}{more}.",
            evidence=[str(later[name]) for name in names[:_TOLD]],
            cure="Verify it again.",
            remedy=verify(environment.name),
        )


def look_for_restarts(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """Running kernels that still use what a rebuild has replaced."""
    count = len(environment.restart_needed)
    if count:
        kernels = "A running kernel still uses" if count == 1 else f"{count} running kernels still use"
        yield note(
            f"{kernels} what a rebuild has replaced.",
            evidence=[f"Kernel {kernel}" for kernel in environment.restart_needed],
            cure="Restart the kernel (Kernel menu, Restart Kernel)." if count == 1 else "Restart these kernels.",
        )


def look_at_builder(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """An environment that a newer version of this package has built."""
    manifest = context.manifest_of(environment.name)
    try:
        newer = manifest is not None and Version(manifest.built_by) > Version(__version__)
    except InvalidVersion:
        return
    if manifest is not None and newer:
        yield note(
            f"It was built by jupyter-gpu-kernels {manifest.built_by}, and this is {__version__}.",
            cure="Upgrade jupyter-gpu-kernels here before you change or rebuild it.",
        )


def look_at_memory(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """A framework that takes a GPU's memory at once, where several processes share one."""
    if environment.memory is not MemoryPreset.DEFAULT:
        return
    shared = [reading for reading in context.readings if len(reading.processes or ()) > 1]
    for build in builds(layout, census(layout), context.framework(environment.framework)):
        share, variables = _GREEDY.get(build.framework, ("", ()))
        if shared and share and build.cuda and not any(name in context.environ for name in variables):
            yield note(
                f"{build.title} takes {share} for itself at its first computation, and "
                f"{len(shared[0].processes or ())} processes share one.",
                evidence=[_told(reading) for reading in shared],
                cure=f"Let it take what it needs: `jupyter gpu-kernels memory {environment.name} grow`.",
            )


def _told(reading: GpuReading) -> str:
    """Who shares a GPU."""
    pids = [str(process.pid) if process.pid is not None else "unknown" for process in reading.processes or ()]
    return f"{reading.uuid}: processes {', '.join(pids)}"


def _moment(text: str) -> float | None:
    """A time of a record, as seconds since the epoch; ``None`` if it is none."""
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
