"""What crosses a wall between rooms: frozen dataclasses and enums, JSON in and out.

Times are ISO 8601 strings in UTC, sizes are bytes, rates are bytes per second, paths are absolute strings.
Only the standard library is imported here, since :mod:`jupyter_gpu_kernels.prefix` also runs where nothing else is.
"""

from __future__ import annotations

from .benchmark import BenchmarkResult, Timing
from .environment import DiskUsage, Environment, EnvironmentChange, EnvironmentKind, LaunchPolicy, Manifest, NameCheck
from .framework import Absence, Framework, Guard, Link, Recipe
from .hardware import Gpu, Hardware
from .job import ErrorReport, Job, JobKind, JobState, ProcessIdentity
from .plan import Plan, PlannedPackage, Refusal
from .progress import Progress, Stage
from .serialization import from_json, now, to_json
from .spec import EnvironmentSpec, Installer, MemoryPreset, Variant
from .verification import LibraryOrigin, MappedLibrary, Verification, VerificationOutcome

__all__ = [
    "Absence",
    "BenchmarkResult",
    "DiskUsage",
    "Environment",
    "EnvironmentChange",
    "EnvironmentKind",
    "EnvironmentSpec",
    "ErrorReport",
    "Framework",
    "Gpu",
    "Guard",
    "Hardware",
    "Installer",
    "Job",
    "JobKind",
    "JobState",
    "LaunchPolicy",
    "LibraryOrigin",
    "Link",
    "Manifest",
    "MappedLibrary",
    "MemoryPreset",
    "NameCheck",
    "Plan",
    "PlannedPackage",
    "ProcessIdentity",
    "Progress",
    "Recipe",
    "Refusal",
    "Stage",
    "Timing",
    "Variant",
    "Verification",
    "VerificationOutcome",
    "from_json",
    "now",
    "to_json",
]
