"""Which CUDA is chosen: drivers from 450 to 590, GPUs from Pascal to Blackwell, every framework of the catalogue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from bulk_solver import BulkSolver
from packaging.version import Version
from test_planning import METADATA, needs_metadata

from jupyter_gpu_kernels.build.conda.settings import ChannelAnswer, ChannelSettings
from jupyter_gpu_kernels.build.planning import choices, drivers, ways
from jupyter_gpu_kernels.build.planning.catalogue import Catalogue
from jupyter_gpu_kernels.build.planning.cautions import cautions
from jupyter_gpu_kernels.build.planning.planner import Planner
from jupyter_gpu_kernels.build.planning.targets import target
from jupyter_gpu_kernels.build.wheels.engine import WheelsEngine
from jupyter_gpu_kernels.hardware import probe
from jupyter_gpu_kernels.hardware.fake import FakeNvml
from jupyter_gpu_kernels.models import EnvironmentSpec, Gpu, Hardware, Installer, Plan, Recipe, Refusal, Variant

CATALOGUE = Catalogue.load()

#: Branches of NVIDIA's driver to the CUDA that each supports.
DRIVERS = {
    **{"450": "11.0", "470": "11.4", "520": "11.8"},
    **{"525": "12.0", "550": "12.4", "570": "12.8", "575": "12.9"},
    **{"580": "13.0", "590": "13.1"},
}
CUDA_11, CUDA_12, CUDA_13 = "450 470 520", "525 550 570 575", "580 590"

#: P100, GTX 10, V100, T4 and RTX 20, A100, RTX 30, RTX 40 and L4, H100, B200, RTX 50.
GPUS = ("6.0", "6.1", "7.0", "7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "12.0")

# A cell is the CUDA of the result, or a refusal: "525!" because the driver must be that or newer, "gpu!" because no
# build of that is for that GPU. Some of the pairs exist on paper only: a driver from before a GPU does not list it.

#: Conda, solved over real records of conda-forge: what the solution has.
SOLVED = {
    "pytorch": f"""
        {CUDA_11}           | 525!  525!  525!  525!  525!  525!  525!  525!  570!  570!
        {CUDA_12} {CUDA_13} | 12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9""",
    # The one version here that is built for two: Pascal and Volta stay with CUDA 12 where the driver runs 13.
    "pytorch 2.11": f"""
        {CUDA_11} | 525!  525!  525!  525!  525!  525!  525!  525!  570!  570!
        {CUDA_12} | 12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9
        {CUDA_13} | 12.9  12.9  12.9  13.3  13.3  13.3  13.3  13.3  13.3  13.3""",
    "pytorch 2.7": f"""
        {CUDA_11}           | 525!  525!  525!  525!  525!  525!  525!  525!  570!  570!
        {CUDA_12} {CUDA_13} | 12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9""",
    # Built with CUDA 12.6, though the toolkit beside it would be 12.9.
    "pytorch 2.6": f"""
        {CUDA_11}           | 525!  525!  525!  525!  525!  525!  525!  525!  570!  570!
        {CUDA_12} {CUDA_13} | 12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  gpu!  gpu!""",
    # An old driver gets an older version.
    "tensorflow": f"""
        {CUDA_11}           | 11.8  11.8  11.8  11.8  11.8  11.8  11.8  11.8  570!  570!
        {CUDA_12} {CUDA_13} | 12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9""",
    "tensorflow 2.18": f"""
        {CUDA_11}           | 525!  525!  525!  525!  525!  525!  525!  525!  570!  570!
        {CUDA_12} {CUDA_13} | 12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  gpu!  gpu!""",
    "tensorflow 2.15": f"""
        {CUDA_11}           | 11.8  11.8  11.8  11.8  11.8  11.8  11.8  11.8  570!  570!
        {CUDA_12} {CUDA_13} | 11.8  11.8  11.8  11.8  11.8  11.8  11.8  11.8  gpu!  gpu!""",
    "keras": f"""
        {CUDA_11}           | 525!  525!  525!  525!  525!  525!  525!  525!  570!  570!
        {CUDA_12} {CUDA_13} | 12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9""",
    "jax": f"""
        {CUDA_11}           | 525!  525!  525!  525!  525!  525!  525!  525!  570!  570!
        {CUDA_12} {CUDA_13} | 12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9""",
    # It wants a cuDNN that no longer runs on what is older than Turing.
    "jax 0.7.1": f"""
        {CUDA_11}           | 525!  525!  525!  525!  525!  525!  525!  525!  570!  570!
        {CUDA_12} {CUDA_13} | gpu!  gpu!  gpu!  12.9  12.9  12.9  12.9  12.9  12.9  12.9""",
    "jax 0.6": f"""
        {CUDA_11}           | 525!  525!  525!  525!  525!  525!  525!  525!  570!  570!
        {CUDA_12} {CUDA_13} | 12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  gpu!  gpu!""",
    "cupy": f"""
        {CUDA_11}           | 525!  525!  525!  525!  525!  525!  525!  525!  570!  570!
        {CUDA_12} {CUDA_13} | 12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9  12.9""",
}

#: What is not solved here: from PyPI, and from conda's channel `defaults`; the recipe's CUDA.
CHOSEN = {
    "pytorch pypi": f"""
        {CUDA_11} | 525!   525!   525!   525!   525!   525!   525!   525!   570!   570!
        {CUDA_12} | 12.4-6 12.4-6 12.8   12.8   12.8   12.8   12.8   12.8   12.8   12.8
        {CUDA_13} | 12.4-6 12.4-6 12.8   13.0+  13.0+  13.0+  13.0+  13.0+  13.0+  13.0+""",
    "pytorch pypi 2.9": f"""
        {CUDA_11}           | gpu!   gpu!   525!   525!   525!   525!   525!   525!   570!   570!
        {CUDA_12} {CUDA_13} | gpu!   gpu!   12.8   12.8   12.8   12.8   12.8   12.8   12.8   12.8""",
    "pytorch pypi 2.6": f"""
        {CUDA_11}           | 525!   525!   525!   525!   525!   525!   525!   525!   gpu!   gpu!
        {CUDA_12} {CUDA_13} | 12.4-6 12.4-6 12.4-6 12.4-6 12.4-6 12.4-6 12.4-6 12.4-6 gpu!   gpu!""",
    # Its wheels have nothing that runs on Blackwell.
    "tensorflow pypi": f"""
        {CUDA_11}           | 525!   525!   525!   525!   525!   525!   525!   525!   gpu!   gpu!
        {CUDA_12} {CUDA_13} | 12.3+  12.3+  12.3+  12.3+  12.3+  12.3+  12.3+  12.3+  gpu!   gpu!""",
    "keras pypi": f"""
        {CUDA_11}           | 525!   525!   525!   525!   525!   525!   525!   525!   gpu!   gpu!
        {CUDA_12} {CUDA_13} | 12.3+  12.3+  12.3+  12.3+  12.3+  12.3+  12.3+  12.3+  gpu!   gpu!""",
    "jax pypi": f"""
        {CUDA_11} | 525!   525!   525!   525!   525!   525!   525!   525!   570!   570!
        {CUDA_12} | 12.1+  12.1+  12.1+  12.1+  12.1+  12.1+  12.1+  12.1+  12.1+  12.1+
        {CUDA_13} | 12.1+  12.1+  12.1+  13.0+  13.0+  13.0+  13.0+  13.0+  13.0+  13.0+""",
    "jax pypi 0.5": f"""
        {CUDA_11}           | 525!   525!   525!   525!   525!   525!   525!   525!   gpu!   gpu!
        {CUDA_12} {CUDA_13} | 12.1+  12.1+  12.1+  12.1+  12.1+  12.1+  12.1+  12.1+  gpu!   gpu!""",
    "cupy pypi": f"""
        {CUDA_11} | 525!   525!   525!   525!   525!   525!   525!   525!   570!   570!
        {CUDA_12} | 12.0+  12.0+  12.0+  12.0+  12.0+  12.0+  12.0+  12.0+  12.0+  12.0+
        {CUDA_13} | 12.0+  12.0+  12.0+  13.0+  13.0+  13.0+  13.0+  13.0+  13.0+  13.0+""",
    # Machine code for 6.1 and not for 6.0.
    "paddlepaddle pypi": f"""
        {CUDA_11} {CUDA_12} {CUDA_13} | gpu!   11.8   11.8   11.8   11.8   11.8   11.8   gpu!   gpu!   gpu!""",
    "mxnet pypi": f"""
        {CUDA_11} {CUDA_12} {CUDA_13} | 11.2+  11.2+  11.2+  11.2+  11.2+  11.2+  11.2+  gpu!   gpu!   gpu!""",
    "tensorflow1 conda": f"""
        {CUDA_11} {CUDA_12} {CUDA_13} | 10.0   10.0   10.0   10.0   gpu!   gpu!   gpu!   gpu!   gpu!   gpu!""",
    "caffe conda": f"""
        {CUDA_11} {CUDA_12} {CUDA_13} | 8.0+   8.0+   8.0+   8.0+   gpu!   gpu!   gpu!   gpu!   gpu!   gpu!""",
}


def rows(tables: dict[str, str]) -> list[tuple[str, str, list[str]]]:
    """The lines of tables: what is asked for, the driver, and the outcome for each GPU."""
    found = []
    for asked, table in tables.items():
        for line in table.strip().splitlines():
            branches, _, cells = line.partition("|")
            found += [(asked, branch, cells.split()) for branch in branches.split()]
    return found


def machine(driver: str, *capabilities: str) -> Hardware:
    gpus = tuple(
        Gpu(index=index, uuid=f"GPU-{index}", name=f"GPU {index}", memory_total=1, compute_capability=capability)
        for index, capability in enumerate(capabilities)
    )
    return Hardware(driver=f"{driver}.10", cuda=DRIVERS[driver], gpus=gpus)


def refused(refusal: Refusal, aim_cuda: str) -> str:
    """The kind of a refusal, whose sentences must be whole."""
    assert refusal.cure.endswith("."), refusal
    if ", thus NVIDIA driver " in refusal.reason:
        driver = refusal.reason.split(", thus NVIDIA driver ")[1][:3]
        assert f"runs CUDA up to {aim_cuda}." in refusal.reason
        assert refusal.cure.startswith("Update the driver")
        return f"{driver}!"
    assert "GPU has" in refusal.reason, refusal
    return "gpu!"


@pytest.fixture(scope="session")
def solver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BulkSolver]:
    solver = BulkSolver(METADATA, tmp_path_factory.mktemp("records"), "linux-64")
    yield solver
    solver.close()


async def plan(solver: BulkSolver, hardware: Hardware, asked: str, **fields: object) -> Plan:
    async def found() -> Hardware:
        return hardware

    def settings(spec: EnvironmentSpec) -> ChannelSettings:
        return ChannelSettings(channels=(METADATA.as_uri(),))

    framework, _, version = asked.partition(" ")
    planner = Planner(CATALOGUE, solver, WheelsEngine(), found, settings, platform="linux-64")
    # Companions add nothing to the choice of CUDA, but the records hold them for some Pythons only.
    wish = {"variant": Variant.GPU, "installer": Installer.CONDA, "companions": False, **fields}
    spec = EnvironmentSpec(name="x", framework=framework, version=version or None, **wish)  # type: ignore[arg-type]
    return (await planner.plan(spec)).plan


async def solved_cell(solver: BulkSolver, asked: str, driver: str, capability: str) -> str:
    answer = await plan(solver, machine(driver, capability), asked)
    if answer.refusal is not None:
        return refused(answer.refusal, DRIVERS[driver])
    assert answer.cuda is not None
    # What the table cannot show: everything in the solution runs on that GPU.
    assert drivers.driver_runs(DRIVERS[driver], answer.cuda)
    assert drivers.fits(Version(answer.cuda), [capability])
    versions = {package.name: Version(package.version) for package in answer.packages}
    if Version(capability) < drivers.TURING:
        assert all(versions.get(name, Version("0")) < Version("9.11") for name in ("cudnn", "libcudnn"))
    return answer.cuda


@needs_metadata
@pytest.mark.parametrize(("asked", "driver", "cells"), rows(SOLVED))
async def test_conda_gives_the_newest_cuda_that_driver_and_gpu_run_or_says_why_not(
    solver: BulkSolver, asked: str, driver: str, cells: list[str]
) -> None:
    assert [await solved_cell(solver, asked, driver, capability) for capability in GPUS] == cells


def chosen_cell(asked: str, driver: str, capability: str) -> str:
    framework, installer, *version = asked.split()
    spec = EnvironmentSpec(name="x", framework=framework, version=next(iter(version), None))
    aim = target(spec, machine(driver, capability), "linux-64")
    found = choices.find(CATALOGUE.get(framework), spec, Variant.GPU, Installer(installer), aim)
    if isinstance(found, Refusal):
        return refused(found, DRIVERS[driver])
    assert isinstance(found, Recipe)
    first, *_, last = [*(offered := drivers.within(found.cuda)), offered[-1]]
    if first == last:
        return str(first)
    # To the end of its major version, or not so far.
    return f"{first}+" if str(last) in drivers.lasts() else f"{first}-{last.minor}"


@pytest.mark.parametrize(("asked", "driver", "cells"), rows(CHOSEN))
def test_each_recipe_is_for_drivers_and_gpus_that_run_it(asked: str, driver: str, cells: list[str]) -> None:
    assert [chosen_cell(asked, driver, capability) for capability in GPUS] == cells


# The sentence. ----------------------------------------------------------------------------------------------------


@needs_metadata
@pytest.mark.parametrize(
    ("hardware", "fields", "reason"),
    [
        (
            machine("570", "9.0"),
            {},
            "CUDA 12.9: the newest that PyTorch 2.12.0 comes with here and that this machine's driver 570.10 (CUDA "
            "12.8, and with it any 12.x) and its GPU 0 (compute capability 9.0) run.",
        ),
        (
            machine("580", "6.1", "12.0"),
            {},
            "CUDA 12.9: the newest that PyTorch 2.12.0 comes with here and that this machine's driver 580.10 (CUDA "
            "13.0, and with it any 13.x) and its GPUs (compute capability 6.1 and 12.0) run.",
        ),
        (
            machine("580", "9.0"),
            {"cuda": "12.9"},
            "CUDA 12.9: as asked for; this machine's driver 580.10 (CUDA 13.0, and with it any 13.x) and its GPU 0 "
            "(compute capability 9.0) run it.",
        ),
        (
            Hardware(reason="No NVIDIA driver is installed here."),
            {"target_cuda": "12.4"},
            "CUDA 12.9: the newest that PyTorch 2.12.0 comes with here and that the driver of the target (CUDA 12.4, "
            "and with it any 12.x) runs.",
        ),
        (
            Hardware(reason="No NVIDIA driver is installed here."),
            {"target_gpu": "NVIDIA H100 80GB HBM3"},
            "CUDA 12.9: the newest that PyTorch 2.12.0 comes with here and that an H100 (compute capability 9.0) runs, "
            "given NVIDIA driver 525 or newer.",
        ),
        (
            machine("550", "7.5"),
            {"target_gpu": "blackwell"},
            "CUDA 12.9: the newest that PyTorch 2.12.0 comes with here and that this machine's driver 550.10 (CUDA "
            "12.4, and with it any 12.x) and a Blackwell GPU (compute capability 10.0 and 12.0) run.",
        ),
        (machine("580", "9.0"), {"variant": Variant.CPU}, ""),
        (machine("450", "9.0"), {}, ""),
    ],
)
async def test_the_choice_is_explained_in_one_sentence(
    solver: BulkSolver, hardware: Hardware, fields: dict[str, object], reason: str
) -> None:
    assert (await plan(solver, hardware, "pytorch", **fields)).cuda_reason == reason


# A GPU that is elsewhere, or several. -----------------------------------------------------------------------------

LOGIN_NODE = Hardware(reason="No NVIDIA driver is installed here.")


@needs_metadata
async def test_a_login_node_builds_for_the_gpu_that_is_named(solver: BulkSolver) -> None:
    for name, cuda in (("V100", "12.9"), ("gtx 1080", "12.9"), ("T4", "13.3"), ("9.0", "13.3"), ("RTX 5090", "13.3")):
        answer = await plan(solver, LOGIN_NODE, "pytorch 2.11", target_gpu=name, variant=Variant.AUTO)
        assert (answer.refusal, answer.variant, answer.cuda) == (None, Variant.GPU, cuda), name
        assert answer.variant_reason.startswith("A build for a")
        driver = "580" if cuda == "13.3" else "525"
        assert f"it needs NVIDIA driver {driver} or newer" in answer.warnings[0]
        assert answer.warnings[1].startswith("Whether it runs on a GPU cannot be tried on this machine.")
    older = await plan(solver, LOGIN_NODE, "pytorch 2.11", target_gpu="9.0", target_cuda="12.4")
    assert older.cuda == "12.9"
    assert not any("Nothing is known of the driver" in warning for warning in older.warnings)


@needs_metadata
async def test_a_gpu_that_is_named_is_never_given_up(solver: BulkSolver) -> None:
    for hardware in (LOGIN_NODE, machine("580", "9.0")):
        answer = await plan(solver, hardware, "tensorflow 2.15", target_gpu="RTX 5090", variant=Variant.AUTO)
        assert answer.refusal is not None
        assert answer.refusal.reason == (
            "TensorFlow 2.15 is to be had with CUDA 11.8; an RTX 5090 (compute capability 12.0) is asked for, and such "
            "a GPU needs CUDA 12.8 or newer."
        )


@pytest.mark.parametrize(
    ("framework", "installer", "have", "kept"),
    [
        # One build serves them all.
        ("jax", Installer.PYPI, ("6.1", "12.0"), ("6.1", "12.0")),
        ("pytorch", Installer.CONDA, ("6.1", "12.0"), ("6.1", "12.0")),
        ("pytorch", Installer.AUTO, ("6.1", "12.0"), ("6.1", "12.0")),
        # None does: the newest counts, and what goes with it.
        ("pytorch", Installer.PYPI, ("6.1", "12.0"), ("12.0",)),
        ("pytorch", Installer.PYPI, ("6.1", "7.0", "12.0"), ("12.0", "7.0")),
        ("pytorch", Installer.PYPI, ("6.1", "7.0", "9.0"), ("9.0", "7.0", "6.1")),
        ("pytorch", Installer.PYPI, ("6.1", "7.0"), ("7.0", "6.1")),
        ("tensorflow", Installer.PYPI, ("8.0", "12.0"), ("8.0",)),
        ("mxnet", Installer.AUTO, ("9.0", "8.6", "6.1"), ("8.6", "6.1")),
        ("mxnet", Installer.AUTO, ("9.0", "12.0"), ("9.0", "12.0")),
    ],
)
def test_different_gpus_are_served_together_or_the_newest_first(
    framework: str, installer: Installer, have: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    spec = EnvironmentSpec(name="x", framework=framework, installer=installer)
    aim = target(spec, machine("580", *have), "linux-64")
    assert set(choices.servable(CATALOGUE.get(framework), spec, Variant.GPU, aim).capabilities) == set(kept)


def warnings_of(cuda: str, hardware: Hardware, **fields: str) -> list[str]:
    """What should be read of a PyTorch with some CUDA."""
    spec = EnvironmentSpec(name="x", framework="pytorch", **fields)
    recipe = next(item for item in CATALOGUE.get("pytorch").recipes if item.variant is Variant.GPU)
    aim = target(spec, hardware, "linux-64")
    return list(cautions(CATALOGUE.get("pytorch"), spec, aim, recipe, hardware, cuda))


def test_a_driver_that_is_merely_assumed_is_not_called_too_old() -> None:
    said = warnings_of("13.2", LOGIN_NODE, target_gpu="H100")
    assert said[0].startswith("Nothing is known of the driver")
    assert not any("is newer than the driver's" in warning for warning in said)
    assert any(
        "13.2 is newer than the driver's 13.0" in warning for warning in warnings_of("13.2", machine("580", "9.0"))
    )


def test_a_driver_that_cannot_know_the_gpu_that_is_named_is_told_of() -> None:
    for fields, driver in (
        ({"target_gpu": "B200", "target_cuda": "12.4"}, "The driver of the target"),
        ({"target_gpu": "B200"}, "This machine's driver 550.10"),
    ):
        said = warnings_of("12.8", machine("550", "8.0"), **fields)
        assert said[-1] == (
            f"{driver} runs CUDA up to 12.4, and a B200 (compute capability 10.0) needs NVIDIA driver 570 or newer "
            "(CUDA 12.8): see to it that the machine that it is for has such a driver."
        )
        assert not any("is newer than the driver's" in warning for warning in said)
    assert "is newer than the driver's 12.4" in warnings_of("12.8", machine("550", "8.0"), target_gpu="H100")[-1]


@needs_metadata
async def test_a_gpu_that_is_left_out_is_told_of_with_what_to_do_for_it(solver: BulkSolver) -> None:
    fields = {"cuda": "13.3", "variant": Variant.AUTO}
    answer = await plan(solver, machine("580", "12.0", "6.1"), "pytorch 2.11", **fields)
    assert (answer.refusal, answer.cuda) == (None, "13.3")
    assert answer.warnings[0] == (
        "GPU 1 (GPU 1, compute capability 6.1) is left out: no build of PyTorch runs on all GPUs of this machine, and "
        "this one is for newer ones. For that GPU make another environment, with the target GPU 6.1; and place the "
        "kernels of this environment elsewhere: GPU-0."
    )
    assert "and its GPU of compute capability 12.0 run it." in answer.cuda_reason
    unlike = await plan(solver, machine("580", "7.0", "12.0"), "tensorflow 2.15", variant=Variant.AUTO)
    assert unlike.refusal is not None
    assert unlike.refusal.reason == (
        "TensorFlow 2.15 is to be had with CUDA 11.8; this machine's GPUs have 7.0 and 12.0, and only CUDA 12.8 to "
        "12.x knows all of these."
    )
    for_old = await plan(solver, machine("580", "12.0", "8.0"), "tensorflow 2.18", variant=Variant.AUTO)
    assert for_old.refusal is not None
    assert "name the GPU that it shall be for (target GPU)" in for_old.refusal.cure


def test_a_gpu_that_nothing_is_for_is_told_of_so() -> None:
    spec = EnvironmentSpec(name="x", framework="tensorflow", installer=Installer.PYPI)
    hardware = machine("580", "8.0", "12.0")
    aim = target(spec, hardware, "linux-64")
    way = asyncio.run(ways.choose(CATALOGUE.get("tensorflow"), spec, aim, hardware, _nobody))
    assert way.aim.capabilities == ("8.0",)
    assert way.warnings == (
        "GPU 1 (GPU 1, compute capability 12.0) is left out: no build of TensorFlow from PyPI runs on it. For that GPU "
        "make another environment, with the installer conda and the target GPU 12.0; and place the kernels of this "
        "environment elsewhere: GPU-0.",
    )
    assert way.aim.gpus == "its GPU of compute capability 8.0"
    catalogue, spec = CATALOGUE.get("mxnet"), EnvironmentSpec(name="x", framework="mxnet")
    way = asyncio.run(ways.choose(catalogue, spec, target(spec, hardware, "linux-64"), hardware, _nobody))
    assert way.warnings == (
        "GPU 1 (GPU 1, compute capability 12.0) is left out: no build of MXNet runs on it. Place the kernels of this "
        "environment elsewhere: GPU-0.",
    )


def fallen_back(framework: str, driver: str, *capabilities: str, installer: Installer = Installer.PYPI) -> ways.Way:
    """The way to a CPU build, as there is none for the GPUs of a machine."""
    spec = EnvironmentSpec(name="x", framework=framework, installer=installer)
    hardware = machine(driver, *capabilities)
    aim = target(spec, hardware, "linux-64")
    way = asyncio.run(ways.choose(CATALOGUE.get(framework), spec, aim, hardware, _nobody))
    assert way.variant is Variant.CPU
    return way


def test_who_gets_a_cpu_build_on_a_machine_with_a_gpu_reads_what_to_do_for_the_gpu() -> None:
    (warning,) = fallen_back("tensorflow", "580", "12.0").warnings
    assert warning.startswith("The GPU of this machine would not be used: TensorFlow for GPUs from PyPI runs on GPUs")
    # And not that the cpu variant could be taken, which it is.
    assert warning.endswith("this machine's GPU has 12.0. Choose another version or installer.")
    (warning,) = fallen_back("keras", "470", "7.0", "7.5").warnings
    assert warning.startswith("The GPUs of this machine would not be used: Keras for GPUs needs CUDA 12.3")
    assert warning.endswith("runs CUDA up to 11.4. Update the driver.")
    (warning,) = fallen_back("pytorch", "470", "7.0").warnings
    assert warning.endswith("Update the driver, or choose a version that is built for CUDA 11.")
    (warning,) = fallen_back("tensorflow", "470", "7.0").warnings
    assert warning.endswith("Update the driver, or choose the installer conda, which has builds for CUDA 11.")
    (warning,) = fallen_back("pytorch", "470", "3.7", "8.0").warnings
    assert "this machine's GPUs have 3.7 and 8.0, and only CUDA 11.0 to 11.x knows all of these." in warning


def test_a_refused_driver_names_builds_of_the_installer_that_was_asked_for() -> None:
    spec = EnvironmentSpec(name="x", framework="cupy", installer=Installer.PYPI)
    aim = target(spec, machine("470", "7.0"), "linux-64")
    refusal = choices.find(CATALOGUE.get("cupy"), spec, Variant.GPU, Installer.PYPI, aim)
    assert isinstance(refusal, Refusal)
    assert refusal.cure == "Update the driver, or choose the installer conda, which has builds for CUDA 11."
    spec = EnvironmentSpec(name="x", framework="jax")
    refusal = choices.find(CATALOGUE.get("jax"), spec, Variant.GPU, Installer.PYPI, aim)
    assert isinstance(refusal, Refusal)
    assert refusal.cure == ("Update the driver, choose a version that is built for CUDA 11, or choose the cpu variant.")


def test_a_variable_that_overrules_the_driver_is_named_and_not_the_driver_blamed() -> None:
    gpu = Gpu(index=0, uuid="GPU-0", name="A100", memory_total=1, compute_capability="8.0")
    overruled = probe.hardware(FakeNvml(driver="580.65.06", cuda="13.0", gpus=(gpu,)), {"CONDA_OVERRIDE_CUDA": "11.8"})
    spec = EnvironmentSpec(name="x", framework="cupy", installer=Installer.PYPI)
    aim = target(spec, overruled, "linux-64")
    assert (aim.cuda, aim.capabilities) == ("11.8", ("8.0",))
    refusal = choices.find(CATALOGUE.get("cupy"), spec, Variant.GPU, Installer.PYPI, aim)
    assert isinstance(refusal, Refusal)
    assert refusal.reason.endswith("; the driver that CONDA_OVERRIDE_CUDA speaks of runs CUDA up to 11.8.")
    assert refusal.cure.startswith("Unset CONDA_OVERRIDE_CUDA, if the driver runs more than that, or choose ")
    ignored = probe.hardware(FakeNvml(driver="580.65.06", cuda="13.0", gpus=(gpu,)), {"CONDA_OVERRIDE_CUDA": "new"})
    assert target(spec, ignored, "linux-64").driver == "this machine's driver 580.65.06"


async def _nobody() -> tuple[ChannelAnswer, ...]:
    return ()


async def test_an_old_driver_of_the_login_node_is_no_reason_to_update_it(solver: BulkSolver) -> None:
    answer = await plan(solver, machine("470", "7.5"), "keras", target_gpu="H100")
    assert answer.refusal is not None
    assert (
        "needs CUDA 12.0, thus NVIDIA driver 525 or newer; this machine's driver 470.10 runs" in answer.refusal.reason
    )
    assert answer.refusal.cure.startswith("Name the highest CUDA that the machine runs that it is for (target CUDA)")
