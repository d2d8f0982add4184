"""Running one command: the manager is made, the command runs, its answer is written, an exit code comes out."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from ..errors import GpuKernelsError
from ..models import ErrorReport, from_json, to_json
from ..serve.ledger import unforeseen
from ..serve.manager import GpuKernelsManager
from . import text
from .commands import COMMANDS
from .configuration import make_manager, trait_help
from .exits import Exit, of_code
from .fitting import fitted

#: What to do where the answer cannot be written.
UNWRITTEN = "What was asked for is done all the same. Have the output go elsewhere, or make room there."


def run(
    arguments: argparse.Namespace,
    traits: Sequence[str],
    manager_class: type[GpuKernelsManager] = GpuKernelsManager,
) -> int:
    """Run a command.

    Args:
        arguments: What was asked for.
        traits: Settings of traits.
        manager_class: Class of the manager.

    Returns:
        The exit code.
    """
    # Python has none where the shell has closed it (`>&-`); what is said then is for nobody.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, io.StringIO())
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As it is with stderr: names that a terminal has no characters for are no reason to say nothing.
        sys.stdout.reconfigure(errors="backslashreplace")
    if arguments.help_all:
        sys.stdout.write(f"{trait_help()}\n")
        return Exit.DONE
    try:
        return asyncio.run(_run(arguments, traits, manager_class))
    except KeyboardInterrupt:
        sys.stderr.write("Cancelled.\n")
        return Exit.CANCELLED
    except OSError as error:
        # Whoever read our output has seen enough (`… list | head`). What else can fail is told of where it does, except
        # for the writing of what was found, as onto a full disk.
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"Error: The answer cannot be written: {error.strerror or error}.\n{UNWRITTEN}\n")
        # Nothing may be flushed there at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED


async def _run(arguments: argparse.Namespace, traits: Sequence[str], manager_class: type[GpuKernelsManager]) -> int:
    manager: GpuKernelsManager | None = None
    try:
        manager = make_manager(traits, manager_class)
        answer = await COMMANDS[arguments.command](manager, arguments)
    except GpuKernelsError as error:
        return _refuse(from_json(ErrorReport, error.to_json()), arguments.json)
    except BrokenPipeError:
        raise
    except Exception as error:
        sys.stderr.write(traceback.format_exc())
        return _refuse(unforeseen(error), arguments.json)
    finally:
        if manager is not None:
            await manager.close()
    if arguments.json:
        if answer.model is not None:
            _write_json(answer.model)
    else:
        fitted(sys.stdout, answer.text)
    sys.stdout.flush()
    if answer.error is not None:
        fitted(sys.stderr, answer.error)
    return answer.exit_code


def _refuse(report: ErrorReport, as_json: bool) -> int:
    if as_json:
        _write_json(report)
    fitted(sys.stderr, text.error(report) + ("" if as_json else text.details(report)))
    return of_code(report.code)


def _write_json(model: Any) -> None:
    # Where not all can be written, what JSON has for it is, and not what Python has.
    everything = (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(f"{json.dumps(to_json(model), indent=2, ensure_ascii=not everything)}\n")
