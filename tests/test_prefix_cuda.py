"""CUDA libraries are found in every layout, and only there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import wait_until

from jupyter_gpu_kernels.models import EnvironmentKind, LibraryOrigin
from jupyter_gpu_kernels.prefix.cuda import (
    DirectoryNature,
    classify_library,
    cuda_directories,
    directory_nature,
    is_cuda_library,
    is_driver_library,
)
from jupyter_gpu_kernels.prefix.layout import Layout
from jupyter_gpu_kernels.prefix.links import STALE_AFTER

CUDA_NAMES = [
    "libcudart.so",
    "libcudart.so.12",
    "libcudart.so.11.0",
    "libcudart.so.12.9.79",
    "libcublas.so.12",
    "libcublasLt.so.12",
    "libcudnn.so.9",
    "libcudnn_graph.so.9",
    "libcudnn_engines_precompiled.so.9",
    "libcufft.so.11",
    "libcufftw.so.11",
    "libcurand.so.10",
    "libcusolver.so.11",
    "libcusolverMg.so.11",
    "libcusparse.so.12",
    "libcusparseLt.so.0",
    "libnccl.so.2",
    "libnvrtc.so.12",
    "libnvrtc-builtins.so.12.9",
    "libnvrtc.alt.so.12",
    "libnvJitLink.so.13",
    "libnvvm.so.4",
    "libcupti.so.13",
    "libnvToolsExt.so.1",
    "libcufile.so.0",
    "libcufile_rdma.so.1",
    "libnvshmem_host.so.3",
    "libnvinfer.so.10",
    "libnvinfer_builder_resource_sm75.so.10",
    "libnppc.so.12",
    "libcutensor.so.2",
    "libcudart-d0da41ae.so.11.0",
    "cudart64_12.dll",
    "cudart64_110.dll",
    "cublasLt64_12.dll",
    "cudnn64_9.dll",
    "cudnn_graph64_9.dll",
    "nvrtc64_120_0.dll",
    "nvrtc-builtins64_129.dll",
    "nvJitLink_120_0.dll",
    "nvvm64_40_0.dll",
    "nvinfer_10.dll",
]
DRIVER_NAMES = [
    "libcuda.so",
    "libcuda.so.1",
    "libnvidia-ml.so.1",
    "libnvidia-ptxjitcompiler.so.1",
    "libnvcuvid.so.1",
    "nvcuda.dll",
]
OTHER_NAMES = [
    "libstdc++.so.6",
    "libtinfo.so.6",
    "libgcc_s.so.1",
    "libc10_cuda.so",
    "libtorch_cuda.so",
    "libcudart_static.a",
    "libcudadevrt.a",
    "cudart.lib",
    "libtensorflow_cc.so.2",
    "libcudart.so.12.txt",
    "libOpenCL.so.1",
    "libz.so.1",
]


def fill(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_names_tell_cuda_from_the_driver_and_from_the_rest() -> None:
    assert [name for name in CUDA_NAMES if not is_cuda_library(name) or is_driver_library(name)] == []
    assert [name for name in DRIVER_NAMES if not is_driver_library(name) or is_cuda_library(name)] == []
    assert [name for name in OTHER_NAMES if is_driver_library(name) or is_cuda_library(name)] == []


@pytest.fixture
def virtualenv(tmp_path: Path) -> Layout:
    prefix = tmp_path / "venv"
    packages = prefix / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    (prefix / "pyvenv.cfg").write_text("version_info = 3.12.4\n")
    return Layout(prefix, EnvironmentKind.VIRTUALENV, "linux")


@pytest.fixture
def conda(tmp_path: Path) -> Layout:
    prefix = tmp_path / "conda"
    (prefix / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    fill(prefix / "conda-meta", "python-3.12.4-h0_0.json")
    return Layout(prefix, EnvironmentKind.CONDA, "linux")


def relative(layout: Layout, links: Path) -> list[str]:
    root = layout.prefix if layout.windows else layout.site_packages()[0]
    return [path.relative_to(root).as_posix() for path in cuda_directories(layout, links)]


def test_wheels_of_cuda_12(virtualenv: Layout, tmp_path: Path) -> None:
    (packages,) = virtualenv.site_packages()
    fill(packages / "nvidia/cublas/lib", "libcublas.so.12", "__init__.py")
    fill(packages / "nvidia/cuda_runtime/lib", "libcudart.so.12")
    fill(packages / "nvidia/cuda_runtime/include", "cuda.h")
    fill(packages / "nvidia/cuda_nvcc/nvvm/lib64", "libnvvm.so")
    fill(packages / "nvidia/cuda_nvcc/bin", "ptxas")
    fill(packages / "nvidia/stubs_only/lib", "libcuda.so.1", "libcudart.so.12")
    fill(packages / "nvidia/cuda_runtime/lib/stubs", "libcudart.so.12")
    fill(packages / "cusparselt/lib", "libcusparseLt.so.0")
    fill(packages / "tensorrt_libs", "libnvinfer.so.10")
    assert relative(virtualenv, tmp_path) == [
        "nvidia/cublas/lib",
        "nvidia/cuda_nvcc/nvvm/lib64",
        "nvidia/cuda_runtime/lib",
        "cusparselt/lib",
        "tensorrt_libs",
    ]


def test_wheels_of_cuda_13(virtualenv: Layout, tmp_path: Path) -> None:
    (packages,) = virtualenv.site_packages()
    fill(packages / "nvidia/cu13/lib", "libcudart.so.13", "libnvvm.so.4")
    fill(packages / "nvidia/cudnn/lib", "libcudnn.so.9")
    assert relative(virtualenv, tmp_path) == ["nvidia/cu13/lib", "nvidia/cudnn/lib"]


def test_a_namespace_split_over_several_directories_is_found_whole(virtualenv: Layout, tmp_path: Path) -> None:
    (packages,) = virtualenv.site_packages()
    base = tmp_path / "base"
    (virtualenv.prefix / "pyvenv.cfg").write_text(
        f"home = {base}/bin\ninclude-system-site-packages = true\nversion_info = 3.12.4\n"
    )
    (packages / "more.pth").write_text(f"# comment\nimport sys\n{tmp_path / 'more'}\n\n/does/not/exist\n")
    expected = [
        fill(packages / "nvidia/cublas/lib", "libcublas.so.12"),
        fill(tmp_path / "more/nvidia/cufft/lib", "libcufft.so.11"),
        fill(base / "lib/python3.12/site-packages/nvidia/cudnn/lib", "libcudnn.so.9"),
        fill(tmp_path / "user/nvidia/nccl/lib", "libnccl.so.2"),
    ]
    assert cuda_directories(virtualenv, tmp_path / "links", [tmp_path / "user"]) == tuple(expected)


def test_conda_is_reached_by_links_to_cuda_alone(conda: Layout, tmp_path: Path) -> None:
    prefix = conda.prefix
    targets = fill(prefix / "targets/x86_64-linux/lib", "libcudart.so.12.9.79", "libnvrtc.so.12")
    (prefix / "lib/libcudart.so.12").symlink_to("../targets/x86_64-linux/lib/libcudart.so.12.9.79")
    fill(prefix / "lib", "libcudnn.so.9", "libstdc++.so.6", "libtinfo.so.6", "libcuda.so.1", "libcudart_static.a")
    (prefix / "lib/libnccl.so.2").symlink_to("nowhere")
    fill(targets / "stubs", "libcublas.so.12")
    (prefix / "lib/libcublas.so.12").symlink_to("../targets/x86_64-linux/lib/stubs/libcublas.so.12")
    fill(prefix / "nvvm/lib64", "libnvvm.so.4")
    wheel = fill(conda.site_packages()[0] / "nvidia/cusolver/lib", "libcusolver.so.11")
    first, second = cuda_directories(conda, tmp_path / "links")
    assert second == wheel
    assert first.parent == tmp_path / "links"
    assert {link.name: str(link.readlink()) for link in first.iterdir()} == {
        "libcudart.so.12": str(prefix / "lib/libcudart.so.12"),
        "libcudart.so.12.9.79": str(targets / "libcudart.so.12.9.79"),
        "libcudnn.so.9": str(prefix / "lib/libcudnn.so.9"),
        "libnvrtc.so.12": str(targets / "libnvrtc.so.12"),
        "libnvvm.so.4": str(prefix / "nvvm/lib64/libnvvm.so.4"),
    }
    assert classify_library(first / "libcudnn.so.9", prefix) is LibraryOrigin.ENVIRONMENT


def test_flat_conda_of_cuda_11(conda: Layout, tmp_path: Path) -> None:
    fill(conda.prefix / "lib", "libcudart.so.11.0", "libcufft.so.10", "libz.so.1")
    (links,) = cuda_directories(conda, tmp_path / "links")
    assert sorted(os.listdir(links)) == ["libcudart.so.11.0", "libcufft.so.10"]


def test_without_cuda_there_is_no_directory_and_nothing_is_made(
    conda: Layout, virtualenv: Layout, tmp_path: Path
) -> None:
    fill(conda.prefix / "lib", "libstdc++.so.6")
    assert cuda_directories(conda, tmp_path / "links") == cuda_directories(virtualenv, tmp_path / "links") == ()
    assert not (tmp_path / "links").exists()


def test_links_are_made_once_and_anew_when_the_content_changes(conda: Layout, tmp_path: Path) -> None:
    links = tmp_path / "links"
    fill(conda.prefix / "lib", "libcudart.so.12")
    (first,) = cuda_directories(conda, links)
    inode = first.stat().st_ino
    assert cuda_directories(conda, links) == (first,)
    assert first.stat().st_ino == inode
    fill(conda.prefix / "lib", "libcublas.so.12")
    (second,) = cuda_directories(conda, links)
    assert second != first
    assert {path.name for path in links.iterdir()} == {first.name, second.name}


def test_stale_links_are_swept_once_nobody_uses_them(conda: Layout, tmp_path: Path) -> None:
    links = tmp_path / "links"
    other = Layout(tmp_path / "other", EnvironmentKind.CONDA, "linux")
    old = time.time() - STALE_AFTER - 60
    made = []
    for number in range(3):
        fill(conda.prefix / "lib", f"libcudart.so.{number}")
        made += cuda_directories(conda, links)
    fill(other.prefix / "lib", "libcudart.so.12")
    made += cuda_directories(other, links)
    for path in made:
        os.utime(path, (old, old))
    environ = {"LD_LIBRARY_PATH": f"{made[0]}:/x"}
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environ) as user:
        wait_until(lambda: str(made[0]).encode() in Path(f"/proc/{user.pid}/environ").read_bytes())
        fill(conda.prefix / "lib", "libcudart.so.9")
        (newest,) = cuda_directories(conda, links)
        assert set(links.iterdir()) == {made[0], made[3], newest}
        user.communicate(b"\n")


def test_links_of_a_prefix_that_is_gone_are_swept(conda: Layout, tmp_path: Path) -> None:
    gone = Layout(tmp_path / "gone", EnvironmentKind.CONDA, "linux")
    for layout in (gone, conda):
        fill(layout.prefix / "lib", "libcudart.so.12")
    cuda_directories(gone, tmp_path / "links")
    shutil.rmtree(gone.prefix)
    assert cuda_directories(conda, tmp_path / "links") == tuple((tmp_path / "links").iterdir())


def test_a_cache_that_cannot_be_written_is_an_error(conda: Layout, tmp_path: Path) -> None:
    fill(conda.prefix / "lib", "libcudart.so.12")
    fill(tmp_path, "links")
    with pytest.raises(OSError, match="Not a directory"):
        cuda_directories(conda, tmp_path / "links")


def test_windows_layouts(tmp_path: Path) -> None:
    packages = tmp_path / "Lib" / "site-packages"
    fill(packages / "nvidia/cublas/bin", "cublas64_12.dll")
    fill(packages / "nvidia/cu13/bin/x86_64", "cudart64_13.dll")
    fill(packages / "nvidia/cuda_nvcc/bin", "ptxas.exe")
    fill(packages / "nvidia/cuda_nvcc/nvvm/bin", "nvvm64_40_0.dll")
    fill(tmp_path / "Library/bin", "cudart64_12.dll", "zlib.dll")
    wheels = ["nvidia/cu13/bin/x86_64", "nvidia/cublas/bin", "nvidia/cuda_nvcc/nvvm/bin"]
    inside = [f"Lib/site-packages/{wheel}" for wheel in wheels]
    assert relative(Layout(tmp_path, EnvironmentKind.VIRTUALENV, "win32"), tmp_path) == inside
    assert relative(Layout(tmp_path, EnvironmentKind.CONDA, "win32"), tmp_path) == ["Library/bin", *inside]


def test_macos_has_no_cuda(virtualenv: Layout, tmp_path: Path) -> None:
    fill(virtualenv.site_packages()[0] / "nvidia/cublas/lib", "libcublas.so.12")
    assert cuda_directories(Layout(virtualenv.prefix, virtualenv.kind, "darwin"), tmp_path) == ()


@pytest.mark.parametrize(
    ("names", "nature"),
    [
        (["libcudart.so.12", "libcublas.so.12", "libOpenCL.so.1"], DirectoryNature.CUDA),
        (["libcudart.so.12", "libmpi.so", "libstdc++.so.6", "libz.so"], DirectoryNature.OTHER),
        (["libcuda.so.1"], DirectoryNature.DRIVER),
        (["libcuda.so.1", "libcudart.so.12"], DirectoryNature.DRIVER),
        (["libnvidia-ml.so.1"], DirectoryNature.DRIVER),
        (["readme.txt"], DirectoryNature.OTHER),
        ([], DirectoryNature.OTHER),
    ],
)
def test_a_directory_is_what_it_mostly_holds(tmp_path: Path, names: list[str], nature: DirectoryNature) -> None:
    assert directory_nature(fill(tmp_path / "x", *names)) is nature
    assert directory_nature(fill(tmp_path / "stubs", *names)) is DirectoryNature.STUBS


def test_a_directory_that_is_not_there_is_like_any_other() -> None:
    assert directory_nature("/no/such/directory") is DirectoryNature.OTHER


def test_a_mapped_library_belongs_to_somebody(tmp_path: Path) -> None:
    prefix = fill(tmp_path / "env", "libcudart.so.12")
    fill(tmp_path / "environment", "libcudart.so.12")
    (tmp_path / "alias").symlink_to(prefix)
    assert classify_library(prefix / "libcudart.so.12", tmp_path / "alias") is LibraryOrigin.ENVIRONMENT
    assert classify_library(str(tmp_path / "alias" / "libcudart.so.12"), prefix) is LibraryOrigin.ENVIRONMENT
    assert classify_library(tmp_path / "environment" / "libcudart.so.12", prefix) is LibraryOrigin.FOREIGN
    assert classify_library("/usr/lib/libcuda.so.1", prefix) is LibraryOrigin.DRIVER
