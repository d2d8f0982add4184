"""Running the notebook headless, through the real kernel."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel

from ..build.reporting import Reporter
from ..build.tools.insistence import finish
from ..build.verification.trial import (
    KernelDiedError,
    KernelReplacedError,
    KernelSilentError,
    TrialKernel,
    trial_kernel,
)
from ..errors import BenchmarkError, NotFoundError
from ..models import BenchmarkResult, Progress
from .notebook import for_kernel, notebook, save, with_parameters
from .result import result_of

#: Characters of a cell's printed output that are kept; a framework's chatter must not fill our memory.
STREAM_LIMIT = 1_000_000

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


async def run_benchmark(
    kernel_name: str,
    *,
    kernel_dirs: Sequence[Path] | None = None,
    working_dir: Path,
    parameters: Mapping[str, Any] | None = None,
    timeout: float = 1800.0,
    reporter: Reporter,
) -> tuple[BenchmarkResult, Path]:
    """Run the bundled notebook in a kernel of its own; none is left, whatever happens.

    Args:
        kernel_name: Name of the kernelspec.
        kernel_dirs: Where to look for it; ``None`` for Jupyter's own directories.
        working_dir: Where the kernel runs and where the executed notebook is saved; it must exist.
        parameters: Overrides of the notebook's parameters, e.g. ``{"RUNS": 10}``.
        timeout: Seconds for everything.
        reporter: Told what the notebook prints, line by line.

    Returns:
        The result, and the executed notebook: ``cpu-vs-gpu-<kernel name>.ipynb``, in place of that of an earlier run.

    Raises:
        NotFoundError: There is no such kernel.
        InvalidInputError: There is no such parameter.
        BenchmarkError: The kernel does not start, a cell fails, or it takes too long.
    """
    deadline = time.monotonic() + timeout
    node = await asyncio.to_thread(lambda: with_parameters(notebook(), parameters or {}))
    path = working_dir / f"cpu-vs-gpu-{kernel_name}.ipynb"
    try:
        async with trial_kernel(
            kernel_name, kernel_dirs=kernel_dirs, working_dir=working_dir, deadline=deadline, iopub=True
        ) as kernel:
            spec = kernel.manager.kernel_spec
            for_kernel(node, kernel_name, spec.display_name if spec is not None else kernel_name)
            try:
                await _run_cells(kernel, node, deadline, reporter)
            finally:
                await finish(asyncio.to_thread(save, node, path))
    except NoSuchKernel:
        msg = f"There is no kernel named {kernel_name!r}."
        raise NotFoundError(msg, cure="`jupyter gpu-kernels list` shows what there is.") from None
    except KernelDiedError as error:
        msg = f"The kernel {error.manner} while the benchmark ran."
        cure = "Too little memory is the usual cause: close other notebooks, or make IMAGES and MATRIX smaller."
        raise BenchmarkError(msg, cure=cure) from error
    except KernelSilentError as error:
        msg = f"The benchmark was not done after {timeout:g} seconds."
        raise BenchmarkError(msg, cure="Give it smaller parameters or more time.") from error
    except KernelReplacedError as error:
        msg = f"The kernel did not start: {shortened(str(error))}"
        raise BenchmarkError(msg, cure="Verify the environment, or rebuild it.") from error
    except OSError as error:
        msg = f"The benchmark could not be run: {error}."
        raise BenchmarkError(msg, cure="Verify the environment, or rebuild it.") from error
    return result_of(node), path


async def _run_cells(kernel: TrialKernel, node: Any, deadline: float, reporter: Reporter) -> None:
    """Run all code cells in order.

    nbclient would do it too, but it takes over the signal handlers of the process, which are the server's, and turns
    being cancelled into a dead kernel.
    """
    cells = [(index, cell) for index, cell in enumerate(node.cells) if cell.cell_type == "code"]
    heading = ""
    for done, (index, cell) in enumerate(cells):
        heading = _heading(node, index) or heading
        reporter.progress(Progress(packages_done=done, packages_total=len(cells), detail=heading, unit="cells"))
        await _run_cell(kernel, cell, deadline, reporter)
        cell.execution_count = done + 1
        error = next((output for output in cell.outputs if output.output_type == "error"), None)
        if error is not None:
            msg = f"The benchmark failed at \u201c{heading}\u201d: {error.ename}: {shortened(error.evalue)}"
            cure = "The notebook was saved up to there: open it to see the whole error."
            raise BenchmarkError(msg, cure=cure, detail=ANSI.sub("", "\n".join(error.traceback)))
    reporter.progress(Progress(packages_done=len(cells), packages_total=len(cells), unit="cells"))


async def _run_cell(kernel: TrialKernel, cell: Any, deadline: float, reporter: Reporter) -> None:
    """Run one code cell; an error of its code ends up in its outputs."""
    cell.outputs = []
    request = kernel.client.execute(cell.source, store_history=False, allow_stdin=False)
    printed, line = 0, ""
    while True:
        message = await kernel.receive(kernel.client.iopub_channel, deadline)
        if message["parent_header"].get("msg_id") != request:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            return
        if kind == "stream":
            printed += len(content["text"])
            if printed > STREAM_LIMIT:
                continue
            if content["name"] == "stdout":
                *lines, line = (line + content["text"]).split("\n")
                for complete in lines:
                    reporter.log(complete)
        if kind in ("stream", "display_data", "execute_result", "error"):
            _add(cell.outputs, nbformat.v4.output_from_msg(message))  # type: ignore[no-untyped-call]


def _add(outputs: list[Any], output: Any) -> None:
    """Add an output; what is printed in pieces becomes one."""
    last = outputs[-1] if outputs else None
    if last is not None and output.output_type == "stream" == last.output_type and output.name == last.name:
        last.text += output.text
    else:
        outputs.append(output)


def _heading(node: Any, index: int) -> str:
    """The heading in the text above a cell, empty if it has none."""
    above = node.cells[index - 1] if index else None
    if above is None or above.cell_type != "markdown" or not above.source.startswith("#"):
        return ""
    return str(above.source.splitlines()[0].lstrip("# "))


def shortened(text: str, limit: int = 300) -> str:
    """A text on one line, with a full stop, and not too long."""
    line = " ".join(text.split())
    return line[:limit] + "…" if len(line) > limit else line.rstrip(".") + "."
