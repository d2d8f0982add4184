"""What can be added to a framework: planned with it, tried after it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Caches
from manager import FRAMEWORKS, Recorder, make_manager
from staging import stage_kernel
from test_verification import WARPDRIVE, verified
from wheel_files import write_wheel

from jupyter_gpu_kernels.build.planning import extras
from jupyter_gpu_kernels.build.planning.catalogue import Catalogue, FrameworkFileError, read_framework
from jupyter_gpu_kernels.cli import text
from jupyter_gpu_kernels.cli.arguments import parse, spec_of
from jupyter_gpu_kernels.errors import InvalidInputError
from jupyter_gpu_kernels.models import (
    EnvironmentSpec,
    Extra,
    Framework,
    Installer,
    Recipe,
    Stage,
    Variant,
    VerificationOutcome,
)

SPEC = EnvironmentSpec(name="warp", framework="warpdrive", installer=Installer.CONDA, variant=Variant.CPU)
SHIELDS = Extra(
    id="shields",
    title="Shields",
    pip=("warp-shields",),
    packages=("shield-core",),
    wheels=("shield-wheels",),
    python=">=3.10",
)


def framework() -> Framework:
    recipes = tuple(
        Recipe(variant=Variant.CPU, installer=installer, packages=("warpdrive",), python="<3.14")
        for installer in (Installer.CONDA, Installer.PYPI)
    )
    return Framework(id="warp", title="Warp", summary="", recipes=recipes, extras=(SHIELDS,))


def test_an_extra_comes_with_the_framework_and_on_top_of_it() -> None:
    spec = replace(SPEC, extras=("shields", "shields"), pip=("six", "warp-shields"))
    conda, pypi = extras.supplemented(framework(), spec).recipes
    assert conda.packages == ("warpdrive", "shield-core")
    assert pypi.packages == ("warpdrive", "warp-shields", "shield-wheels")
    assert {conda.python, pypi.python} == {"<3.14,>=3.10"}
    assert extras.on_top(framework(), spec) == ("warp-shields", "six")


def test_without_extras_everything_is_as_it_was() -> None:
    assert extras.supplemented(framework(), SPEC) is not None
    assert extras.supplemented(framework(), SPEC).recipes == framework().recipes
    # Who names all packages gets no other ones; the extra is merely tried.
    named = replace(SPEC, extras=("shields",), recipe=False, pip=("six",))
    assert extras.supplemented(framework(), named).recipes == framework().recipes
    assert extras.on_top(framework(), named) == ("six",)


async def test_an_extra_that_there_is_not_is_refused_with_those_that_there_are(channel: str, tmp_path: Path) -> None:
    manager = make_manager(channel, tmp_path)
    with pytest.raises(InvalidInputError, match=r"Warpdrive has no extra 'cloak'\. Choose of: shields\."):
        await manager.plan(replace(SPEC, extras=("shields", "cloak")))
    with pytest.raises(InvalidInputError, match=r"has no extra 'shields'\. Ask for none"):
        await manager.create(EnvironmentSpec(name="plain", extras=("shields",)))
    await manager.close()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('id = "Not A Word"', "is not a short lower-case word"),
        ('id = "x"\npip = ["-r /etc/passwd"]', "key 'extras[0]'"),
        ('id = "x"\npython = "new"', "is not a range"),
        ('id = "x"\nverification = "def"', "it is not Python"),
        ('id = "x"\nsecret = 1', "there is no key 'extras[0].secret'"),
    ],
)
def test_a_file_with_a_wrong_extra_is_left_out_with_the_reason(tmp_path: Path, line: str, complaint: str) -> None:
    file = tmp_path / "warp.toml"
    recipe = '[[recipes]]\nvariant = "cpu"\ninstaller = "conda"\npackages = ["warp"]\n'
    file.write_text(f'id = "warp"\ntitle = "Warp"\nsummary = "Warp."\n[[extras]]\ntitle = "X"\n{line}\n{recipe}')
    with pytest.raises(FrameworkFileError) as caught:
        read_framework(file)
    assert complaint in str(caught.value)


def test_fiftyone_can_be_added_to_tensorflow_and_pytorch() -> None:
    found = {item.id for item in Catalogue.load() if any(extra.id == "fiftyone" for extra in item.extras)}
    assert found == {"tensorflow", "pytorch"}
    assert "fiftyone" in text.frameworks(list(Catalogue.load()))


def test_extras_are_asked_for_on_the_command_line() -> None:
    arguments, _ = parse(["create", "warp", "--framework", "warpdrive", "--extra", "a", "--extra", "b"])
    assert spec_of(arguments).extras == ("a", "b")


async def test_whatever_an_extra_does_the_framework_stays_verified(tmp_path: Path) -> None:
    modules = {
        "warpdrive": WARPDRIVE,
        "good": "import os\nstate = os.environ['SHIELDS']",
        "broken": "raise ImportError('no plasma')",
        "deadly": "import os\nos._exit(3)",
    }
    sentence = 'import good\nreport["sentence"] = "Shields are " + good.state'
    wishes = (
        Extra(id="a", title="Good", import_name="good", environ={"SHIELDS": "up"}, verification=sentence),
        Extra(id="b", title="Plain", import_name="good"),
        Extra(id="c", title="Broken", import_name="broken"),
        Extra(id="d", title="Picky", verification='report["problem"] = "It wants more"'),
        Extra(id="e", title="Deadly", import_name="deadly"),
        Extra(id="f", title="Last", import_name="good"),
    )
    found = await verified(stage_kernel(tmp_path, modules=modules), extras=wishes)
    assert (found.outcome, found.sentence) == (VerificationOutcome.VERIFIED, "Warpdrive 1.2 works, on the CPU.")
    assert [(check.id, check.works, check.sentence) for check in found.extras] == [
        ("a", True, "Shields are up."),
        ("b", True, "Plain imports."),
        ("c", False, "Broken does not work here: ImportError: no plasma."),
        ("d", False, "It wants more."),
        ("e", False, "The kernel ended with exit status 3 while Deadly was tried."),
        ("f", False, "Last was not tried: the kernel had ended."),
    ]


async def test_an_extra_is_installed_on_top_of_conda_and_tried_in_the_real_kernel(
    channel: str, caches: Caches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = b"import os\nstate = os.environ['WARP_SHIELDS']\n"
    write_wheel(tmp_path / "wheels", "warp-shields", "1.0", {"warp_shields.py": source})
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    manager = make_manager(channel, caches.root, catalogue_dirs=[str(FRAMEWORKS)])
    recorder = Recorder()
    manifest = await manager.workshop.create(replace(SPEC, extras=("shields",)), reporter=recorder)
    assert manifest.verification is not None
    (check,) = manifest.verification.extras
    assert (check.id, check.works, check.sentence) == ("shields", True, "Shields are up.")
    stages = {package.name: package.stage for package in manifest.plan.packages}
    assert (stages["warp-shields"], stages["activating"]) == (Stage.WHEELS, Stage.LINK)
    assert "Shields are up." in text.manifest(manifest)
    assert "Extras     shields" in text.manifest(manifest)
    await manager.close()


@pytest.mark.network
async def test_fiftyone_says_of_itself_what_it_lacks(caches: Caches) -> None:
    manager = make_manager("", caches.root, channels=[])
    spec = EnvironmentSpec(
        name="seen", framework="tensorflow", variant=Variant.CPU, installer=Installer.PYPI, extras=("fiftyone",)
    )
    manifest = await manager.workshop.create(spec, reporter=Recorder())
    await manager.close()
    assert manifest.verification is not None
    (check,) = manifest.verification.extras
    assert check.works, check.sentence
    assert "models of its zoo find here what they need" in check.sentence
