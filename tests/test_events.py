"""Events of jobs: what they tell, what they keep to themselves, and how often they come."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jupyter_events import EventLogger
from jupyter_server.serverapp import ServerApp
from patience import eventually
from scripted import ScriptedManager, plan_of
from traitlets.config import Config

from jupyter_gpu_kernels.models import EnvironmentSpec, Job, JobKind, JobState, Progress, Stage
from jupyter_gpu_kernels.serve.events import JOB_SCHEMA, JOB_SCHEMA_ID, JobEvents

SPEC = EnvironmentSpec(name="secret-name", framework="tensorflow")


class Heard:
    """Listens to an event logger."""

    def __init__(self, logger: EventLogger) -> None:
        self.events: list[dict[str, Any]] = []
        logger.add_listener(schema_id=JOB_SCHEMA_ID, listener=self._hear)

    async def _hear(self, logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
        self.events.append(data)


async def test_an_event_has_counters_and_no_names() -> None:
    logger = EventLogger()
    emit = JobEvents(logger)
    heard = Heard(logger)
    emit(
        Job(
            id="20261120-000000-00000000",
            kind=JobKind.CREATE,
            name="secret-name",
            state=JobState.RUNNING,
            stage=Stage.DOWNLOAD,
            revision=7,
            progress=Progress(
                packages_done=1, packages_total=2, bytes_done=3, bytes_total=4, bytes_per_second=5.5, detail="secret"
            ),
            log=("secret",),
            spec=SPEC,
            plan=plan_of(SPEC),
        )
    )
    await asyncio.sleep(0)
    expected = {
        "id": "20261120-000000-00000000",
        "revision": 7,
        "state": "running",
        "stage": "download",
        "packages_done": 1,
        "packages_total": 2,
        "bytes_done": 3,
        "bytes_total": 4,
        "bytes_per_second": 5.5,
    }
    assert [{key: value for key, value in event.items() if key[:2] != "__"} for event in heard.events] == [expected]
    assert "secret" not in str(heard.events)


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("stage", [None, *Stage])
async def test_the_schema_takes_every_state_and_stage(state: JobState, stage: Stage | None) -> None:
    logger = EventLogger()
    emit = JobEvents(logger)
    heard = Heard(logger)
    emit(Job(id="1", kind=JobKind.VERIFY, name="tf", state=state, stage=stage))
    await asyncio.sleep(0)
    assert len(heard.events) == 1


def test_the_schema_says_what_each_field_means() -> None:
    schema = yaml.safe_load(Path(JOB_SCHEMA).read_text())
    assert schema["$id"] == JOB_SCHEMA_ID
    assert schema["personal-data"] is False
    assert all(field["description"] for field in schema["properties"].values())
    assert schema["properties"]["state"]["enum"] == [state.value for state in JobState]
    assert schema["properties"]["stage"]["enum"] == [*(stage.value for stage in Stage), None]


class TestServer:
    """In a server."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config) -> Config:
        jp_server_config.GpuKernelsExtension.manager_class = ScriptedManager
        return jp_server_config

    async def test_the_schema_is_there_before_a_browser_can_subscribe(self, jp_serverapp: ServerApp) -> None:
        assert JOB_SCHEMA_ID in jp_serverapp.event_logger.schemas

    async def test_events_end_with_the_last_revision(self, jp_serverapp: ServerApp) -> None:
        manager: ScriptedManager = jp_serverapp.web_app.settings["gpu_kernels_manager"]

        def download(reporter: Any) -> None:
            for done in range(1000):
                reporter.progress(Progress(bytes_done=done, bytes_total=1000))

        manager.workshop.during = download
        heard = Heard(jp_serverapp.event_logger)
        done = await manager.runner.wait((await manager.create(replace(SPEC, name="tf"))).id)
        await eventually(lambda: heard.events and heard.events[-1]["state"] == "succeeded")
        assert [event["revision"] for event in heard.events] == sorted({event["revision"] for event in heard.events})
        assert (heard.events[-1]["revision"], heard.events[-1]["state"]) == (done.revision, "succeeded")
        assert {event["id"] for event in heard.events} == {done.id}
        assert len(heard.events) < 15
