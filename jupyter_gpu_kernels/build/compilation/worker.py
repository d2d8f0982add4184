"""Gives every module of an environment its bytecode.

One JSON object comes by stdin (``prefix``, ``site_packages``, ``store``, ``workers``), JSON lines go out: progress,
then the result. Bytecode that a package ships is left alone, what the store has is hard-linked, the rest is compiled,
by further processes with ``compile`` as their argument, and put into the store.
"""

# Thousands of files are looked at one by one, for which a Path would cost more than the system's call.
# ruff: noqa: PTH100,PTH103,PTH112,PTH118,PTH120

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import py_compile
import subprocess
import sys
import threading
import time
from typing import Any, NamedTuple

from .packages import Environment, Module, Package, amend
from .store import Store

#: Fewer modules than this are not worth another process.
MODULES_PER_WORKER = 25

#: Seconds between two lines of progress.
PULSE = 0.1

#: How an interpreter starts this module. The path comes last, so that nothing here hides the standard library.
START = "import sys; sys.path.append(sys.argv[1]); from compilation import worker; worker.start(sys.argv[2:])"


def command(python: str, *arguments: str) -> list[str]:
    """The command that runs this module: isolated, without site-packages, leaving no bytecode of ours behind."""
    parent = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return [python, "-I", "-S", "-B", "-W", "ignore", "-c", START, parent, *arguments]


class Progress:
    """Counts what is done and says so from time to time."""

    def __init__(self, packages: list[Package]) -> None:
        self.linked = self.compiled = self.present = self.failed = 0
        self.reasons: list[str] = []
        self._total = sum(len(package.modules) for package in packages)
        self._done = 0
        self._said = 0.0
        self._guard = threading.Lock()

    def done(self, outcome: str) -> None:
        """Count a module; the outcome is one of this class's counters."""
        with self._guard:
            setattr(self, outcome, getattr(self, outcome) + 1)
            self._done += 1
            if time.monotonic() - self._said >= PULSE:
                self.say()

    def say(self) -> None:
        """Write a line of progress."""
        self._said = time.monotonic()
        sys.stdout.write(json.dumps({"progress": (self._done, self._total)}) + "\n")
        sys.stdout.flush()


class Task(NamedTuple):
    """A module to compile."""

    key: str
    module: Module


def link(packages: list[Package], store: Store | None, progress: Progress) -> list[Task]:
    """Give modules what bytecode there is.

    Returns:
        What must be compiled.
    """
    tasks = []
    folders: dict[str, bool] = {}
    for package in packages:
        for module in package.modules:
            folder = os.path.dirname(module.pyc)
            if folder not in folders:
                folders[folder] = os.path.isdir(folder)
                os.makedirs(folder, exist_ok=True)
            key = package.key if module.pristine else ""
            # In a folder that was not there nothing can be.
            if folders[folder] and module.compiled():
                progress.done("present")
            elif store is not None and key and store.take(key, module):
                progress.done("linked")
            else:
                tasks.append(Task(key, module))
    return tasks


def compile_all(tasks: list[Task], store: Store | None, progress: Progress, workers: int) -> None:
    """Compile modules in several processes; what cannot be compiled (Python 2, templates) is left without."""
    count = max(1, min(workers, len(tasks) // MODULES_PER_WORKER))
    shares: list[list[Task]] = [[] for _ in range(count)]
    loads = [0] * count
    for task in sorted(tasks, key=lambda task: -task.module.size):
        lightest = loads.index(min(loads))
        shares[lightest].append(task)
        loads[lightest] += task.module.size + 1000  # Opening and writing costs what compiling a kilobyte costs.
    for share in shares:
        # The largest were dealt out first; compiled first, they would seem to stand still.
        share.sort(key=lambda task: task.module.source)
    threads = [threading.Thread(target=supervise, args=(share, store, progress)) for share in shares if share]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def supervise(share: list[Task], store: Store | None, progress: Progress) -> None:
    """Let one process compile some modules, and keep what it makes."""
    jobs = [(task.module.source, task.module.pyc, task.module.name) for task in share]
    process = subprocess.Popen(command(sys.executable, "compile"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    todo = iter(share)
    with process:
        with contextlib.suppress(OSError), process.stdin:
            process.stdin.write(json.dumps(jobs).encode())
        for line, task in zip(process.stdout, todo):  # noqa: B905 (Python 3.7)
            reason = json.loads(line)
            if reason:
                progress.reasons.append(reason)
            elif store is not None and task.key:
                store.put(task.key, task.module)
            progress.done("failed" if reason else "compiled")
    for _ in todo:  # The process died.
        progress.done("failed")


def compile_share(jobs: list[tuple[str, str, str]]) -> None:
    """Compile modules, one after the other; a line for each says why not, or nothing."""
    mode = py_compile.PycInvalidationMode.TIMESTAMP  # Whatever SOURCE_DATE_EPOCH says.
    for source, pyc, name in jobs:
        reason = ""
        try:
            py_compile.compile(source, cfile=pyc, dfile=name, doraise=True, invalidation_mode=mode)
        except Exception as error:  # Whatever a foreign module makes the compiler raise.
            reason = f"{name}: {type(error).__name__}: {error}"[:300]
        sys.stdout.write(json.dumps(reason) + "\n")
        sys.stdout.flush()


def run(request: dict[str, Any]) -> None:
    """Do what is asked for."""
    prefix = request["prefix"]
    packages = list(Environment(prefix, request["site_packages"]).packages())
    tag = f"{sys.implementation.cache_tag}-{importlib.util.MAGIC_NUMBER[:2].hex()}"
    store = Store(os.path.join(request["store"], tag)) if request["store"] else None
    progress = Progress(packages)
    compile_all(link(packages, store, progress), store, progress, request["workers"])
    for package in packages:
        amend(package, prefix)
    progress.say()
    result = {name: getattr(progress, name) for name in ("linked", "compiled", "present", "failed")}
    result["reasons"] = sorted(progress.reasons)[:10]
    result["trouble"] = store.trouble if store is not None else ""
    sys.stdout.write(json.dumps({"result": result}) + "\n")


def start(arguments: list[str]) -> None:
    """Read what to do, and do it."""
    work = json.load(sys.stdin)
    if arguments == ["compile"]:
        compile_share(work)
    else:
        run(work)
