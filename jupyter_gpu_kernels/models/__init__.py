"""What crosses a wall between rooms: frozen dataclasses and enums, JSON in and out.

Times are ISO 8601 strings in UTC, sizes are bytes, rates are bytes per second, paths are absolute strings.
Only the standard library is imported here, since :mod:`jupyter_gpu_kernels.prefix` also runs where nothing else is.
"""

from __future__ import annotations

from .benchmark import BenchmarkResult, Timing
from .channels import ChannelsReport, ConfiguredValue, Measured, Mirror, MirrorChoice
from .copies import CloneRequest, RenameRequest
from .diagnosis import Diagnosis, Examined, Finding, Remedy, Severity
from .environment import DiskUsage, Environment, EnvironmentChange, EnvironmentKind, LaunchPolicy, Manifest, NameCheck
from .foreign import AdoptionRequest, ForeignEnvironment
from .framework import Absence, Elsewhere, Extra, Framework, Guard, Link, Recipe
from .hardware import ComputeMode, Gpu, GpuProcess, GpuReading, Hardware, MigInstance, Vendor
from .job import ErrorReport, Job, JobKind, JobState
from .packages import EditPlan, FoundPackage, InstalledPackage, PackageDifference, PackageEdit, PackageOrigin
from .placement import GpuPolicy, GpuUsage, KernelShare, Lease, Placement
from .plan import Plan, PlannedPackage, Refusal
from .process import ProcessIdentity
from .progress import Progress, Stage
from .recipe import RECIPE_KEY, Difference, KernelRecipe, Original, RecipePlan, RecipeRequest
from .serialization import from_json, now, to_json
from .sharing import ExportedFile, FileFormat, ImportPlan, ImportRequest, PackRequest
from .spec import EnvironmentSpec, Installer, MemoryPreset, Variant
from .verification import ExtraCheck, LibraryOrigin, MappedLibrary, Verification, VerificationOutcome

__all__ = [
    "CloneRequest",
    "RenameRequest",
    "KernelShare",
    "Absence",
    "LaunchPolicy",
    "from_json",
    "FileFormat",
    "Variant",
    "Vendor",
    "PlannedPackage",
    "Original",
    "PackageEdit",
    "ComputeMode",
    "DiskUsage",
    "Link",
    "Refusal",
    "EnvironmentSpec",
    "GpuProcess",
    "Installer",
    "Severity",
    "to_json",
    "MappedLibrary",
    "EnvironmentChange",
    "Hardware",
    "Verification",
    "ForeignEnvironment",
    "Measured",
    "Manifest",
    "JobKind",
    "ExportedFile",
    "Plan",
    "RecipePlan",
    "RecipeRequest",
    "ImportPlan",
    "Stage",
    "MigInstance",
    "EditPlan",
    "Environment",
    "EnvironmentKind",
    "Progress",
    "Remedy",
    "KernelRecipe",
    "ChannelsReport",
    "Finding",
    "InstalledPackage",
    "Gpu",
    "Examined",
    "GpuPolicy",
    "Diagnosis",
    "LibraryOrigin",
    "Timing",
    "RECIPE_KEY",
    "MirrorChoice",
    "ErrorReport",
    "ConfiguredValue",
    "JobState",
    "Difference",
    "PackageOrigin",
    "ImportRequest",
    "PackRequest",
    "Placement",
    "now",
    "Job",
    "AdoptionRequest",
    "VerificationOutcome",
    "NameCheck",
    "ProcessIdentity",
    "FoundPackage",
    "Elsewhere",
    "Extra",
    "ExtraCheck",
    "Guard",
    "Lease",
    "MemoryPreset",
    "Recipe",
    "PackageDifference",
    "Mirror",
    "Framework",
    "GpuReading",
    "GpuUsage",
    "BenchmarkResult",
]
