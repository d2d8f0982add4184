"""Adopting an environment that was made elsewhere, and releasing it; see :mod:`.handover` for what that is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ...errors import GpuKernelsError, NotFoundError, RefusedError
from ...models import AdoptionRequest, ForeignEnvironment
from ...prefix.layout import Layout
from ..disk.filesystem import explained
from ..kernelspec.registry import kernels_directory
from ..kernelspec.removal import kernel_directories
from ..kernelspec.scan import Kernelspec
from ..reporting import Reporter
from ..tools.insistence import insist
from ..wheels.adding import add
from . import handover
from .additions import Addition, noted, take_out
from .begun import Notes, undo
from .discovery import Foreign, layout_of, name_of
from .handover import Released

#: What a kernel needs of an environment.
WANTED = ("ipykernel",)

#: Longest name that is made up.
LONGEST = 50


class Adoption:
    """Adopts and releases. What it says of the disk is true at the time.

    Args:
        envs_dirs: Tells the directories of conda environments.
        notes: Where is noted what was begun to be installed.
        directories: Tells where Jupyter looks for kernelspecs, first things first.
    """

    def __init__(
        self,
        envs_dirs: Callable[[], Iterable[Path]],
        notes: Path,
        directories: Callable[[], tuple[Path, ...]] = kernel_directories,
    ) -> None:
        self._envs_dirs = envs_dirs
        self._notes = Notes(notes)
        self._directories = directories

    def environments(self) -> tuple[ForeignEnvironment, ...]:
        """The environments that were made elsewhere. Blocks on the disk."""
        return self._foreign().all()

    def environment(self, prefix: Path) -> ForeignEnvironment:
        """One of them. Blocks on the disk.

        Raises:
            NotFoundError: There is none.
        """
        found = self._foreign().at(prefix)
        if found is None:
            msg = f"There is no environment with a Python in {prefix}, or it was made here."
            raise NotFoundError(msg, cure="Give the directory that holds conda-meta or pyvenv.cfg.")
        return found

    def kernel_name(self, request: AdoptionRequest, free: Callable[[str], None]) -> str:
        """The name of the kernel that an adoption is about; refuses what cannot be adopted. Blocks on the disk.

        Args:
            request: What is asked for.
            free: Raises if a name is malformed or somebody's.

        Raises:
            NotFoundError: There is no such environment.
            RefusedError: It cannot be adopted.
            ConflictError: The name is somebody's.
            InvalidInputError: The name is malformed.
        """
        found = self.environment(Path(request.prefix))
        own = request.name is None or request.name.lower() == found.kernel_name
        if own and found.kernel_name:
            if found.obstacle:
                msg = f"{found.prefix} cannot be adopted. {found.obstacle}"
                raise RefusedError(msg, cure="Leave it as it is.")
            name = found.kernel_name
        elif request.name is not None:
            free(request.name)
            name = request.name.lower()
        else:
            name = _free_name(name_of(Path(request.prefix)), free)
        if found.ipykernel is None and not request.install_ipykernel:
            msg = f"{found.prefix} has no ipykernel, so that no kernel can be started from it."
            cure = "Ask for it with install_ipykernel (--install-ipykernel), or install ipykernel there yourself."
            raise RefusedError(msg, cure=cure)
        return name

    async def adopt(self, request: AdoptionRequest, name: str, reporter: Reporter) -> Path:
        """Let the provisioner start a kernel of an environment; the caller holds the lock of that name.

        Args:
            request: What is asked for.
            name: From :meth:`kernel_name`.
            reporter: Hears what is done.

        Returns:
            The kernelspec's directory.

        Raises:
            EnvironmentBusyError: Somebody adopts or releases a kernel of the same environment now.
            GpuKernelsError: Any of the tree; then the environment is as it was.
            asyncio.CancelledError: Cancelled; likewise.
        """
        prefix = Path(request.prefix)
        with self._notes.alone(prefix):
            await self._recover(prefix, reporter)
            return await self._adopt(prefix, request, name, reporter)

    async def _adopt(self, prefix: Path, request: AdoptionRequest, name: str, reporter: Reporter) -> Path:
        found = await asyncio.to_thread(self.environment, prefix)
        if found.adopted and name == found.kernel_name:
            reporter.log(f"The kernel {name} is adopted already.")
            return Path(found.kernelspec)
        layout = Layout.of_prefix(prefix)
        additions: tuple[Addition, ...] = ()
        if found.ipykernel is None and request.install_ipykernel:
            additions = await self._install(layout, reporter)
        try:
            place, cancelled = await insist(asyncio.to_thread(self._hand_over, found, layout, request, name, additions))
        except BaseException:
            if additions:
                await insist(asyncio.to_thread(take_out, layout, additions))
                self._notes.forget(layout)
            raise
        if cancelled:
            await insist(asyncio.to_thread(handover.release, place, self._directories()))
            self._notes.forget(layout)
            raise asyncio.CancelledError
        self._notes.forget(layout)
        reporter.log(f"The kernel {name} is adopted: {place}. The environment {found.prefix} stays as it is.")
        if not found.kernelspec or name != found.kernel_name:
            reporter.log(f"{place} was made for this, and is deleted on release.")
        elif place != Path(found.kernelspec):
            reporter.log(f"You may not change {found.kernelspec}: a copy takes its place, and is deleted on release.")
        if not place.is_relative_to(kernels_directory()):
            reporter.log("Others use it, too: until it is released, only Jupyters with jupyter_gpu_kernels offer it.")
        return place

    async def recover(self, prefix: Path, reporter: Reporter) -> None:
        """Take out what somebody who died has begun to install into an environment, and adopted no kernel for.

        Raises:
            EnvironmentBusyError: Somebody who lives is at work there.
        """
        with self._notes.alone(prefix):
            await self._recover(prefix, reporter)

    async def _recover(self, prefix: Path, reporter: Reporter) -> None:
        layout = await asyncio.to_thread(layout_of, prefix)
        begun = await asyncio.to_thread(self._notes.of, layout) if layout else None
        if layout is None or begun is None:
            return
        found = await asyncio.to_thread(self.environment, prefix)
        if not found.added:
            reporter.log(f"An installation into {prefix} was broken off: it is taken out.")
            await undo(begun, layout, reporter)
        self._notes.forget(layout)

    def release(self, subject: str) -> tuple[Released, ...]:
        """Give what was adopted back as it was. Blocks on the disk.

        Args:
            subject: The environment's directory, or the kernel's name.

        Raises:
            NotFoundError: Nothing of that name is adopted.
            RefusedError: Another kernel needs what was installed for it.
            EnvironmentBusyError: Somebody adopts or releases a kernel of the same environment now.
            InstallError: Something cannot be written.
        """
        directories = self._directories()
        specs = self._adopted(subject)
        layouts = [layout for spec in specs if (layout := spec.layout(os.environ)) is not None]
        with contextlib.ExitStack() as stack:
            for real in {os.path.realpath(layout.prefix) for layout in layouts}:
                stack.enter_context(self._notes.alone(Path(real)))
                self._refuse_needed(specs, real)
            return tuple(handover.release(spec.place, directories) for spec in specs)

    def _refuse_needed(self, specs: Iterable[Kernelspec], prefix: str) -> None:
        """Refuse to take out what other adopted kernels of the same environment need."""
        released = {spec.place for spec in specs}
        others = [spec.name for spec in self._foreign().adopted(prefix) if spec.place not in released]
        if others and any(handover.additions_of(spec) for spec in specs):
            msg = f"What was installed for it is also needed by the kernel {others[0]} of the same environment."
            raise RefusedError(msg, cure=f"Release {others[0]} first, or all of them by the directory {prefix}.")

    def names(self, subject: str) -> tuple[str, ...]:
        """The names of the kernels that :meth:`release` would release; raises as that does."""
        return tuple(spec.name for spec in self._adopted(subject))

    def _adopted(self, subject: str) -> tuple[Kernelspec, ...]:
        found = self._foreign().adopted(subject)
        if not found:
            msg = f"There is no adopted kernel of {subject!r}."
            raise NotFoundError(msg, cure="Run `jupyter gpu-kernels adopt` to see what there is.")
        return found

    def _hand_over(
        self,
        found: ForeignEnvironment,
        layout: Layout,
        request: AdoptionRequest,
        name: str,
        additions: tuple[Addition, ...],
    ) -> Path:
        if found.kernelspec and name == found.kernel_name:
            return handover.adopt(
                Path(found.kernelspec), self._directories(), display_name=request.display_name, additions=additions
            )
        version = ".".join(found.python.split(".")[:2])
        title = request.display_name or f"{found.name} (Python {version})".replace(" (Python )", "")
        return handover.make(layout, name, title, additions)

    async def _install(self, layout: Layout, reporter: Reporter) -> tuple[Addition, ...]:
        """Install what a kernel needs; broken off it leaves nothing."""
        try:
            with explained(f"ipykernel cannot be installed into {layout.prefix}"):
                names = await add(WANTED, layout, reporter, begin=lambda pins: self._notes.begin(layout, pins))
        except BaseException:
            await insist(self._recover(layout.prefix, reporter))
            raise
        additions, cancelled = await insist(asyncio.to_thread(noted, layout, names))
        if cancelled:
            await insist(asyncio.to_thread(take_out, layout, additions))
            self._notes.forget(layout)
            raise asyncio.CancelledError
        reporter.log(f"Installed, and taken out again on release: {', '.join(item.name for item in additions)}.")
        return additions

    def _foreign(self) -> Foreign:
        return Foreign(self._envs_dirs(), self._directories())


def _free_name(name: str, free: Callable[[str], None]) -> str:
    """A name for a kernel, made of that of its environment."""
    stem = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:LONGEST] or "adopted"
    for candidate in (stem, *(f"{stem}-{number}" for number in range(2, 100))):
        try:
            free(candidate)
        except GpuKernelsError:
            continue
        return candidate
    free(stem)
    return stem
