"""What the doctor says of the way to packages, with real servers that fail."""

from __future__ import annotations

import functools
import http.server
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import wheels_index
from channel import Server
from channel.faults import Portal, Status
from doctoring import examine, look, make_context
from test_conda_failures import Encrypted, Quiet, authority  # noqa: F401 - a fixture
from test_kernelspecs import environment, manifest_of

from jupyter_gpu_kernels.build.conda.failures import Kind
from jupyter_gpu_kernels.build.disk.inventory import Inventory
from jupyter_gpu_kernels.build.kernelspec.registry import Registry
from jupyter_gpu_kernels.diagnosis.context import Context
from jupyter_gpu_kernels.diagnosis.network import reach, sources
from jupyter_gpu_kernels.diagnosis.network.sources import Answer
from jupyter_gpu_kernels.models import EnvironmentKind, Finding, Installer, Severity
from jupyter_gpu_kernels.prefix.manifest import MANIFEST, write_manifest

Faulty = Callable[..., Server]

#: Nobody listens there: the port is for discarding, and nobody discards any more.
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no broken network."""
    monkeypatch.setattr(sources, "LIMIT", 60.0)
    monkeypatch.setattr(sources, "TIMEOUT", 30)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[wheels_index.Index]:
    """A package index that has what it is asked for."""
    wheels_index.make_wheel(tmp_path / "wheels", "pip")
    with wheels_index.serve(tmp_path / "wheels") as served:
        yield served


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set variables, in this process and so in those that it starts."""
    for name in [
        name for name in os.environ if name.startswith(("PIP_", "UV_INDEX", "UV_DEFAULT", "UV_FIND", "UV_EXTRA"))
    ]:
        monkeypatch.delenv(name)
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("SSL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    def set_(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_


def context(tmp_path: Path, *channels: str, **changes: Any) -> Context:
    """A machine with these channels configured, and the variables as they are."""
    made = make_context(tmp_path, environ=dict(os.environ), **changes)
    return replace(made, practice=replace(made.practice, channels=channels))


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


def built(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    """An environment with a spec of its own, for the context."""
    prefix = environment(tmp_path / "envs" / "mine")
    made = manifest_of(prefix, "mine")
    made = replace(made, kind=EnvironmentKind.CONDA, spec=replace(made.spec, **changes))
    (prefix / MANIFEST).parent.mkdir(parents=True)
    write_manifest(prefix, made)
    return {"environments": Inventory([tmp_path / "envs"], Registry()).environments(), "manifest_of": lambda name: made}


def condarc(text: str) -> Path:
    file = Path.home() / ".condarc"
    file.write_text(text)
    return file


def test_a_machine_that_reaches_everything_is_met_with_silence(
    channel: str, index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(UV_DEFAULT_INDEX=index.url, UV_EXTRA_INDEX_URL=f"{index.url}/../simple")
    assert look("network", context(tmp_path, channel)) == ()
    assert any(path.endswith("/simple/pip/") for _, path in index.requests)
    for check in ("proxy-variables", "mirror-bypassed", "conda-configuration", "pip-configuration"):
        assert look(check, context(tmp_path, channel)) == ()


def test_no_network_at_all_is_one_finding(setting: Callable[..., None], tmp_path: Path) -> None:
    setting(UV_DEFAULT_INDEX="https://nowhere.invalid/simple", UV_EXTRA_INDEX_URL=f"{NOBODY}/simple")
    channels = ("https://nowhere.invalid/conda-forge", "https://elsewhere.invalid/lab", f"{NOBODY}/lab")
    finding = only(look("network", context(tmp_path, *channels)))
    assert finding.severity is Severity.PROBLEM
    assert finding.sentence == (
        "Nothing that packages come from can be reached: this machine has no network, or is cut off from it."
    )
    assert len(finding.evidence) == 5


def test_one_channel_that_is_down_among_others_is_a_warning(
    channel: str, index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(UV_DEFAULT_INDEX=index.url)
    finding = only(look("network", context(tmp_path, channel, f"{NOBODY}/lab")))
    assert finding.severity is Severity.WARNING
    assert finding.sentence == (
        f"127.0.0.1 does not accept connections: the conda channel {NOBODY}/lab cannot be used."
    )
    assert finding.evidence[0].startswith(f"the conda channel {NOBODY}/lab (configured for GPU kernels): ")


def test_two_channels_of_one_dead_host_are_one_finding(
    channel: str, index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(UV_DEFAULT_INDEX=index.url)
    finding = only(look("network", context(tmp_path, channel, f"{NOBODY}/lab", f"{NOBODY}/more")))
    assert len(finding.evidence) == 2


def test_an_index_that_is_down_and_all_of_pip_goes_to_it(
    channel: str, setting: Callable[..., None], tmp_path: Path
) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(f"[global]\nindex-url = {NOBODY}/simple\n")
    setting(PIP_CONFIG_FILE=str(file))
    finding = only(look("network", context(tmp_path, channel)))
    assert finding.sentence == (
        f"127.0.0.1 does not accept connections: the package index {NOBODY}/simple cannot be used."
    )
    assert f"({file})" in finding.evidence[0]


def test_an_index_without_the_package_that_is_asked_for_answers(
    channel: str, setting: Callable[..., None], tmp_path: Path
) -> None:
    wheels_index.make_wheel(tmp_path / "wheels", "six")
    with wheels_index.serve(tmp_path / "wheels") as served:
        setting(UV_DEFAULT_INDEX=served.url)
        assert look("network", context(tmp_path, channel)) == ()
        assert served.requests


def test_a_channel_that_forbids_is_not_taken_for_a_dead_one(
    faulty_channel: Faulty, index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(UV_DEFAULT_INDEX=index.url)
    server = faulty_channel()
    server.fail("*", Status(403))
    finding = only(look("network", context(tmp_path, server.url)))
    assert finding.severity is Severity.PROBLEM
    assert finding.sentence == f"127.0.0.1 refuses access to the conda channel {server.url}."
    assert "credentials" in finding.cure


def test_an_index_that_wants_credentials_is_named_without_them(
    channel: str, index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    index.credentials = "me:right"
    url = index.url.replace("http://", "http://me:wrong@")
    setting(UV_DEFAULT_INDEX=url)
    finding = only(look("network", context(tmp_path, channel)))
    shown = index.url.replace("http://", "http://***@")
    assert finding.sentence == f"127.0.0.1 refuses access to the package index {shown}."
    assert "wrong" not in repr(finding)
    setting(UV_DEFAULT_INDEX=index.url.replace("http://", "http://me:right@"))
    assert look("network", context(tmp_path, channel)) == ()


def test_a_network_that_wants_a_login_first_is_told_from_a_channel(
    faulty_channel: Faulty, index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(UV_DEFAULT_INDEX=index.url)
    server = faulty_channel()
    server.fail("*", Portal())
    finding = only(look("network", context(tmp_path, server.url)))
    assert finding.sentence.startswith("127.0.0.1 answers with something else than packages")
    assert "wants a login" in finding.cure


def test_a_channel_in_trouble_is_to_be_waited_for(
    faulty_channel: Faulty, index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(UV_DEFAULT_INDEX=index.url)
    server = faulty_channel()
    server.fail("*", Status(503))
    assert only(look("network", context(tmp_path, server.url))).sentence.startswith("127.0.0.1 is in trouble")


def test_a_certificate_that_nobody_vouches_for(
    channel_dir: Path,
    authority: Path,  # noqa: F811
    index: wheels_index.Index,
    setting: Callable[..., None],
    tmp_path: Path,
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    with Encrypted(("127.0.0.1", 0), functools.partial(Quiet, directory=str(channel_dir))) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            url = f"https://127.0.0.1:{server.server_port}"
            setting(UV_DEFAULT_INDEX=index.url)
            finding = only(look("network", context(tmp_path, url)))
            assert finding.severity is Severity.PROBLEM
            assert finding.sentence == (
                f"The certificate of 127.0.0.1 is not trusted here: the conda channel {url} cannot be used."
            )
            # As an index it is no better, and it is one cause with two effects.
            setting(UV_DEFAULT_INDEX=f"{url}/simple")
            finding = only(look("network", context(tmp_path, url)))
            assert finding.sentence.endswith(
                f"the conda channel {url} and the package index {url}/simple cannot be used."
            )
            setting(SSL_CERT_FILE=str(authority / "ca.pem"), UV_DEFAULT_INDEX=index.url)
            assert look("network", context(tmp_path, url)) == ()
        finally:
            server.shutdown()
            thread.join()


def test_a_wrong_proxy_is_one_finding_whatever_goes_through_it(setting: Callable[..., None], tmp_path: Path) -> None:
    proxy = "http://me:secret@127.0.0.1:9"
    setting(https_proxy=proxy, http_proxy=proxy, UV_DEFAULT_INDEX="https://nowhere.invalid/simple")
    finding = only(look("network", context(tmp_path, "https://nowhere.invalid/lab", "http://mirror.lan/lab")))
    assert finding.severity is Severity.PROBLEM
    assert finding.sentence == "The proxy http://***@127.0.0.1:9 does not let us through."
    assert len(finding.evidence) == 3
    assert "https_proxy" in finding.cure
    assert "If mirror.lan is in your own network, add it to no_proxy." in finding.cure
    assert "secret" not in repr(finding)


def test_what_is_excepted_from_the_proxy_is_asked_directly(
    channel: str, index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(http_proxy=NOBODY, https_proxy=NOBODY, UV_DEFAULT_INDEX=index.url)
    assert "The proxy" in only(look("network", context(tmp_path, channel))).sentence
    setting(no_proxy="example.org,127.0.0.0/8")
    assert look("network", context(tmp_path, channel)) == ()


def test_a_proxy_that_hangs_is_blamed_for_all_that_does_not_come(
    setting: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "TIMEOUT", 2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        proxy = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        setting(https_proxy=proxy, http_proxy=proxy, UV_DEFAULT_INDEX="https://nowhere.invalid/simple")
        finding = only(look("network", context(tmp_path, "https://nowhere.invalid/lab")))
    assert finding.sentence == f"The proxy {proxy} does not let us through."
    assert len(finding.evidence) == 2


def test_a_proxy_that_wants_a_login(setting: Callable[..., None], tmp_path: Path) -> None:
    class Strict(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="lab"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_CONNECT()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Strict) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            proxy = f"http://127.0.0.1:{server.server_port}"
            setting(https_proxy=proxy, http_proxy=proxy, UV_DEFAULT_INDEX="https://nowhere.invalid/simple")
            finding = only(look("network", context(tmp_path, "https://nowhere.invalid/lab")))
            assert finding.sentence == f"The proxy {proxy} wants a login."
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_hangs_is_given_up(
    index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(UV_DEFAULT_INDEX=index.url)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/lab"
        finding = only(look("network", context(tmp_path, url)))
    assert finding.sentence == f"127.0.0.1 does not answer in time: the conda channel {url} cannot be used."


def test_whoever_wants_to_be_offline_is_not_asked_for_an_index(
    channel: str, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(UV_OFFLINE="1", UV_DEFAULT_INDEX=f"{NOBODY}/simple")
    assert look("network", context(tmp_path, channel)) == ()


def test_a_network_that_is_too_slow_to_ask_is_no_finding(
    channel: str, setting: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LIMIT", 0.0)
    setting(UV_OFFLINE="1")
    (examined,) = examine("network", context(tmp_path, channel)).examined
    assert examined.skipped == "The network could not be asked in time."


def test_channels_of_environments_are_asked_too(
    channel: str, index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(UV_DEFAULT_INDEX=index.url)
    finding = only(look("network", context(tmp_path, channel, **built(tmp_path, channels=(f"{NOBODY}/own",)))))
    assert "(asked for by the environment mine)" in finding.evidence[0]


def test_a_channel_that_is_not_allowed_is_said_to_be(
    setting: Callable[..., None], channel: str, tmp_path: Path
) -> None:
    file = condarc("allowlist_channels: [conda-forge]\n")
    setting()
    finding = only(look("network", context(tmp_path, channel)))
    assert "does not allow the channel" in finding.sentence
    assert finding.evidence == (str(file),)


def test_whoever_installs_from_indexes_only_has_no_use_for_channels(
    index: wheels_index.Index, setting: Callable[..., None], tmp_path: Path
) -> None:
    setting(UV_DEFAULT_INDEX=index.url)
    asked = context(tmp_path, f"{NOBODY}/lab")
    asked = replace(asked, practice=replace(asked.practice, default_installer=Installer.PYPI))
    assert look("network", asked) == ()
    asked = replace(asked, environments=context(tmp_path, **built(tmp_path)).environments)
    assert look("network", asked) == ()
    conda = tuple(replace(item, installer=Installer.CONDA) for item in asked.environments)
    assert len(look("network", replace(asked, environments=conda))) == 1


def test_a_default_that_nobody_asked_for_is_not_missed() -> None:
    found = [Answer(source="the index", url="https://a.org", kind=Kind.NAME, words="…", said=sources.DEFAULT)]
    (finding,) = reach.findings([*found, Answer(source="good")])
    assert finding.severity is Severity.NOTE
    (finding,) = reach.findings(found)
    assert finding.severity is Severity.PROBLEM


def test_causes_and_not_effects_are_counted() -> None:
    def answer(name: str, kind: Kind | None, host: str = "a.org", proxy: str = "") -> Answer:
        return Answer(source=name, url=f"https://{host}", kind=kind, words="…", proxy=proxy)

    good = answer("good", None)
    assert list(reach.findings([good])) == []
    assert len(list(reach.findings([answer("x", Kind.NAME), answer("y", Kind.SLOW, "b.org")]))) == 1
    assert len(list(reach.findings([good, answer("x", Kind.NAME), answer("y", Kind.SLOW, "b.org")]))) == 2
    same = [answer("x", Kind.PROXY, proxy="p"), answer("y", Kind.PROXY, "b.org", proxy="p")]
    assert len(list(reach.findings(same))) == 1
    (alone,) = reach.findings([answer("x", Kind.NAME)])
    assert alone.sentence == "There is no host a.org: x cannot be used."
    (odd,) = reach.findings([answer("x", Kind.OTHER)])
    assert odd.sentence == "a.org does not answer as it should: x cannot be used."


def test_of_the_default_server_only_the_tool_knows_where_it_is() -> None:
    words = "The channel {} could not be read: there is no host default.example.org."
    names = ("conda-forge", "bioconda")
    answers = [Answer(source=f"the channel {name}", kind=Kind.NAME, words=words.format(name)) for name in names]
    (finding,) = reach.findings([*answers, Answer(source="good")])
    assert finding.sentence == (
        "The channel conda-forge and the channel bioconda cannot be used: there is no host default.example.org."
    )
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://p:1"}, "HTTP_PROXY is set in capitals only"),
        ({"http_proxy": "http://me:secret@p:1"}, "A proxy is set for http, and none for https"),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "https_proxy and HTTPS_PROXY differ"),
        ({"https_proxy": "http://p:many"}, "The address of the proxy in https_proxy is none: its port is no number"),
        ({"https_proxy": "http://"}, "The address of the proxy in https_proxy is none: it names no host"),
        ({"https_proxy": "proxy"}, "The address of the proxy in https_proxy is none: it has neither a scheme nor"),
        ({"no_proxy": "localhost,*.example.org,https://lab"}, "no_proxy has what most programs do not understand: "),
    ],
)
def test_variables_of_proxies_that_contradict_each_other(
    variables: Mapping[str, str], sentence: str, tmp_path: Path
) -> None:
    finding = only(look("proxy-variables", make_context(tmp_path, environ=variables)))
    assert finding.sentence.startswith(sentence)
    assert "secret" not in repr(finding)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"https_proxy": "http://proxy.example.org:3128", "http_proxy": "http://proxy.example.org:3128"},
        {"https_proxy": "proxy:3128", "HTTPS_PROXY": "proxy:3128"},
        {"all_proxy": "socks5://10.0.0.1", "no_proxy": "localhost,127.0.0.1,.example.org,10.0.0.0/8"},
        {"no_proxy": "*"},
    ],
)
def test_variables_of_proxies_that_agree_are_met_with_silence(variables: Mapping[str, str], tmp_path: Path) -> None:
    assert look("proxy-variables", make_context(tmp_path, environ=variables)) == ()


MIRROR = """
channels: [conda-forge, pytorch]
custom_channels:
  conda-forge: https://mirror.example.org/anaconda/cloud
default_channels: [https://mirror.example.org/anaconda/pkgs/main]
"""


def test_a_channel_that_goes_past_the_mirror_is_found(tmp_path: Path) -> None:
    file = condarc(MIRROR)
    finding = only(look("mirror-bypassed", make_context(tmp_path)))
    assert finding.sentence == (
        "The channel pytorch is read from its public server, past the configured mirror mirror.example.org."
    )
    assert finding.evidence == ("pytorch: configured as channel", f"the mirror is configured in {file}")
    assert finding.cure.startswith("Add pytorch to custom_channels")


@pytest.mark.parametrize("mirror", ["custom", "alias", "url"])
def test_channels_of_environments_go_past_the_mirror_too(mirror: str, tmp_path: Path) -> None:
    condarc(
        {
            "custom": MIRROR.replace(", pytorch", ""),
            "alias": "channel_alias: https://mirror.example.org/anaconda/cloud\n",
            "url": "channels: [https://mirror.example.org/anaconda/cloud/conda-forge]\n",
        }[mirror]
    )
    wanted = (
        "https://public.example.com/nvidia/",
        "https://lab.example.com/our-own",
        "https://mirror.example.org/pytorch",
    )
    changes = built(tmp_path, channels=wanted, packages=("pytorch::torchvision", "six"))
    found = look("mirror-bypassed", make_context(tmp_path, **changes))
    past = [finding.sentence.split(" is read")[0].removeprefix("The channel ") for finding in found]
    # An alias stands before names, whoever asks for them.
    assert past == ["https://public.example.com/nvidia"] + ["pytorch"] * (mirror != "alias")
    assert "the environment mine asks for it" in found[0].evidence[0]


def test_without_a_mirror_nothing_goes_past_it(tmp_path: Path) -> None:
    for text in ("", "channels: [conda-forge, pytorch, https://lab.example.org/our-own]\n"):
        condarc(text)
        assert look("mirror-bypassed", make_context(tmp_path)) == ()


def test_a_condarc_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    file = condarc("channels: [conda-forge\nssl_verify: x: y")
    finding = only(look("conda-configuration", make_context(tmp_path)))
    assert finding.sentence.startswith(f"The file {file} is not valid YAML in line 2")
    condarc("channels: {conda-forge: 1}\n")
    assert "the key channels is left out" in only(look("conda-configuration", make_context(tmp_path))).sentence


def test_a_condarc_that_makes_environments_worse_is_noted(tmp_path: Path) -> None:
    file = condarc("channel_priority: disabled\nchannels: [conda-forge, nvidia]\nssl_verify: false\n")
    priority, certificates = look("conda-configuration", make_context(tmp_path))
    assert "channel_priority is disabled" in priority.sentence
    assert priority.evidence == (str(file), "channels: conda-forge, nvidia")
    assert certificates.sentence == "Certificates of channels are not checked, as ssl_verify is off."
    # With one channel there is no order of them.
    condarc("channel_priority: disabled\nchannels: [conda-forge]\n")
    assert look("conda-configuration", make_context(tmp_path)) == ()


def test_a_proxy_that_not_all_channels_can_have_is_found(tmp_path: Path) -> None:
    text = "proxy_servers:\n  https://a.example.org: http://p:1\n  https: http://p:2\n"
    condarc(f"channels: #!final\n  - https://a.example.org/lab #!top\n{text}")
    assert look("conda-configuration", make_context(tmp_path)) == ()
    condarc(f"channels: [https://a.example.org/lab, https://b.example.org/lab]\n{text}")
    finding = only(look("conda-configuration", make_context(tmp_path)))
    assert finding.sentence.startswith("The proxy that proxy_servers in .condarc names for https://a.example.org does")


def test_a_configuration_of_pip_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    file = Path.home() / ".pip" / "pip.conf"
    file.parent.mkdir()
    file.write_text("index-url = https://mirror.example.org/simple\n")
    finding = only(look("pip-configuration", make_context(tmp_path)))
    assert finding.sentence == f"The file {file} cannot be read, so the indexes and proxies in it do not count."
    file.write_text("[global]\nindex-url = https://mirror.example.org/simple\n")
    assert look("pip-configuration", make_context(tmp_path)) == ()
    gone = {"PIP_CONFIG_FILE": str(tmp_path / "gone.conf")}
    assert "does not exist" in only(look("pip-configuration", make_context(tmp_path, environ=gone))).sentence
