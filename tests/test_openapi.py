"""The OpenAPI document: valid, complete, and true of what the server answers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jupyter_server.serverapp import ServerApp
from openapi_spec_validator import validate
from scripted import ScriptedManager, manifest_of
from test_benchmark import GOOD
from test_recipes import RECIPE
from tornado import web
from tornado.httpclient import HTTPResponse
from traitlets.config import Config

from jupyter_gpu_kernels.diagnosis import remedies
from jupyter_gpu_kernels.diagnosis.check import EnvironmentCheck, note
from jupyter_gpu_kernels.diagnosis.context import Context
from jupyter_gpu_kernels.models import Environment, EnvironmentSpec, Finding, Job, to_json
from jupyter_gpu_kernels.prefix.layout import Layout
from jupyter_gpu_kernels.serve.doctoring import Doctoring
from jupyter_gpu_kernels.serve.handlers.base import NowhereHandler
from jupyter_gpu_kernels.serve.handlers.routes import ROUTES, default_handlers
from jupyter_gpu_kernels.serve.openapi import VERBS, document

Fetch = Callable[..., Awaitable[HTTPResponse]]

#: What is sent where a body is needed.
BODIES: dict[tuple[str, str], Any] = {
    ("/environments", "post"): {"name": "new"},
    ("/plans", "post"): {"name": "other"},
    ("/recipes/plan", "post"): {"recipe": to_json(RECIPE), "name": None},
    ("/environments/{name}", "patch"): {"display_name": "Mine"},
    ("/environments/{name}/benchmark", "put"): GOOD,
    ("/diagnosis", "post"): to_json(remedies.verify("tf")),
}

#: Verbs that need more than a scripted workshop, and where they are tried.
ELSEWHERE = {
    ("/jobs/{id}", "delete"): "tests/test_handlers.py: a job at work",
    ("/environments/{name}/packages", "get"): "tests/test_packages.py: a scripted editor",
    ("/environments/{name}/packages", "post"): "tests/test_packages.py: a scripted editor",
    ("/environments/{name}/packages/plan", "post"): "tests/test_packages.py: a scripted editor",
    ("/environments/{name}/pack", "post"): "tests/test_packing.py: a real environment",
    ("/environments/{name}/clone", "post"): "tests/test_copies.py: a real environment",
    ("/environments/{name}/rename", "post"): "tests/test_copies.py: a real environment",
    ("/environments/{name}/export", "get"): "tests/test_sharing.py: a real environment",
    ("/imports", "post"): "tests/test_sharing.py: a real environment",
    ("/imports/plan", "post"): "tests/test_sharing.py: a real environment",
    ("/environments/{name}/recipe", "get"): "tests/test_recipes.py: a real environment",
    ("/foreign", "post"): "tests/test_foreign.py: a real environment",
    ("/foreign", "delete"): "tests/test_foreign.py: a real environment",
}

DOCUMENT = document(ROUTES, "/jupyter-gpu-kernels")


def test_it_is_valid() -> None:
    validate(json.loads(json.dumps(DOCUMENT)))


def test_every_verb_of_every_handler_is_described_and_nothing_else() -> None:
    implemented = {
        (path, verb)
        for path, handler in ROUTES
        for verb in VERBS
        if getattr(handler, verb) is not getattr(web.RequestHandler, verb)
    }
    described = {(path, verb) for path, verbs in DOCUMENT["paths"].items() for verb in verbs}
    assert described == implemented
    assert {handler for _, handler in default_handlers} == {handler for _, handler in ROUTES} | {NowhereHandler}


def test_models_are_described_field_for_field() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for model in (EnvironmentSpec, Job):
        assert list(schemas[model.__name__]["properties"]) == [field.name for field in fields(model)]
        assert schemas[model.__name__]["description"].startswith(model.__doc__.strip().splitlines()[0])
    assert schemas["EnvironmentSpec"]["required"] == ["name"]


def test_every_parameter_of_a_path_is_declared() -> None:
    operation = DOCUMENT["paths"]["/environments/{name}"]["delete"]
    assert [(parameter["name"], parameter["in"]) for parameter in operation["parameters"]] == [
        ("name", "path"),
        ("stop_kernels", "query"),
    ]
    assert "Location" in operation["responses"]["202"]["headers"]


class Manager(ScriptedManager):
    """Every environment wants to be verified; no other check is made."""

    def _doctoring_default(self) -> Doctoring:
        def look(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
            remedy = remedies.verify(environment.name)
            yield note("It is odd.", cure="Verify it.", evidence=["It looks odd."], remedy=remedy)

        check = EnvironmentCheck(id="odd", title="Oddities", look=look, remedies=(remedies.VERIFY,))
        return Doctoring(self, self, [check])


class TestServer:
    """Over HTTP."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config) -> Config:
        jp_server_config.GpuKernelsExtension.manager_class = Manager
        return jp_server_config

    async def test_answers_are_as_described(self, jp_fetch: Fetch, jp_serverapp: ServerApp, jp_base_url: str) -> None:
        manager: ScriptedManager = jp_serverapp.web_app.settings["gpu_kernels_manager"]
        manager.workshop.built["tf"] = manifest_of(EnvironmentSpec(name="tf", framework="tensorflow"))
        served = json.loads((await jp_fetch("jupyter-gpu-kernels", "openapi.json")).body)
        assert served["servers"] == [{"url": f"{jp_base_url}jupyter-gpu-kernels"}]
        assert served["paths"] == json.loads(json.dumps(DOCUMENT["paths"]))
        job_id, seen = "", set()
        # In this order, so that there is a job to look at, and nothing is busy.
        for path, verb in (
            ("/environments/{name}/verify", "post"),
            ("/environments/{name}/rebuild", "post"),
            ("/environments/{name}/benchmark", "post"),
            ("/environments", "post"),
            ("/jobs/{id}", "get"),
            ("/jobs/{id}/log", "get"),
            ("/jobs", "get"),
            ("/plans", "post"),
            ("/recipes/plan", "post"),
            ("/frameworks", "get"),
            ("/frameworks/{id}/logo", "get"),
            ("/names", "get"),
            ("/names/{name}", "get"),
            ("/packages", "get"),
            ("/packages/{package}", "get"),
            ("/channels", "get"),
            ("/channels", "put"),
            ("/gpus", "get"),
            ("/gpus/usage", "get"),
            ("/environments", "get"),
            ("/environments/{name}", "get"),
            ("/environments/{name}/size", "get"),
            ("/environments/{name}/notebook", "get"),
            ("/environments/{name}/benchmark", "put"),
            ("/environments/{name}", "patch"),
            ("/diagnosis", "get"),
            ("/diagnosis", "post"),
            ("/environments/{name}", "delete"),
            ("/foreign", "get"),
            ("/openapi.json", "get"),
        ):
            place = path.format(
                name="tf", package="numpy", id="tensorflow" if path.startswith("/frameworks") else job_id
            )
            body = BODIES.get((path, verb), {})
            response = await jp_fetch(
                "jupyter-gpu-kernels",
                *place.strip("/").split("/"),
                method=verb.upper(),
                body=json.dumps(body) if verb in ("post", "put", "patch") else None,
            )
            if response.code == 202:
                job_id = json.loads(response.body)["id"]
                await manager.runner.wait(job_id)
            for job in manager.active:
                await manager.runner.wait(job.id)
            self.check(served, path, verb, response)
            seen.add((path, verb))
        left = {(path, verb) for path, verbs in served["paths"].items() for verb in verbs} - seen
        assert left == set(ELSEWHERE)

    @staticmethod
    def check(served: dict[str, Any], path: str, verb: str, response: HTTPResponse) -> None:
        """Compare an answer with the document."""
        described = served["paths"][path][verb]["responses"][str(response.code)]
        ((kind, content),) = described["content"].items()
        assert response.headers["Content-Type"].startswith(kind)
        if kind == "application/json":
            schema = {**content["schema"], "components": served["components"]}
            Draft202012Validator(schema).validate(json.loads(response.body))
