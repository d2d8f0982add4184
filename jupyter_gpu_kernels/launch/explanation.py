"""What an explaining kernel is told, and how it is started in a kernel's place."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping

from ..errors import GpuKernelsError

#: Carries the explanation: not the command line, which every user of the machine can read.
VARIABLE = "JUPYTER_GPU_KERNELS_EXPLANATION"

#: Characters of captured output that are passed on; Linux takes 128 KiB in one variable.
DETAIL_LIMIT = 12_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why there is no kernel, and what to do.

    Attributes:
        code: Stable code of the error.
        message: What happened, in one sentence.
        cure: What to do next, in one sentence.
        detail: The captured error, if any.
    """

    code: str
    message: str
    cure: str
    detail: str = ""

    @classmethod
    def of(cls, error: GpuKernelsError) -> Explanation:
        """Explain an error."""
        return cls(code=error.code, message=error.message, cure=error.cure, detail=error.detail[-DETAIL_LIMIT:])

    @classmethod
    def take(cls, environ: Mapping[str, str]) -> Explanation:
        """Read what :meth:`environment` passed; something is said even if it got lost."""
        try:
            return cls(**json.loads(environ.get(VARIABLE, "")))
        except (ValueError, TypeError):
            return cls(
                code="broken_environment",
                message="The kernel could not be started, and the reason got lost on the way.",
                cure="Look into the log of the Jupyter server.",
            )

    def environment(self, server: Mapping[str, str]) -> dict[str, str]:
        """The variables of the explaining kernel: the server's, whose Python it runs in."""
        # PYTHONSAFEPATH: a module in the notebook's directory must not stand in for one of ours (Python 3.11).
        return {**server, VARIABLE: json.dumps(dataclasses.asdict(self)), "PYTHONSAFEPATH": "1"}


def explaining_command(connection_file: str) -> list[str]:
    """The command that starts an explaining kernel."""
    return [sys.executable, "-m", "jupyter_gpu_kernels.launch.explain", "-f", connection_file]
