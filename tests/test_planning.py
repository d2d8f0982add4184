"""Plans: by the real solvers, over real conda-forge records, the tests' channel, and an index of small wheels."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from channel import Server, Status
from wheels_index import make_wheel, serve

from jupyter_gpu_kernels.build.conda.condarc import Condarc
from jupyter_gpu_kernels.build.conda.engine import CondaEngine
from jupyter_gpu_kernels.build.conda.settings import ChannelSettings
from jupyter_gpu_kernels.build.planning import choices, drivers
from jupyter_gpu_kernels.build.planning.catalogue import Catalogue
from jupyter_gpu_kernels.build.planning.planner import COPIED, Planned, Planner
from jupyter_gpu_kernels.build.planning.targets import Target, platform_name, target
from jupyter_gpu_kernels.build.wheels.engine import WheelsEngine
from jupyter_gpu_kernels.errors import (
    ChannelError,
    InvalidPackageError,
    RefusedError,
    SolveError,
    UnknownFrameworkError,
)
from jupyter_gpu_kernels.models import EnvironmentSpec, Gpu, Hardware, Installer, Plan, Recipe, Refusal, Variant

HERE = Path(__file__).parent

#: Real records of conda-forge, where the checkout has them beside it.
METADATA = next(
    (found for root in HERE.parents[:2] if (found := root / "shared/conda-metadata/channels/conda-forge").is_dir()),
    HERE.parent.parent / "shared/conda-metadata/channels/conda-forge",
)
needs_metadata = pytest.mark.skipif(not METADATA.is_dir(), reason="the conda-forge records are not beside the checkout")

#: A port that nobody listens on.
NOWHERE = "http://127.0.0.1:9/conda-forge"

NO_DRIVER = Hardware(reason="No NVIDIA driver is installed here.")


def machine(capability: str = "8.6", cuda: str = "12.4", driver: str = "550.54.14") -> Hardware:
    return Hardware(driver=driver, cuda=cuda, gpus=(gpu(0, capability),))


def gpu(index: int, capability: str) -> Gpu:
    return Gpu(index=index, uuid=f"GPU-{index}", name=f"GPU {index}", memory_total=1, compute_capability=capability)


class Workbench:
    """A planner of real engines, and what it plans for."""

    def __init__(self, directory: Path) -> None:
        self.conda = CondaEngine(cache_dir=directory / "conda")
        self.wheels = WheelsEngine(cache_dir=directory / "uv")
        self.catalogue = Catalogue.load([HERE / "data" / "frameworks"])
        self.channels: tuple[str, ...] = (METADATA.as_uri(),)
        self.hardware = NO_DRIVER
        self.platform = "linux-64"
        self.free: int | None = None
        self.copied = False

    async def planned(self, framework: str, **fields: object) -> Planned:
        async def hardware() -> Hardware:
            return self.hardware

        def settings(spec: EnvironmentSpec) -> ChannelSettings:
            return ChannelSettings(channels=spec.channels or self.channels, retries=0)

        async def copies() -> bool:
            return self.copied

        free = self.free
        planner = Planner(
            self.catalogue,
            self.conda,
            self.wheels,
            hardware,
            settings,
            platform=self.platform,
            free_bytes=None if free is None else lambda installer: free,
            copies=copies,
        )
        return await planner.plan(EnvironmentSpec(name="warp", framework=framework, **fields))  # type: ignore[arg-type]

    async def plan(self, framework: str, **fields: object) -> Plan:
        return (await self.planned(framework, **fields)).plan


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planning")


@pytest.fixture
def bench(workplace: Path) -> Workbench:
    return Workbench(workplace)


# The table: every conda recipe, over drivers and platforms. --------------------------------------------------------

GPU, CPU = Variant.GPU, Variant.CPU

#: Framework, variant, platform, CUDA of the target; then the version and the CUDA of the answer, or why there is none.
TABLE: list[tuple[str, Variant, str, str | None, str, str | None]] = [
    ("pytorch", GPU, "linux-64", "12.4", "2.12.0", "12.9"),
    ("pytorch", GPU, "linux-64", "13.0", "2.12.0", "12.9"),
    ("pytorch", GPU, "linux-64", "11.8", "needs CUDA 12.9, thus NVIDIA driver 525", None),
    ("pytorch", GPU, "linux-64", None, "needs an NVIDIA driver", None),
    ("pytorch", GPU, "win-64", "12.9", "2.13.0", "12.8"),
    ("pytorch", GPU, "osx-arm64", "12.9", "for this platform", None),
    ("pytorch", CPU, "linux-64", None, "2.12.0", None),
    # The trap: with a driver in sight a plain name is answered with a CUDA build, without one with a CPU build.
    ("pytorch", CPU, "linux-64", "12.9", "2.12.0", None),
    ("pytorch", CPU, "win-64", None, "2.13.0", None),
    ("pytorch", CPU, "osx-arm64", None, "2.12.0", None),
    ("tensorflow", GPU, "linux-64", "12.4", "2.19.1", "12.9"),
    ("tensorflow", GPU, "linux-64", "13.0", "2.19.1", "12.9"),
    ("tensorflow", GPU, "linux-64", "11.8", "2.15.0", "11.8"),
    ("tensorflow", GPU, "linux-64", None, "needs an NVIDIA driver", None),
    ("tensorflow", GPU, "win-64", "12.9", "for this platform", None),
    ("tensorflow", CPU, "linux-64", None, "2.18.0", None),
    ("tensorflow", CPU, "linux-64", "12.9", "2.18.0", None),
    ("tensorflow", CPU, "win-64", None, "for this platform", None),
    ("jax", GPU, "linux-64", "12.4", "0.10.2", "12.9"),
    ("jax", GPU, "linux-64", "11.8", "needs CUDA 12.9", None),
    ("jax", GPU, "linux-64", None, "needs an NVIDIA driver", None),
    ("jax", GPU, "win-64", "12.9", "Linux only", None),
    ("jax", GPU, "osx-arm64", "12.9", "Linux only", None),
    ("jax", CPU, "linux-64", None, "0.10.2", None),
    ("jax", CPU, "linux-64", "12.9", "0.10.2", None),
    ("jax", CPU, "osx-arm64", None, "0.10.2", None),
    ("keras", GPU, "linux-64", "12.4", "3.14.1", "12.9"),
    ("keras", GPU, "linux-64", "11.8", "needs CUDA 12.0", None),
    ("keras", GPU, "linux-64", None, "needs an NVIDIA driver", None),
    ("keras", CPU, "linux-64", None, "3.14.1", None),
    ("keras", CPU, "linux-64", "12.9", "3.14.1", None),
    ("cupy", GPU, "linux-64", "12.4", "14.1.1", "12.9"),
    ("cupy", GPU, "linux-64", "11.8", "needs CUDA 12", None),
    # Its solve would succeed, for no GPU in sight.
    ("cupy", GPU, "linux-64", None, "needs an NVIDIA driver", None),
    ("cupy", GPU, "win-64", "12.9", "14.1.1", "12.9"),
    ("cupy", CPU, "linux-64", None, "no CPU variant", None),
    ("paddlepaddle", GPU, "linux-64", "12.9", "published as wheels", None),
    ("paddlepaddle", CPU, "linux-64", None, "published as wheels", None),
    ("mxnet", GPU, "linux-64", "12.9", "published as wheels", None),
    ("mxnet", CPU, "linux-64", None, "published as wheels", None),
    ("tensorflow1", GPU, "osx-arm64", "12.9", "for this platform", None),
    ("tensorflow1", GPU, "linux-64", "9.2", "needs CUDA 10.0, thus NVIDIA driver 410", None),
    ("tensorflow1", GPU, "linux-64", None, "needs an NVIDIA driver", None),
    ("caffe", GPU, "win-64", "12.9", "for this platform", None),
    ("caffe", GPU, "linux-64", None, "needs an NVIDIA driver", None),
    ("caffe", CPU, "win-64", None, "for this platform", None),
    ("python", GPU, "linux-64", "12.9", "has no GPU build", None),
    ("python", CPU, "linux-64", None, "", None),
    ("python", CPU, "osx-arm64", None, "", None),
]


@needs_metadata
@pytest.mark.parametrize(("framework", "variant", "platform", "cuda", "answer", "built"), TABLE)
async def test_a_conda_recipe_gives_what_it_promises_or_says_why_not(
    bench: Workbench, framework: str, variant: Variant, platform: str, cuda: str | None, answer: str, built: str | None
) -> None:
    bench.platform = platform
    plan = await bench.plan(framework, variant=variant, target_cuda=cuda, installer=Installer.CONDA)
    assert plan.variant is variant
    if plan.refusal is not None:
        assert answer in plan.refusal.reason
        assert plan.refusal.cure.endswith(".")
        assert plan.packages == ()
        return
    assert (plan.framework_version or "", plan.cuda) == (answer, built)
    assert plan.python
    builds = {item.name: item.build for item in plan.packages}
    assert "ipykernel" in builds
    assert plan.disk_bytes >= plan.download_bytes > 0
    for guarded in ("pytorch", "tensorflow", "jaxlib"):
        assert ("cuda" in builds[guarded]) == (variant is GPU) if guarded in builds else True


@needs_metadata
async def test_the_plain_name_of_a_framework_falls_into_the_trap_that_its_recipe_avoids(bench: Workbench) -> None:
    plain = Recipe(variant=GPU, installer=Installer.CONDA, packages=("pytorch",), cuda=">=11", platforms=())
    guard = next(item.guard for item in bench.catalogue.get("pytorch").recipes if item.guard)
    careless = dataclasses.replace(
        bench.catalogue.get("pytorch"), id="careless", recipes=(dataclasses.replace(plain, guard=guard),)
    )
    bench.catalogue = Catalogue([careless])
    # On osx-arm64 there are CPU builds only, whatever driver is claimed.
    bench.platform = "osx-arm64"
    plan = await bench.plan("careless", variant=GPU, target_cuda="12.9", installer=Installer.CONDA)
    assert plan.refusal is not None
    assert "CPU build of PyTorch (pytorch 2.12.0 cpu_generic" in plan.refusal.reason


@needs_metadata
async def test_an_asked_cuda_is_forced(bench: Workbench) -> None:
    plan = await bench.plan("tensorflow", cuda="11.8", target_cuda="13.0", installer=Installer.CONDA)
    assert (plan.framework_version, plan.cuda) == ("2.15.0", "11.8")


@needs_metadata
async def test_an_asked_version_and_python_are_kept(bench: Workbench) -> None:
    plan = await bench.plan("tensorflow", version="2.18", python="3.12", target_cuda="12.9", installer=Installer.CONDA)
    assert (plan.framework_version, plan.python[:4], plan.cuda) == ("2.18.0", "3.12", "12.9")


@needs_metadata
async def test_hopper_and_newer_keep_to_a_cuda_that_knows_them(bench: Workbench) -> None:
    bench.hardware = machine("12.0", cuda="13.0", driver="580.65.06")
    plan = await bench.plan("tensorflow", installer=Installer.CONDA)
    assert plan.cuda is not None
    assert drivers.fits(choices.Version(plan.cuda), ["12.0"])
    # The only one for CUDA 11 is of no use to it.
    refusal = (await bench.plan("tensorflow", version="2.15", variant=GPU, installer=Installer.CONDA)).refusal
    assert refusal is not None
    assert refusal.reason == (
        "TensorFlow 2.15 is to be had with CUDA 11.8; this machine's GPU has 12.0, and such a GPU needs CUDA 12.8 or "
        "newer."
    )
    assert refusal.detail


async def _error(bench: Workbench, framework: str, **fields: object) -> Exception | None:
    try:
        await bench.plan(framework, **fields)
    except (SolveError, ChannelError) as error:
        return error
    return None


@needs_metadata
async def test_plain_python_shows_the_machines_cuda_to_what_is_added(bench: Workbench) -> None:
    bench.hardware = machine()
    with_cuda = await bench.plan("python", packages=("pytorch",), installer=Installer.CONDA)
    assert (with_cuda.variant, with_cuda.cuda) == (CPU, "12.9")
    bench.hardware = NO_DRIVER
    without = await bench.plan("python", packages=("pytorch",), installer=Installer.CONDA)
    assert (without.variant, without.cuda) == (CPU, None)


@needs_metadata
async def test_what_cannot_be_solved_is_an_error_with_the_solvers_words(bench: Workbench) -> None:
    error = await _error(bench, "pytorch", packages=("numpy<1.0",), installer=Installer.CONDA)
    assert isinstance(error, SolveError)
    assert error.detail


@needs_metadata
async def test_a_small_disk_is_told_of(bench: Workbench) -> None:
    bench.free = 10_000_000
    plan = await bench.plan("python", installer=Installer.CONDA)
    assert "The disk has 0.0 GB left" in plan.warnings[-1]


@needs_metadata
async def test_companions_may_be_left_out(bench: Workbench) -> None:
    plan = await bench.plan("jax", companions=False, installer=Installer.CONDA)
    assert not {"pandas", "matplotlib"} & {item.name for item in plan.packages}


# Variant and installer. -------------------------------------------------------------------------------------------


async def test_a_driver_makes_auto_take_the_gpu_variant(bench: Workbench, channel: str) -> None:
    bench.channels = (channel,)
    bench.hardware = machine()
    planned = await bench.planned("warpdrive")
    plan = planned.plan
    assert (plan.variant, plan.framework_version, plan.cuda, plan.target_cuda) == (GPU, "1.5.0", "12.9", "12.4")
    assert plan.variant_reason == "This machine's driver 550.54.14 runs CUDA up to 12.4."
    assert plan.channels == (channel,)
    assert planned.conda is not None
    assert planned.wheels is None
    assert any("newer than the driver's 12.4" in warning for warning in plan.warnings)


async def test_without_a_driver_auto_takes_the_cpu_variant_and_says_why(bench: Workbench, channel: str) -> None:
    bench.channels = (channel,)
    plan = await bench.plan("warpdrive")
    assert (plan.variant, plan.cuda) == (CPU, None)
    assert plan.variant_reason == NO_DRIVER.reason


async def test_a_driver_that_is_too_old_makes_auto_take_the_cpu_with_a_warning(bench: Workbench, channel: str) -> None:
    bench.channels = (channel,)
    bench.hardware = machine(cuda="11.4", driver="470.57.02")
    plan = await bench.plan("warpdrive")
    assert plan.variant is CPU
    assert "needs CUDA 12.0, thus NVIDIA driver 525 or newer" in plan.variant_reason
    assert any("would not be used" in warning for warning in plan.warnings)
    refused = await bench.plan("warpdrive", variant=GPU)
    assert refused.refusal is not None
    assert "this machine's driver 470.57.02 runs CUDA up to 11.4" in refused.refusal.reason
    assert "cpu variant" in refused.refusal.cure


async def test_the_driver_decides_the_major_version_of_cuda(bench: Workbench, channel: str) -> None:
    bench.channels = (channel,)
    assert (await bench.plan("warpdrive", target_cuda="13.0")).cuda == "13.0"
    assert (await bench.plan("warpdrive", target_cuda="12.0")).cuda == "12.9"
    assert (await bench.plan("warpdrive", target_cuda="13.0", cuda="12.9")).cuda == "12.9"
    too_new = await bench.plan("warpdrive", target_cuda="12.9", cuda="13.0")
    assert too_new.refusal is not None
    assert "driver 580" in too_new.refusal.reason


async def test_a_gpu_that_cuda_13_has_forgotten_gets_cuda_12(bench: Workbench, channel: str) -> None:
    bench.channels = (channel,)
    bench.hardware = machine("6.1", cuda="13.0", driver="580.65.06")
    assert (await bench.plan("warpdrive")).cuda == "12.9"


async def test_a_channel_that_forbids_is_reported_and_not_turned_into_pypi(
    bench: Workbench, faulty_channel: Callable[..., Server]
) -> None:
    server = faulty_channel()
    server.fail("*", Status(403))
    bench.channels = (server.url,)
    error = await _error(bench, "jax")
    assert isinstance(error, ChannelError)
    assert "forbids" in error.message
    assert "pypi" in error.cure


async def test_channels_that_were_asked_for_are_never_replaced(bench: Workbench) -> None:
    error = await _error(bench, "jax", channels=(NOWHERE,))
    assert isinstance(error, ChannelError)


async def test_a_channel_that_an_administrator_forbids_is_a_refusal(bench: Workbench) -> None:
    async def hardware() -> Hardware:
        return NO_DRIVER

    def settings(spec: EnvironmentSpec) -> ChannelSettings:
        msg = "The channel evil is not allowed."
        raise RefusedError(msg, cure="Choose another.")

    planner = Planner(bench.catalogue, bench.conda, bench.wheels, hardware, settings)
    plan = (await planner.plan(EnvironmentSpec(name="x", framework="jax", channels=("evil",)))).plan
    assert plan.refusal == Refusal(reason="The channel evil is not allowed.", cure="Choose another.")


async def test_a_recipes_own_channel_is_asked_of_the_administrator_too(bench: Workbench) -> None:
    async def hardware() -> Hardware:
        return NO_DRIVER

    def settings(spec: EnvironmentSpec) -> ChannelSettings:
        return Condarc(denylist=("defaults",)).settings_for(spec.channels)

    planner = Planner(bench.catalogue, bench.conda, bench.wheels, hardware, settings, platform="linux-64")
    spec = EnvironmentSpec(name="x", framework="tensorflow1", variant=CPU, installer=Installer.CONDA)
    refusal = (await planner.plan(spec)).plan.refusal
    assert refusal is not None
    assert "does not allow the channel defaults" in refusal.reason


@pytest.mark.parametrize(
    ("framework", "fields", "reason", "cure"),
    [
        ("cupy", {}, "NVIDIA GPUs only", "numpy"),
        ("cupy", {"variant": CPU}, "no CPU variant", "numpy"),
        ("caffe", {"installer": Installer.PYPI}, "empty placeholder", "conda"),
        ("tensorflow1", {"installer": Installer.PYPI}, "Python 3.7", "defaults"),
        ("mxnet", {"installer": Installer.CONDA}, "published as wheels", "pypi"),
        ("mxnet", {"python": "3.12"}, "needs Python from 3.8, below 3.12; 3.12 is asked for", "range"),
        ("tensorflow", {"version": "1.15"}, "which has those from 2", "range"),
        ("tensorflow", {"python": "3.14", "installer": Installer.PYPI}, "from 3.10, below 3.14; 3.14 is", "range"),
        ("pytorch", {"variant": CPU, "cuda": "12.9"}, "CUDA 12.9 is asked for", "gpu variant"),
        ("pytorch", {"cuda": "12.9"}, "needs an NVIDIA driver. No NVIDIA driver", "target CUDA"),
        ("pytorch", {"cuda": "10.2", "target_cuda": "13.0"}, "from 11.2, below 14; 10.2 is asked for", "range"),
        ("python", {"variant": GPU}, "no GPU build", "open"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_can(
    bench: Workbench, framework: str, fields: dict[str, object], reason: str, cure: str
) -> None:
    plan = await bench.plan(framework, **fields)
    assert plan.refusal is not None
    assert reason in plan.refusal.reason
    assert cure in plan.refusal.cure


@pytest.mark.parametrize(
    ("framework", "capability", "cuda", "word"),
    [
        ("tensorflow1", "8.0", "13.0", "below 8.0"),
        ("caffe", "8.6", "12.9", "below 8.0"),
        ("mxnet", "9.0", "12.9", "from 5.0, below 9.0"),
    ],
)
async def test_a_legacy_framework_is_refused_on_a_gpu_that_is_too_new(
    bench: Workbench, framework: str, capability: str, cuda: str, word: str
) -> None:
    bench.hardware = machine(capability, cuda=cuda)
    plan = await bench.plan(framework, variant=GPU)
    assert plan.refusal is not None
    assert f"capability {word}; this machine's GPU has {capability}" in plan.refusal.reason
    assert bench.catalogue.get(framework).legacy in plan.warnings


async def test_malformed_input_is_an_error_and_no_plan(bench: Workbench) -> None:
    with pytest.raises(UnknownFrameworkError):
        await bench.plan("warpdirve")
    with pytest.raises(InvalidPackageError):
        await bench.plan("python", packages=("--prefix=/",))
    with pytest.raises(InvalidPackageError, match="not a conda package"):
        await bench.plan("caffe", packages=("jax[cuda12]",))


# Wheels. ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An index that has PyTorch as the Python Package Index has it, without the weight."""
    wheels = tmp_path / "wheels"
    for name in ("ipykernel", "pip", "numpy", "pandas", "matplotlib"):
        make_wheel(wheels, name)
    for torch, runtime, version in (
        ("2.7.1", "nvidia-cuda-runtime-cu12", "12.6.77"),
        ("2.10.0", "nvidia-cuda-runtime-cu12", "12.8.90"),
        ("2.15.0", "nvidia-cuda-runtime", "13.2.86"),
    ):
        make_wheel(wheels, runtime, version)
        make_wheel(wheels, "torch", torch, requires=(f"{runtime}=={version}",))
    make_wheel(wheels, "tensorflow-cpu", "2.21.0")
    make_wheel(wheels, "mxnet", "1.9.1", requires=("numpy<1.24",))
    with serve(wheels) as served:
        monkeypatch.setenv("UV_DEFAULT_INDEX", served.url)
        yield served.url


@pytest.fixture
def wheel_bench(tmp_path: Path, workplace: Path, index: str) -> Workbench:
    bench = Workbench(tmp_path)
    # uv remembers the Pythons of a machine in its cache; the wheels of each test are at another address.
    bench.wheels = WheelsEngine(cache_dir=workplace / "uv", environ=dict(os.environ))
    bench.channels = (NOWHERE,)
    return bench


@pytest.mark.parametrize(
    ("capability", "cuda", "version", "built"),
    [("9.0", "13.0", "2.15.0", "13.2"), ("9.0", "12.4", "2.10.0", "12.8"), ("6.1", "13.0", "2.7.1", "12.6")],
)
async def test_wheels_are_chosen_for_driver_and_gpu(
    wheel_bench: Workbench, capability: str, cuda: str, version: str, built: str
) -> None:
    wheel_bench.hardware = machine(capability, cuda=cuda)
    planned = await wheel_bench.planned("pytorch")
    plan = planned.plan
    assert (plan.installer, plan.framework_version, plan.cuda) == (Installer.PYPI, version, built)
    assert plan.installer_reason.startswith("The channel http://127.0.0.1:9/conda-forge could not be read:")
    assert planned.conda is None
    assert planned.wheels is not None


@pytest.mark.parametrize(("capability", "old"), [("6.1", True), ("7.0", True), ("7.5", False), ("9.0", False)])
async def test_cudnn_is_one_that_runs_on_the_gpu(
    wheel_bench: Workbench, tmp_path: Path, capability: str, old: bool
) -> None:
    for version in ("9.10.2", "9.22.0"):
        make_wheel(tmp_path / "wheels", "nvidia-cudnn-cu12", version)
    make_wheel(tmp_path / "wheels", "nvidia-cuda-runtime-cu12", "12.9.79")
    make_wheel(tmp_path / "wheels", "tensorflow", "2.21.0", requires=("nvidia-cudnn-cu12", "nvidia-cuda-runtime-cu12"))
    wheel_bench.hardware = machine(capability, cuda="13.0")
    plan = await wheel_bench.plan("tensorflow", variant=GPU)
    found = {item.name: item.version for item in plan.packages}
    assert found["nvidia-cudnn-cu12"] == ("9.10.2" if old else "9.22.0")
    assert any("may take many minutes" in warning for warning in plan.warnings) == (capability == "9.0")


async def test_files_that_must_be_copied_are_a_warning(wheel_bench: Workbench) -> None:
    wheel_bench.hardware = machine()
    assert COPIED not in (await wheel_bench.plan("pytorch")).warnings
    wheel_bench.copied = True
    assert COPIED in (await wheel_bench.plan("pytorch")).warnings


async def test_where_only_conda_could_help_both_ways_are_told(wheel_bench: Workbench) -> None:
    error = await _error(wheel_bench, "caffe")
    assert isinstance(error, ChannelError)
    assert error.message.startswith("The project called caffe on the Python Package Index is an empty placeholder")
    assert "127.0.0.1 does not accept connections" in error.message
    assert "mirror" in error.cure


async def test_a_driver_that_is_too_old_for_every_wheel_is_told_the_least_one(wheel_bench: Workbench) -> None:
    plan = await wheel_bench.plan("pytorch", target_cuda="11.8", installer=Installer.PYPI)
    assert plan.refusal is not None
    assert "needs CUDA 12.4, thus NVIDIA driver 525 or newer" in plan.refusal.reason


async def test_cpu_wheels_of_pytorch_fall_back_to_the_usual_index(
    wheel_bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # PyTorch's own index is behind a proxy that is not there; the loopback one is not.
    environ = dict(os.environ) | {"HTTPS_PROXY": "http://127.0.0.1:9", "UV_HTTP_RETRIES": "0"}
    wheel_bench.wheels = WheelsEngine(environ=environ)
    plan = await wheel_bench.plan("pytorch", installer=Installer.PYPI)
    assert (plan.variant, plan.framework_version, plan.cuda) == (CPU, "2.15.0", None)
    assert any("bring gigabytes of CUDA" in warning for warning in plan.warnings)


async def test_a_wheel_that_is_a_cpu_build_does_not_pass_for_a_gpu_one(wheel_bench: Workbench, tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "torch", "2.15.0+cpu")
    plan = await wheel_bench.plan("pytorch", target_cuda="13.0", installer=Installer.PYPI)
    assert plan.refusal is not None
    assert "CPU build of PyTorch (torch 2.15.0+cpu)" in plan.refusal.reason


async def test_wheels_go_on_top_of_conda_packages_in_the_same_plan(
    wheel_bench: Workbench, channel: str, tmp_path: Path
) -> None:
    make_wheel(tmp_path / "wheels", "warp-addon")
    wheel_bench.channels = (channel,)
    planned = await wheel_bench.planned("warpdrive", pip=("warp-addon",))
    assert planned.wheels is not None
    assert [item.name for item in planned.wheels.packages] == ["warp-addon"]
    names = [item.name for item in planned.plan.packages]
    assert names == sorted(names)
    assert {"warpdrive", "warp-addon"} <= set(names)


async def test_a_dead_index_after_dead_channels_is_told_with_both(wheel_bench: Workbench) -> None:
    environ = dict(os.environ) | {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    wheel_bench.wheels = WheelsEngine(environ=environ)
    error = await _error(wheel_bench, "python")
    assert isinstance(error, ChannelError)
    assert "The channel http://127.0.0.1:9/conda-forge could not be read" in error.message
    assert "127.0.0.1:9 cannot be used" in error.message


# Rules. -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("driver", "toolkit", "runs"),
    [
        ("12.4", "12.9", True),
        ("12.9", "11.8", True),
        ("12.9", "13.0", False),
        ("13.0", "13.2", True),
        ("11.8", "12.0", False),
    ],
)
def test_a_driver_runs_toolkits_up_to_its_major_version(driver: str, toolkit: str, runs: bool) -> None:
    assert drivers.driver_runs(driver, toolkit) is runs


@pytest.mark.parametrize(
    ("toolkit", "capabilities", "driver"),
    [
        ("13.2", (), "580"),
        ("12.9", (), "525"),
        ("11.8", (), "450"),
        ("15.0", (), "580"),
        ("12.9", ("8.0", "9.0"), "525"),
        ("11.8", ("9.0",), "520"),
        ("12.9", ("6.1", "12.0"), "570"),
        ("13.0", ("10.0",), "580"),
    ],
)
def test_each_toolkit_has_a_least_driver_and_each_gpu_too(
    toolkit: str, capabilities: tuple[str, ...], driver: str
) -> None:
    assert drivers.minimum_driver(toolkit, capabilities) == driver


@pytest.mark.parametrize(
    ("capability", "first", "last"),
    [
        ("6.1", "8.0", 12),
        ("7.0", "9.0", 12),
        ("7.5", "9.0", None),
        ("8.9", "11.0", None),
        ("9.0", "11.8", None),
        ("10.0", "12.8", None),
        ("12.0", "12.8", None),
        ("3.5", "0", 11),
        ("99.0", "0", None),
    ],
)
def test_each_gpu_has_its_cudas(capability: str, first: str, last: int | None) -> None:
    assert (str(drivers.first_cuda(capability)), drivers.last_cuda(capability)) == (first, last)


@pytest.mark.parametrize(
    ("asked", "allowed", "found"),
    [
        ("2", ">=2.11", True),
        ("2", "<2.11", True),
        ("2.10", ">=2.11", False),
        ("2.19", ">=2,<3", True),
        ("3", ">=3.10,<3.14", True),
        ("3.14", ">=3.10,<3.14", False),
        ("1", ">=2", False),
        ("2.19.1", "", True),
        ("2.22.0rc0", ">=2.17", True),
    ],
)
def test_the_beginning_of_a_version_may_lie_in_a_range(asked: str, allowed: str, found: bool) -> None:
    assert choices.overlaps(asked, allowed) is found


def test_two_different_gpus_do_not_take_each_other_away() -> None:
    hardware = Hardware(driver="580.65.06", cuda="13.0", gpus=(gpu(0, "6.1"), gpu(1, "12.0")))
    aim = target(EnvironmentSpec(name="x"), hardware, "linux-64")
    assert aim.capabilities == ("6.1", "12.0")
    catalogue = Catalogue.load()
    spec = EnvironmentSpec(name="x", framework="jax")
    # CUDA 12.8 and 12.9 know both.
    assert isinstance(choices.find(catalogue.get("jax"), spec, GPU, Installer.PYPI, aim), Recipe)
    # No PyTorch wheel does.
    assert isinstance(choices.find(catalogue.get("pytorch"), spec, GPU, Installer.PYPI, aim), Refusal)


async def test_a_build_for_some_gpus_of_a_machine_says_for_which(wheel_bench: Workbench) -> None:
    wheel_bench.hardware = Hardware(driver="580.65.06", cuda="13.0", gpus=(gpu(0, "6.1"), gpu(1, "12.0")))
    plan = await wheel_bench.plan("pytorch", installer=Installer.PYPI)
    assert (plan.framework_version, plan.cuda) == ("2.15.0", "13.2")
    assert plan.warnings[0].startswith("GPU 0 (GPU 0, compute capability 6.1) is left out: no build of PyTorch runs on")
    assert "with the target GPU 6.1" in plan.warnings[0]


def test_this_platform_has_condas_name() -> None:
    assert platform_name().partition("-")[0] in ("linux", "osx", "win")
    assert target(EnvironmentSpec(name="x"), NO_DRIVER) == Target(platform=platform_name(), missing=NO_DRIVER.reason)
