"""What notebooks carry of their kernels: what goes into it, what a stranger's may ask for, what is planned of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from scripted import ScriptedManager, manifest_of
from tornado.httpclient import HTTPClientError, HTTPResponse
from traitlets.config import Config

from jupyter_gpu_kernels.build.conda.settings import ChannelSettings
from jupyter_gpu_kernels.build.contents.distributions import Distribution
from jupyter_gpu_kernels.build.contents.installed import Contents
from jupyter_gpu_kernels.build.planning import validation
from jupyter_gpu_kernels.build.recipes.permission import Permitted, permitted
from jupyter_gpu_kernels.build.recipes.planning import made_of, plan_recipe, steps
from jupyter_gpu_kernels.build.recipes.reading import read_recipe
from jupyter_gpu_kernels.build.recipes.taking import recipe_of
from jupyter_gpu_kernels.cli.arguments import parse
from jupyter_gpu_kernels.cli.exits import Exit
from jupyter_gpu_kernels.cli.run import run
from jupyter_gpu_kernels.errors import (
    BrokenEnvironmentError,
    ChannelError,
    InvalidInputError,
    NameTakenError,
    NotFoundError,
    RefusedError,
    SolveError,
    UnknownFrameworkError,
)
from jupyter_gpu_kernels.models import (
    EnvironmentSpec,
    Framework,
    GpuPolicy,
    Installer,
    KernelRecipe,
    MemoryPreset,
    Original,
    Placement,
    Plan,
    RecipePlan,
    Refusal,
    Variant,
    from_json,
    to_json,
)

LAB = "https://lab.example.org/channel"

SPEC = EnvironmentSpec(
    name="tf-warp-speed",
    framework="tensorflow",
    variant=Variant.GPU,
    cuda="12.9",
    target_gpu="H100",
    channels=("https://someone:secret@lab.example.org/t/token/channel", "conda-forge"),
    packages=("einops",),
    memory=MemoryPreset.GROW,
    placement=Placement(policy=GpuPolicy.FIXED, devices=("GPU-00000000-0000-0000-0000-000000000000",)),
    sys_prefix=True,
)

ORIGINAL = Original(
    platform="linux-64",
    installer=Installer.CONDA,
    variant=Variant.GPU,
    python="3.12.4",
    framework_version="2.19.0",
    cuda="12.9",
)

RECIPE = KernelRecipe(
    name="tf-warp-speed",
    display_name="tf-warp-speed (TensorFlow 2.19 · CUDA 12.9)",
    spec=EnvironmentSpec(name="tf-warp-speed", framework="tensorflow"),
    original=ORIGINAL,
)

TENSORFLOW = Framework(id="tensorflow", title="TensorFlow", summary="", import_name="tensorflow", recipes=())


def contents(*distributions: Distribution, added: tuple[str, ...] = ()) -> Contents:
    return Contents(records=(), distributions=distributions, added=added)


def added(name: str, **fields: Any) -> Distribution:
    return Distribution(**{"name": name, "version": "1.0", "requested": True, "path": Path(name), **fields})


def test_a_recipe_has_what_was_asked_for_and_nothing_of_its_machine() -> None:
    recipe = recipe_of(manifest_of(SPEC), contents(), "linux-64")
    text = json.dumps(to_json(recipe))
    assert recipe == recipe_of(manifest_of(SPEC), contents(), "linux-64"), "no notebook is changed by nothing"
    assert not any(secret in text for secret in ("secret", "token", "GPU-0000", "H100"))
    assert recipe.spec == EnvironmentSpec(
        name="tf-warp-speed",
        framework="tensorflow",
        channels=(LAB, "conda-forge"),
        packages=("einops",),
        memory=MemoryPreset.GROW,
    )
    assert recipe.original.digest
    assert read_recipe(json.loads(text), validation.check) == recipe


def test_who_wants_the_cpu_gets_it_elsewhere_too() -> None:
    spec = replace(SPEC, variant=Variant.CPU, cuda=None, target_gpu=None)
    assert recipe_of(manifest_of(spec), contents(), "linux-64").spec.variant is Variant.CPU


def test_what_was_added_by_name_comes_along() -> None:
    found = contents(
        added("rich"),
        added("needed", requested=None),
        added("of-my-own", origin="/home/me/of-my-own", editable=True),
        added=["numpy=2.1", "conda-forge::tqdm", "einops"],  # type: ignore[arg-type]
    )
    conda = recipe_of(manifest_of(SPEC), found, "linux-64").spec
    assert (conda.packages, conda.pip) == (("einops", "numpy", "tqdm"), ("rich",))
    manifest = manifest_of(replace(SPEC, channels=(), installer=Installer.PYPI))
    manifest = replace(manifest, plan=replace(manifest.plan, installer=Installer.PYPI))
    pypi = recipe_of(manifest, contents(added("rich")), "linux-64").spec
    assert (pypi.packages, pypi.pip) == (("einops", "rich"), ())


def written(**changes: Any) -> dict[str, Any]:
    """A notebook's recipe with fields of it, or of its ``spec__`` or ``original__``, as somebody has written them."""
    data: dict[str, Any] = to_json(RECIPE)
    for key, value in changes.items():
        part, _, field = key.rpartition("__")
        (data[part] if part else data)[field] = value
    return data


HOSTILE: list[tuple[Any, str]] = [
    (None, "cannot be read"),
    ([], "cannot be read"),
    ({}, "cannot be read"),
    (written(schema_version=2), "newer version"),
    (written(schema_version="1"), "cannot be read"),
    (written(on_open="rm -rf ~"), "Unknown field: on_open"),
    (written(spec__argv=["sh"]), "Unknown field: spec.argv"),
    (written(name="../../etc"), "cannot be the name"),
    (written(name="python3"), "reserved"),
    (written(display_name="\u202egpj.exe"), "cannot be shown"),
    (written(spec__framework="nonsense"), "nonsense"),
    (written(spec__version="2; import os"), "not a version"),
    (written(spec__channels=["file:///tmp/evil"]), "not a conda channel"),
    (written(spec__channels=["-c evil"]), "not a channel"),
    (written(spec__packages=["evil @ https://example.org/evil.whl"]), "names a place"),
    (written(spec__packages=["-r /etc/passwd"]), "options, paths and commands"),
    (written(spec__packages=["evil::numpy"]), "not a package"),
    (written(spec__pip=["git+https://example.org/evil"]), "names a place"),
    (written(spec__pip=["x"] * 101), "too many"),
    (written(original__python="3.12'; import os"), "cannot have been"),
    (written(original__platform="<b>"), "cannot have been"),
    (written(original__installer="auto"), "cannot have been"),
    (written(original__digest="0"), "cannot have been"),
    (written(spec__pip=["x" * 299] * 300), "longer than any recipe"),
]


@pytest.mark.parametrize(("data", "words"), HOSTILE, ids=[words for _, words in HOSTILE])
async def test_a_hostile_notebook_gets_a_sentence(manager: ScriptedManager, data: Any, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await manager.recipes.plan(data)
    assert words in caught.value.message
    assert "notebook" in caught.value.message
    assert "Create a kernel yourself" in caught.value.cure or "create a kernel yourself" in caught.value.cure
    assert manager.workshop.called == [], "nothing was solved"


def test_nesting_without_an_end_is_no_recipe() -> None:
    data: list[Any] = []
    for _ in range(100_000):
        data = [data]
    with pytest.raises(InvalidInputError, match="longer than any recipe"):
        read_recipe(data, validation.check)


def test_a_machine_is_nobody_s_to_name() -> None:
    spec = to_json(SPEC)
    assert read_recipe(written(spec=spec), validation.check).spec == replace(
        RECIPE.spec, channels=(LAB, "conda-forge"), packages=("einops",), memory=MemoryPreset.GROW
    )


CONFIGURED = ChannelSettings(
    channels=("conda-forge", f"{LAB}/"),
    custom_channels={"mine": "https://example.org"},
    custom_multichannels={"defaults": ("main",), "ours": ("https://example.org/a", "https://example.org/b")},
)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ([], []),
        (["conda-forge"], ["conda-forge"]),
        ([LAB, "conda-forge"], [LAB, "conda-forge"]),
        (["evil", "conda-forge"], ["conda-forge"]),
        (["https://example.com/evil"], []),
        (["conda-forge/label/evil"], []),
        (["defaults"], []),
        (["mine", "ours", "https://example.org/a"], ["mine", "ours", "https://example.org/a"]),
        (["mine/label/evil"], []),
    ],
)
def test_a_notebook_brings_no_channel_of_its_own(asked: Sequence[str], kept: Sequence[str]) -> None:
    found = permitted(replace(RECIPE.spec, channels=tuple(asked)), CONFIGURED)
    assert list(found.spec.channels) == list(kept)
    assert list(found.left_out) == [channel for channel in asked if channel not in kept]


def test_packages_of_a_channel_that_is_left_out_may_come_from_any() -> None:
    spec = replace(RECIPE.spec, channels=("evil", "conda-forge"), packages=("evil::numpy>=2", "conda-forge::tqdm"))
    assert permitted(spec, CONFIGURED).spec.packages == ("numpy>=2", "conda-forge::tqdm")


def test_passwords_of_the_configuration_stay_there() -> None:
    secret = replace(CONFIGURED, channels=("https://me:secret@lab.example.org/channel",))
    found = permitted(replace(RECIPE.spec, channels=(LAB,)), secret)
    assert found == Permitted(spec=RECIPE.spec), "the configured channels are those that are meant"


class Machine:
    """Answers plans: what cannot be had, and why.

    Args:
        answers: By version and Python that are asked for, an error or a refusal; all else can be had.
        built: What a plan says.
    """

    def __init__(self, answers: dict[tuple[str | None, str | None], Exception | Refusal], **built: Any) -> None:
        self.answers = answers
        self.built = built
        self.asked: list[EnvironmentSpec] = []

    async def plan(self, spec: EnvironmentSpec) -> Plan:
        self.asked.append(spec)
        answer = self.answers.get((spec.version, spec.python))
        if isinstance(answer, Exception):
            raise answer
        plan = Plan(
            spec=spec,
            installer=Installer.CONDA,
            installer_reason="",
            variant=Variant.GPU,
            variant_reason="",
            python="3.12.9",
            framework_version="2.19.0",
            cuda="12.9",
            refusal=answer,
        )
        return replace(plan, **self.built) if answer is None else plan


async def planned(
    machine: Machine, recipe: KernelRecipe = RECIPE, left_out: tuple[str, ...] = (), platform: str = "linux-64"
) -> RecipePlan:
    allowed = Permitted(spec=recipe.spec, left_out=left_out)
    return await plan_recipe(recipe, allowed, TENSORFLOW, machine.plan, platform)


async def test_what_can_be_had_as_it_was_is() -> None:
    found = await planned(machine := Machine({}))
    assert (found.spec.version, found.spec.python, len(machine.asked)) == ("2.19.0", "3.12", 1)
    assert found.differences == ()


UNSOLVABLE = SolveError("No.", cure="Ask for less.")


async def test_less_is_asked_for_step_by_step() -> None:
    answers: dict[tuple[str | None, str | None], Exception | Refusal] = {
        ("2.19.0", "3.12"): UNSOLVABLE,
        ("2.19", "3.12"): Refusal(reason="Too new.", cure="Take an older one."),
    }
    found = await planned(machine := Machine(answers, framework_version="2.19.1", python="3.11.2"))
    wishes = [(spec.version, spec.python) for spec in machine.asked]
    assert wishes == [("2.19.0", "3.12"), ("2.19", "3.12"), ("2.19", None)]
    assert found.spec == machine.asked[-1]
    assert [(item.what, item.before, item.after) for item in found.differences] == [
        ("TensorFlow", "2.19.0", "2.19.1"),
        ("Python", "3.12", "3.11"),
    ]


async def test_what_differs_on_a_laptop_is_said_first_things_first() -> None:
    laptop = Machine({}, variant=Variant.CPU, cuda=None, installer=Installer.PYPI)
    found = await planned(laptop, left_out=("lab",), platform="osx-arm64")
    assert [(item.what, item.before, item.after) for item in found.differences] == [
        ("Built for", "CUDA 12.9", "CPU"),
        ("Packages from", "conda", "PyPI"),
        ("Platform", "linux-64", "osx-arm64"),
        ("Channels", "lab", "not used here"),
    ]


async def test_newer_packages_are_a_difference_where_there_is_no_other() -> None:
    recipe = replace(RECIPE, original=replace(ORIGINAL, digest="0" * 64))
    found = await planned(Machine({}), recipe)
    assert [item.what for item in found.differences] == ["Other packages"]


async def test_a_refusal_of_all_that_was_tried_is_the_last_one() -> None:
    refusal = Refusal(reason="The driver is too old.", cure="Update it.")
    every = {(spec.version, spec.python): refusal for spec in steps(RECIPE, RECIPE.spec)}
    found = await planned(Machine({**every}))
    assert found.plan.refusal == refusal
    with pytest.raises(SolveError):
        await planned(Machine(dict.fromkeys(every, UNSOLVABLE)))


async def test_what_needs_a_channel_that_is_not_known_is_refused_with_its_name() -> None:
    every = {(spec.version, spec.python): UNSOLVABLE for spec in steps(RECIPE, RECIPE.spec)}
    with pytest.raises(RefusedError) as caught:
        await planned(Machine({**every}), left_out=("https://example.com/evil",))
    assert "without the channel https://example.com/evil, which this machine does not know" in caught.value.message
    assert "If you trust" in caught.value.cure


async def test_a_network_that_is_down_is_no_reason_to_ask_for_less() -> None:
    machine = Machine({("2.19.0", "3.12"): ChannelError("Down.", cure="Wait.")})
    with pytest.raises(ChannelError):
        await planned(machine)
    assert len(machine.asked) == 1


async def test_what_came_from_pypi_comes_from_there_again_where_it_can() -> None:
    recipe = replace(RECIPE, original=replace(ORIGINAL, installer=Installer.PYPI))
    found = await planned(machine := Machine({}, installer=Installer.PYPI), recipe)
    assert (found.spec.installer, found.differences, len(machine.asked)) == (Installer.PYPI, (), 1)


def test_an_environment_that_was_built_of_a_recipe_is_known_again() -> None:
    for spec in steps(RECIPE, RECIPE.spec):
        assert made_of(replace(spec, name="other", channels=("conda-forge",)), RECIPE)
    assert not made_of(replace(RECIPE.spec, packages=("einops",)), RECIPE)
    assert not made_of(replace(RECIPE.spec, version="2.10"), RECIPE)


@pytest.fixture
def manager(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[ScriptedManager]:
    manager = ScriptedManager()
    yield manager
    jp_asyncio_loop.run_until_complete(manager.close(timeout=1))


async def test_a_name_that_is_taken_gets_a_number(manager: ScriptedManager) -> None:
    assert (await manager.recipes.plan(written())).spec.name == "tf-warp-speed"
    manager.workshop.built["tf-warp-speed"] = manifest_of(EnvironmentSpec(name="tf-warp-speed", framework="python"))
    assert (await manager.recipes.plan(written())).spec.name == "tf-warp-speed-2"
    assert (await manager.recipes.plan(written(), "mine")).spec.name == "mine"
    with pytest.raises(NameTakenError):
        await manager.recipes.plan(written(), "TF-warp-speed")
    with pytest.raises(InvalidInputError):
        await manager.recipes.plan(written(), "../mine")


async def test_the_one_that_is_here_already_is_named(manager: ScriptedManager, tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("version = 3.12.4\n")
    spec = replace(RECIPE.spec, name="mine")
    manager.workshop.built["mine"] = replace(manifest_of(spec), prefix=str(tmp_path))
    recipe = await manager.recipes.of("mine")
    assert (await manager.recipes.plan(to_json(recipe))).present == "mine"
    other = replace(recipe, spec=replace(recipe.spec, packages=("einops",)), original=ORIGINAL)
    assert (await manager.recipes.plan(to_json(other))).present == ""


async def test_there_is_no_recipe_of_what_is_not_there(manager: ScriptedManager) -> None:
    with pytest.raises(NotFoundError):
        await manager.recipes.of("nothing")
    manager.workshop.built["gone"] = manifest_of(EnvironmentSpec(name="gone"))
    with pytest.raises(BrokenEnvironmentError):
        await manager.recipes.of("gone")


def test_an_unknown_framework_keeps_its_code(manager: ScriptedManager) -> None:
    with pytest.raises(UnknownFrameworkError):
        read_recipe(written(spec__framework="nonsense"), manager.workshop.check)


def test_the_command_line_says_what_a_notebook_s_kernel_would_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = tmp_path / "story.ipynb"

    def call(*words: str) -> tuple[int, str]:
        code = run(*parse(["recipe", str(notebook), *words]), manager_class=ScriptedManager)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    assert "cannot be read" in call()[1]
    notebook.write_text("no JSON")
    assert call()[0] == Exit.USAGE
    notebook.write_text(json.dumps({"metadata": {}}))
    code, said = call()
    assert (code, "carries no kernel" in said) == (Exit.NOT_FOUND, True)
    recipe = written(original__framework_version="2.18.0", spec__pip=["rich"])
    notebook.write_text(json.dumps({"metadata": {"jupyter_gpu_kernels": recipe}}))
    code, said = call("--name", "mine")
    assert code == Exit.DONE
    for words in ("TensorFlow  2.18.0  2.19.0", "also wants: rich", "as mine, add --build"):
        assert words in said
    code, said = call("--build")
    assert (code, "is ready" in said) == (Exit.DONE, True)


class TestServer:
    """Over HTTP."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config) -> Config:
        jp_server_config.GpuKernelsExtension.manager_class = ScriptedManager
        return jp_server_config

    async def test_a_notebook_gets_what_it_may_bring_again(
        self, jp_fetch: Callable[..., Awaitable[HTTPResponse]], jp_serverapp: ServerApp, tmp_path: Path
    ) -> None:
        manager: ScriptedManager = jp_serverapp.web_app.settings["gpu_kernels_manager"]
        (tmp_path / "pyvenv.cfg").write_text("version = 3.12.4\n")
        manager.workshop.built["tf"] = replace(manifest_of(replace(RECIPE.spec, name="tf")), prefix=str(tmp_path))
        given = json.loads((await jp_fetch("jupyter-gpu-kernels", "environments", "tf", "recipe")).body)
        assert from_json(KernelRecipe, given, strict=True).spec.framework == "tensorflow"

        async def plan(body: Any) -> HTTPResponse:
            return await jp_fetch("jupyter-gpu-kernels", "recipes", "plan", method="POST", body=json.dumps(body))

        planned = from_json(RecipePlan, json.loads((await plan({"recipe": given})).body), strict=True)
        assert (planned.spec.name, planned.present) == ("tf-2", "tf")
        for body in ({}, {"recipe": given, "more": 1}, {"recipe": {**given, "name": "-rf"}}):
            with pytest.raises(HTTPClientError) as caught:
                await plan(body)
            assert caught.value.code == 400
