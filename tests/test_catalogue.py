"""The catalogue's files, bundled and a lab's own."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.construction import display_name
from jupyter_gpu_kernels.build.planning.catalogue import BUNDLED, Catalogue, FrameworkFileError, read_framework
from jupyter_gpu_kernels.errors import UnknownFrameworkError
from jupyter_gpu_kernels.models import EnvironmentSpec, Framework, Installer, Plan, Variant

WARPDRIVE = Path(__file__).parent / "data" / "frameworks"
BUNDLED_FRAMEWORKS = list(Catalogue.load())

#: The least that a file must have.
SMALL = """
id = "small"
title = "Small"
summary = "Small."
[[recipes]]
variant = "cpu"
installer = "conda"
packages = ["small"]
"""


def lab(directory: Path, **files: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / f"{name}.toml").write_text(text)
    return directory


def test_kernels_are_called_as_people_call_frameworks() -> None:
    nicknames = {item.id: item.nickname for item in BUNDLED_FRAMEWORKS if item.nickname}
    assert nicknames == {"tensorflow": "tf", "pytorch": "torch"}


def test_a_version_is_said_once() -> None:
    catalogue = Catalogue.load()
    names = [catalogue.get("tensorflow1").named(version) for version in ("1.15.5", "1.15", None, "1.150")]
    assert names == ["TensorFlow 1.15.5", "TensorFlow 1.15", "TensorFlow 1.15", "TensorFlow 1.15 1.150"]
    assert [catalogue.get("jax").named(version) for version in ("0.9", None)] == ["JAX 0.9", "JAX"]


@pytest.mark.parametrize(
    ("framework", "version", "cuda", "expected"),
    [
        ("tensorflow", "2.19.1", "12.9", "warp (TensorFlow 2.19 · CUDA 12.9)"),
        ("tensorflow1", "1.15.5", "10.0", "warp (TensorFlow 1.15 · CUDA 10.0)"),
        ("pytorch", "2.7.0+cu128", "12.8", "warp (PyTorch 2.7 · CUDA 12.8)"),
        ("pytorch", "2.13", None, "warp (PyTorch 2.13 · CPU)"),
        ("python", None, None, "warp (Python 3.12)"),
    ],
)
def test_a_kernel_s_name_says_what_it_is(framework: str, version: str | None, cuda: str | None, expected: str) -> None:
    plan = Plan(
        spec=EnvironmentSpec(name="warp", framework=framework),
        installer=Installer.CONDA,
        installer_reason="",
        variant=Variant.GPU if cuda else Variant.CPU,
        variant_reason="",
        python="3.12.4",
        framework_version=version,
        cuda=cuda,
    )
    assert display_name(plan, Catalogue.load().get(framework)) == expected


def test_the_bundled_frameworks_are_all_readable() -> None:
    catalogue = Catalogue.load()
    assert catalogue.warnings == ()
    assert [item.id for item in catalogue] == [
        "cupy",
        "jax",
        "keras",
        "paddlepaddle",
        "pytorch",
        "tensorflow",
        "caffe",
        "mxnet",
        "tensorflow1",
        "python",
    ]
    assert len(catalogue) == len(list(BUNDLED.glob("*.toml")))


@pytest.mark.parametrize("framework", BUNDLED_FRAMEWORKS, ids=lambda item: item.id)
def test_a_framework_says_what_a_reader_needs(framework: Framework) -> None:
    assert framework.summary.endswith(".")
    assert framework.links
    # A link to a registry is no install page.
    assert not any(word in link.url for word in ("pypi", "anaconda", "/simple") for link in framework.links)
    # Every variant that is not there for an installer has a reason, or the other installer has it.
    for variant in (Variant.GPU, Variant.CPU):
        served = {item.installer for item in framework.recipes if item.variant is variant}
        reasons = [
            item for item in framework.absences if item.variant in (variant, Variant.AUTO) and item.reason and item.cure
        ]
        assert served == {Installer.CONDA, Installer.PYPI} or reasons


@pytest.mark.parametrize("framework", BUNDLED_FRAMEWORKS, ids=lambda item: item.id)
def test_every_gpu_recipe_proves_its_build(framework: Framework) -> None:
    for recipe in framework.recipes:
        if recipe.variant is Variant.GPU:
            assert recipe.guard is not None
            assert recipe.cuda
            assert recipe.platforms
        else:
            assert not recipe.cuda


@pytest.mark.parametrize("framework", BUNDLED_FRAMEWORKS, ids=lambda item: item.id)
def test_a_verification_is_python_of_old_and_fills_the_report(framework: Framework) -> None:
    tree = ast.parse(framework.verification, feature_version=(3, 6))
    keys = {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and ast.unparse(node.value) == "report"
        and isinstance(node.slice, ast.Constant)
    }
    assert {"built_with_cuda", "devices", "computation"} <= keys
    assert keys <= {"built_with_cuda", "devices", "computation", "framework_version", "problem"}
    if framework.import_name:
        assert re.search(rf"^import {framework.import_name}\b", framework.verification, re.MULTILINE)


def test_the_python_entry_verifies_itself() -> None:
    report: dict[str, object] = {}
    exec(Catalogue.load().get("python").verification, {"report": report})
    assert report["devices"] == []
    assert "499500" in str(report["computation"])


def test_the_companions_are_numpy_pandas_and_matplotlib() -> None:
    assert {item.companions for item in BUNDLED_FRAMEWORKS if item.package} == {("numpy", "pandas", "matplotlib")}
    assert Catalogue.load().get("python").companions == ()


def test_an_unknown_framework_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownFrameworkError, match="pytorch"):
        Catalogue.load().get("pytroch")


def test_a_lab_adds_a_framework_and_replaces_another(tmp_path: Path) -> None:
    mine = lab(tmp_path / "mine", small=SMALL, torch=SMALL.replace('"small"', '"pytorch"', 1))
    ours = lab(tmp_path / "ours", small=SMALL.replace('title = "Small"', 'title = "Smaller"'))
    catalogue = Catalogue.load([mine, ours, tmp_path / "absent", WARPDRIVE])
    assert catalogue.warnings == ()
    # The first directory is the user's own, as in Jupyter's paths.
    assert catalogue.get("small").title == "Small"
    assert catalogue.get("small").source == str(mine / "small.toml")
    assert [item.packages for item in catalogue.get("pytorch").recipes] == [("small",)]
    assert catalogue.get("warpdrive").variants() == (Variant.GPU, Variant.CPU)
    assert catalogue.get("jax").source == ""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('id = "small"', "id = ", "not valid TOML"),
        ('title = "Small"', "title = 3", "title"),
        ('title = "Small"', "", "title"),
        ('title = "Small"', 'title = "Small"\ncolour = "red"', "no key 'colour'"),
        ('variant = "cpu"', 'variant = "tpu"', "recipes[0].variant"),
        ('variant = "cpu"', 'variant = "auto"', "not for 'auto'"),
        ('variant = "cpu"', 'variant = "cpu"\nguard = {packages = "x"}', "no key 'recipes[0].guard.packages'"),
        ('variant = "cpu"', 'variant = "cpu"\npython = "3.10"', "recipes[0].python"),
        ('["small"]', '["small=={versoin}"]', "placeholder"),
        ('["small"]', '["small=={"]', "recipes[0].packages"),
        ('["small"]', '["--prefix=/"]', "recipes[0]"),
        ('["small"]', '["git+https://example.org/x"]', "recipes[0]"),
        ('variant = "cpu"', 'variant = "cpu"\nchannels = ["-c evil"]', "recipes[0]"),
        ('id = "small"', 'id = "Small One"', "key 'id'"),
        ('title = "Small"', 'title = "Small"\nnickname = "a b"', "key 'nickname'"),
        ('summary = "Small."', 'summary = "Small."\nverification = "import ("', "key 'verification'"),
        ('summary = "Small."', 'summary = "Small."\nlinks = [{title = "x", url = "javascript:x"}]', "links[0].url"),
    ],
)
def test_a_broken_file_is_named_with_its_key_and_takes_no_other_down(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in SMALL
    directory = lab(tmp_path, broken=SMALL.replace(old, new, 1), whole=SMALL.replace('"small"', '"whole"', 1))
    catalogue = Catalogue.load([directory])
    assert catalogue.get("whole").title == "Small"
    assert len(catalogue.warnings) == 1
    assert str(directory / "broken.toml") in catalogue.warnings[0]
    assert words in catalogue.warnings[0]
    assert len(catalogue) == len(BUNDLED_FRAMEWORKS) + 1


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "directory.toml").mkdir()
    catalogue = Catalogue.load([tmp_path])
    assert len(catalogue.warnings) == 2
    with pytest.raises(FrameworkFileError, match="UTF-8"):
        read_framework(tmp_path / "binary.toml")
