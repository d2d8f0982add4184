"""The explaining kernel: it takes a broken kernel's place and says in every cell why, and what to do.

Run in the server's Python as ``python -m jupyter_gpu_kernels.launch.explain -f <connection file>``.
"""

from __future__ import annotations

import os
import platform
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

from .explanation import VARIABLE, Explanation


class ExplainingKernel(Kernel):
    """Answers every cell with the explanation, and with an error, so that "Run All" and papermill stop."""

    implementation = "jupyter_gpu_kernels"
    implementation_version = "1"
    # A notebook keeps what kernel_info says of the language: it stays a Python notebook.
    language_info = {  # noqa: RUF012 - the base class declares it as an instance's attribute
        "name": "python",
        "version": platform.python_version(),
        "mimetype": "text/x-python",
        "codemirror_mode": {"name": "ipython", "version": 3},
        "pygments_lexer": "ipython3",
        "nbconvert_exporter": "python",
        "file_extension": ".py",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.explanation = Explanation.take(os.environ)
        self.banner = f"{self.explanation.message} {self.explanation.cure}"

    async def do_execute(
        self, code: str, silent: bool, *args: Any, cell_meta: Any = None, cell_id: Any = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Print the explanation."""
        told = self.explanation
        if not silent:
            text = "\n\n".join(part for part in (told.message, told.detail.strip(), told.cure) if part)
            self._publish("stream", {"name": "stderr", "text": f"{text}\n"})
            data = {"text/plain": f"{told.message} {told.cure}", "text/markdown": _markdown(told)}
            self._publish("display_data", {"data": data, "metadata": {}})
        return {
            "status": "error",
            "ename": told.code,
            "evalue": f"{told.message} {told.cure}",
            "traceback": [],
            "execution_count": self.execution_count,
        }

    def _publish(self, kind: str, content: dict[str, Any]) -> None:
        """Send an output."""
        self.send_response(self.iopub_socket, kind, content)  # type: ignore[no-untyped-call]


def _markdown(told: Explanation) -> str:
    """The explanation for a notebook."""
    detail = "".join(f"    {line}\n" for line in told.detail.strip().splitlines())
    shown = f"\nThe last words of the kernel were:\n\n{detail}" if detail else ""
    return f"### This kernel could not be started\n\n{told.message}\n\n**What to do:** {told.cure}\n{shown}"


def main() -> None:
    """Start the kernel."""
    app = IPKernelApp.instance(kernel_class=ExplainingKernel)
    app.initialize()  # type: ignore[no-untyped-call]
    os.environ.pop(VARIABLE, None)
    app.start()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
