"""Environments are recognised and laid out, on every platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_gpu_kernels.errors import BrokenEnvironmentError
from jupyter_gpu_kernels.models import EnvironmentKind
from jupyter_gpu_kernels.prefix.cache import cache_root
from jupyter_gpu_kernels.prefix.layout import Layout

CONDA, VIRTUALENV = EnvironmentKind.CONDA, EnvironmentKind.VIRTUALENV


def conda(prefix: Path, version: str = "3.12.4") -> Path:
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / f"python-{version}-h5f2_0_cpython.json").touch()
    (prefix / "conda-meta" / "python-dateutil-2.9-0.json").touch()
    return prefix


def virtualenv(prefix: Path, settings: str = "version_info = 3.12.4\n") -> Path:
    prefix.mkdir(parents=True)
    (prefix / "pyvenv.cfg").write_text(settings)
    return prefix


def test_an_environment_is_recognised_by_its_marker(tmp_path: Path) -> None:
    assert Layout.of_prefix(conda(tmp_path / "a"), "linux") == Layout(tmp_path / "a", CONDA, "linux")
    assert Layout.of_prefix(virtualenv(tmp_path / "b"), "linux") == Layout(tmp_path / "b", VIRTUALENV, "linux")


@pytest.mark.parametrize("made", [True, False])
def test_what_is_no_environment_is_refused(tmp_path: Path, made: bool) -> None:
    prefix = tmp_path / "c"
    if made:
        prefix.mkdir()
    with pytest.raises(BrokenEnvironmentError, match="is no environment" if made else "does not exist"):
        Layout.of_prefix(prefix)


@pytest.mark.parametrize("place", ["bin/python", "Scripts/python.exe", "python.exe"])
def test_an_interpreter_leads_to_its_environment_and_links_are_not_followed(tmp_path: Path, place: str) -> None:
    prefix = virtualenv(tmp_path / "env")
    (prefix / place).parent.mkdir(exist_ok=True)
    (prefix / place).symlink_to("/usr/bin/python3")
    assert Layout.of_interpreter(prefix / place).prefix == prefix


@pytest.mark.parametrize(
    ("kind", "platform", "python", "scripts"),
    [
        (CONDA, "linux", "bin/python", "bin"),
        (VIRTUALENV, "linux", "bin/python", "bin"),
        (CONDA, "darwin", "bin/python", "bin"),
        (CONDA, "win32", "python.exe", "Scripts"),
        (VIRTUALENV, "win32", "Scripts/python.exe", "Scripts"),
    ],
)
def test_interpreter_and_scripts_of_each_platform(
    kind: EnvironmentKind, platform: str, python: str, scripts: str
) -> None:
    layout = Layout(Path("/e"), kind, platform)
    assert (layout.python, layout.bin) == (Path("/e", python), Path("/e", scripts))


def test_conda_on_windows_has_many_directories_of_executables() -> None:
    directories = Layout(Path("/e"), CONDA, "win32").executable_directories()
    assert [path.relative_to("/e").as_posix() for path in directories] == [
        ".",
        "Library/mingw-w64/bin",
        "Library/usr/bin",
        "Library/bin",
        "Scripts",
        "bin",
    ]
    assert Layout(Path("/e"), VIRTUALENV, "win32").executable_directories() == (Path("/e/Scripts"),)


def test_package_directories_are_those_of_the_own_python(tmp_path: Path) -> None:
    prefix = conda(tmp_path / "a", "3.10.9")
    for name in ("python3.10", "python3.9"):
        (prefix / "lib" / name / "site-packages").mkdir(parents=True)
    (prefix / "lib" / "python3.1").symlink_to("python3.10")
    layout = Layout(prefix, CONDA, "linux")
    assert layout.python_version() == "3.10.9"
    assert layout.site_packages() == [prefix / "lib" / "python3.10" / "site-packages"]


def test_free_threaded_python_has_its_own_directory(tmp_path: Path) -> None:
    prefix = virtualenv(tmp_path / "a", "version_info = 3.14.0\n")
    (prefix / "lib" / "python3.14t" / "site-packages").mkdir(parents=True)
    assert Layout(prefix, VIRTUALENV, "linux").site_packages() == [prefix / "lib/python3.14t/site-packages"]


@pytest.mark.parametrize(
    ("settings", "version"),
    [
        ("version_info = 3.12.4.final.0\n", "3.12.4"),
        ("version = 3.11.7\n", "3.11.7"),
        ("home = /usr/bin\n", None),
        ("", None),
    ],
)
def test_the_version_of_a_virtual_environment(tmp_path: Path, settings: str, version: str | None) -> None:
    assert Layout(virtualenv(tmp_path / "a", settings), VIRTUALENV).python_version() == version


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/home/kay"}, "/home/kay/.local/lib/python3.12/site-packages"),
        ({"HOME": "/home/kay", "PYTHONUSERBASE": ""}, "/home/kay/.local/lib/python3.12/site-packages"),
        ({"HOME": "/home/kay", "PYTHONUSERBASE": "/base"}, "/base/lib/python3.12/site-packages"),
        ({}, None),
    ],
)
def test_where_the_user_s_own_packages_are(tmp_path: Path, environ: dict[str, str], expected: str | None) -> None:
    found = Layout(conda(tmp_path / "a"), CONDA, "linux").user_site(environ)
    assert found == (Path(expected) if expected else None)


def test_only_a_virtual_environment_that_sees_the_system_sees_the_user_s_own_packages(tmp_path: Path) -> None:
    environ = {"HOME": "/home/kay"}
    assert Layout(virtualenv(tmp_path / "a"), VIRTUALENV, "linux").user_site(environ) is None
    prefix = virtualenv(tmp_path / "b", "version_info = 3.14.0\ninclude-system-site-packages = true\n")
    (prefix / "lib" / "python3.14t" / "site-packages").mkdir(parents=True)
    found = Layout(prefix, VIRTUALENV, "linux").user_site(environ)
    assert found == Path("/home/kay/.local/lib/python3.14t/site-packages")


def test_an_empty_prefix_has_nothing(tmp_path: Path) -> None:
    for platform in ("linux", "win32"):
        layout = Layout(tmp_path, CONDA, platform)
        assert (layout.site_packages(), layout.python_version()) == ([], None)


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "~/.cache"),
        ("linux", {}, "~/.cache"),
        ("darwin", {"XDG_CACHE_HOME": "/x"}, "~/Library/Caches"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l"),
        ("win32", {}, "~/AppData/Local"),
    ],
)
def test_the_cache_is_where_each_platform_keeps_caches(platform: str, environ: dict[str, str], expected: str) -> None:
    assert cache_root(environ, platform) == Path(expected).expanduser() / "jupyter-gpu-kernels"
