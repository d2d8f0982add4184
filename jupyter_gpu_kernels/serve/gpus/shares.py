"""Who has what of the GPUs: readings, kernels and leases put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...models import GpuReading, KernelShare, Lease
from ..kernels import LiveKernel

#: Says to which of some processes a process belongs: itself, its session's leader, an ancestor.
Family = Callable[[int, Collection[int]], int | None]

NO_GPU = "The NVIDIA driver is there, but it shows no GPU: none was given to this session or container."
NOT_LISTED = "The driver lists no processes here: which kernel has how much memory cannot be told."
NOT_NAMED = "The driver does not name every process here: some memory is shown without its kernel."


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A kernel that may have something of a GPU, of this server or of another one of this user."""

    kernel_id: str
    kernel_name: str
    title: str
    here: bool
    pid: int | None
    devices: frozenset[str]
    idle_since: str


def shares(
    readings: Sequence[GpuReading], kernels: Iterable[LiveKernel], leases: Iterable[Lease], family: Family
) -> tuple[KernelShare, ...]:
    """Who has what, the largest first.

    A kernel has what its processes have: workers of data loaders, what it started in the background. A kernel that was
    given a GPU and has nothing on it is told too: others may have to wait for it.

    Args:
        readings: What the driver said.
        kernels: The kernels of this server.
        leases: Which kernels of this user were given what.
        family: Says to which kernel a process belongs.
    """
    holders = tuple(_holders(kernels, leases))
    found = [share for reading in readings for share in _of(reading, holders, family)]
    return tuple(sorted(found, key=lambda share: share.memory or 0, reverse=True))


def notes(readings: Collection[GpuReading]) -> tuple[str, ...]:
    """What cannot be told, for a driver that does not say so itself."""
    if not readings:
        return (NO_GPU,)
    lists = [reading.processes for reading in readings]
    found = []
    if None in lists:
        found.append(NOT_LISTED)
    if any(process.pid is None for processes in lists for process in processes or ()):
        found.append(NOT_NAMED)
    return tuple(found)


def _holders(kernels: Iterable[LiveKernel], leases: Iterable[Lease]) -> Iterator[Holder]:
    """This server's kernels, and those of the others that have leases."""
    by_id = {lease.kernel_id: lease for lease in leases}
    for kernel in kernels:
        lease = by_id.pop(kernel.id, None)
        yield Holder(
            kernel_id=kernel.id,
            kernel_name=kernel.name,
            title=kernel.title,
            here=True,
            pid=kernel.pid,
            devices=frozenset(lease.devices if lease else ()),
            idle_since=kernel.idle_since,
        )
    for lease in by_id.values():
        yield Holder(
            kernel_id=lease.kernel_id,
            kernel_name=lease.kernel_name,
            title=lease.title or lease.kernel_name,
            here=False,
            pid=lease.kernel.pid if lease.kernel else None,
            devices=frozenset(lease.devices),
            idle_since="",
        )


def _of(reading: GpuReading, holders: Sequence[Holder], family: Family) -> Iterator[KernelShare]:
    """Who has what of one GPU."""
    by_pid = {holder.pid: holder for holder in holders if holder.pid is not None}
    held: dict[str, list[int | None]] = {}
    # Of a process that cannot be named, nobody knows whether it is one of the kernels'.
    named = reading.processes is not None and all(process.pid is not None for process in reading.processes)
    for process in reading.processes or ():
        owner = None if process.pid is None else family(process.pid, by_pid)
        if owner is None:
            yield KernelShare(gpu=reading.uuid, pid=process.pid, memory=process.memory)
        else:
            held.setdefault(by_pid[owner].kernel_id, []).append(process.memory)
    for holder in holders:
        leased = reading.uuid in holder.devices
        if holder.kernel_id in held:
            memory = _total(held[holder.kernel_id])
        elif leased:
            memory = 0 if named else None
        else:
            continue
        yield KernelShare(
            kernel_id=holder.kernel_id,
            kernel_name=holder.kernel_name,
            title=holder.title,
            here=holder.here,
            gpu=reading.uuid,
            pid=holder.pid,
            memory=memory,
            leased=leased,
            idle_since=holder.idle_since,
        )


def _total(parts: Iterable[int | None]) -> int | None:
    """The sum of what is told, ``None`` where nothing is."""
    told = [part for part in parts if part is not None]
    return sum(told) if told else None
