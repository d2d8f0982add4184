"""Telling browsers that a job has changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..models import Job

if TYPE_CHECKING:
    from jupyter_events import EventLogger

JOB_SCHEMA_ID = "https://schema.jupyter.org/jupyter_gpu_kernels/job/v1"

JOB_SCHEMA = Path(__file__).parent / "event_schemas" / "job" / "v1.yaml"


class JobEvents:
    """Emits an event for each snapshot of a job; call it on the event loop only.

    Registering the schema belongs to the server's start: a schema registered after a browser has subscribed never
    reaches that browser.

    Args:
        logger: The server's event logger.
    """

    def __init__(self, logger: EventLogger) -> None:
        self._logger = logger
        logger.register_event_schema(JOB_SCHEMA)

    def __call__(self, job: Job) -> None:
        """Tell that a job has changed; whoever may see it reads the rest at its address."""
        progress = job.progress
        self._logger.emit(
            schema_id=JOB_SCHEMA_ID,
            data={
                "id": job.id,
                "revision": job.revision,
                "state": job.state.value,
                "stage": job.stage.value if job.stage else None,
                "packages_done": progress.packages_done,
                "packages_total": progress.packages_total,
                "bytes_done": progress.bytes_done,
                "bytes_total": progress.bytes_total,
                "bytes_per_second": progress.bytes_per_second,
            },
        )
