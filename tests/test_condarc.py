"""Where conda's configuration lies, and what of it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.conda import bypass, proxies
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


def layered(tmp_path: Path, key: str, *texts: str) -> object:
    """What comes of a key of which /etc/conda/.condarc, ~/.conda/condarc and ~/.condarc say something."""
    places = ("root/etc/conda/.condarc", "home/.conda/condarc", "home/.condarc")
    for place, text in zip(places, texts, strict=False):
        write(tmp_path / place, text)
    merged = read_condarc({}, home=tmp_path / "home", root=tmp_path / "root").merged
    return merged.mapping(key) or merged.of(key, None)


# As in conda's own documentation and tests of marks, told anew.
@pytest.mark.parametrize(
    ("key", "texts", "expected"),
    [
        ("channels", ("channels: [a, b]", "channels: [c]", "channels: [b, d]"), ("b", "d", "c", "a")),
        ("channels", ("channels:\n  - a  #!top\n  - b\n", "channels: [c]"), ("a", "c", "b")),
        ("channels", ("channels:\n  - a #!bottom\n", "channels: [a, c]", "channels: [d]"), ("d", "c", "a")),
        ("channels", ("channels:\n  - a #!bottom\n", "channels:\n  - b #!bottom\n  - c\n"), ("c", "b", "a")),
        ("channels", ("channels:\n  - a #!top\n", "channels:\n  - b #!top\n  - c\n"), ("a", "b", "c")),
        ("channels", ("channels: #!final\n  - a\n", "channels: [b]", "channels: [c]"), ("a",)),
        ("channels", ("channels: [a]", "channels: [b] #!final", "channels: [c]"), ("b", "a")),
        ("channels", ("channels: ['a #!final']", "channels: [b]"), ("b", "a #!final")),
        ("ssl_verify", ("ssl_verify: /lab.pem #!final", "ssl_verify: false"), "/lab.pem"),
        ("ssl_verify", ("ssl_verify: /lab.pem # !final", "ssl_verify: false"), False),
        ("ssl_verify", ("ssl_verify: /lab.pem # for the lab", "verify_ssl: /mine.pem"), "/mine.pem"),
        (
            "custom_channels",
            (
                "custom_channels:\n  a: https://a #!final\n  b: https://b\n",
                "custom_channels: {a: https://x, b: https://y}",
            ),
            {"a": "https://a", "b": "https://y"},
        ),
        (
            "proxy_servers",
            ("proxy_servers: #!final\n  http: http://p\n", "proxy_servers: {http: http://x, https: http://y}"),
            {"http": "http://p"},
        ),
        (
            "custom_multichannels",
            ("custom_multichannels: {ours: [a]}", "custom_multichannels: {ours: [b], mine: c}"),
            {"ours": ("b", "a"), "mine": ("c",)},
        ),
        ("pkgs_dirs", ("pkgs_dirs: [/a]", "pkgs_dirs: [/b]"), ("/b", "/a")),
        ("denylist_channels", ("denylist_channels: [a]", "denylist_channels: [b]"), ("b", "a")),
    ],
)
def test_sources_are_merged_as_conda_merges_them(
    tmp_path: Path, key: str, texts: tuple[str, ...], expected: object
) -> None:
    assert layered(tmp_path, key, *texts) == expected


def test_a_final_word_is_heard_before_variables_and_who_is_not_heard_is_told(tmp_path: Path) -> None:
    system, user = tmp_path / "root/etc/conda/.condarc", tmp_path / "home/.condarc"
    found = read(
        tmp_path,
        {"CONDA_CHANNELS": "mine", "CONDA_CHANNEL_PRIORITY": "disabled", "CONDA_PKGS_DIRS": "/fast"},
        system="channels: [lab]  #!final\nchannel_priority: strict\nallowlist_channels: [lab]\n",
        user="channels: [other]\nchannel_priority: strict\n",
    )
    assert found.channels == ("lab",)
    said = found.merged.said["channels", ""]
    assert (said.sources, said.overridden) == ((str(system),), (str(user), "CONDA_CHANNELS"))
    said = found.merged.said["channel_priority", ""]
    assert (said.value, said.sources, said.overridden) == (
        "disabled",
        ("CONDA_CHANNEL_PRIORITY",),
        (str(system), str(user)),
    )
    assert found.pkgs_dirs == (Path("/fast"),)


def test_mirrored_channels_say_where_a_channel_is_and_who_stands_in_for_it(tmp_path: Path) -> None:
    text = "mirrored_channels:\n  lab: [https://a.example.org/x/, https://b.example.org/y]\n  one: [https://c.example.org]\n"
    settings = read(
        tmp_path, user=f"channels: [lab/label/dev, one]\nchannel_alias: https://z.example.org\n{text}"
    ).settings
    assert [channel.location for channel in settings.resolved()] == [
        "https://a.example.org/x/label/dev",
        "https://c.example.org",
    ]
    assert settings.mirrors == {"https://a.example.org/x": ("https://a.example.org/x", "https://b.example.org/y")}


def test_what_would_change_the_way_and_cannot_be_done_is_said(tmp_path: Path) -> None:
    (warning,) = read(tmp_path, user="client_ssl_cert: /me.pem\noffline: false\n1: c\n").warnings
    assert warning == (
        f"In the file {tmp_path / 'home/.condarc'} the key client_ssl_cert does not count: client certificates cannot "
        "be used here; ask for a token or a password instead."
    )


@pytest.mark.parametrize(
    ("url", "config", "mirror"),
    [
        ("https://x.example.org/lab", "custom_channels: {lab: https://m.example.org}", "https://m.example.org/lab"),
        (
            "https://x.example.org/t/tk/lab/label/dev",
            "custom_channels: {lab: https://m.example.org}",
            "https://m.example.org/lab/label/dev",
        ),
        (
            "https://x.example.org/conda-forge/",
            "channel_alias: https://m.example.org",
            "https://m.example.org/conda-forge",
        ),
        ("https://x.example.org/lab", "mirrored_channels: {lab: [https://m.example.org/l]}", "https://m.example.org/l"),
        (
            "https://x.example.org/lab",
            "custom_multichannels: {lab: [https://m.example.org/l]}",
            "https://m.example.org/l",
        ),
        # Somebody's own channel, the mirror's own server, names, and files.
        ("https://x.example.org/own", "channel_alias: https://m.example.org", ""),
        ("https://m.example.org/other/lab", "custom_channels: {lab: https://m.example.org}", ""),
        ("lab", "custom_channels: {lab: https://m.example.org}", ""),
        ("file:///srv/lab", "custom_channels: {lab: https://m.example.org}", ""),
        (
            "https://x.example.org/lab",
            "mirrored_channels: {lab: [https://m.example.org/l, https://x.example.org/lab]}",
            "",
        ),
    ],
)
def test_a_url_that_goes_past_a_mirror_is_noticed(tmp_path: Path, url: str, config: str, mirror: str) -> None:
    found = list(bypass.bypasses(read(tmp_path, user=config).settings_for([url])))
    assert [there for _, _, there in found] == ([mirror] if mirror else [])
