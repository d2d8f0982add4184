"""What may be asked for, and what may not."""

from __future__ import annotations

import dataclasses

import pytest

from jupyter_gpu_kernels.build.planning import validation
from jupyter_gpu_kernels.build.planning.gpus import PRODUCTS, NamedGpu, named_gpu
from jupyter_gpu_kernels.errors import (
    InvalidChannelError,
    InvalidInputError,
    InvalidNameError,
    InvalidPackageError,
    InvalidVersionError,
)
from jupyter_gpu_kernels.models import EnvironmentChange, EnvironmentSpec, Installer

GOOD = EnvironmentSpec(name="tf-warp-speed", framework="tensorflow")


def check(**changes: object) -> None:
    validation.check(dataclasses.replace(GOOD, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a", "tf-warp-speed", "TF_2", "0", "x" * 64, "python-gpu", "com10", "console"])
def test_good_names_pass(name: str) -> None:
    check(name=name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 65,
        "x" * 300,
        "a/b",
        "a\\b",
        "..",
        ".hidden",
        "a.b",
        "a b",
        "-a",
        "_a",
        "a\n",
        "a\x00b",
        "café",
        "🚀",
        "\uff41",
        "python",
        "Python3",
        "PYTHON2",
        "base",
        "root",
        "CON",
        "nul",
        "Com1",
        "lpt9",
        "aux",
        "$(id)",
        "a;b",
        "%41",
        "~",
    ],
)
def test_names_that_cannot_be_directories_or_kernels_are_refused(name: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        check(name=name)
    assert caught.value.code == "invalid_name"
    assert caught.value.cure


@pytest.mark.parametrize("version", ["2", "2.19", "3.12.4", "2.22.0rc0", "1.15.5"])
def test_good_versions_pass(version: str) -> None:
    check(version=version, python=version)


@pytest.mark.parametrize(
    "version",
    ["", "v2", " 2", "2 ", "2\n", "two", "2.*", ">=2", "2;x", "2/3", "-1", "2--x", "\u0662", "1" * 50, "2=py"],
)
@pytest.mark.parametrize("field", ["version", "python"])
def test_versions_that_are_none_are_refused(field: str, version: str) -> None:
    with pytest.raises(InvalidVersionError):
        check(**{field: version})


@pytest.mark.parametrize(
    "version", ["12", "12.", ".9", "12.9.1", "cu12", "12.9\n", "-12.9", "123.4", "\u0661\u0662.\u0669", "12,9"]
)
@pytest.mark.parametrize("field", ["cuda", "target_cuda"])
def test_cuda_versions_are_major_and_minor(field: str, version: str) -> None:
    check(**{field: "12.9"})
    with pytest.raises(InvalidVersionError):
        check(**{field: version})


@pytest.mark.parametrize(
    ("text", "label", "capabilities"),
    [
        ("9.0", "a GPU", "9.0"),
        ("sm_90a", "a GPU", "9.0"),
        ("120", "a GPU", "12.0"),
        ("hopper", "a Hopper GPU", "9.0"),
        ("Ada Lovelace", "an Ada GPU", "8.9"),
        ("NVIDIA Ampere", "an Ampere GPU", "8.0 8.6"),
        ("Blackwell", "a Blackwell GPU", "10.0 12.0"),
        ("H100", "an H100", "9.0"),
        ("NVIDIA H100 80GB HBM3", "an H100", "9.0"),
        ("NVIDIA A100-SXM4-40GB", "an A100", "8.0"),
        ("Tesla V100-SXM2-16GB", "a V100", "7.0"),
        ("Tesla T4", "a T4", "7.5"),
        ("rtx4090", "an RTX 4090", "8.9"),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", "an RTX 4070", "8.9"),
        ("GeForce RTX 3080 Laptop GPU", "an RTX 3080", "8.6"),
        ("RTX 5090", "an RTX 5090", "12.0"),
        ("gtx 1080 ti", "a GTX 1080", "6.1"),
        ("Quadro RTX 6000", "a Quadro RTX 6000", "7.5"),
        ("NVIDIA RTX 6000 Ada Generation", "an RTX 6000 Ada", "8.9"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "an RTX PRO 6000", "12.0"),
        ("B200", "a B200", "10.0"),
    ],
)
def test_a_gpu_may_be_named_as_people_and_drivers_do(text: str, label: str, capabilities: str) -> None:
    check(target_gpu=text)
    assert named_gpu(text) == NamedGpu(label=label, capabilities=tuple(capabilities.split()))


def test_no_name_of_a_gpu_means_two_things() -> None:
    for capability, products in PRODUCTS.items():
        for product in products.split(", "):
            assert named_gpu(product).capabilities == (capability,), product


@pytest.mark.parametrize(
    "text", ["", " ", "9", "13.7", "8.8", "H1000", "A1", "RTX 6000", "radeon", "9.0;x", "h100\u0007"]
)
def test_a_gpu_that_is_not_known_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check(target_gpu=text)
    assert "is not a GPU that is known here" in caught.value.message
    assert "such as 9.0, an architecture (maxwell, pascal, " in caught.value.cure
    assert "H100" in caught.value.cure
    assert len(caught.value.cure) < 250, "a page of products"


@pytest.mark.parametrize("fraction", [0, -0.5, 1.01, 40, float("nan"), float("inf")])
def test_a_part_of_the_memory_is_above_0_and_not_above_1(fraction: float) -> None:
    for good in (0.01, 0.4, 1):
        check(memory_fraction=good)
        validation.check_change(EnvironmentChange(memory_fraction=good))
    with pytest.raises(InvalidInputError):
        check(memory_fraction=fraction)
    with pytest.raises(InvalidInputError):
        validation.check_change(EnvironmentChange(memory_fraction=fraction))


@pytest.mark.parametrize("installer", [Installer.CONDA, Installer.AUTO])
@pytest.mark.parametrize(
    "package",
    [
        "numpy",
        "numpy=1.26",
        "numpy==1.26.4",
        "numpy>=1.26,<3",
        "numpy 1.26.*",
        "numpy *",
        "numpy 1.26.* py312*",
        "numpy=1.26.4=py312h1_0",
        "numpy[version='>=2']",
        "numpy[version='>=1,<2', build='*mkl*']",
        "pytorch=*=*cuda*",
        "_openmp_mutex",
        "r-base",
        "libstdcxx-ng>=12",
        "python-dateutil",
        "numpy!=1.2",
        "numpy~=1.26",
        "numpy>=1.26|<1.2",
    ],
)
def test_match_specs_pass_as_conda_packages(package: str, installer: Installer) -> None:
    check(packages=(package,), installer=installer)


@pytest.mark.parametrize("installer", [Installer.PYPI, Installer.AUTO])
@pytest.mark.parametrize(
    "package",
    [
        "numpy",
        "jax[cuda12]",
        "numpy>=1.26,<3",
        "torch==2.7.1+cu128",
        "a~=1.0",
        "zope.interface",
        "tensorflow[and-cuda] >= 2.17",
    ],
)
def test_requirements_pass_as_wheels(package: str, installer: Installer) -> None:
    check(packages=(package,), installer=installer)
    check(pip=(package,))


@pytest.mark.parametrize("installer", list(Installer))
@pytest.mark.parametrize(
    "package",
    [
        "",
        " ",
        "--prefix=/",
        "-c evil",
        "-r file",
        "numpy -c evil",
        "numpy --prefix=/",
        "numpy\n-c evil",
        "numpy\r",
        "num\x00py",
        "git+https://example.org/x",
        "https://example.org/x.whl",
        "file:///x",
        "./local",
        "../up",
        "/abs/path",
        "~/x",
        ".",
        "C:\\x",
        "x @ https://example.org/x.whl",
        "x@file.whl",
        "x @ file:///x",
        "http://example.org::numpy",
        "evil::numpy",
        "numpy; id",
        "numpy ; python_version<'3'",
        "numpy && id",
        "$(id)",
        "`id`",
        "numpy|id",
        "numpy[url='https://e.org/x']",
        "numpy[md5=1]",
        "numpy[channel=evil]",
        "numpy[version='1', subdir='noarch']",
        "númpy",
        "numpy\u200b",
        "x" * 301,
        "*",
        "@x",
        "a,b",
        "%x",
        "numpy[version='1]",
        "numpy[[version='1']]",
        "package.conda/../x",
        "--extra-index-url=https://example.org",
    ],
)
def test_packages_that_are_more_than_names_and_versions_are_refused(package: str, installer: Installer) -> None:
    with pytest.raises(InvalidPackageError) as caught:
        check(packages=(package,), installer=installer)
    assert caught.value.code == "invalid_package"
    assert "\n" not in caught.value.message
    with pytest.raises(InvalidPackageError):
        check(pip=(package,))


def test_a_package_of_the_other_kind_is_refused_where_the_installer_is_known() -> None:
    with pytest.raises(InvalidPackageError, match="not a conda package"):
        check(packages=("jax[cuda12]",), installer=Installer.CONDA)
    with pytest.raises(InvalidPackageError, match="not a package of the Python Package Index"):
        check(packages=("numpy=1.26=py312_0",), installer=Installer.PYPI)


def test_a_package_may_name_a_channel_that_is_asked_for() -> None:
    check(packages=("lab::numpy",), channels=("lab", "conda-forge"))
    with pytest.raises(InvalidPackageError):
        check(packages=("other::numpy",), channels=("lab",))


@pytest.mark.parametrize(
    "channel",
    [
        "conda-forge",
        "pytorch",
        "conda-forge/label/rc",
        "https://repo.example.org/conda",
        "http://127.0.0.1:8080/lab",
        "https://user:secret@repo.example.org/t/token/lab",
        "lab/sub.channel_1",
    ],
)
def test_names_and_web_addresses_pass_as_channels(channel: str) -> None:
    check(channels=(channel,))


@pytest.mark.parametrize(
    "channel",
    [
        "",
        "-c evil",
        "--override-channels",
        "/srv/channel",
        "./channel",
        "../x",
        "file:///srv/channel",
        "ftp://example.org/x",
        "git+https://example.org/x",
        "https://",
        "https:///x",
        "https://example.org/a b",
        "https://example.org/\nx",
        "a b",
        "a;b",
        "https://example.org/x?y=1",
        "https://example.org/x#y",
        "https://example.org:port/x",
        "a//b",
        "a/../b",
        "çonda",
        "x" * 301,
        "https://example.org/../x",
        "https://[::1/x",
        "s3://bucket/x",
        "a::b",
        "conda-forge[x]",
        "`id`",
        "javascript:alert(1)",
    ],
)
def test_channels_that_are_something_else_are_refused(channel: str) -> None:
    with pytest.raises(InvalidChannelError) as caught:
        check(channels=(channel,))
    assert caught.value.code == "invalid_channel"


def test_a_local_channel_passes_where_it_is_allowed() -> None:
    spec = dataclasses.replace(GOOD, channels=("file:///srv/channel",))
    validation.check(spec, local_channels=True)
    with pytest.raises(InvalidChannelError):
        validation.check(spec)


def test_a_refused_channel_does_not_show_its_password() -> None:
    with pytest.raises(InvalidChannelError) as caught:
        check(channels=("https://user:s3cret@example.org/a b",))
    assert "s3cret" not in str(caught.value)


def test_channels_do_not_go_with_pypi() -> None:
    with pytest.raises(InvalidChannelError, match="installer asked for is pypi"):
        check(channels=("conda-forge",), installer=Installer.PYPI)


@pytest.mark.parametrize("field", ["packages", "pip", "channels"])
def test_lists_have_an_end(field: str) -> None:
    check(**{field: ("numpy",) * 100})
    with pytest.raises(InvalidInputError, match="101"):
        check(**{field: ("numpy",) * 101})


@pytest.mark.parametrize("name", ["TensorFlow (GPU) — warp 9 🚀", "x" * 100])
def test_a_display_name_may_be_written_as_people_write(name: str) -> None:
    check(display_name=name)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines", "bell\a", "flip\u202e", "\ud800"])
def test_a_display_name_has_no_hidden_characters(name: str) -> None:
    with pytest.raises(InvalidInputError):
        check(display_name=name)


def test_a_framework_that_cannot_be_one_is_refused_before_the_catalogue() -> None:
    with pytest.raises(InvalidInputError):
        check(framework="tensor\nflow")
