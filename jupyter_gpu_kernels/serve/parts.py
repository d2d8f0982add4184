"""The manager's parts: who builds, who remembers, who looks; each is made when it is first asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Any as AnyTrait
from traitlets import default

from ..models import Job
from .copies import EnvironmentCopies
from .foreign import ForeignEnvironments
from .gpus.watch import GpuWatch, open_watch
from .jobs import JobRunner
from .kernels import ProcessKernels, RunningKernels
from .ledger import Ledger
from .packages import EnvironmentPackages
from .packing import Packing
from .records import JobRecords
from .settings import Settings
from .sharing import Sharing
from .work import EnvironmentWork
from .workshop import Workshop

if TYPE_CHECKING:
    from ..build.equipment import Equipment
    from .channels import Network
    from .search import Search


class Parts(Settings):
    """Puts the parts together as configured, and stops those that were made.

    Methods belong to one event loop.
    """

    equipment: Equipment = AnyTrait(help="What environments are made with.")  # type: ignore[assignment]
    workshop: Workshop = AnyTrait(help="Builds environments.")  # type: ignore[assignment]
    runner: JobRunner = AnyTrait(help="Runs the jobs.")  # type: ignore[assignment]
    kernels: RunningKernels = AnyTrait(help="Knows the running kernels.")  # type: ignore[assignment]
    gpus: GpuWatch = AnyTrait(help="Watches the GPUs.")  # type: ignore[assignment]
    network: Network = AnyTrait(help="Knows where packages come from.")  # type: ignore[assignment]
    search: Search = AnyTrait(help="Looks for packages.")  # type: ignore[assignment]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        #: Called on the loop with each new snapshot of a job of this process.
        self.listeners: list[Callable[[Job], None]] = []
        self.work = EnvironmentWork(self)
        #: Root of the server's contents, ``None`` where there is no server.
        self.contents_root: Path | None = None
        self.copies = EnvironmentCopies(self)
        self.packing = Packing(self)
        self.foreign = ForeignEnvironments(self)
        self.packages = EnvironmentPackages(self)
        self.sharing = Sharing(self)  # type: ignore[arg-type]  # which is the manager

    @default("equipment")
    def _default_equipment(self) -> Equipment:
        # Imported here: a server that only starts needs no solver and no verification.
        from .wiring import open_equipment

        return open_equipment(self)

    @default("workshop")
    def _default_workshop(self) -> Workshop:
        from .wiring import open_workshop

        return open_workshop(self.equipment, self)

    @default("runner")
    def _default_runner(self) -> JobRunner:
        from ..hardware.processes import alive, identity

        records = JobRecords(Path(self.state_dir) / "jobs", keep=self.kept_jobs, days=self.kept_days)
        ledger = Ledger(records, owner=identity(), alive=alive)
        return JobRunner(ledger, self.work, limit=self.simultaneous_builds, listeners=self.listeners)

    @default("kernels")
    def _default_kernels(self) -> RunningKernels:
        return ProcessKernels()

    @default("gpus")
    def _default_gpus(self) -> GpuWatch:
        return open_watch(self.kernels)

    @default("network")
    def _default_network(self) -> Network:
        from .channels import Network

        return Network(self)

    @default("search")
    def _default_search(self) -> Search:
        from .search import Search

        return Search(self)  # type: ignore[arg-type]  # which is the manager

    @property
    def active(self) -> tuple[Job, ...]:
        """The unfinished jobs of this process."""
        return self.runner.active if self.trait_has_value("runner") else ()

    async def recover(self) -> tuple[Job, ...]:
        """Take up what a dead process left; called once, when a server starts."""
        taken = await self.runner.resume()
        await asyncio.to_thread(lambda: self.workshop.sweep())
        await asyncio.to_thread(self.packing.sweep)
        await self.sharing.sweep()
        return taken

    async def close(self, timeout: float = 4.0) -> None:
        """Stop all jobs, and looking at the GPUs, within some seconds."""
        closing = [self.gpus.close()] if self.trait_has_value("gpus") else []
        if self.trait_has_value("search"):
            closing.append(self.search.close())
        if self.trait_has_value("runner"):
            closing.append(self.runner.close(timeout))
        await asyncio.gather(*closing)
