"""Jobs: how far they have come, and cancelling them."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import Job
from ..openapi import operation
from .base import GpuKernelsHandler


class JobsHandler(GpuKernelsHandler):
    """All jobs."""

    @web.authenticated
    @authorized
    @operation("List the jobs of all processes, the newest first, without their logs.", answer=list[Job])
    async def get(self) -> None:
        """List the jobs."""
        self.answer(await self.manager.jobs())


class JobHandler(GpuKernelsHandler):
    """One job."""

    @web.authenticated
    @authorized
    @operation("Tell how far a job has come, or how it ended.", answer=Job)
    async def get(self, job_id: str) -> None:
        """Give a snapshot of the job."""
        self.answer(await self.manager.job(job_id))

    @web.authenticated
    @authorized
    @operation("Cancel a job; the answer comes once nothing is left of it.", answer=Job)
    async def delete(self, job_id: str) -> None:
        """Cancel the job."""
        self.answer(await self.manager.cancel(job_id))


class JobLogHandler(GpuKernelsHandler):
    """The log of one job."""

    @web.authenticated
    @authorized
    @operation("Give the whole log of a job.", answer=str)
    async def get(self, job_id: str) -> None:
        """Give the log as text."""
        self.finish(await self.manager.job_log(job_id), set_content_type="text/plain; charset=UTF-8")
