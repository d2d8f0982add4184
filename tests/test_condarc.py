"""Where conda's configuration lies, and what of it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.conda import proxies
from jupyter_gpu_kernels.build.conda.condarc import Condarc, read_condarc
from jupyter_gpu_kernels.build.conda.configuration.places import candidates
from jupyter_gpu_kernels.errors import RefusedError


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def read(tmp_path: Path, environ: dict[str, str] | None = None, **files: str) -> Condarc:
    """Read a made-up machine; ``user`` is ~/.condarc, ``system`` is /etc/conda/.condarc."""
    places = {"user": "home/.condarc", "system": "root/etc/conda/.condarc"}
    for name, text in files.items():
        write(tmp_path / places[name], text)
    return read_condarc(environ or {}, home=tmp_path / "home", root=tmp_path / "root")


def test_without_any_file_the_channel_is_conda_forge(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.channels, found.configured, found.envs_dirs, found.files) == (("conda-forge",), False, (), ())


def test_files_are_found_in_condas_order(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    wanted = [
        write(root / "etc/conda/.condarc", ""),
        write(root / "etc/conda/condarc.d/lab.yml", ""),
        write(root / "var/lib/conda/condarc", ""),
        write(tmp_path / "conda/.condarc", ""),
        write(tmp_path / "xdg/conda/.condarc", ""),
        write(home / ".config/conda/condarc", ""),
        write(home / ".conda/condarc", ""),
        write(home / ".condarc", ""),
        write(tmp_path / "active/.condarc", ""),
        write(tmp_path / "named", ""),
    ]
    write(root / "etc/conda/condarc.d/notes.txt", "")
    environ = {
        "CONDA_EXE": str(tmp_path / "conda/bin/conda"),
        "XDG_CONFIG_HOME": str(tmp_path / "xdg"),
        "CONDA_PREFIX": str(tmp_path / "active"),
        "CONDARC": str(tmp_path / "named"),
    }
    assert candidates(environ, home=home, root=root, windows=False) == wanted


def test_on_windows_the_system_file_lies_in_program_data(tmp_path: Path) -> None:
    file = write(tmp_path / "ProgramData/conda/.condarc", "")
    assert candidates({}, home=tmp_path / "home", root=tmp_path, windows=True) == [file]


def test_an_active_base_environment_is_read_once_and_late(tmp_path: Path) -> None:
    base, user = write(tmp_path / "conda/.condarc", ""), write(tmp_path / "home/.condarc", "")
    environ = {"CONDA_ROOT": str(base.parent), "CONDA_PREFIX": str(base.parent)}
    assert candidates(environ, home=tmp_path / "home", root=tmp_path, windows=False) == [user, base]


def test_lists_are_joined_and_the_user_comes_first(tmp_path: Path) -> None:
    found = read(tmp_path, system="channels: [lab, conda-forge]", user="channels:\n  - mine\n  - conda-forge\n")
    assert found.channels == ("mine", "conda-forge", "lab")
    assert found.configured


def test_the_last_scalar_counts(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        system="channel_alias: https://mirror.example.org/conda\nssl_verify: false\nchannel_priority: strict",
        user="ssl_verify: /etc/lab.pem\nchannel_priority: disabled\n",
    )
    settings = found.settings
    assert settings.channel_alias == "https://mirror.example.org/conda"
    assert (settings.ssl_verify, settings.priority) == ("/etc/lab.pem", "disabled")


def test_channels_resolve_through_mirrors(tmp_path: Path) -> None:
    text = """
channels: [lab, conda-forge, defaults]
channel_alias: https://mirror.example.org/conda
custom_channels: {lab: "https://lab.example.org"}
default_channels: ["https://mirror.example.org/main"]
proxy_servers: {https: "http://user:secret@proxy:3128", "http://only.example.org": "http://other"}
envs_dirs: [~/envs, /scratch/envs]
"""
    found = read(tmp_path, user=text)
    assert [channel.location for channel in found.settings.resolved()] == [
        "https://lab.example.org/lab",
        "https://mirror.example.org/conda/conda-forge",
        "https://mirror.example.org/main",
    ]
    assert proxies.schemes(found.settings) == {"https": "http://user:secret@proxy:3128"}
    assert found.envs_dirs == (tmp_path / "home/envs", Path("/scratch/envs"))


def test_environment_variables_stand_in_values_and_overrule_files(tmp_path: Path) -> None:
    environ = {"TOKEN": "s3cret", "CONDA_CHANNELS": "first,second", "CONDA_ENVS_PATH": "/fast/envs"}
    environ["CONDA_SSL_VERIFY"] = "false"
    found = read(tmp_path, environ, user='channels: ["https://x.example.org/t/${TOKEN}/lab", "https://$UNSET/y"]')
    assert found.channels == ("first", "second", "https://x.example.org/t/s3cret/lab", "https://$UNSET/y")
    assert found.envs_dirs == (Path("/fast/envs"),)
    assert found.settings.ssl_verify is False


@pytest.mark.parametrize(
    ("text", "word"),
    [("channels: [unclosed", "not valid YAML"), ("just a sentence", "no keys"), ("\x00", "not valid YAML")],
)
def test_a_broken_file_is_named_and_the_others_count(tmp_path: Path, text: str, word: str) -> None:
    found = read(tmp_path, system="channels: [lab]", user=text)
    assert found.channels == ("lab",)
    assert len(found.warnings) == 1
    assert str(tmp_path / "home/.condarc") in found.warnings[0]
    assert word in found.warnings[0]


@pytest.mark.parametrize("line", ["channels: {a: b}", "custom_channels: [a]", "channel_alias: [x]", "channels: [1]"])
def test_a_key_of_a_wrong_type_is_named_and_the_others_count(tmp_path: Path, line: str) -> None:
    found = read(tmp_path, user=f"{line}\nenvs_dirs: [/envs]\n")
    assert found.envs_dirs == (Path("/envs"),)
    assert len(found.warnings) == 1
    assert line.partition(":")[0] in found.warnings[0]


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    found = read(tmp_path, user="channels: !!python/object/apply:os.system ['touch pwned']")
    assert "not valid YAML" in found.warnings[0]


def test_a_channel_that_was_asked_for_replaces_the_configured_ones(tmp_path: Path) -> None:
    found = read(tmp_path, user="channels: [lab]\nchannel_alias: https://mirror.example.org\n")
    settings = found.settings_for(["https://other.example.org/x"])
    assert settings.channels == ("https://other.example.org/x",)
    assert settings.channel_alias == "https://mirror.example.org"


@pytest.mark.parametrize(
    "rule", ["allowlist_channels: [lab]", "denylist_channels: [evil]", "whitelist_channels: [lab]"]
)
def test_the_administrators_lists_are_obeyed(tmp_path: Path, rule: str) -> None:
    found = read(tmp_path, system=rule, user="channels: [lab]")
    assert found.settings_for().channels == ("lab",)
    with pytest.raises(RefusedError, match="does not allow the channel evil"):
        found.settings_for(["evil"])
