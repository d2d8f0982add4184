"""Bytecode of an environment: compiled once per package, hard-linked into every further environment.

The store is a cache below one directory::

    <store>/<cache tag>-<magic number>/<k>/<key>/<module>.pyc

where the key is the sha256 of a conda package, or that of the modules in a wheel's RECORD, and the module's name is
made of its path, modification time and size: what Python compares to tell whether bytecode is valid. A module that is
not as its package has it (a placeholder was replaced in it) is compiled and not shared. The code of each file carries
a path within the package; the import system replaces it by the real one.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..models import Progress
from ..prefix.layout import Layout
from .compilation import worker
from .reporting import Reporter, SilentReporter
from .tools.processes import ToolSilentError, run_tool

#: Seconds without a word after which compilation is given up; one module takes a few seconds at most.
SILENCE = 600.0

#: Days after which bytecode that no environment has any more is deleted.
KEEP_DAYS = 30.0


@dataclass(frozen=True, kw_only=True)
class Bytecode:
    """What became of an environment's modules.

    Attributes:
        present: Had valid bytecode, which their package ships.
        linked: Got it from the store.
        compiled: Were compiled.
        failed: Cannot be compiled: written for another Python, or no modules at all in spite of their name.
    """

    present: int = 0
    linked: int = 0
    compiled: int = 0
    failed: int = 0


async def compile_environment(
    layout: Layout,
    store: Path | None,
    reporter: Reporter | None = None,
    *,
    workers: int | None = None,
    lock: Path | None = None,
) -> Bytecode:
    """Give every module of an environment its bytecode.

    It is a convenience: whatever goes wrong is logged, and the first imports are slower.

    Args:
        layout: The environment, or the generation that will be one. Its own interpreter does the work.
        store: Where bytecode is shared, ``None`` not to share.
        reporter: Hears progress and anything odd; the caller announces the stage.
        workers: Processes that compile; as many as there are processors for us by default.
        lock: As for :func:`~jupyter_gpu_kernels.build.tools.processes.run_tool`.

    Raises:
        ToolStartError: There is no interpreter.
        asyncio.CancelledError: Cancelled; nobody compiles any more.
    """
    listener = reporter if reporter is not None else SilentReporter()
    result: dict[str, Any] = {}

    def hear(line: str) -> None:
        message = json.loads(line)
        if "progress" in message:
            done, total = message["progress"]
            listener.progress(Progress(packages_done=done, packages_total=total, unit="modules"))
        else:
            result.update(message["result"])

    request = {
        "prefix": str(layout.prefix),
        "site_packages": [str(path) for path in layout.site_packages()],
        "store": "" if store is None else str(store),
        "workers": workers or _processors(),
    }
    try:
        finished = await run_tool(
            worker.command(str(layout.python)),
            stdin=json.dumps(request).encode(),
            on_line=hear,
            silence=SILENCE,
            lock=lock,
        )
    except (ToolSilentError, ValueError) as error:
        listener.log(f"Modules could not be compiled, the first imports will be slow: {error}")
        return Bytecode()
    if finished.returncode or not result:
        evidence = finished.stderr_tail.strip().rpartition("\n")[2]
        listener.log(f"Modules could not be compiled, the first imports will be slow: {evidence}")
        return Bytecode()
    if result["trouble"]:
        listener.log(f"Compiled modules cannot be shared with other environments: {result['trouble']}")
    made = Bytecode(**{name: result[name] for name in ("present", "linked", "compiled", "failed")})
    listener.log(
        f"Bytecode: {made.linked} shared, {made.compiled} compiled, {made.present} shipped, {made.failed} odd."
    )
    return made


def sweep_store(store: Path, *, days: float = KEEP_DAYS) -> int:
    """Delete bytecode that no environment has any more.

    Args:
        store: The store; need not exist.
        days: How long it is kept after the last environment gave it up, or copied it from another filesystem.

    Returns:
        How many files were deleted.
    """
    deleted = 0
    oldest = time.time() - days * 86400
    for folder, _, names in os.walk(store, topdown=False):
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                status = path.stat()
                # The status changes with the number of links: it is the time of the last giving or taking.
                if status.st_nlink == 1 and status.st_ctime < oldest:
                    path.unlink()
                    deleted += 1
        if Path(folder) != store:
            with contextlib.suppress(OSError):  # Not empty.
                Path(folder).rmdir()
    return deleted


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
