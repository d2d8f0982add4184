"""The ways to packages: proxies, credentials, slow and distrusted mirrors; real servers, and each sentence is read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import forward_proxy
import pytest
import wheels_index
from channel import Server
from channel.faults import Hang, Trickle
from forward_proxy import Proxy
from manager import make_manager
from test_conda_failures import authority, encrypted  # noqa: F401 - fixtures

from jupyter_gpu_kernels.build.channels import measuring
from jupyter_gpu_kernels.build.conda.condarc import read_condarc
from jupyter_gpu_kernels.build.conda.engine import CondaEngine
from jupyter_gpu_kernels.build.conda.settings import CondaRequest
from jupyter_gpu_kernels.models import ChannelsReport, Measured, to_json

Faulty = Callable[..., Server]

#: Nobody listens there.
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No index, proxy or certificate but those of the test, and time enough for a busy machine."""
    for name in list(os.environ):
        if (name.startswith(("PIP_", "UV_", "SSL_")) and name != "UV_CACHE_DIR") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(measuring, "SECONDS", 30)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with forward_proxy.running() as made:
        yield made


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[wheels_index.Index]:
    """A package index that is in force."""
    wheels_index.make_wheel(tmp_path / "wheels", "pip")
    with wheels_index.serve(tmp_path / "wheels") as served:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("UV_DEFAULT_INDEX", served.url)
        yield served


def condarc(text: str) -> Path:
    file = Path.home() / ".condarc"
    file.write_text(text)
    return file


def netrc(password: str) -> None:
    file = Path.home() / ".netrc"
    file.write_text(f"machine 127.0.0.1 login ada password {password}\n")
    file.chmod(0o600)


def mirror(name: str, url: str, index: str = "") -> None:
    """Describe a mirror of the channel ``lab``."""
    directory = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "gpu-kernels" / "mirrors"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.toml").write_text(f'index = "{index}"\n' * bool(index) + f'[channels]\nlab = "{url}"\n')


async def measured(tmp_path: Path) -> ChannelsReport:
    """Measure everything, with what is configured."""
    return await make_manager("", tmp_path, channels=[]).network.channels(measured=True)


def only(report: ChannelsReport, kind: str = "conda") -> Measured:
    (found,) = [item for item in report.measured if item.kind == kind]
    return found


def assert_usable(found: Measured) -> None:
    assert (found.reachable, found.error, found.cure) == (True, "", "")
    assert found.seconds is not None


async def solve(tmp_path: Path) -> None:
    """Solve for a package of the configured channel, as a build would."""
    request = CondaRequest(specs=("six",), settings=read_condarc().settings_for())
    assert (await CondaEngine(cache_dir=tmp_path / "cache").solve(request)).packages


async def test_channels_and_indexes_come_through_a_proxy_which_may_want_a_password(
    channel: str, index: wheels_index.Index, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    condarc(f'channels: [{channel}]\nproxy_servers: {{http: "{proxy.url}"}}\n')
    monkeypatch.setenv("http_proxy", proxy.url)
    report = await measured(tmp_path)
    assert_usable(only(report))
    assert_usable(only(report, "pypi"))
    assert any(address.startswith(f"{channel}/noarch/repodata.json") for address in proxy.asked)
    assert f"{index.url}/pip/" in proxy.asked
    proxy.credentials = "ada:s3cret"
    report = await measured(tmp_path)
    assert only(report).error == f"The channel {channel} could not be read: the proxy wants a login."
    assert only(report).cure == "Put user and password into the proxy's URL in .condarc."
    assert only(report, "pypi").error == f"The proxy on the way to {index.host} wants a login."
    assert only(report, "pypi").cure.startswith("Put user and password into the proxy's address")
    condarc(f'channels: [{channel}]\nproxy_servers: {{http: "http://ada:s3cret@{proxy.host}"}}\n')
    monkeypatch.setenv("http_proxy", f"http://ada:s3cret@{proxy.host}")
    report = await measured(tmp_path)
    assert_usable(only(report))
    assert_usable(only(report, "pypi"))
    assert "s3cret" not in json.dumps(to_json(report))


async def test_a_wrong_proxy_is_named_and_a_host_may_be_excepted_from_it(
    channel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = condarc(f'channels: [{channel}]\nproxy_servers: {{http: "{NOBODY}"}}\n')
    found = only(await measured(tmp_path))
    assert found.error == f"The channel {channel} could not be read: the proxy {NOBODY} does not let us through."
    assert found.cure == "Check proxy_servers in .condarc and the variables HTTP_PROXY and HTTPS_PROXY."
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    report = await measured(tmp_path)
    assert_usable(only(report))
    assert report.warnings == (
        f"{channel} is asked without the proxy of {file}, as the variable no_proxy names 127.0.0.1; conda itself would "
        "use the proxy.",
    )


async def test_a_proxy_of_a_single_host_is_used_where_nobody_needs_another(
    channel: str, proxy: Proxy, tmp_path: Path
) -> None:
    condarc(f'channels: [{channel}]\nproxy_servers: {{http: "{NOBODY}", "http://127.0.0.1": "{proxy.url}"}}\n')
    await solve(tmp_path)
    assert proxy.asked
    condarc(
        f"channels: [{channel}, http://elsewhere.invalid/lab]\n"
        f'proxy_servers: {{http: "{NOBODY}", "http://127.0.0.1": "{proxy.url}"}}\n'
    )
    (warning,) = read_condarc().warnings
    assert warning.startswith("The proxy that proxy_servers in .condarc names for http://127.0.0.1 does not count here")


async def test_a_channel_and_an_index_that_want_a_password_get_it_from_netrc(
    faulty_channel: Faulty, index: wheels_index.Index, tmp_path: Path
) -> None:
    server = faulty_channel()
    server.credentials = index.credentials = "ada:s3cret"
    condarc(f"channels: [{server.url}]\n")
    netrc("wrong")
    report = await measured(tmp_path)
    assert only(report).error == f"The channel {server.url} could not be read: the server forbids it (401)."
    assert only(report).cure == "Check the channel's credentials, or ask whoever runs it for access."
    assert only(report, "pypi").error == f"{index.host} refuses access (HTTP 401)."
    netrc("s3cret")
    report = await measured(tmp_path)
    assert_usable(only(report))
    assert_usable(only(report, "pypi"))
    await solve(tmp_path)
    assert "s3cret" not in json.dumps(to_json(report))
    (known,) = [value for value in report.values if value.key == "credentials"]
    assert (known.value, known.source) == ("127.0.0.1", str(Path.home() / ".netrc"))


async def test_a_channel_that_wants_a_token_gets_it_from_its_address_or_from_rattlers_file(
    channel_dir: Path, serve_channel: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve_channel(channel_dir, name="t/s3cret/lab")
    condarc(f"channels: [{server.url}]\n")
    report = await measured(tmp_path)
    assert_usable(only(report))
    assert report.channels == ((f"{server.base_url}/t/***/lab", f"{server.base_url}/t/***/lab"),)
    condarc(f"channels: [{server.base_url}/lab]\n")
    assert "does not have it (404)" in only(await measured(tmp_path)).error
    stored = tmp_path / "credentials.json"
    stored.write_text(json.dumps({"127.0.0.1": {"CondaToken": "s3cret"}}))
    monkeypatch.setenv("RATTLER_AUTH_FILE", str(stored))
    report = await measured(tmp_path)
    assert_usable(only(report))
    assert [value.source for value in report.values if value.key == "credentials"] == [str(stored)]
    assert "s3cret" not in json.dumps(to_json(report))


async def test_a_mirror_that_is_slow_is_told_from_one_that_never_answers(
    channel: str, serve_channel: Faulty, faulty_channel: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "slow"
    (directory / "noarch").mkdir(parents=True)
    packages = {f"p{number}-1-0.tar.bz2": {"name": f"p{number}", "version": "1"} for number in range(4000)}
    text = json.dumps({"packages": packages})
    (directory / "noarch" / "repodata.json").write_text(text)
    slow, never = serve_channel(directory), faulty_channel()
    slow.fail("*/repodata.json", Trickle(400_000))
    never.fail("*", Hang())
    monkeypatch.setattr(measuring, "SECONDS", 3)
    condarc(f"channels: [{channel}]\n")
    mirror("slow", slow.url)
    mirror("never", never.url)
    found = {item.name: item for item in (await measured(tmp_path)).measured}
    assert list(found) == [channel, "never: lab", "slow: lab"]
    assert found["never: lab"].error == (
        f"The channel {never.url} could not be read: 127.0.0.1 did not answer in time."
    )
    assert found["never: lab"].cure == "Check the network connection, or use a mirror."
    assert found["never: lab"].seconds is None
    # Which of the others come first is the machine's affair; that they are asked at all is not.
    if not found["slow: lab"].error:
        assert found["slow: lab"].rate
        assert_usable(found["slow: lab"])


async def test_a_certificate_that_nobody_knows_is_named_until_ssl_verify_names_its_authority(
    encrypted: str,  # noqa: F811
    authority: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    condarc(f"channels: [{encrypted}]\n")
    found = only(await measured(tmp_path))
    assert found.error == (
        f"The channel {encrypted} could not be read: the certificate of 127.0.0.1 is not trusted here."
    )
    assert found.cure.startswith("Name your organisation's certificate file as ssl_verify in .condarc")
    condarc(f"channels: [{encrypted}]\nssl_verify: {authority / 'ca.pem'}\n")
    report = await measured(tmp_path)
    assert_usable(only(report))
    assert [value.value for value in report.values if value.key == "ssl_verify"] == [str(authority / "ca.pem")]


async def test_of_several_mirrors_of_a_channel_the_next_is_taken_where_one_fails(channel: str, tmp_path: Path) -> None:
    condarc(f"channels: [conda-forge]\nmirrored_channels:\n  conda-forge: ['{NOBODY}/lab', '{channel}/']\n")
    await solve(tmp_path)
    report = await measured(tmp_path)
    assert [(item.name, item.url, bool(item.error)) for item in report.measured] == [
        ("conda-forge", f"{NOBODY}/lab", True),
        (channel, channel, False),
    ]


async def test_a_channel_that_goes_past_its_mirror_is_pointed_out_in_the_solution(channel: str, tmp_path: Path) -> None:
    condarc("custom_channels: {lab: 'https://mirror.example.org/conda'}\n")
    request = CondaRequest(specs=("six",), settings=read_condarc().settings_for([channel]))
    solution = await CondaEngine(cache_dir=tmp_path).solve(request)
    assert solution.warnings == (
        f"The channel {channel} goes past the configured mirror https://mirror.example.org/conda/lab: ask for lab, "
        "without a URL, to have it from there.",
    )
