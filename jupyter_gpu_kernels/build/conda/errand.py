"""Sends a builder on an errand and brings back what it says."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..tools.processes import Finished, run_tool
from ..tools.redaction import redact
from . import proxies
from .settings import ChannelSettings

BUILDER = "jupyter_gpu_kernels.build.conda.builder"

#: Runs a module in an isolated interpreter that finds what this one finds: user site and editable installs included,
#: the working directory and PYTHONPATH excluded.
BOOT = """
import json, runpy, sys
module, sys.path[:] = sys.argv[1], json.loads(sys.argv[2])
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


class BuilderFailedError(Exception):
    """The builder said that it failed: class and text of rattler's exception."""

    def __init__(self, exception: str, text: str) -> None:
        super().__init__(text)
        self.exception = exception
        self.text = text


class BuilderDiedError(Exception):
    """The builder ended without an answer: it crashed or was killed."""


async def run(
    job: Mapping[str, Any],
    settings: ChannelSettings,
    take: Callable[[Mapping[str, Any]], None] | None = None,
    *,
    silence: float | None = None,
    lock: Path | None = None,
) -> Mapping[str, Any]:
    """Send a builder on an errand.

    Returns:
        The message with the result.

    Raises:
        BuilderFailedError: It failed.
        BuilderDiedError: It ended without a word.
        ToolSilentError: It was silent for too long.
    """
    last: Mapping[str, Any] = {}

    def on_line(line: str) -> None:
        nonlocal last
        try:
            last = json.loads(line)
        except ValueError:
            # Half a line is the last that a killed builder says.
            return
        if take is not None:
            take(last)

    finished = await run_tool(
        command(),
        env=environment(settings),
        stdin=json.dumps(job).encode(),
        on_line=on_line,
        silence=silence,
        lock=lock,
    )
    if last.get("event") == "failure":
        raise BuilderFailedError(last["exception"], last["text"])
    if last.get("event") != "result":
        raise BuilderDiedError(last_words(finished))
    return last


def command() -> Sequence[str]:
    """How to start a builder."""
    # The empty entry is the working directory, which is nobody's to import from.
    path = [str(Path(entry).absolute()) for entry in sys.path if entry]
    return [sys.executable, "-I", "-c", BOOT, BUILDER, json.dumps(path)]


def environment(settings: ChannelSettings) -> dict[str, str]:
    """The builder's environment variables: ours, with the configured proxies and authorities."""
    variables = {**os.environ, **proxies.variables(settings)}
    if isinstance(settings.ssl_verify, str):
        variables["SSL_CERT_FILE"] = settings.ssl_verify
    return variables


def last_words(finished: Finished) -> str:
    """What is known of a builder that died."""
    return redact(f"exit status {finished.returncode}\n{finished.stderr_tail}".strip())
