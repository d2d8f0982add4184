"""The REST interface over a scripted workshop: shapes, statuses, who may ask, and what bad input gets."""

from __future__ import annotations

import inspect
import json
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.serverapp import ServerApp
from scripted import BENCHMARK, VERIFICATION, ScriptedManager, manifest_of
from test_benchmark import GOOD
from tornado import web
from tornado.httpclient import HTTPClientError, HTTPResponse
from traitlets.config import Config

from jupyter_gpu_kernels import models
from jupyter_gpu_kernels.errors import ChannelError, RefusedError
from jupyter_gpu_kernels.models import EnvironmentSpec, Job, JobState, Refusal, from_json, to_json
from jupyter_gpu_kernels.serve.handlers import routes
from jupyter_gpu_kernels.serve.kernels import RunningKernel
from jupyter_gpu_kernels.serve.openapi import VERBS

Fetch = Callable[..., Awaitable[HTTPResponse]]

NAMESPACE = "jupyter-gpu-kernels"
SPEC = EnvironmentSpec(name="tf", framework="tensorflow")


class ReadOnly(Authorizer):
    """Lets everybody read all but GPU kernels, and nobody do anything."""

    asked: list[tuple[str, str]]

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        type(self).asked.append((action, resource))
        return resource != "gpu_kernels"


@pytest.fixture
def jp_server_config(jp_server_config: Config) -> Config:
    jp_server_config.GpuKernelsExtension.manager_class = ScriptedManager
    return jp_server_config


@pytest.fixture
def manager(jp_serverapp: ServerApp) -> ScriptedManager:
    found: ScriptedManager = jp_serverapp.web_app.settings["gpu_kernels_manager"]
    found.workshop.built["old"] = manifest_of(replace(SPEC, name="old"))
    return found


@pytest.fixture
def fetch(jp_fetch: Fetch, manager: ScriptedManager) -> Fetch:
    """Fetch below our namespace; a body that is not text is sent as JSON."""

    async def call(path: str, method: str = "GET", body: Any = None, **options: Any) -> HTTPResponse:
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is None and method in ("POST", "PUT", "PATCH"):
            body = ""
        return await jp_fetch(NAMESPACE, *path.split("/"), method=method, body=body, **options)

    return call


async def failing(response: Awaitable[HTTPResponse]) -> tuple[int, dict[str, str]]:
    """The status and error of a request that must fail, whose shape is checked."""
    with pytest.raises(HTTPClientError) as caught:
        await response
    assert caught.value.response is not None
    assert caught.value.response.headers["Content-Type"].startswith("application/json")
    error = json.loads(caught.value.response.body)
    assert list(error) == ["code", "message", "cure", "detail"]
    assert error["message"].endswith(".")
    assert error["cure"].endswith(".")
    assert "Traceback" not in json.dumps(error)
    return caught.value.code, error


def ours(directory: Path) -> set[Path]:
    """What we have made below a directory."""
    return {entry for entry in directory.rglob("*") if "gpu-kernels" in str(entry)}


def job_of(response: HTTPResponse) -> Job:
    return from_json(Job, json.loads(response.body))


async def test_create_answers_at_once_with_the_job_and_its_address(
    fetch: Fetch, manager: ScriptedManager, jp_base_url: str
) -> None:
    manager.workshop.hold = True
    response = await fetch("environments", "POST", to_json(SPEC))
    job = job_of(response)
    assert response.code == 202
    assert response.headers["Location"] == f"{jp_base_url}{NAMESPACE}/jobs/{job.id}"
    assert job.spec == SPEC
    assert json.loads(response.body) == to_json(job), "every field is there, with its default"
    await manager.workshop.at_work.wait()
    for _ in range(2):
        now = job_of(await fetch(f"jobs/{job.id}"))
        assert now.state is JobState.RUNNING
    manager.workshop.go.set()
    done = await manager.runner.wait(job.id)
    assert (done.state, done.verification) == (JobState.SUCCEEDED, VERIFICATION)
    assert job_of(await fetch(f"jobs/{job.id}")) == done
    assert (await fetch(f"jobs/{job.id}/log")).body == b"create tf\n"
    assert (await fetch(f"jobs/{job.id}/log")).headers["Content-Type"] == "text/plain; charset=UTF-8"
    listed = json.loads((await fetch("jobs")).body)
    assert listed == [to_json(replace(done, log=()))]
    names = [environment["name"] for environment in json.loads((await fetch("environments")).body)]
    assert names == ["old", "tf"]


async def test_a_spec_may_be_as_short_as_its_name(fetch: Fetch, manager: ScriptedManager) -> None:
    response = await fetch("environments", "POST", {"name": "plain"})
    job = job_of(response)
    assert json.loads(response.body)["spec"] == to_json(EnvironmentSpec(name="plain")), "with all defaults"
    assert (await manager.runner.wait(job.id)).spec == EnvironmentSpec(name="plain")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "x"])
async def test_the_content_type_does_not_matter(fetch: Fetch, manager: ScriptedManager, content_type: str) -> None:
    response = await fetch("plans", "POST", to_json(SPEC), headers={"Content-Type": content_type})
    assert response.code == 200


async def test_what_there_is_comes_as_the_models(fetch: Fetch, manager: ScriptedManager) -> None:
    workshop = manager.workshop
    answers = {
        "frameworks": workshop.frameworks(),
        "gpus": workshop.hardware(),
        "environments": workshop.environments(),
        "environments/old": workshop.built["old"],
        "environments/old/size": models.DiskUsage(bytes=1_500_000_000, freed_bytes=1),
        "jobs": (),
    }
    for path, model in answers.items():
        response = await fetch(path)
        assert json.loads(response.body) == to_json(model), path
        assert response.headers["Content-Type"] == "application/json"


async def test_a_name_is_checked_before_anything_is_asked_for(fetch: Fetch, manager: ScriptedManager) -> None:
    manager.workshop.hold = True
    await fetch("environments", "POST", to_json(SPEC))
    problems = {}
    for name in ("new", "OLD", "TF", "a.b", "a b", "python3", LONG, "🚀"):
        response = await fetch(f"names/{name}")
        found = from_json(models.NameCheck, json.loads(response.body))
        assert (response.code, found.name) == (200, name)
        problems[name] = found.problem and found.problem.code
        assert found.problem is None or (found.problem.message.endswith(".") and found.problem.cure.endswith("."))
    assert problems == {
        "new": None,
        "OLD": "name_taken",
        "TF": "environment_busy",
        "a.b": "invalid_name",
        "a b": "invalid_name",
        "python3": "invalid_name",
        LONG: "invalid_name",
        "🚀": "invalid_name",
    }
    assert manager.workshop.called == ["create tf"]


async def test_a_suggested_name_can_be_had(fetch: Fetch, manager: ScriptedManager) -> None:
    for expected in ("tf-warp-speed", "tf-warp-speed-2", "tf-warp-speed-3"):
        found = from_json(models.NameCheck, json.loads((await fetch("names", params={"framework": "tensorflow"})).body))
        assert found == models.NameCheck(name=expected)
        await manager.runner.wait(job_of(await fetch("environments", "POST", {"name": expected})).id)
    assert json.loads((await fetch("names")).body) == {"name": "python-warp-speed", "problem": None}
    status, error = await failing(fetch("names", params={"framework": "nonsense"}))
    assert (status, error["code"]) == (400, "unknown_framework")


async def test_a_logo_is_a_drawing_that_can_do_no_harm(fetch: Fetch) -> None:
    response = await fetch("frameworks/tensorflow/logo")
    assert ET.fromstring(response.body).tag == "{http://www.w3.org/2000/svg}svg"
    assert response.headers["Content-Type"] == "image/svg+xml"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, max-age=86400"
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "style-src 'unsafe-inline'", "sandbox"} <= set(policy)
    status, error = await failing(fetch("frameworks/nonsense/logo"))
    assert (status, error["code"]) == (404, "not_found")


async def test_a_refusal_is_inside_the_plan(fetch: Fetch, manager: ScriptedManager) -> None:
    plan = from_json(models.Plan, json.loads((await fetch("plans", "POST", to_json(SPEC))).body))
    assert (plan.cuda, plan.refusal) == ("12.9", None)
    manager.workshop.refusal = Refusal(reason="The driver is too old.", cure="Ask for CUDA 11.8.")
    plan = from_json(models.Plan, json.loads((await fetch("plans", "POST", to_json(SPEC))).body))
    assert plan.refusal == manager.workshop.refusal


@pytest.mark.parametrize("verb", ["verify", "benchmark", "rebuild"])
async def test_verbs_on_an_environment_answer_with_a_job(fetch: Fetch, manager: ScriptedManager, verb: str) -> None:
    for body in ("", "{}"):
        response = await fetch(f"environments/old/{verb}", "POST", body)
        job = job_of(response)
        assert (response.code, job.kind.value) == (202, verb)
        done = await manager.runner.wait(job.id)
        assert done.state is JobState.SUCCEEDED
        assert (done.benchmark == BENCHMARK) is (verb == "benchmark")
        assert (done.verification == VERIFICATION) is (verb != "benchmark")
    status, error = await failing(fetch(f"environments/nothing/{verb}", "POST"))
    assert (status, error["code"]) == (404, "not_found")


async def test_remove_answers_with_a_job(fetch: Fetch, manager: ScriptedManager) -> None:
    response = await fetch("environments/old", "DELETE")
    assert response.code == 202
    assert (await manager.runner.wait(job_of(response).id)).state is JobState.SUCCEEDED
    assert manager.workshop.built == {}
    status, error = await failing(fetch("environments/old", "DELETE"))
    assert (status, error["code"]) == (404, "not_found")


async def test_cancel_answers_once_nothing_is_left(fetch: Fetch, manager: ScriptedManager) -> None:
    manager.workshop.hold = True
    job = job_of(await fetch("environments", "POST", to_json(SPEC)))
    await manager.workshop.at_work.wait()
    assert job_of(await fetch(f"jobs/{job.id}", "DELETE")).state is JobState.CANCELLED
    assert manager.workshop.cleaned == ["tf"]
    status, error = await failing(fetch(f"jobs/{job.id}", "DELETE"))
    assert (status, error["code"]) == (409, "conflict")


async def test_conflicts_are_409_and_say_who(fetch: Fetch, manager: ScriptedManager) -> None:
    status, error = await failing(fetch("environments", "POST", {"name": "OLD"}))
    assert (status, error["code"]) == (409, "name_taken")
    manager.workshop.hold = True
    await fetch("environments/old/verify", "POST")
    for path, method in (("environments/old", "DELETE"), ("environments/old/rebuild", "POST")):
        status, error = await failing(fetch(path, method))
        assert (status, error["code"]) == (409, "environment_busy")
        assert "is being verified by process" in error["message"]


async def test_running_kernels_stand_in_the_way_of_removal_unless_told(fetch: Fetch, manager: ScriptedManager) -> None:
    class Kernels:
        ids = ("k1", "k2")

        def of(self, kernel_name: str, prefix: str) -> tuple[RunningKernel, ...]:
            return tuple(RunningKernel(kernel_id, 1) for kernel_id in self.ids) if kernel_name == "old" else ()

        async def stop(self, kernel_id: str) -> bool:
            self.ids = tuple(other for other in self.ids if other != kernel_id)
            return True

    manager.kernels = kernels = Kernels()
    status, error = await failing(fetch("environments/old", "DELETE"))
    assert (status, error["code"]) == (409, "kernels_running")
    assert "2 kernels" in error["message"]
    assert "stop_kernels=true" in error["cure"]
    status, error = await failing(fetch("environments/old", "DELETE", params={"stop_kernels": "perhaps"}))
    assert (status, error["code"]) == (400, "invalid_input")
    response = await fetch("environments/old", "DELETE", params={"stop_kernels": "true"})
    await manager.runner.wait(job_of(response).id)
    assert kernels.ids == ()
    assert manager.workshop.built == {}


LONG = "x" * 300


async def test_display_name_and_memory_preset_are_changed_at_once(fetch: Fetch, manager: ScriptedManager) -> None:
    response = await fetch("environments/old", "PATCH", {"display_name": "Möbius 🚀"})
    assert response.code == 200
    changed = from_json(models.Environment, json.loads(response.body))
    assert changed == manager.workshop.environments()[0]
    assert changed.display_name == "Möbius 🚀"
    response = await fetch("environments/old", "PATCH", {"memory": "grow"})
    both = from_json(models.Environment, json.loads(response.body))
    assert (both.display_name, both.memory) == (changed.display_name, models.MemoryPreset.GROW)
    assert manager.workshop.built["old"].launch.memory is models.MemoryPreset.GROW
    bad = [{"display_name": text} for text in ("", " ", "a\nb", "a\x1b[1m", LONG)]
    for body in (*bad, {}, {"display_name": None}, {"memory": "all"}, {"display_name": 1}, {"name": "new"}, "{", []):
        status, error = await failing(fetch("environments/old", "PATCH", body))
        assert (status, error["code"]) == (400, "invalid_input"), body
    for name, expected in (("nothing", 404), ("a.b", 400)):
        status, _ = await failing(fetch(f"environments/{name}", "PATCH", {"display_name": "x"}))
        assert status == expected
    manager.workshop.hold = True
    await fetch("environments/old/verify", "POST")
    await manager.workshop.at_work.wait()
    status, error = await failing(fetch("environments/old", "PATCH", {"display_name": "x"}))
    assert (status, error["code"]) == (409, "environment_busy")
    assert manager.workshop.called == ["change old", "change old", "verify old"]


async def test_the_notebook_opens_with_the_environment_s_kernel(fetch: Fetch, manager: ScriptedManager) -> None:
    node = json.loads((await fetch("environments/old/notebook")).body)
    nbformat.validate(node)
    assert node["metadata"]["kernelspec"] == {
        "name": "old",
        "display_name": manager.workshop.built["old"].display_name,
        "language": "python",
    }
    assert {cell["cell_type"] for cell in node["cells"]} == {"code", "markdown"}
    assert not any(cell.get("outputs") for cell in node["cells"])
    status, error = await failing(fetch("environments/nothing/notebook"))
    assert (status, error["code"]) == (404, "not_found")


async def test_what_the_notebook_displayed_is_kept(fetch: Fetch, manager: ScriptedManager) -> None:
    response = await fetch("environments/old/benchmark", "PUT", GOOD)
    kept = from_json(models.BenchmarkResult, json.loads(response.body))
    assert (response.code, kept.speedups) == (200, {"matmul": 8.0})
    assert manager.workshop.built["old"].benchmark == kept
    for body in ({}, [], "{", "", {**GOOD, "timings": []}, {**GOOD, "schema_version": 2}):
        status, error = await failing(fetch("environments/old/benchmark", "PUT", body))
        assert (status, error["code"]) == (400, "invalid_input"), body
    status, error = await failing(fetch("environments/nothing/benchmark", "PUT", GOOD))
    assert (status, error["code"]) == (404, "not_found")
    manager.workshop.hold = True
    await fetch("environments/old/verify", "POST")
    await manager.workshop.at_work.wait()
    status, error = await failing(fetch("environments/old/benchmark", "PUT", GOOD))
    assert (status, error["code"]) == (409, "environment_busy")


#: What is asked for, and the code of the answer.
BAD_SPECS: dict[str, tuple[dict[str, Any], str]] = {
    "separator": ({"name": "a/b"}, "invalid_name"),
    "backslash": ({"name": "a\\b"}, "invalid_name"),
    "parent": ({"name": ".."}, "invalid_name"),
    "climbing": ({"name": "../../etc"}, "invalid_name"),
    "hidden": ({"name": ".gen"}, "invalid_name"),
    "dot": ({"name": "a.b"}, "invalid_name"),
    "space": ({"name": "a b"}, "invalid_name"),
    "newline": ({"name": "a\n"}, "invalid_name"),
    "nul": ({"name": "a\0b"}, "invalid_name"),
    "empty": ({"name": ""}, "invalid_name"),
    "long": ({"name": LONG}, "invalid_name"),
    "emoji": ({"name": "🚀"}, "invalid_name"),
    "foreign letters": ({"name": "тензор"}, "invalid_name"),
    "option": ({"name": "--prefix"}, "invalid_name"),
    "python": ({"name": "python"}, "invalid_name"),
    "python3": ({"name": "Python3"}, "invalid_name"),
    "device": ({"name": "CON"}, "invalid_name"),
    "no name": ({"name": None}, "invalid_input"),
    "name missing": ({"framework": "tensorflow", "name": 1}, "invalid_input"),
    "framework": ({"framework": "tensorflaw"}, "unknown_framework"),
    "framework option": ({"framework": "--yes"}, "unknown_framework"),
    "framework path": ({"framework": "../../x"}, "unknown_framework"),
    "variant": ({"variant": "tpu"}, "invalid_input"),
    "installer": ({"installer": "apt"}, "invalid_input"),
    "version": ({"version": "2.x; rm -rf /"}, "invalid_version"),
    "python version": ({"python": "--pre"}, "invalid_version"),
    "cuda": ({"cuda": "twelve"}, "invalid_version"),
    "target": ({"target_cuda": "12.9 --force"}, "invalid_version"),
    "target gpu": ({"target_gpu": "Radeon"}, "invalid_input"),
    "memory fraction": ({"memory_fraction": 40}, "invalid_input"),
    "no memory fraction": ({"memory_fraction": "half"}, "invalid_input"),
    "package prefix": ({"packages": ["--prefix=/"]}, "invalid_package"),
    "package channel": ({"packages": ["-c evil"]}, "invalid_package"),
    "package git": ({"packages": ["git+https://example.com/x"]}, "invalid_package"),
    "package url": ({"packages": ["x @ https://example.com/x.whl"]}, "invalid_package"),
    "package path": ({"packages": ["/etc/passwd"]}, "invalid_package"),
    "package relative": ({"packages": ["./x"]}, "invalid_package"),
    "package file": ({"packages": ["file:///etc/passwd"]}, "invalid_package"),
    "package with option": ({"packages": ["numpy --index-url=https://example.com"]}, "invalid_package"),
    "pip option": ({"pip": ["-r /etc/passwd"]}, "invalid_package"),
    "pip index": ({"pip": ["--extra-index-url=https://example.com"]}, "invalid_package"),
    "pip editable": ({"pip": ["-e ."]}, "invalid_package"),
    "pip url": ({"pip": ["https://example.com/x.whl"]}, "invalid_package"),
    "channel option": ({"channels": ["--override-channels"]}, "invalid_channel"),
    "channel file": ({"channels": ["file:///etc"]}, "invalid_channel"),
    "channel path": ({"channels": ["/etc"]}, "invalid_channel"),
    "channel scheme": ({"channels": ["javascript://x"]}, "invalid_channel"),
    "display name": ({"display_name": "a\nb"}, "invalid_input"),
    "packages as text": ({"packages": "numpy"}, "invalid_input"),
    "package number": ({"packages": [1]}, "invalid_input"),
    "memory": ({"memory": "all"}, "invalid_input"),
    "flag": ({"verify": "yes"}, "invalid_input"),
    "unknown field": ({"prefix": "/"}, "invalid_input"),
}


@pytest.mark.parametrize("path", ["environments", "plans"])
async def test_a_bad_spec_is_refused_with_a_code_and_a_next_step(
    fetch: Fetch, manager: ScriptedManager, tmp_path: Path, path: str
) -> None:
    before = ours(tmp_path)
    answers = {}
    for what, (fields, _) in BAD_SPECS.items():
        status, error = await failing(fetch(path, "POST", {"name": "fine", **fields}))
        assert status == 400, what
        answers[what] = error["code"]
    assert answers == {what: code for what, (_, code) in BAD_SPECS.items()}
    assert manager.workshop.called == []
    assert await manager.jobs() == ()
    assert ours(tmp_path) == before


BAD_BODIES: dict[str, tuple[bytes, int]] = {
    "not JSON": (b"name=tf", 400),
    "cut short": (b'{"name": "tf"', 400),
    "two values": (b'{"name": "tf"} {}', 400),
    "not a number": (b'{"name": NaN}', 400),
    "not text": (b"\xff\xfe\x00", 400),
    "half a character": (b'{"name": "\\ud800"}', 400),
    "no character": (b'{"name": "\xc3"}', 400),
    "null byte": (b"\0", 400),
    "array": (b"[]", 400),
    "text": (b'"tf"', 400),
    "null": (b"null", 400),
    "number": (b"1", 400),
    "too big a number": (b'{"name": 1e999}', 400),
    "deep": (b"[" * 100_000, 400),
    "empty": (b"", 400),
    "too long": (b'{"name": "' + b"x" * (256 * 1024) + b'"}', 413),
}


@pytest.mark.parametrize("path", ["environments", "plans", "environments/old/verify"])
async def test_a_bad_body_is_refused(fetch: Fetch, manager: ScriptedManager, path: str) -> None:
    for what, (body, expected) in BAD_BODIES.items():
        if what == "empty" and path.endswith("verify"):
            continue
        status, error = await failing(fetch(path, "POST", body))
        assert status == expected, what
        assert error["code"] == ("too_large" if expected == 413 else "invalid_input"), what
    assert manager.workshop.called == []


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e", "..%2F..", "a%2Fb", "a.b", "a b", "%00", "🚀", LONG, "python3", "--yes"]
)
async def test_a_bad_name_in_an_address_is_refused(
    http_server_client: Any, jp_base_url: str, jp_auth_header: dict[str, str], manager: ScriptedManager, name: str
) -> None:
    from urllib.parse import quote

    address = f"{jp_base_url}{NAMESPACE}/environments/{quote(name, safe='%')}"
    for suffix, method in (("", "GET"), ("", "DELETE"), ("/verify", "POST"), ("/rebuild", "POST")):
        body = "" if method == "POST" else None
        response = http_server_client.fetch(address + suffix, method=method, body=body, headers=jp_auth_header)
        status, error = await failing(response)
        assert status in (400, 404)
        assert error["code"] in ("invalid_name", "not_found")
    assert manager.workshop.called == []


async def test_bytes_that_are_no_text_in_an_address_are_refused(
    http_server_client: Any, jp_base_url: str, jp_auth_header: dict[str, str], manager: ScriptedManager
) -> None:
    address = f"{jp_base_url}{NAMESPACE}/environments/%ff"
    status, error = await failing(http_server_client.fetch(address, headers=jp_auth_header))
    assert (status, error["code"]) == (400, "invalid_input")


@pytest.mark.parametrize("path", ["", "nothing", "environments/a/b/c", "jobs/x/y", "openapi.jsonx"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
async def test_where_there_is_nothing_the_answer_is_still_json(fetch: Fetch, path: str, method: str) -> None:
    status, error = await failing(fetch(path, method))
    assert (status, error["code"]) == (404, "not_found")


async def test_a_verb_that_is_not_there_names_those_that_are(fetch: Fetch) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await fetch("environments/old", "PUT")
    assert caught.value.code == 405
    assert caught.value.response is not None
    assert caught.value.response.headers["Allow"] == "GET, PATCH, DELETE"
    assert json.loads(caught.value.response.body)["code"] == "method_not_allowed"


async def test_errors_of_the_workshop_have_the_status_of_their_class(fetch: Fetch, manager: ScriptedManager) -> None:
    manager.workshop.failure = ChannelError("The mirror answers 403.", cure="Ask its administrator.")
    status, error = await failing(fetch("plans", "POST", to_json(SPEC)))
    assert (status, error["code"], error["cure"]) == (502, "channel", "Ask its administrator.")
    manager.workshop.failure = RefusedError("It cannot work.", cure="Ask for CPU.")
    status, error = await failing(fetch("plans", "POST", to_json(SPEC)))
    assert (status, error["code"]) == (422, "refused")


async def test_an_unforeseen_error_tells_nothing_of_the_inside(fetch: Fetch, manager: ScriptedManager) -> None:
    manager.workshop.failure = ZeroDivisionError("secret")
    status, error = await failing(fetch("plans", "POST", to_json(SPEC)))
    assert (status, error["code"]) == (500, "internal")
    assert "secret" not in json.dumps(error)
    assert "ZeroDivisionError" not in json.dumps(error)


ADDRESSES = [
    (path.replace("{name}", "old").replace("{id}", "20200101-000000-00000000").lstrip("/"), verb)
    for path, handler in routes.ROUTES
    for verb in VERBS
    if getattr(handler, verb) is not getattr(web.RequestHandler, verb)
]


@pytest.mark.parametrize(("path", "verb"), [*ADDRESSES, ("nowhere", "get")])
async def test_a_stranger_gets_nothing(
    http_server_client: Any, jp_base_url: str, manager: ScriptedManager, path: str, verb: str
) -> None:
    body = "{}" if verb in ("post", "put", "patch") else None
    response = http_server_client.fetch(
        f"{jp_base_url}{NAMESPACE}/{path}", method=verb.upper(), body=body, follow_redirects=False
    )
    status, error = await failing(response)
    assert (status, error["code"]) == (403, "forbidden")
    assert manager.workshop.called == []


class TestForbidden:
    """Somebody who is known, but may not use GPU kernels."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config) -> Config:
        ReadOnly.asked = []
        jp_server_config.ServerApp.authorizer_class = ReadOnly
        return jp_server_config

    @pytest.mark.parametrize(("path", "verb"), ADDRESSES)
    async def test_every_verb_asks_whether_it_is_authorized(
        self, fetch: Fetch, manager: ScriptedManager, path: str, verb: str
    ) -> None:
        status, error = await failing(fetch(path, verb.upper()))
        assert (status, error["code"]) == (403, "forbidden")
        assert ReadOnly.asked == [("read" if verb == "get" else "write", "gpu_kernels")]
        assert manager.workshop.called == []


def test_every_verb_is_authenticated_and_authorized_in_the_source() -> None:
    for _, handler in routes.default_handlers:
        for verb in VERBS:
            method = getattr(handler, verb)
            if method is getattr(web.RequestHandler, verb):
                continue
            source = inspect.getsource(inspect.unwrap(method))
            assert source.split("@operation")[0].split() == ["@web.authenticated", "@authorized"], handler


async def test_a_browser_must_send_the_cross_site_token(
    http_server_client: Any, jp_base_url: str, jp_serverapp: ServerApp, manager: ScriptedManager
) -> None:
    # A cookie instead of a token: what a form on another site could make a browser send.
    provider = jp_serverapp.identity_provider
    provider.token = ""
    provider.password_required = False
    response = http_server_client.fetch(
        f"{jp_base_url}{NAMESPACE}/environments", method="POST", body=json.dumps({"name": "tf"})
    )
    status, error = await failing(response)
    assert (status, error["code"]) == (403, "forbidden")
    assert manager.workshop.called == []


async def test_requests_do_not_wait_for_builds(fetch: Fetch, manager: ScriptedManager) -> None:
    manager.workshop.hold = True
    for name in ("a", "b", "c"):
        await fetch("environments", "POST", {"name": name})
    assert [environment["name"] for environment in json.loads((await fetch("environments")).body)] == ["old"]
    states = [job["state"] for job in json.loads((await fetch("jobs")).body)]
    assert sorted(states) == ["queued", "running", "running"]


async def test_a_placement_is_changed_at_once(fetch: Fetch, manager: ScriptedManager) -> None:
    wish = {"policy": "exclusive", "count": 2, "wait": 60}
    response = await fetch("environments/old", "PATCH", {"placement": wish})
    assert json.loads(response.body)["placement"] == {**wish, "devices": []}
    assert manager.workshop.built["old"].launch.placement.count == 2
    for bad in (
        "all",
        {"policy": "mine"},
        {"count": 0},
        {"policy": "fixed"},
        {"wait": -1},
        {"devices": ["0"]},
        [],
        {"polcy": "all"},
    ):
        status, error = await failing(fetch("environments/old", "PATCH", {"placement": bad}))
        assert (status, error["code"]) == (400, "invalid_input"), bad
    status, error = await failing(fetch("plans", "POST", {"name": "new", "placement": {"count": 2}}))
    assert (status, error["code"]) == (400, "invalid_input")


async def test_packages_are_searched_as_asked(fetch: Fetch, manager: ScriptedManager) -> None:
    found = json.loads((await fetch("packages", params={"q": " numpy", "environment": "old", "limit": "3"})).body)
    assert [package["name"] for package in found] == [" numpy"]
    one = json.loads((await fetch("packages/scikit_learn.x")).body)
    assert (one["versions"], one["installed"]) == (["2.0", "1.0"], "1.0")
    assert manager.search.asked == [(" numpy", "old", 3), ("scikit_learn.x", None)]


@pytest.mark.parametrize("limit", ["ten", "-1", "1e3", "9" * 10])
async def test_a_limit_that_is_no_number_is_refused(fetch: Fetch, limit: str) -> None:
    status, error = await failing(fetch("packages", params={"q": "numpy", "limit": limit}))
    assert (status, error["code"]) == (400, "invalid_input")
