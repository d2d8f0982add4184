"""The variables of a kernel, computed from the server's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_gpu_kernels.models import EnvironmentKind, LaunchPolicy, MemoryPreset
from jupyter_gpu_kernels.prefix.cuda import DirectoryNature
from jupyter_gpu_kernels.prefix.environ import base_environment, kernel_environment, library_path
from jupyter_gpu_kernels.prefix.layout import Layout
from jupyter_gpu_kernels.prefix.memory import installed_versions
from jupyter_gpu_kernels.prefix.toolkit import Toolkit, find_toolkit

CONDA = Layout(Path("/opt/envs/warp"), EnvironmentKind.CONDA, "linux")
VIRTUALENV = Layout(Path("/opt/venvs/warp"), EnvironmentKind.VIRTUALENV, "linux")
WINDOWS = Layout(Path("/w/warp"), EnvironmentKind.CONDA, "win32")
MACOS = Layout(Path("/opt/venvs/warp"), EnvironmentKind.VIRTUALENV, "darwin")
OWN = (Path("/own/a"), Path("/own/b"))


def nature(folder: str) -> DirectoryNature:
    """Directories say by their names what they are."""
    return next((kind for kind in DirectoryNature if kind.value in folder), DirectoryNature.OTHER)


def test_the_servers_traces_are_dropped_and_the_environment_names_itself() -> None:
    server = {
        "PATH": "/srv/venv/bin:/srv/conda/bin:/srv/conda/condabin:/usr/bin:",
        "VIRTUAL_ENV": "/srv/venv",
        "VIRTUAL_ENV_PROMPT": "(venv)",
        "_OLD_VIRTUAL_PATH": "/usr/bin",
        "CONDA_PREFIX": "/srv/conda",
        "CONDA_PREFIX_1": "/srv/conda0",
        "CONDA_DEFAULT_ENV": "base",
        "CONDA_SHLVL": "2",
        "CONDA_PROMPT_MODIFIER": "(base)",
        "__CONDA_SHLVL_1_X": "1",
        "_JGK_12345678": "1",
        "PYTHONPATH": "/srv/lib",
        "PYTHONHOME": "/srv",
        "PYTHONEXECUTABLE": "/srv/python",
        "__PYVENV_LAUNCHER__": "/srv/python",
        "CONDA_EXE": "/srv/conda/bin/conda",
        "PYTHONUNBUFFERED": "1",
        "HOME": "/home/me",
    }
    kept = {"CONDA_EXE": "/srv/conda/bin/conda", "PYTHONUNBUFFERED": "1", "HOME": "/home/me"}
    assert base_environment(server, CONDA) == {
        **kept,
        "PATH": "/opt/envs/warp/bin:/srv/conda/condabin:/usr/bin",
        "CONDA_PREFIX": "/opt/envs/warp",
        "CONDA_DEFAULT_ENV": "warp",
        "CONDA_PROMPT_MODIFIER": "(warp) ",
        "CONDA_SHLVL": "1",
    }
    assert base_environment(server, VIRTUALENV) == {
        **kept,
        "PATH": "/opt/venvs/warp/bin:/srv/conda/condabin:/usr/bin",
        "VIRTUAL_ENV": "/opt/venvs/warp",
        "VIRTUAL_ENV_PROMPT": "warp",
    }


def test_a_conda_environment_outside_of_envs_is_called_by_its_path() -> None:
    layout = Layout(Path("/data/warp"), EnvironmentKind.CONDA, "linux")
    assert base_environment({}, layout)["CONDA_DEFAULT_ENV"] == "/data/warp"


def test_windows_puts_all_of_condas_directories_and_the_dlls_on_the_path() -> None:
    environ = kernel_environment({"PATH": "C:\\Windows;;C:\\Tools"}, WINDOWS, OWN, nature=nature)
    executables = [str(path) for path in WINDOWS.executable_directories()]
    assert environ["PATH"].split(";") == [*executables, "/own/a", "/own/b", "C:\\Windows", "C:\\Tools"]
    assert "LD_LIBRARY_PATH" not in environ


def test_macos_has_no_library_path() -> None:
    environ = kernel_environment({"PATH": "/bin", "LD_LIBRARY_PATH": "/stubs"}, MACOS, (), nature=nature)
    assert environ["LD_LIBRARY_PATH"] == "/stubs"


@pytest.mark.parametrize(
    ("current", "own", "expected"),
    [
        ("/cuda:/x:/driver:/y", ["/own"], "/own:/driver:/x:/y"),
        ("/cuda:/x:/driver", [], "/driver:/cuda:/x"),
        (":/x::/x:", ["/own"], "/own:/x"),
        ("/stubs/x:/x", [], "/x"),
        ("/stubs", [], ""),
        ("", ["/own/a", "/own/b"], "/own/a:/own/b"),
        ("/own:/x", ["/own"], "/own:/x"),
        ("", [], ""),
    ],
)
def test_a_library_path_is_put_in_order(current: str, own: list[str], expected: str) -> None:
    assert library_path(current, own, nature) == expected


def test_the_servers_library_path_is_kept_for_whoever_debugs() -> None:
    environ = kernel_environment({"LD_LIBRARY_PATH": "/cuda:/x"}, CONDA, OWN, nature=nature)
    assert environ["LD_LIBRARY_PATH"] == "/own/a:/own/b:/x"
    assert environ["JUPYTER_GPU_KERNELS_SERVER_LD_LIBRARY_PATH"] == "/cuda:/x"


def test_nothing_to_say_leaves_the_library_path_unset() -> None:
    environ = kernel_environment({"LD_LIBRARY_PATH": ""}, CONDA, (), nature=nature)
    assert "LD_LIBRARY_PATH" not in environ
    assert "LD_LIBRARY_PATH" not in kernel_environment({}, CONDA, (), nature=nature)


def test_activated_variables_are_taken_and_still_put_in_order() -> None:
    activated = {
        "PATH": "/opt/envs/warp/special:/opt/envs/warp/bin:/usr/bin",
        "LD_LIBRARY_PATH": "/cuda:/mine",
        "A": "b",
    }
    environ = kernel_environment({"IGNORED": "1"}, CONDA, OWN, activated, nature=nature)
    assert environ == {
        "PATH": activated["PATH"],
        "LD_LIBRARY_PATH": "/own/a:/own/b:/mine",
        "A": "b",
        "PYTHONNOUSERSITE": "1",
    }


def test_a_script_that_lost_the_path_gets_the_environments_executables_back() -> None:
    environ = kernel_environment({}, CONDA, (), {"PATH": "/usr/bin"}, nature=nature)
    assert environ["PATH"] == "/opt/envs/warp/bin:/usr/bin"


def test_wishes_win_but_paths_are_merged() -> None:
    wishes = {"PYTHONPATH": "/mine", "LD_LIBRARY_PATH": "/cuda", "PATH": "/p", "PYTHONNOUSERSITE": ""}
    environ = kernel_environment(wishes, CONDA, OWN, nature=nature, wishes=wishes)
    assert environ["PYTHONPATH"] == "/mine"
    assert environ["PYTHONNOUSERSITE"] == ""
    assert environ["LD_LIBRARY_PATH"] == "/own/a:/own/b"
    assert environ["PATH"] == "/opt/envs/warp/bin:/p"


def test_user_packages_are_allowed_by_policy_only() -> None:
    inherited = {"PYTHONNOUSERSITE": "yes"}
    assert kernel_environment(inherited, CONDA, ())["PYTHONNOUSERSITE"] == "1"
    assert "PYTHONNOUSERSITE" not in kernel_environment(inherited, CONDA, (), policy=LaunchPolicy(user_site=True))


@pytest.mark.parametrize(
    ("toolkit", "inherited", "expected"),
    [
        (Toolkit(home=CONDA.prefix), "/usr/local/cuda", "/opt/envs/warp"),
        (Toolkit(home=CONDA.prefix), None, "/opt/envs/warp"),
        (Toolkit(home=CONDA.prefix), "/opt/envs/warp/targets", "/opt/envs/warp/targets"),
        (Toolkit(), "/usr/local/cuda", "/usr/local/cuda"),
        (Toolkit(), None, None),
    ],
)
def test_cuda_home_is_the_environments_if_it_has_a_compiler(
    toolkit: Toolkit, inherited: str | None, expected: str | None
) -> None:
    server = {} if inherited is None else {"CUDA_HOME": inherited, "CUDA_PATH": inherited}
    environ = kernel_environment(server, CONDA, OWN, toolkit=toolkit)
    assert (environ.get("CUDA_HOME"), environ.get("CUDA_PATH")) == (expected, expected)


GROWING = LaunchPolicy(memory=MemoryPreset.GROW)
GROWN = {
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
}


def added(environ: dict[str, str], base: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if base.get(name) != value}


def test_memory_is_taken_as_it_is_needed_only_where_that_is_wished() -> None:
    plain = kernel_environment({}, CONDA, OWN, nature=nature)
    assert kernel_environment({}, CONDA, OWN, policy=LaunchPolicy(), nature=nature) == plain
    grown = kernel_environment({}, CONDA, OWN, policy=GROWING, nature=nature, release="6.1.0")
    assert added(grown, plain) == GROWN


@pytest.mark.parametrize(
    ("theirs", "left"),
    [
        ({"TF_FORCE_GPU_ALLOW_GROWTH": "false"}, {"TF_FORCE_GPU_ALLOW_GROWTH"}),
        ({"XLA_PYTHON_CLIENT_PREALLOCATE": ""}, {"XLA_PYTHON_CLIENT_PREALLOCATE"}),
        ({"PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:64"}, {"PYTORCH_CUDA_ALLOC_CONF"}),
        ({"PYTORCH_ALLOC_CONF": "max_split_size_mb:64"}, {"PYTORCH_CUDA_ALLOC_CONF"}),
    ],
)
@pytest.mark.parametrize("by", ["server", "activation", "launch"])
def test_what_the_user_says_of_memory_counts(by: str, theirs: dict[str, str], left: set[str]) -> None:
    arguments: dict[str, Any] = {
        "server": {"inherited": theirs, "activated": None, "wishes": None},
        "activation": {"inherited": {}, "activated": theirs, "wishes": None},
        "launch": {"inherited": theirs, "activated": {}, "wishes": theirs},
    }[by]
    environ = kernel_environment(layout=CONDA, cuda_dirs=OWN, policy=GROWING, nature=nature, release="", **arguments)
    assert {name: environ.get(name) for name in theirs} == theirs
    assert {name: environ.get(name) for name in GROWN.keys() - left} == {
        name: GROWN[name] for name in GROWN.keys() - left
    }
    assert "PYTORCH_CUDA_ALLOC_CONF" not in environ or "PYTORCH_ALLOC_CONF" not in environ


LIMITED = LaunchPolicy(memory=MemoryPreset.FRACTION, memory_fraction=0.4)


@pytest.mark.parametrize(
    ("versions", "jax", "torch"),
    [
        ({}, "XLA_CLIENT_MEM_FRACTION", None),
        ({"jaxlib": "0.10.2"}, "XLA_CLIENT_MEM_FRACTION", None),
        ({"jaxlib": "0.4.33"}, "XLA_CLIENT_MEM_FRACTION", None),
        ({"jaxlib": "0.4.31.dev1"}, "XLA_PYTHON_CLIENT_MEM_FRACTION", None),
        ({"torch": "2.10.0+cu128"}, "XLA_CLIENT_MEM_FRACTION", "per_process_memory_fraction:0.4"),
        ({"torch": "2.15.0"}, "XLA_CLIENT_MEM_FRACTION", "per_process_memory_fraction:0.4"),
        # It would refuse the GPU over a key that it does not know.
        ({"torch": "2.9.1"}, "XLA_CLIENT_MEM_FRACTION", None),
        ({"torch": "2.9.0a0+git1"}, "XLA_CLIENT_MEM_FRACTION", None),
    ],
)
def test_each_framework_is_told_its_part_as_its_version_understands(
    versions: dict[str, str], jax: str, torch: str | None
) -> None:
    plain = kernel_environment({}, CONDA, OWN, nature=nature)
    limited = kernel_environment({}, CONDA, OWN, policy=LIMITED, nature=nature, versions=versions)
    expected = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", jax: "0.4", "CUPY_GPU_MEMORY_LIMIT": "40%"}
    assert added(limited, plain) == expected | ({"PYTORCH_CUDA_ALLOC_CONF": torch} if torch else {})


@pytest.mark.parametrize("name", ["XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION"])
@pytest.mark.parametrize("jaxlib", ["0.4.30", "0.10.2"])
def test_jax_never_gets_both_names_of_its_part_over_which_it_would_refuse_the_gpu(name: str, jaxlib: str) -> None:
    environ = kernel_environment({name: ".9"}, CONDA, OWN, policy=LIMITED, nature=nature, versions={"jaxlib": jaxlib})
    assert {key: value for key, value in environ.items() if "MEM_FRACTION" in key} == {name: ".9"}


@pytest.mark.parametrize(("fraction", "percent"), [(0.07, "7%"), (1.0, "100%"), (7.0, "100%"), (-1.0, "1%")])
def test_a_part_is_written_as_each_reads_it(fraction: float, percent: str) -> None:
    # What somebody wrote into kernel.json by hand is not checked by anybody else.
    policy = LaunchPolicy(memory=MemoryPreset.FRACTION, memory_fraction=fraction)
    environ = kernel_environment({}, CONDA, OWN, policy=policy, nature=nature, versions={})
    assert environ["CUPY_GPU_MEMORY_LIMIT"] == percent


def test_installed_versions_are_read_without_importing_anything(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("torch-2.10.0+cu128.dist-info", "jaxlib-0.4.30-py3.11.egg-info", "torch_geometric-1.0.dist-info"):
        (packages / name).mkdir(parents=True)
    (tmp_path / "conda-meta").mkdir()
    layout = Layout(tmp_path, EnvironmentKind.CONDA, "linux")
    assert installed_versions(layout) == {"torch": "2.10.0+cu128", "jaxlib": "0.4.30"}
    assert installed_versions(Layout(tmp_path / "nothing", EnvironmentKind.CONDA, "linux")) == {}
    environ = kernel_environment({}, layout, OWN, policy=LIMITED, nature=nature)
    assert environ["PYTORCH_CUDA_ALLOC_CONF"] == "per_process_memory_fraction:0.4"
    assert environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.4"


@pytest.mark.parametrize(
    ("layout", "release"), [(WINDOWS, "10"), (MACOS, "24.1.0"), (CONDA, "5.15.167.4-microsoft-standard-WSL2")]
)
def test_pytorch_is_left_alone_where_its_option_fails(layout: Layout, release: str) -> None:
    environ = kernel_environment({}, layout, (), policy=GROWING, nature=nature, release=release)
    assert {name for name in GROWN if name in environ} == GROWN.keys() - {"PYTORCH_CUDA_ALLOC_CONF"}


FLAG = "--xla_gpu_cuda_data_dir="


@pytest.mark.parametrize(
    ("toolkit", "inherited", "expected"),
    [
        (Toolkit(libdevice=True, data_dir=CONDA.prefix), None, f"{FLAG}/opt/envs/warp"),
        (Toolkit(libdevice=True, data_dir=CONDA.prefix), "--xla_a=1", f"--xla_a=1 {FLAG}/opt/envs/warp"),
        (Toolkit(libdevice=True, data_dir=CONDA.prefix), f"{FLAG}/usr/cuda", f"{FLAG}/opt/envs/warp"),
        (Toolkit(libdevice=True, data_dir=CONDA.prefix), f"{FLAG}/opt/envs/warp/x", f"{FLAG}/opt/envs/warp/x"),
        (Toolkit(libdevice=True), f"{FLAG}/usr/cuda", None),
        (Toolkit(libdevice=True), "--xla_a=1", "--xla_a=1"),
        (Toolkit(), f"{FLAG}/usr/cuda", f"{FLAG}/usr/cuda"),
        (Toolkit(), None, None),
    ],
)
def test_xla_is_told_where_libdevice_is_only_if_it_must_be(
    toolkit: Toolkit, inherited: str | None, expected: str | None
) -> None:
    server = {} if inherited is None else {"XLA_FLAGS": inherited}
    assert kernel_environment(server, CONDA, OWN, toolkit=toolkit).get("XLA_FLAGS") == expected


def make(prefix: Path, *files: str) -> None:
    for name in files:
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / name).touch()


PACKAGES = "lib/python3.12/site-packages"
LIBDEVICE = "nvvm/libdevice/libdevice.10.bc"


@pytest.mark.parametrize(
    ("kind", "files", "home", "data_dir", "libdevice"),
    [
        (EnvironmentKind.CONDA, ["bin/nvcc"], "", None, False),
        (EnvironmentKind.CONDA, [LIBDEVICE, f"{PACKAGES}/tensorflow/a"], None, "", True),
        (
            EnvironmentKind.CONDA,
            [f"targets/x86_64-linux/{LIBDEVICE}", f"{PACKAGES}/jaxlib/a"],
            None,
            "targets/x86_64-linux",
            True,
        ),
        (EnvironmentKind.CONDA, [LIBDEVICE, f"{PACKAGES}/torch/a"], None, None, True),
        (
            EnvironmentKind.CONDA,
            [LIBDEVICE, f"{PACKAGES}/tensorflow/a", f"{PACKAGES}/nvidia/cuda_nvcc/{LIBDEVICE}"],
            None,
            None,
            True,
        ),
        (
            EnvironmentKind.VIRTUALENV,
            [f"{PACKAGES}/tensorflow/a", f"{PACKAGES}/nvidia/cuda_nvcc/{LIBDEVICE}"],
            None,
            None,
            True,
        ),
        (EnvironmentKind.VIRTUALENV, [f"{PACKAGES}/nvidia/cu13/bin/nvcc"], f"{PACKAGES}/nvidia/cu13", None, False),
        (EnvironmentKind.VIRTUALENV, ["bin/nvcc", LIBDEVICE], None, None, False),
    ],
)
def test_the_toolkit_of_an_environment(
    tmp_path: Path, kind: EnvironmentKind, files: list[str], home: str | None, data_dir: str | None, libdevice: bool
) -> None:
    make(tmp_path, *files)
    expected = Toolkit(
        home=None if home is None else tmp_path / home,
        data_dir=None if data_dir is None else tmp_path / data_dir,
        libdevice=libdevice,
    )
    assert find_toolkit(Layout(tmp_path, kind, "linux")) == expected
