"""What is effective of channels and indexes, who says so, and switching to a mirror and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from manager import FRAMEWORKS, make_manager
from tornado.httpclient import HTTPClientError, HTTPResponse

from jupyter_gpu_kernels.build.channels.mirrors import read_mirrors
from jupyter_gpu_kernels.build.wheels.pipconfig import Machine
from jupyter_gpu_kernels.cli.arguments import parse
from jupyter_gpu_kernels.cli.exits import Exit
from jupyter_gpu_kernels.cli.run import run
from jupyter_gpu_kernels.errors import ConflictError, NotFoundError
from jupyter_gpu_kernels.models import ChannelsReport, ConfiguredValue, EnvironmentSpec, MirrorChoice, to_json
from jupyter_gpu_kernels.serve.channels import Network

LAB = """
title = "The lab"
index = "https://mirror.example.org/pypi/simple/"

[channels]
conda-forge = "https://mirror.example.org/conda/conda-forge"
main = "https://mirror.example.org/anaconda/main"
ours = "https://mirror.example.org/own"
"""


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No index, proxy or certificate but those of the test."""
    here = Machine.here()
    monkeypatch.setattr(Machine, "here", lambda: replace(here, root=tmp_path / "root", prefix=tmp_path / "prefix"))
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "SSL_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def network(**traits: object) -> Network:
    return make_manager("", Path(), **{"channels": [], **traits}).network


def mirror_file(text: str, name: str = "lab.toml") -> Path:
    file = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "gpu-kernels" / "mirrors" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def condarc(text: str) -> Path:
    file = Path.home() / ".condarc"
    file.write_text(text)
    return file


def chosen_file() -> Path:
    return Path.home() / ".conda" / "condarc.d" / "jupyter-gpu-kernels.yml"


def value(report: ChannelsReport, tool: str, key: str) -> ConfiguredValue:
    (found,) = [item for item in report.values if (item.tool, item.key) == (tool, key)]
    return found


def used(report: ChannelsReport) -> list[str]:
    return [mirror.id for mirror in report.mirrors if mirror.used]


async def test_where_nothing_is_configured_the_defaults_are_said_to_be_in_force() -> None:
    report = await network().channels()
    assert report == ChannelsReport(
        channels=(("conda-forge", ""),),
        values=(ConfiguredValue(tool="gpu-kernels", key="channels", value="conda-forge", source="default"),),
    )


async def test_every_value_in_force_comes_with_who_says_it_and_who_is_not_heard(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rc = condarc(
        "channels: [lab]\ncustom_channels: {lab: 'https://ada:s3cret@lab.example.org/t/tok3n'}\nssl_verify: /lab.pem\n"
        "proxy_servers: {https: 'http://ada:s3cret@proxy.example.org:3128'}\n"
    )
    monkeypatch.setenv("CONDA_SSL_VERIFY", "/mine.pem")
    monkeypatch.setenv("https_proxy", "http://ada:s3cret@other.example.org:3128")
    pip = Path.home() / ".config" / "pip" / "pip.conf"
    pip.parent.mkdir(parents=True)
    pip.write_text(
        "[global]\nindex-url = https://ada:s3cret@a.example.org/simple\nextra-index-url =\n  https://b.example.org\n"
    )
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://c.example.org/simple")
    report = await network().channels()
    assert report.channels == (("lab", "https://***@lab.example.org/t/***/lab"),)
    assert report.indexes == ("https://b.example.org", "https://c.example.org/simple")
    said = value(report, "conda", "ssl_verify")
    assert (said.value, said.source, said.overridden) == ("/mine.pem", "CONDA_SSL_VERIFY", (str(rc),))
    assert value(report, "conda", "custom_channels.lab").value == "https://***@lab.example.org/t/***"
    said = value(report, "environment", "UV_DEFAULT_INDEX")
    assert (said.value, said.overridden) == ("https://c.example.org/simple", (str(pip),))
    assert value(report, "pip", "extra-index-url").source == str(pip)
    assert value(report, "environment", "https_proxy").value == "http://***@other.example.org:3128"
    assert report.warnings == (
        f"Channels are asked through the proxy http://***@proxy.example.org:3128 of {rc}, and package indexes through "
        "http://***@other.example.org:3128 of the variable https_proxy.",
    )
    assert "s3cret" not in json.dumps(to_json(report))
    # What is configured for GPU kernels alone goes before all that.
    said = value(await network(channels=["mine"]).channels(), "gpu-kernels", "channels")
    assert (said.value, said.source, said.overridden) == ("mine", "GpuKernelsManager.channels", (str(rc),))


async def test_uvs_own_file_is_heard_before_pips(tmp_path: Path) -> None:
    uv, pip = Path.home() / ".config" / "uv" / "uv.toml", Path.home() / ".config" / "pip" / "pip.conf"
    for file, text in (
        (uv, 'keyring-provider = "subprocess"\n[[index]]\nurl = "https://u.example.org/simple"\ndefault = true\n'),
        (pip, "[global]\nindex-url = https://p.example.org/simple\n"),
    ):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    report = await network().channels()
    assert report.indexes == ("https://u.example.org/simple",)
    said = value(report, "uv", "index")
    assert (said.value, said.source, said.overridden) == ("https://u.example.org/simple", str(uv), (str(pip),))
    assert value(report, "uv", "keyring-provider").value == "subprocess"


async def test_files_that_cannot_be_read_and_channels_that_are_forbidden_are_told() -> None:
    rc = condarc("channels: [lab]\ndenylist_channels: [lab]\n")
    (Path.home() / ".conda").mkdir()
    broken = Path.home() / ".conda" / ".condarc"
    broken.write_text("channels: [")
    pip = Path.home() / ".pip" / "pip.conf"
    pip.parent.mkdir()
    pip.write_text("nonsense\n")
    first, second, third = (await network().channels()).warnings
    assert first == f"The file {broken} is not valid YAML in line 1 and is left out."
    assert second.startswith(f"The file {pip} cannot be read and is left out: ")
    assert third.startswith("The configuration of conda on this machine does not allow the channel lab. ")
    assert value(await network().channels(), "conda", "denylist_channels").source == str(rc)


async def test_a_mirror_is_taken_by_choice_alone_and_left_again() -> None:
    file = mirror_file(LAB)
    rc = condarc("channels: [conda-forge, defaults, ours/label/dev]\n")
    before = await network().channels()
    assert used(before) == []
    assert [(mirror.id, mirror.title, mirror.source) for mirror in before.mirrors] == [("lab", "The lab", str(file))]
    after = await network().use(MirrorChoice(mirror="lab"))
    assert used(after) == ["lab"]
    assert after.warnings == ()
    # What conda is told is in conda's words, in a file of our own that conda reads.
    assert yaml.safe_load(chosen_file().read_text()) == {
        "custom_channels": {
            "conda-forge": "https://mirror.example.org/conda",
            "main": "https://mirror.example.org/anaconda",
        },
        "custom_multichannels": {"ours": ["https://mirror.example.org/own"]},
        "default_channels": ["https://mirror.example.org/anaconda/main"],
    }
    assert after.channels[:2] == (
        ("conda-forge", "https://mirror.example.org/conda/conda-forge"),
        ("https://mirror.example.org/anaconda/main", "https://mirror.example.org/anaconda/main"),
    )
    assert after.indexes == ("https://mirror.example.org/pypi/simple",)
    assert value(after, "conda", "custom_channels.conda-forge").source == str(chosen_file())
    assert value(after, "gpu-kernels", "index").value == "https://mirror.example.org/pypi/simple"
    assert rc.read_text() == "channels: [conda-forge, defaults, ours/label/dev]\n"
    assert await network().use(MirrorChoice()) == before
    assert not chosen_file().exists()
    assert not any(file.is_file() for file in Path(os.environ["JUPYTER_CONFIG_DIR"], "gpu-kernels").glob("*"))
    # Who has chosen nothing has nothing to leave.
    assert await network().use(MirrorChoice()) == before


async def test_who_overrules_a_mirror_that_was_chosen_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror_file(LAB)
    rc = condarc(
        "channels: [conda-forge, 'https://direct.example.com/main']\n"
        "custom_channels: {conda-forge: 'https://other.example.org'}\n"
    )
    monkeypatch.setenv("PIP_INDEX_URL", "https://mine.example.org/simple")
    report = await network().use(MirrorChoice(mirror="lab"))
    assert used(report) == []
    assert report.warnings == (
        "The channel https://direct.example.com/main goes past the configured mirror "
        "https://mirror.example.org/anaconda/main: ask for main, without a URL, to have it from there.",
        f"conda-forge is not taken from the mirror The lab: custom_channels in {rc} says otherwise, and is heard "
        "first.",
        "None of the channels in force (conda-forge, https://direct.example.com/main) is taken from the mirror The "
        "lab: name one of conda-forge, main, ours.",
        "The package index of the mirror The lab is not in force: the variable PIP_INDEX_URL names another one.",
    )
    assert value(report, "conda", "custom_channels.conda-forge").overridden == (str(chosen_file()),)
    assert value(report, "pip", "index-url").overridden != ()


async def test_a_file_that_has_the_final_word_is_named() -> None:
    mirror_file("[channels]\nconda-forge = 'https://mirror.example.org/conda/conda-forge'")
    rc = Path.home() / ".conda" / ".condarc"
    rc.parent.mkdir()
    rc.write_text("custom_channels: #!final\n  lab: https://other.example.org\n")
    warning = (await network().use(MirrorChoice(mirror="lab"))).warnings[0]
    assert warning == (
        f"conda-forge is not taken from the mirror lab: custom_channels in {rc} is marked final, so that no file after "
        "it is heard."
    )


async def test_a_mirror_for_conda_packages_alone_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror_file(LAB)
    condarc("channel_alias: https://mirror.example.org/conda\n")
    (warning,) = (await network().channels()).warnings
    assert warning == (
        "Conda packages are taken from the mirror The lab, and Python packages are not: its index is "
        "https://mirror.example.org/pypi/simple."
    )
    condarc("")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example.org/pypi/simple")
    assert (await network().channels()).warnings == (
        "Python packages are taken from the mirror The lab, and conda packages are not.",
    )


async def test_a_choice_that_cannot_be_made_or_kept_is_said_plainly() -> None:
    with pytest.raises(NotFoundError, match="There is no mirror") as caught:
        await network().use(MirrorChoice(mirror="../lab"))
    assert "gpu-kernels/mirrors" in caught.value.cure
    file = mirror_file(LAB)
    (Path.home() / ".conda").write_text("in the way")
    with pytest.raises(ConflictError, match="cannot be written"):
        await network().use(MirrorChoice(mirror="lab"))
    (Path.home() / ".conda").unlink()
    await network().use(MirrorChoice(mirror="lab"))
    file.unlink()
    (warning,) = (await network().channels()).warnings
    assert warning.startswith("The mirror lab was chosen here and is still in force")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title = ", "not valid TOML"),
        ("a = " + "[" * 5000, "not valid TOML"),
        ("x" * 300_000, "longer than 256 kB"),
        ("title = 'T'", "neither channels nor an index"),
        ("index = 'https://m.example.org/s'\nid = '../../evil'", "its id must be"),
        ("index = 'https://m.example.org/s'\ntitle = \"a\\u001b[2Jb\"", "its title must be"),
        ("index = 'file:///etc/passwd'", "must begin with https://"),
        ("index = '--extra-index-url=https://m.example.org'", "must begin with https://"),
        ('index = "https://m.example.org/s\\nproxy_servers: {}"', "must begin with https://"),
        ("index = 'https://m.example.org/${HOME}'", "must begin with https://"),
        ("index = 'https://m.example.org:many/s'", "no address"),
        ("index = 'https://ada:pw@m.example.org/s'", "has a password or a token in it"),
        ("[channels]\nlab = 'https://m.example.org/t/tok3n/lab'", "has a password or a token in it"),
        ("[channels]\nlab = 3", "the address of lab"),
        ("[channels]\n'../lab' = 'https://m.example.org/lab'", "its channels must be names"),
        ("[channels]\n'--lab' = 'https://m.example.org/lab'", "its channels must be names"),
        ("channels = ['lab']", "its channels must be names"),
        ("index = 'https://m.example.org/s'\nsolver = 'evil'", "a key that nobody knows, 'solver'"),
    ],
)
def test_a_mirror_file_that_is_wrong_is_left_out_and_named(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    (tmp_path / "good.toml").write_text("index = 'https://m.example.org/simple'")
    warnings: list[str] = []
    assert [mirror.id for mirror in read_mirrors([tmp_path], warnings)] == ["good"]
    (warning,) = warnings
    assert warning.startswith(f"The mirror file {tmp_path / 'bad.toml'} is left out: ")
    assert reason in warning
    assert warning.isprintable()


def test_what_is_no_file_keeps_nobody_waiting_and_the_first_of_two_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for directory, title in ((first, "mine"), (second, "theirs")):
        directory.mkdir()
        (directory / "lab.toml").write_text(f"title = '{title}'\nindex = 'https://m.example.org/simple'")
    if sys.platform != "win32":
        os.mkfifo(first / "pipe.toml")
    (first / "dangling.toml").symlink_to(tmp_path / "nowhere")
    (first / "binary.toml").write_bytes(b"\xff\xfe")
    warnings: list[str] = []
    assert [mirror.title for mirror in read_mirrors([first, second, tmp_path / "none"], warnings)] == ["mine"]
    assert len(warnings) == (3 if sys.platform != "win32" else 2)


async def test_a_plan_says_that_a_channel_goes_past_a_mirror(channel: str, caches: object, tmp_path: Path) -> None:
    condarc("custom_channels: {lab: 'https://mirror.example.org/conda'}\n")
    manager = make_manager("", tmp_path, channels=[], catalogue_dirs=[str(FRAMEWORKS)])
    plan = await manager.plan(EnvironmentSpec(name="warp", framework="warpdrive", channels=(channel,)))
    assert [warning for warning in plan.warnings if "past" in warning] == [
        f"The channel {channel} goes past the configured mirror https://mirror.example.org/conda/lab: ask for lab, "
        "without a URL, to have it from there."
    ]


async def test_rest_reports_and_switches(jp_fetch: Callable[..., Awaitable[HTTPResponse]]) -> None:
    mirror_file(LAB)

    async def asked(method: str = "GET", **options: object) -> dict[str, object]:
        answer = await jp_fetch("jupyter-gpu-kernels", "channels", method=method, **options)
        found: dict[str, object] = json.loads(answer.body)
        return found

    assert (await asked())["channels"] == [["conda-forge", ""]]
    report = await asked("PUT", body='{"mirror": "lab"}')
    assert report["channels"] == [["conda-forge", "https://mirror.example.org/conda/conda-forge"]]
    report = await asked("PUT", body='{"mirror": null}')
    assert report["measured"] == []
    for body, status in (('{"mirror": "nowhere"}', 404), ('{"mirror": 3}', 400), ('{"mirrors": "lab"}', 400)):
        with pytest.raises(HTTPClientError) as caught:
            await asked("PUT", body=body)
        assert caught.value.code == status


def test_the_command_line_reports_and_switches(capsys: pytest.CaptureFixture[str]) -> None:
    def call(*words: str) -> tuple[int, str, str]:
        code = run(*parse(["channels", *words]))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    file = mirror_file(LAB)
    code, out, _ = call()
    assert code == Exit.DONE
    assert f"no    lab     The lab  {file}" in out
    code, out, _ = call("use", "lab", "--json")
    assert json.loads(out)["mirrors"][0]["used"] is True
    code, out, _ = call("reset")
    assert "no    lab" in out
    for words, wanted in ((("use",), Exit.USAGE), (("reset", "lab"), Exit.USAGE), (("use", "x"), Exit.NOT_FOUND)):
        code, out, err = call(*words)
        assert (code, out) == (wanted, "")
        assert err


def test_no_mirror_is_known_before_somebody_names_one() -> None:
    assert read_mirrors([], []) == ()


def test_reading_the_configuration_needs_neither_rattler_nor_uv() -> None:
    code = (
        "import sys, jupyter_gpu_kernels.serve.manager as m\n"
        "assert not [name for name in sys.modules if 'build.channels' in name or name in ('rattler', 'uv')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
