"""What environments are made with: every part of the building room, put together once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..models import EnvironmentKind, Hardware
from .conda.engine import CondaEngine
from .construction import Construction
from .disk.generations import Generations
from .disk.inventory import Inventory
from .disk.locks import EnvironmentLock
from .planning.planner import Planner
from .wheels.engine import WheelsEngine


@dataclass(frozen=True, kw_only=True)
class Equipment:
    """The parts that those with a verb (:mod:`.pipeline` and its like) work with.

    Attributes:
        planner: Answers what would be built.
        conda: The conda installer.
        wheels: The PyPI installer.
        construction: Builds what was planned; its staging directory is :attr:`staging`.
        inventory: What is there.
        generations: Where environments of each kind are built.
        hardware: Tells what this machine has.
        state_dir: For locks and staged kernelspecs.
        cache_dir: For what may be deleted at any time.
    """

    planner: Planner
    conda: CondaEngine
    wheels: WheelsEngine
    construction: Construction
    inventory: Inventory
    generations: Mapping[EnvironmentKind, Generations]
    hardware: Callable[[], Hardware]
    state_dir: Path
    cache_dir: Path

    @property
    def staging(self) -> Path:
        """Directory of kernelspecs that nobody else sees."""
        return self.state_dir / "staging"

    @property
    def bytecode_dir(self) -> Path:
        """Store of compiled modules, shared by all environments."""
        return self.cache_dir / "bytecode"

    @contextlib.asynccontextmanager
    async def writing(self, name: str, purpose: str) -> AsyncIterator[None]:
        """Hold an environment's lock for a purpose; one writer at a time, across processes.

        Raises:
            EnvironmentBusyError: Somebody else holds it; the message says who.
        """
        lock = EnvironmentLock(self.state_dir / "locks", name)
        # Not in a thread: it takes a few system calls, and a cancelled wait for a thread would leave it locked.
        lock.acquire(purpose)
        try:
            yield
        finally:
            lock.release()
