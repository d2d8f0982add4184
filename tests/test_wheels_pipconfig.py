"""pip's configuration, as uv gets to see it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.wheels import chosen
from jupyter_gpu_kernels.build.wheels.pipconfig import (
    Machine,
    config_files,
    no_index,
    pip_options,
    pip_words,
    uv_variables,
)
from jupyter_gpu_kernels.build.wheels.uv import Uv, prepare


def machine(tmp_path: Path, platform: str = "linux") -> Machine:
    return Machine(platform=platform, home=tmp_path / "home", prefix=tmp_path / "prefix", root=tmp_path / "root")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        ({}, {}, {}),
        ({"index-url": "https://mirror/simple"}, {}, {"UV_DEFAULT_INDEX": "https://mirror/simple"}),
        ({"index-url": "https://mirror/simple"}, {"UV_INDEX_URL": "https://mine"}, {}),
        (
            {"extra-index-url": "https://a/simple\nhttps://b/simple"},
            {},
            {"UV_INDEX": "https://a/simple https://b/simple", "UV_INDEX_STRATEGY": "unsafe-best-match"},
        ),
        (
            {"extra-index-url": "https://a/simple"},
            {"UV_INDEX_STRATEGY": "first-index"},
            {"UV_INDEX": "https://a/simple"},
        ),
        ({"extra-index-url": "https://a/simple"}, {"UV_EXTRA_INDEX_URL": "https://mine"}, {}),
        ({"find-links": "/wheels https://c/links"}, {}, {"UV_FIND_LINKS": "/wheels,https://c/links"}),
        ({"trusted-host": "a b:8080"}, {}, {"UV_INSECURE_HOST": "a b:8080"}),
        ({"cert": "/etc/ca.pem"}, {}, {"SSL_CERT_FILE": "/etc/ca.pem"}),
        ({"cert": "/etc/ca.pem"}, {"SSL_CERT_DIR": "/etc/certs"}, {}),
        ({"client-cert": "/me.pem"}, {}, {"SSL_CLIENT_CERT": "/me.pem"}),
        ({"timeout": "180"}, {}, {"UV_HTTP_TIMEOUT": "180"}),
        ({"timeout": "0.4"}, {}, {"UV_HTTP_TIMEOUT": "1"}),
        ({"timeout": "soon"}, {}, {}),
        ({"retries": "7"}, {"UV_HTTP_RETRIES": "1"}, {}),
        ({"proxy": "proxy.lab:3128"}, {}, {"ALL_PROXY": "http://proxy.lab:3128"}),
        ({"proxy": "http://proxy.lab:3128"}, {"https_proxy": "http://other"}, {}),
        ({"keyring-provider": "subprocess"}, {}, {"UV_KEYRING_PROVIDER": "subprocess"}),
        ({"keyring-provider": "import"}, {}, {}),
    ],
)
def test_each_option_is_told_to_uv_unless_uv_was_told_otherwise(
    options: dict[str, str], environ: dict[str, str], expected: dict[str, str]
) -> None:
    assert uv_variables(environ, options) == expected


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        (
            "linux",
            {},
            ["root/etc/xdg/pip/pip.conf", "root/etc/pip.conf", "home/.pip/pip.conf", "home/.config/pip/pip.conf"],
        ),
        (
            "darwin",
            {},
            ["root/Library/Application Support/pip/pip.conf", "home/.pip/pip.conf", "home/.config/pip/pip.conf"],
        ),
    ],
)
def test_files_lie_where_pip_documents_them(
    tmp_path: Path, platform: str, environ: dict[str, str], expected: list[str]
) -> None:
    found = config_files(environ, machine(tmp_path, platform))
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [*expected, "prefix/pip.conf"]


def test_on_windows_files_lie_in_programdata_and_appdata(tmp_path: Path) -> None:
    environ = {"PROGRAMDATA": str(tmp_path / "all"), "APPDATA": str(tmp_path / "roaming")}
    found = [path.relative_to(tmp_path).as_posix() for path in config_files(environ, machine(tmp_path, "win32"))]
    assert found == ["all/pip/pip.ini", "home/pip/pip.ini", "roaming/pip/pip.ini", "prefix/pip.ini"]


def test_a_named_file_replaces_the_users_and_the_null_device_replaces_all(tmp_path: Path) -> None:
    write(tmp_path / "mine.conf", "[global]\nindex-url = https://mine/simple\n")
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nindex-url = https://user/simple\ntimeout = 9\n")
    write(tmp_path / "root/etc/pip.conf", "[global]\nretries = 2\n")
    here = machine(tmp_path)
    assert pip_options({"PIP_CONFIG_FILE": str(tmp_path / "mine.conf")}, here) == {
        "config-file": str(tmp_path / "mine.conf"),
        "index-url": "https://mine/simple",
        "retries": "2",
    }
    assert pip_options({"PIP_CONFIG_FILE": os.devnull}, here) == {"config-file": os.devnull}


def test_the_install_section_beats_the_global_one_and_variables_beat_both(tmp_path: Path) -> None:
    write(tmp_path / "root/etc/pip.conf", "[install]\nfind-links = /site\n[global]\ntimeout = 5\nretries = 1\n")
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nfind_links = /user\nretries = 2\nproxy =\n")
    environ = {"PIP_DEFAULT_TIMEOUT": "60", "PIP_RETRIES": "", "HOME": "/x"}
    assert pip_options(environ, machine(tmp_path)) == {"find-links": "/site", "timeout": "60", "retries": "2"}


def test_a_file_that_is_no_configuration_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "root/etc/pip.conf", "no section = 1\n")
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nretries = 2\n")
    assert pip_options({}, machine(tmp_path)) == {"retries": "2"}


def test_pip_itself_reads_the_same(tmp_path: Path) -> None:
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nindex-url = https://u/simple\nretries = 2\n")
    write(tmp_path / "home/.pip/pip.conf", "[global]\nindex-url = https://legacy/simple\nproxy = http://p\n")
    environ = {"HOME": str(tmp_path / "home"), "PIP_TIMEOUT": "33", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    here = Machine(platform=sys.platform, home=tmp_path / "home", prefix=Path(sys.prefix))
    options = pip_options(environ, here)
    wanted = {"index-url": "https://u/simple", "retries": "2", "proxy": "http://p", "timeout": "33"}
    assert wanted.items() <= options.items()
    for name, value in wanted.items():
        assert f".{name}={value!r}" in listed


def test_no_index_is_an_option_of_uv_unless_an_index_is_named_for_it(tmp_path: Path) -> None:
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nno-index = yes\nfind-links = /wheels\n")
    here = machine(tmp_path)
    uv = prepare(environ={}, machine=here)
    assert uv.index_options == ("--no-index",)
    assert uv.indexes == uv.sources == ("/wheels",)
    assert prepare(environ={"UV_DEFAULT_INDEX": "https://x"}, machine=here).index_options == ()
    assert not no_index({}, {"no-index": "0"})


def test_uv_runs_undisturbed_and_reads_only_its_users_configuration(tmp_path: Path) -> None:
    here = machine(tmp_path)
    environ = {"VIRTUAL_ENV": "/v", "UV_PYTHON": "3.9", "PYTHONPATH": "/p", "RUST_LOG": "trace", "LANG": "C"}
    expected = {"LANG": "C", "PYTHONNOUSERSITE": "1", "UV_CACHE_DIR": "/c", "UV_NO_CONFIG": "1"}
    uv = prepare(environ=environ, machine=here, cache_dir=Path("/c"))
    assert dict(uv.environment) == expected | {"UV_PYTHON_DOWNLOADS": "never"}
    write(tmp_path / "home/.config/uv/uv.toml", '[[index]]\nurl = "https://mine/simple"\n')
    environ["PIP_INDEX_URL"] = "https://pips/simple"
    uv = prepare(environ=environ, machine=here, cache_dir=Path("/c"))
    assert uv.environment["UV_CONFIG_FILE"] == str(tmp_path / "home/.config/uv/uv.toml")
    assert "UV_DEFAULT_INDEX" not in uv.environment


def test_indexes_of_a_framework_are_asked_after_those_of_the_user(tmp_path: Path) -> None:
    environ = {"UV_INDEX": "https://a", "UV_EXTRA_INDEX_URL": "https://b", "UV_DEFAULT_INDEX": "https://d"}
    uv = prepare(environ=environ, machine=machine(tmp_path)).with_indexes(("https://c",))
    assert uv.indexes == ("https://a", "https://b", "https://c", "https://d")


def test_credentials_do_not_show_when_uv_is_printed(tmp_path: Path) -> None:
    uv = prepare(environ={"UV_DEFAULT_INDEX": "https://bob:s3cret@host/simple"}, machine=machine(tmp_path))
    assert "s3cret" not in repr(uv)


def test_the_default_index_is_named_beside_what_was_added_to_it() -> None:
    assert Uv(program="uv", environment={}).sources == ()
    added = {"UV_FIND_LINKS": "/wheels"}
    assert Uv(program="uv", environment=added).sources == ("the Python Package Index", "/wheels")
    own = {"UV_DEFAULT_INDEX": "https://a", **added}
    assert Uv(program="uv", environment=own).sources == ("https://a", "/wheels")


def test_the_index_that_was_chosen_here_counts_before_files_and_after_variables(tmp_path: Path) -> None:
    here = replace(machine(tmp_path), chosen=tmp_path / "index.toml")
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nindex-url = https://files.example.org/simple\n")
    assert prepare(environ={}, machine=here).indexes == ("https://files.example.org/simple",)
    write(tmp_path / "index.toml", chosen.text(chosen.Chosen("lab", 'https://lab.example.org/"quoted"/simple')))
    assert chosen.read(here.chosen).mirror == "lab"
    assert prepare(environ={}, machine=here).indexes == ('https://lab.example.org/"quoted"/simple',)
    mine = {"PIP_INDEX_URL": "https://mine.example.org/simple"}
    assert prepare(environ=mine, machine=here).indexes == ("https://mine.example.org/simple",)
    assert prepare(environ={"PIP_NO_INDEX": "1"}, machine=here).index_options == ("--no-index",)
    write(tmp_path / "index.toml", "index = [")
    assert prepare(environ={}, machine=here).indexes == ("https://files.example.org/simple",)


def test_who_says_what_of_pips_options_is_told(tmp_path: Path) -> None:
    here, told = machine(tmp_path), []
    write(tmp_path / "root/etc/pip.conf", "[global]\nindex-url = https://a.example.org\n")
    write(tmp_path / "home/.pip/pip.conf", "index-url = nowhere\n")
    found = pip_words({"PIP_INDEX_URL": "https://b.example.org", "PIP_PROXY": ""}, here, told)
    assert found == {
        "index-url": [
            (str(tmp_path / "root/etc/pip.conf"), "https://a.example.org"),
            ("PIP_INDEX_URL", "https://b.example.org"),
        ]
    }
    assert len(told) == 1
    assert str(tmp_path / "home/.pip/pip.conf") in told[0]
