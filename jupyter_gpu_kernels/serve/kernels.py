"""Kernels that run now, as far as this process can know of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from jupyter_core.utils import ensure_async

from ..prefix.placement import HURRY

#: Seconds between two looks at kernels that are about to start.
LOOK = 0.05


@dataclass(frozen=True)
class RunningKernel:
    """A kernel that runs.

    Attributes:
        id: As the server names it.
        pid: Its process, which changes with a restart; ``None`` where it runs elsewhere.
    """

    id: str
    pid: int | None


@dataclass(frozen=True, kw_only=True)
class LiveKernel:
    """A kernel of this server that runs on this host, and what it is there for.

    Attributes:
        id: As the server names it.
        pid: Its process.
        name: Name of its kernelspec.
        title: Path of its notebook as it is now, name of its console, or else the display name of its kernelspec.
        idle_since: Since when nothing runs in it, empty while something does.
    """

    id: str
    pid: int
    name: str
    title: str
    idle_since: str


class RunningKernels(Protocol):
    """Knows and stops running kernels."""

    def of(self, kernel_name: str, prefix: str) -> tuple[RunningKernel, ...]:
        """The running kernels that were started from a kernelspec, of an environment at ``prefix``."""

    async def all(self) -> tuple[LiveKernel, ...]:
        """The kernels of this server that run on this host."""

    def idle_since(self, kernel_id: str) -> datetime | None:
        """Since when nothing runs in a kernel of this server; ``None`` while something does, or if it is gone."""

    async def connections(self, kernel_id: str) -> int:
        """How many are connected to a kernel of this server: tabs of browsers, mostly."""

    async def stop(self, kernel_id: str, *, now: bool = True) -> bool:
        """Shut a kernel down, at once or after it was asked to end, and answer whether that was done."""


class ProcessKernels:
    """What a process without a server can know: whether anything runs from an environment. It stops nothing."""

    def of(self, kernel_name: str, prefix: str) -> tuple[RunningKernel, ...]:
        """One stand-in for all processes that run from the environment."""
        # Imported here: listing processes takes a library that a server need not load.
        from ..build.disk.occupancy import occupied

        return (RunningKernel("a process outside", None),) if prefix and occupied({Path(prefix)}) else ()

    async def all(self) -> tuple[LiveKernel, ...]:
        """None: there is no server."""
        return ()

    def idle_since(self, kernel_id: str) -> datetime | None:
        """Not known."""
        return None

    async def connections(self, kernel_id: str) -> int:
        """None that is known of."""
        return 0

    async def stop(self, kernel_id: str, *, now: bool = True) -> bool:
        """Leave it: what others started is theirs to stop."""
        return False


class ServerKernels:
    """The kernels of a Jupyter server.

    Args:
        kernel_manager: The server's mapping kernel manager.
        session_manager: The server's session manager, which knows what kernels are there for.
    """

    def __init__(self, kernel_manager: Any, session_manager: Any = None) -> None:
        self._manager = kernel_manager
        self._sessions = session_manager

    def of(self, kernel_name: str, prefix: str) -> tuple[RunningKernel, ...]:
        """The server's kernels of that name; names of kernelspecs have no case."""
        found = []
        for kernel_id in self._manager.list_kernel_ids():
            kernel = self._manager.get_kernel(kernel_id)
            if str(kernel.kernel_name).lower() == kernel_name.lower():
                found.append(RunningKernel(kernel_id, _pid(kernel)))
        return tuple(found)

    async def all(self) -> tuple[LiveKernel, ...]:
        """The server's kernels that run on this host."""
        if not any(_pid(self._manager.get_kernel(kernel_id)) for kernel_id in self._manager.list_kernel_ids()):
            # Behind a gateway, to list sessions is a request over the net for each.
            return ()
        titles = await self._titles()
        found = []
        for kernel_id in self._manager.list_kernel_ids():
            kernel = self._manager.get_kernel(kernel_id)
            pid = _pid(kernel)
            # One that died for good keeps its pid, which by now may be anybody's.
            if pid is not None and getattr(kernel, "execution_state", None) != "dead":
                since = _idle_since(kernel)
                found.append(
                    LiveKernel(
                        id=kernel_id,
                        pid=pid,
                        name=str(kernel.kernel_name),
                        title=titles.get(kernel_id) or _display_name(kernel),
                        idle_since=since.isoformat(timespec="milliseconds") if since else "",
                    )
                )
        return tuple(found)

    def idle_since(self, kernel_id: str) -> datetime | None:
        """Since when nothing runs in a kernel."""
        return _idle_since(self._manager.get_kernel(kernel_id)) if kernel_id in self._manager else None

    async def connections(self, kernel_id: str) -> int:
        """How many are connected to a kernel."""
        if kernel_id not in self._manager:
            return 0
        model = await ensure_async(self._manager.kernel_model(kernel_id))
        return int(model.get("connections", 0))

    async def stop(self, kernel_id: str, *, now: bool = True) -> bool:
        """Shut a kernel down, as its user would; one that is gone already is no error."""
        if kernel_id not in self._manager:
            return False
        await self._manager.shutdown_kernel(kernel_id, now=now)
        return True

    async def hurry(self, patience: float) -> None:
        """Let no kernel wait for a GPU any more, and see those started that did.

        A server that ends cannot shut down a kernel that is about to start, and would go on for ever.

        Args:
            patience: Seconds to wait for them.
        """
        setattr(self._manager, HURRY, True)
        for _ in range(round(patience / LOOK)):
            if not self._starting():
                break
            await asyncio.sleep(LOOK)

    def _starting(self) -> bool:
        """Whether kernels are about to start, for the first time or again."""
        if any(not start.done() for start in getattr(self._manager, "_pending_kernels", {}).values()):
            return True
        kernels = map(self._manager.get_kernel, self._manager.list_kernel_ids())
        ready = [kernel.ready for kernel in kernels if hasattr(kernel, "ready")]
        return any(not each.done() for each in ready)

    async def _titles(self) -> dict[str, str]:
        """By kernel, what it is there for now: a session follows its notebook when that is renamed."""
        sessions = await self._sessions.list_sessions() if self._sessions is not None else ()
        # A kernel may serve a notebook and a console; the notebook is what its user knows.
        ordered = sorted(sessions, key=lambda session: session["type"] == "notebook")
        return {session["kernel"]["id"]: _title(session) for session in ordered}


def _title(session: Mapping[str, Any]) -> str:
    """The path of a notebook; paths of consoles are made up and tell nobody anything."""
    if session["type"] == "notebook":
        return str(session["path"])
    return str(session["name"] or session["path"])


def _display_name(kernel: Any) -> str:
    """What the Launcher calls a kernel."""
    try:
        return str(kernel.kernel_spec.display_name)
    except (KeyError, AttributeError):
        # Its kernelspec has been removed since.
        return str(kernel.kernel_name)


def _pid(kernel: Any) -> int | None:
    """The process of a kernel; those behind a gateway have no provisioner, and remote ones no local process."""
    pid = getattr(getattr(kernel, "provisioner", None), "pid", None)
    return pid if isinstance(pid, int) else None


def _idle_since(kernel: Any) -> datetime | None:
    """When a kernel had its last message, if it is idle."""
    if getattr(kernel, "execution_state", None) != "idle":
        return None
    since = getattr(kernel, "last_activity", None)
    return since.astimezone(timezone.utc) if isinstance(since, datetime) else None
