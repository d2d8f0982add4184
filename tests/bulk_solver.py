"""A conda solver for many questions: one process that keeps the records, so that an answer takes some milliseconds.

It solves with the same functions as the builder. Run as a program, it reads requests from stdin, one in a line, and
answers in lines; a process of its own for the reason that the builder has one.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from jupyter_gpu_kernels.build.conda.settings import ChannelAnswer, ChannelSettings, CondaRequest, CondaSolution
from jupyter_gpu_kernels.errors import SolveError
from jupyter_gpu_kernels.models import PlannedPackage


class BulkSolver:
    """Asks each different question once; it can only solve.

    Args:
        channel: The directory with the records.
        cache: Where rattler keeps what it has read.
        platform: Conda's name of the platform to solve for.
    """

    def __init__(self, channel: Path, cache: Path, platform: str) -> None:
        self.asked = 0
        self._known: dict[object, dict[str, Any]] = {}
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(channel), str(cache), platform],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    async def probe(self, settings: ChannelSettings) -> tuple[ChannelAnswer, ...]:
        """Say that nothing is there to be probed."""
        return ()

    async def solve(self, request: CondaRequest) -> CondaSolution:
        """Find the packages, or raise SolveError."""
        question = (request.specs, request.cuda)
        if question not in self._known:
            self._known[question] = self._ask(request)
        answer = self._known[question]
        if "error" in answer:
            msg = "It cannot be solved."
            raise SolveError(msg, cure="Ask for something else.", detail=answer["error"])
        packages = tuple(PlannedPackage(**package) for package in answer["packages"])
        return CondaSolution(packages=packages, download_bytes=0, disk_bytes=0, request=request, payload="")

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _ask(self, request: CondaRequest) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.asked += 1
        self._process.stdin.write(json.dumps({"specs": request.specs, "cuda": request.cuda}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())  # type: ignore[no-any-return]


async def answer(channel: Path, cache: Path, platform: str) -> None:
    """Answer until nobody asks."""
    import rattler

    from jupyter_gpu_kernels.build.conda.builder.access import match_spec
    from jupyter_gpu_kernels.build.conda.builder.machine import virtual_packages

    gateway = rattler.Gateway(cache_dir=cache, default_config=rattler.SourceConfig(sharded_enabled=False))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            records = await rattler.solve(
                sources=[rattler.Channel(channel.as_uri())],
                specs=[match_spec(text, ()) for text in request["specs"]],
                gateway=gateway,
                platforms=[rattler.Subdir(platform), rattler.Subdir("noarch")],
                virtual_packages=virtual_packages(request["cuda"], platform),
                channel_priority=rattler.ChannelPriority.Strict,
            )
            found = [
                {"name": record.name.normalized, "version": str(record.version), "build": str(record.build)}
                for record in records
            ]
            reply: dict[str, object] = {"packages": found}
        except Exception as error:
            reply = {"error": str(error)}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(answer(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
    os._exit(0)
