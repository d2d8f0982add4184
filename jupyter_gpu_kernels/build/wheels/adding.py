"""Adding wheels to an environment that was made elsewhere: what is there is never replaced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ...errors import BrokenEnvironmentError, InstallError
from ...models import Stage
from ...prefix.layout import Layout
from ..reporting import Reporter
from . import ontop, solving
from .fetching import Listener, fetch
from .lock import read_lock
from .requirements import checked
from .uv import Uv, prepare

#: Nothing is built in an environment that is none of ours.
WHEELS_ONLY = ("--only-binary", ":all:")

#: Seconds without any progress after which a download is started again, and how often that is done in all.
SILENCE, ROUNDS = 90.0, 3


async def add(
    requirements: Sequence[str],
    layout: Layout,
    reporter: Reporter,
    *,
    begin: Callable[[Sequence[str]], None] = lambda pins: None,
) -> tuple[str, ...]:
    """Install what is missing of some requirements, from the index that the user has configured.

    Args:
        requirements: PEP 508 requirements.
        layout: The environment.
        reporter: Hears the progress; stage ``wheels``.
        begin: Called with exact requirements before anything is installed, in a thread.

    Returns:
        Normalised names of the distributions that were added.

    Raises:
        BrokenEnvironmentError: The environment does not tell its version of Python.
        SolveError: The requirements contradict what is there.
        ChannelError: The index does not answer as it should.
        DownloadError: Packages could not be fetched whole.
        InstallError: They cannot be installed without replacing something.
    """
    wanted = checked(requirements)
    python = layout.python_version()
    if python is None:
        msg = f"The environment {layout.prefix} does not tell its version of Python."
        raise BrokenEnvironmentError(msg, cure="Install what is missing there yourself, then adopt it again.")
    uv = await asyncio.to_thread(prepare)
    interpreter = str(layout.python)
    with _unlocked(layout.prefix), _throwaway() as cwd:
        try:
            text = await ontop.confirm(
                uv, wanted, layout=layout, python=python, interpreter=interpreter, cwd=cwd, options=WHEELS_ONLY
            )
        except InstallError as error:
            message = error.message.replace("conda has installed", "is installed there")
            cure = "Install what is missing there yourself, then adopt it again."
            raise InstallError(message, cure=cure, detail=error.detail) from error
        locked = read_lock(text, python) if text else ()
        if not locked:
            return ()
        pins = [package.pin for package in locked]
        await asyncio.to_thread(begin, pins)
        await _install(uv, pins, layout, python, reporter, cwd)
    return tuple(package.name for package in locked)


async def add_again(pins: Sequence[str], layout: Layout, reporter: Reporter) -> None:
    """Bring to its end what was begun and broken off, with what was downloaded then.

    Args:
        pins: The exact requirements; nothing of them may be installed.
        layout: The environment.
        reporter: Hears the progress.

    Raises:
        GpuKernelsError: Any of the tree, for one if something was not downloaded yet.
    """
    uv = await asyncio.to_thread(prepare)
    with _throwaway() as cwd:
        await _install(uv, pins, layout, layout.python_version() or "", reporter, cwd, "--offline")


async def _install(
    uv: Uv, pins: Sequence[str], layout: Layout, python: str, reporter: Reporter, cwd: Path, *options: str
) -> None:
    """Install exactly that."""
    file = solving.requirements_file(cwd, "pins.txt", pins)
    words = ["pip", "install", *uv.index_options, *WHEELS_ONLY, *options, "--no-deps", "--break-system-packages"]
    words += ["--python", str(layout.python), "-r", file]
    listener = Listener(reporter, {}, len(pins), Stage.WHEELS)
    await fetch(uv, words, listener, cwd=cwd, python=python, silence=SILENCE, rounds=ROUNDS, lock=None)


@contextlib.contextmanager
def _unlocked(prefix: Path) -> Iterator[None]:
    """Leave no lock of uv's in an environment that had none."""
    lock = prefix / ".lock"
    there = lock.exists()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if not there and not lock.stat().st_size:
                lock.unlink()


@contextlib.contextmanager
def _throwaway() -> Iterator[Path]:
    """A directory for the files of one installation."""
    with tempfile.TemporaryDirectory(prefix="gpu-kernels-", ignore_cleanup_errors=True) as path:
        yield Path(os.path.realpath(path))
