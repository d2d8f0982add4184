from __future__ import annotations

import ast
import asyncio
import copy
import math
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import uv
from patience import PATIENCE
from staging import Listener, contents, stage_command, stage_kernel, written

from jupyter_gpu_kernels.benchmark.notebook import for_kernel, notebook, with_parameters
from jupyter_gpu_kernels.benchmark.result import read_result, read_submitted, result_of
from jupyter_gpu_kernels.benchmark.run import run_benchmark
from jupyter_gpu_kernels.errors import BenchmarkError, InvalidInputError, NotFoundError
from jupyter_gpu_kernels.models import BenchmarkResult

QUICK = {"RUNS": 5, "MATRIX_RUNS": 4, "IMAGES": 2, "PIXELS": 12, "MATRIX": 16}

#: Just enough of PyTorch for the notebook. Its GPU works asynchronously: the work is done when it is waited for.
TORCH = """
    import contextlib, time

    __version__ = "9.9+fake"

    class version:
        cuda = "13.0"

    class cuda:
        pending = 0.0
        is_available = staticmethod(lambda: True)
        get_device_name = staticmethod(lambda index: "Warp Core 9")
        max_memory_allocated = staticmethod(lambda: 123456)
        empty_cache = reset_peak_memory_stats = staticmethod(lambda: None)

        @classmethod
        def synchronize(cls):
            time.sleep(cls.pending)
            cls.pending = 0.0

    class Tensor:
        def __init__(self, device):
            self.device = device

        def __matmul__(self, other):
            if self.device == "cuda":
                cuda.pending += 0.002
            else:
                time.sleep(0.02)
            return self

        def sum(self):
            return self

    def randn(*shape, device):
        return Tensor(device)

    class nn:
        class functional:
            conv2d = staticmethod(lambda images, filters: images @ filters)

    no_grad = contextlib.nullcontext
"""


@pytest.fixture(autouse=True)
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary directories are made."""
    path = tmp_path / "private"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


async def benchmarked(
    kernels: Path, *, listener: Listener | None = None, name: str = "trial", **parameters: Any
) -> tuple[BenchmarkResult, Path]:
    work = kernels.parent / "work"
    work.mkdir()
    return await run_benchmark(
        name,
        kernel_dirs=[kernels],
        working_dir=work,
        parameters={**QUICK, **parameters},
        timeout=60,
        reporter=listener or Listener(),
    )


def code_cells(node: Any) -> list[Any]:
    return [cell for cell in node.cells if cell.cell_type == "code"]


def test_the_notebook_is_whole_and_empty() -> None:
    node = notebook()
    nbformat.validate(node)
    assert node.cells[0].source.startswith("# CPU versus GPU")
    assert [cell.metadata.tags for cell in node.cells if cell.metadata.get("tags")] == [["parameters"]]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code_cells(node))


def test_the_notebook_is_written_for_old_pythons() -> None:
    for cell in code_cells(notebook()):
        ast.parse(cell.source, feature_version=(3, 6))


async def test_a_kernel_without_any_framework_says_so(tmp_path: Path, private: Path) -> None:
    listener = Listener()
    kernels = stage_kernel(tmp_path, modules={"numpy": "raise ImportError"})
    (tmp_path / "packages" / "numpy.py").unlink()
    result, path = await benchmarked(kernels, listener=listener)
    if result.timings:
        pytest.skip("the test environment has NumPy")
    assert result.framework == "Python " + ".".join(map(str, sys.version_info[:3]))
    assert result.gpu_missing == "This kernel has neither a framework nor NumPy, so there is nothing to compare."
    assert "Framework: none" in listener.lines
    node = nbformat.read(path, as_version=4)
    nbformat.validate(node)
    assert node.metadata.kernelspec == {"name": "trial", "display_name": "On trial", "language": "python"}
    assert all(cell.execution_count for cell in code_cells(node))
    assert result_of(node).framework == result.framework
    assert contents(path.parent) == [path.name]
    assert contents(private) == []


async def test_both_halves_are_measured_and_the_gpu_is_waited_for(tmp_path: Path) -> None:
    listener = Listener()
    result, path = await benchmarked(stage_kernel(tmp_path, modules={"torch": TORCH}), listener=listener)
    assert result.framework == "PyTorch 9.9+fake"
    assert result.gpu_missing is None
    assert [(timing.workload, timing.device, timing.runs) for timing in result.timings] == [
        ("convolution", "cpu", 5),
        ("matmul", "cpu", 4),
        ("convolution", "gpu", 5),
        ("matmul", "gpu", 4),
    ]
    cpu, gpu = result.timings[0], result.timings[2]
    assert gpu.device_name == "Warp Core 9"
    assert gpu.peak_memory == 123456
    assert cpu.peak_memory is None or cpu.peak_memory > 1_000_000
    assert gpu.median >= 0.002
    assert gpu.total >= gpu.runs * 0.002
    assert 0 <= gpu.spread < gpu.total
    assert set(result.speedups) == {"convolution", "matmul"}
    assert result.speedups["convolution"] == pytest.approx(cpu.median / gpu.median)
    assert result.speedups["convolution"] > 1
    assert "GPU: Warp Core 9" in listener.lines
    assert listener.steps[-1].packages_done == listener.steps[-1].packages_total > 0
    html = [output for cell in code_cells(nbformat.read(path, as_version=4)) for output in cell.outputs]
    assert any("Warp Core 9" in output.get("data", {}).get("text/html", "") for output in html)


async def test_a_slow_device_stops_early_and_says_how_often_it_ran(tmp_path: Path) -> None:
    kernels = stage_kernel(tmp_path, modules={"torch": TORCH})
    result, path = await benchmarked(kernels, RUNS=1000, SECONDS=0.1)
    assert 3 <= result.timings[0].runs <= 6
    assert "convolution on the CPU: only" in path.read_text()


async def test_a_cpu_build_gives_the_cpu_half_and_the_reason(tmp_path: Path) -> None:
    source = TORCH.replace("lambda: True", "lambda: False").replace('"13.0"', "None")
    result, _ = await benchmarked(stage_kernel(tmp_path, modules={"torch": source}))
    assert [timing.device for timing in result.timings] == ["cpu", "cpu"]
    assert result.speedups == {}
    assert result.gpu_missing == "PyTorch 9.9+fake is a CPU build here: it cannot use a GPU."


async def test_a_hidden_gpu_is_named_as_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    source = TORCH.replace("lambda: True", "lambda: False")
    result, _ = await benchmarked(stage_kernel(tmp_path, modules={"torch": source}))
    assert result.gpu_missing == "CUDA_VISIBLE_DEVICES is '' in this kernel, which hides every GPU."


async def test_a_gpu_that_fails_does_not_spoil_the_cpu_half(tmp_path: Path) -> None:
    source = TORCH.replace("cuda.pending += 0.002", "raise RuntimeError('out of antimatter')")
    result, _ = await benchmarked(stage_kernel(tmp_path, modules={"torch": source}))
    assert [timing.device for timing in result.timings] == ["cpu", "cpu"]
    assert result.gpu_missing == ("The GPU is there, but computing on it failed: RuntimeError: out of antimatter.")


async def test_an_error_in_a_cell_is_quoted_and_the_notebook_kept(tmp_path: Path) -> None:
    kernels = stage_kernel(tmp_path, modules={"torch": "raise ImportError('no warp core')"})
    with pytest.raises(BenchmarkError) as raised:
        await benchmarked(kernels)
    assert raised.value.message == (
        "The benchmark failed at \N{LEFT DOUBLE QUOTATION MARK}Which framework?\N{RIGHT DOUBLE QUOTATION MARK}: "
        "ImportError: no warp core."
    )
    assert "Traceback" in raised.value.detail
    assert "\x1b" not in raised.value.detail
    node = nbformat.read(tmp_path / "work" / "cpu-vs-gpu-trial.ipynb", as_version=4)
    assert any(output.output_type == "error" for cell in code_cells(node) for output in cell.outputs)


async def test_a_kernel_that_dies_is_told_from_one_that_fails(tmp_path: Path) -> None:
    kernels = stage_kernel(tmp_path, modules={"torch": "import os; os._exit(7)"})
    with pytest.raises(BenchmarkError, match=r"^The kernel ended with exit status 7 while the benchmark ran"):
        await benchmarked(kernels)


async def test_a_kernel_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"^The kernel ended with exit status 1 while"):
        await benchmarked(stage_command(tmp_path, [sys.executable, "-c", "raise SystemExit(1)"]))


async def test_the_explaining_kernel_is_an_error_with_its_explanation(tmp_path: Path) -> None:
    kernels = stage_command(
        tmp_path,
        [str(tmp_path / "gone" / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        metadata={"kernel_provisioner": {"provisioner_name": "gpu-kernels-provisioner", "config": {}}},
    )
    with pytest.raises(BenchmarkError, match=r"^The kernel did not start: .*gone"):
        await benchmarked(kernels)


async def test_numpy_computes_the_cpu_half(tmp_path: Path, wheel_dir: Path) -> None:
    venv.create(tmp_path / "environment", symlinks=True)
    python = tmp_path / "environment" / "bin" / "python"
    install = ("pip", "install", "--quiet", "--offline", "--no-index", "--find-links", str(wheel_dir), "numpy")
    process = await asyncio.create_subprocess_exec(uv.find_uv_bin(), *install, "--python", str(python))
    assert await process.wait() == 0
    result, _ = await benchmarked(stage_kernel(tmp_path, python=python))
    assert result.framework.startswith("NumPy ")
    assert [timing.workload for timing in result.timings] == ["convolution", "matmul"]
    assert result.gpu_missing == "This kernel has no framework that can use a GPU."


async def test_an_unknown_kernel_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        await benchmarked(stage_kernel(tmp_path), name="enterprise")


async def test_a_benchmark_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    kernels = stage_kernel(tmp_path, modules={"torch": "import time; time.sleep(600)"})
    with pytest.raises(BenchmarkError, match=r"^The benchmark was not done after 3 seconds"):
        await run_benchmark("trial", kernel_dirs=[kernels], working_dir=tmp_path, timeout=3, reporter=Listener())


async def test_a_cancelled_benchmark_leaves_no_kernel(tmp_path: Path, private: Path) -> None:
    pid = tmp_path / "pid"
    source = f"import os, time; open({str(pid)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(600)"
    task = asyncio.ensure_future(benchmarked(stage_kernel(tmp_path, modules={"torch": source})))
    await asyncio.wait_for(written(pid), PATIENCE)
    assert psutil.pid_exists(int(pid.read_text()))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(int(pid.read_text()))
    assert contents(private) == []


async def test_output_without_end_is_cut_short(tmp_path: Path) -> None:
    source = TORCH + "    for _ in range(400): print('x' * 9999)\n"
    _, path = await benchmarked(stage_kernel(tmp_path, modules={"torch": source}))
    assert path.stat().st_size < 1_500_000


@pytest.mark.parametrize("parameters", [{"WARP": 9}, {"RUNS": "many"}, {"RUNS": 1.5}, {"FRAMEWORK": None}])
def test_a_parameter_that_is_not_the_notebooks_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        with_parameters(notebook(), parameters)


def test_parameters_come_right_after_their_defaults() -> None:
    node = with_parameters(notebook(), {"RUNS": 3, "SECONDS": 1})
    tags = [cell.metadata.get("tags", []) for cell in node.cells]
    place = tags.index(["parameters"])
    assert tags[place + 1] == ["injected-parameters"]
    assert node.cells[place + 1].source == "RUNS = 3\nSECONDS = 1"
    nbformat.validate(node)


def test_a_notebook_opens_with_its_kernel() -> None:
    node = for_kernel(notebook(), "tf-warp", "TensorFlow (warp)")
    assert node.metadata.kernelspec == {"name": "tf-warp", "display_name": "TensorFlow (warp)", "language": "python"}
    nbformat.validate(node)
    assert "kernelspec" not in notebook().metadata or notebook().metadata.kernelspec.name != "tf-warp"


def timing(device: str, median: float) -> dict[str, Any]:
    return {
        "workload": "matmul",
        "device": device,
        "device_name": device,
        "median": median,
        "spread": 0.1,
        "runs": 3,
        "total": 3 * median,
        "peak_memory": None,
    }


GOOD = {
    "schema_version": 1,
    "framework": "Warpdrive 1.2",
    "timings": [timing("cpu", 4.0), timing("gpu", 0.5)],
    "speedups": {"matmul": 1000.0},
    "gpu_missing": None,
}


def test_speed_ups_are_computed_from_what_was_measured() -> None:
    assert read_result(GOOD).speedups == {"matmul": 8.0}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), 2),
        (("framework",), None),
        (("timings",), "fast"),
        (("timings", 0, "median"), 0.0),
        (("timings", 0, "median"), -1.0),
        (("timings", 0, "median"), "4 s"),
        (("timings", 0, "total"), math.inf),
        (("timings", 0, "runs"), 0),
        (("timings", 0, "device"), "abacus"),
        (("timings", 0, "workload"), "sorting"),
        (("timings", 0, "device"), "gpu"),
        (("gpu_missing",), "It is not there."),
        (("timings",), [timing("cpu", 4.0)]),
    ],
)
def test_a_result_that_cannot_be_true_is_refused(path: tuple[Any, ...], value: Any) -> None:
    data: Any = copy.deepcopy(GOOD)
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(BenchmarkError) as failed:
        read_result(data)
    with pytest.raises(InvalidInputError) as refused:
        read_submitted(data)
    assert (refused.value.message, refused.value.cure) == (failed.value.message, failed.value.cure)


def test_a_notebook_without_a_result_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="gave no result"):
        result_of(notebook())
