"""What crosses a wall between rooms: frozen dataclasses and enums, JSON in and out.

Times are ISO 8601 strings in UTC, sizes are bytes, rates are bytes per second, paths are absolute strings.
Only the standard library is imported here, since :mod:`jupyter_gpu_kernels.prefix` also runs where nothing else is.
"""

from __future__ import annotations

from .benchmark import BenchmarkResult, Timing
from .diagnosis import Diagnosis, Examined, Finding, Remedy, Severity
from .environment import DiskUsage, Environment, EnvironmentChange, EnvironmentKind, LaunchPolicy, Manifest, NameCheck
from .framework import Absence, Elsewhere, Framework, Guard, Link, Recipe
from .hardware import ComputeMode, Gpu, GpuProcess, GpuReading, Hardware, MigInstance, Vendor
from .job import ErrorReport, Job, JobKind, JobState
from .placement import GpuPolicy, GpuUsage, KernelShare, Lease, Placement
from .plan import Plan, PlannedPackage, Refusal
from .process import ProcessIdentity
from .progress import Progress, Stage
from .serialization import from_json, now, to_json
from .spec import EnvironmentSpec, Installer, MemoryPreset, Variant
from .verification import LibraryOrigin, MappedLibrary, Verification, VerificationOutcome

__all__ = [
    "Absence",
    "BenchmarkResult",
    "ComputeMode",
    "Diagnosis",
    "DiskUsage",
    "Elsewhere",
    "Environment",
    "EnvironmentChange",
    "EnvironmentKind",
    "EnvironmentSpec",
    "ErrorReport",
    "Examined",
    "Finding",
    "Framework",
    "Gpu",
    "GpuPolicy",
    "GpuProcess",
    "GpuReading",
    "GpuUsage",
    "Guard",
    "Hardware",
    "Installer",
    "Job",
    "JobKind",
    "JobState",
    "KernelShare",
    "LaunchPolicy",
    "Lease",
    "LibraryOrigin",
    "Link",
    "Manifest",
    "MappedLibrary",
    "MemoryPreset",
    "MigInstance",
    "NameCheck",
    "Placement",
    "Plan",
    "PlannedPackage",
    "ProcessIdentity",
    "Progress",
    "Recipe",
    "Refusal",
    "Remedy",
    "Severity",
    "Stage",
    "Timing",
    "Variant",
    "Vendor",
    "Verification",
    "VerificationOutcome",
    "from_json",
    "now",
    "to_json",
]
