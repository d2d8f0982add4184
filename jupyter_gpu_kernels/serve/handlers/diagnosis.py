"""The doctor."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import Diagnosis, Remedy
from ..openapi import operation
from .base import GpuKernelsHandler


class DiagnosisHandler(GpuKernelsHandler):
    """What is wrong, and what can be done about it here."""

    @web.authenticated
    @authorized
    @operation(
        "Look what is wrong with this machine and its kernels.",
        answer=Diagnosis,
        query=(("environment", str, "Look at this environment and the machine only."),),
    )
    async def get(self) -> None:
        """Diagnose."""
        self.answer(await self.manager.diagnose(self.get_query_argument("environment", "")))

    @web.authenticated
    @authorized
    @operation("Apply a remedy of a finding, and look again.", body=Remedy, answer=Diagnosis)
    async def post(self) -> None:
        """Apply a remedy; one that takes long answers with its job's environment marked as being worked on."""
        self.answer(await self.manager.apply(self.body(Remedy)))
