"""What the manager needs of whoever builds."""

from __future__ import annotations

from typing import Any, Protocol

from ..build.reporting import BuildReporter
from ..models import (
    BenchmarkResult,
    DiskUsage,
    Environment,
    EnvironmentChange,
    EnvironmentSpec,
    Framework,
    Hardware,
    Manifest,
    Plan,
    Verification,
)


class Workshop(Protocol):
    """Makes, changes, verifies and removes environments. Cancelled, a method leaves nothing half-made behind."""

    async def plan(self, spec: EnvironmentSpec) -> Plan:
        """Answer what would be built; a refusal is part of the plan."""

    async def create(self, spec: EnvironmentSpec, *, reporter: BuildReporter) -> Manifest:
        """Build, verify and register a new environment."""

    async def rebuild(self, name: str, *, reporter: BuildReporter) -> Manifest:
        """Build an environment anew and exchange the two."""

    async def verify(self, name: str, *, reporter: BuildReporter) -> Verification:
        """Verify an environment and keep the result."""

    async def benchmark(self, name: str, *, reporter: BuildReporter) -> BenchmarkResult:
        """Run the bundled notebook in an environment's kernel and keep the result."""

    async def keep_benchmark(self, name: str, data: Any) -> BenchmarkResult:
        """Keep what the bundled notebook displayed somewhere else (:class:`InvalidInputError`)."""

    async def change(self, name: str, change: EnvironmentChange) -> Environment:
        """Change what can be changed without building anything."""

    async def remove(self, name: str, *, reporter: BuildReporter) -> None:
        """Unregister an environment's kernel and remove the environment."""

    async def recover(self, name: str) -> Manifest | None:
        """After the death of a job: finish what was built whole, remove what was not."""

    def check(self, spec: EnvironmentSpec) -> None:
        """Refuse what is malformed or not in the catalogue (:class:`InvalidInputError`). Quick."""

    def check_free(self, name: str) -> None:
        """Refuse a name that belongs to an environment or a kernel (:class:`NameTakenError`). Blocks on the disk."""

    def environments(self) -> tuple[Environment, ...]:
        """List the environments. Blocks on the disk."""

    def manifest(self, name: str) -> Manifest:
        """Read a manifest (:class:`NotFoundError`, :class:`BrokenEnvironmentError`). Blocks on the disk."""

    def usage(self, name: str) -> DiskUsage:
        """Measure what an environment takes on disk (:class:`NotFoundError`). Blocks on the disk, for seconds."""

    def sweep(self) -> None:
        """Remove what earlier builds left behind and nobody uses any more. Blocks on the disk."""

    def frameworks(self) -> tuple[Framework, ...]:
        """The catalogue. Blocks on the disk."""

    def framework(self, framework_id: str) -> Framework:
        """An entry of the catalogue (:class:`UnknownFrameworkError`). Blocks on the disk."""

    def logo(self, framework_id: str) -> bytes:
        """The drawing of a framework, an SVG (:class:`UnknownFrameworkError`). Blocks on the disk."""

    def hardware(self) -> Hardware:
        """What this machine has. Blocks on the driver."""
