"""Every fault of a channel becomes a clear sentence, found out by real requests to a faulty server."""

from __future__ import annotations

import asyncio
import functools
import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from channel import Server
from channel.faults import Drop, Fault, Gate, Hang, Portal, RedirectLoop, Replace, Status, Trickle, Truncate
from patience import PATIENCE, eventually

from jupyter_gpu_kernels.build.conda import failures
from jupyter_gpu_kernels.build.conda.engine import CondaEngine
from jupyter_gpu_kernels.build.conda.settings import ChannelAnswer, ChannelSettings, CondaRequest
from jupyter_gpu_kernels.build.reporting import SilentReporter
from jupyter_gpu_kernels.errors import ChannelError, DownloadError, GpuKernelsError, InstallError, SolveError

Faulty = Callable[..., Server]


def settings(url: str, **more: object) -> ChannelSettings:
    return ChannelSettings(channels=(url,), **{"retries": 0, **more})  # type: ignore[arg-type]


async def solve(engine: CondaEngine, asked: ChannelSettings) -> GpuKernelsError:
    with pytest.raises(GpuKernelsError) as caught:
        await engine.solve(CondaRequest(specs=("six",), settings=asked))
    return caught.value


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Status(401), "the server forbids it (401)"),
        (Status(403), "the server forbids it (403)"),
        (Status(404), "the server does not have it (404)"),
        (Status(429), "the server is in trouble (429)"),
        (Status(503), "the server is in trouble (503)"),
        (Status(407), "the proxy wants a login"),
        (RedirectLoop(), "127.0.0.1 sends us in circles"),
        (Portal(), "127.0.0.1 answered with something else than it should"),
    ],
)
async def test_what_a_channel_answers_instead_of_its_index(
    fault: Fault, reason: str, faulty_channel: Faulty, tmp_path: Path
) -> None:
    server = faulty_channel()
    server.fail("*", fault)
    engine = CondaEngine(cache_dir=tmp_path)
    error = await solve(engine, settings(server.url))
    assert isinstance(error, ChannelError)
    assert error.message == f"The channel {server.url} could not be read: {reason}."
    assert error.cure
    assert error.detail
    (answer,) = await engine.probe(settings(server.url))
    assert answer.reachable
    assert answer.forbidden is ("forbids" in reason)
    assert answer.error == error.message


async def test_what_is_wrong_with_us_is_asked_once_and_trouble_is_asked_again(
    faulty_channel: Faulty, tmp_path: Path
) -> None:
    for status, times in ((403, 1), (500, 3)):
        server = faulty_channel()
        server.fail("*", Status(status))
        error = await solve(CondaEngine(cache_dir=tmp_path), settings(server.url, retries=2))
        # Both directories are asked at once; whichever fails first ends it.
        assert max(server.asked(f"*/{subdir}/repodata.json") for subdir in ("noarch", "linux-64")) == times
        assert (", 3 times in a row" in error.message) is (status == 500)


async def test_passing_trouble_passes_unnoticed(faulty_channel: Faulty, tmp_path: Path) -> None:
    server = faulty_channel()
    server.fail("*", Status(503), times=2)
    asked = settings(server.url, retries=3)
    assert (await CondaEngine(cache_dir=tmp_path).solve(CondaRequest(specs=("six",), settings=asked))).packages


@pytest.mark.parametrize("fault", [Status(403), Status(500), Portal()])
async def test_a_mirror_that_is_confused_by_the_sharded_index_still_works(
    fault: Fault, faulty_channel: Faulty, tmp_path: Path
) -> None:
    server = faulty_channel()
    server.fail("*shards*", fault)
    asked = settings(server.url)
    solution = await CondaEngine(cache_dir=tmp_path).solve(CondaRequest(specs=("six",), settings=asked))
    assert [package.name for package in solution.packages] == ["python", "six"]


async def test_nobody_there_is_told_apart_from_somebody_in_the_way(
    faulty_channel: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = CondaEngine(cache_dir=tmp_path)
    server = faulty_channel()
    server.fail("*", Hang())
    closed = "http://127.0.0.1:9/lab"
    for asked, reason, reachable in (
        (settings("http://nowhere.invalid/lab"), "there is no host nowhere.invalid", False),
        (settings(closed), "127.0.0.1 does not accept connections", False),
        (settings(server.url, timeout=1), "127.0.0.1 did not answer in time", False),
        (
            settings("https://nowhere.invalid/lab", proxies={"https": "http://me:hunter2@127.0.0.1:9"}),
            "the proxy http://***@127.0.0.1:9 does not let us through",
            True,
        ),
        (
            settings("http://nowhere.invalid/lab", proxies={"http": "http://127.0.0.1:9"}),
            "the proxy http://127.0.0.1:9 does not let us through",
            True,
        ),
    ):
        error = await solve(engine, asked)
        assert error.message.endswith(f"could not be read: {reason}.")
        assert "hunter2" not in str(error.to_json())
        (answer,) = await engine.probe(asked)
        assert (answer.reachable, answer.forbidden) == (reachable, False)
        assert answer.error == error.message
        assert answer.seconds < PATIENCE
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    error = await solve(engine, settings("https://nowhere.invalid/lab"))
    assert "the proxy http://127.0.0.1:9" in error.message


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority (``ca.pem``) and a server's certificate (``cert.pem``, ``key.pem``)."""
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificates with openssl")
    directory = tmp_path_factory.mktemp("authority")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    new = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "cakey.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Lab")
    openssl("req", *new, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost")
    (directory / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    signed = ("-CA", "ca.pem", "-CAkey", "cakey.pem", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "request.pem", "-out", "cert.pem", *signed)
    return directory


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


class Encrypted(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever does not like our certificate hangs up."""


@pytest.fixture
def encrypted(channel_dir: Path, authority: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    with Encrypted(("127.0.0.1", 0), functools.partial(Quiet, directory=str(channel_dir))) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_certificates_are_checked_as_configured(encrypted: str, authority: Path, tmp_path: Path) -> None:
    engine = CondaEngine(cache_dir=tmp_path)
    error = await solve(engine, settings(encrypted))
    assert "the certificate of 127.0.0.1 is not trusted here" in error.message
    (answer,) = await engine.probe(settings(encrypted))
    assert answer.reachable
    assert "certificate" in answer.error
    for verify in (False, str(authority / "ca.pem")):
        asked = settings(encrypted, ssl_verify=verify)
        assert (await engine.solve(CondaRequest(specs=("six",), settings=asked))).packages
        (answer,) = await engine.probe(asked)
        assert (answer.reachable, answer.error) == (True, "")


async def test_a_probe_asks_all_channels_at_once_and_answers_in_order(faulty_channel: Faulty, tmp_path: Path) -> None:
    servers = [faulty_channel(name=name) for name in ("slow", "good", "forbidden")]
    slow, good, forbidden = servers
    slow.fail("*", gate := Gate())
    forbidden.fail("*", Status(403))
    asked = ChannelSettings(channels=(*(server.url for server in servers), "http://127.0.0.1:9/c"))
    asking = asyncio.create_task(CondaEngine(cache_dir=tmp_path).probe(asked))
    await eventually(lambda: all(server.requests for server in servers))
    gate.opened.set()
    answers = await asking
    assert [(answer.channel, answer.reachable, answer.forbidden, answer.error == "") for answer in answers] == [
        (slow.url, True, False, True),
        (good.url, True, False, True),
        (forbidden.url, True, True, False),
        ("http://127.0.0.1:9/c", False, False, False),
    ]
    assert all(isinstance(answer, ChannelAnswer) and answer.seconds > 0 for answer in answers)


async def test_a_probe_does_not_download_the_whole_index(serve_channel: Faulty, tmp_path: Path) -> None:
    directory = tmp_path / "lab" / "noarch"
    directory.mkdir(parents=True)
    packages = ",".join(f'"p{number}-1-0.tar.bz2":{{"name":"p{number}"}}' for number in range(1_000_000))
    (directory / "repodata.json").write_text(f'{{"packages":{{{packages}}}}}')
    size = (directory / "repodata.json").stat().st_size
    server = serve_channel(tmp_path / "lab")
    server.fail("*/repodata.json", Trickle(1_000_000))
    (answer,) = await CondaEngine(cache_dir=tmp_path / "cache").probe(settings(server.url))
    assert (answer.reachable, answer.error) == (True, "")
    server.close()
    assert size > 30_000_000
    # All of it would take half a minute; to hang up may take a busy machine a moment.
    assert sum(request.sent for request in server.requests) < size / 4


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Status(403), "the server forbids it (403)"),
        (Status(404), "the server does not have it (404)"),
        (Status(500), "the server is in trouble (500)"),
        (Drop(at=0.5), "the connection broke off"),
        (Truncate(), "what came is damaged, again and again"),
        (Portal(), "what came is damaged, again and again"),
    ],
)
async def test_what_a_channel_sends_instead_of_a_package(
    fault: Fault, reason: str, faulty_channel: Faulty, tmp_path: Path
) -> None:
    server = faulty_channel()
    engine = CondaEngine(cache_dir=tmp_path / "cache")
    solution = await engine.solve(CondaRequest(specs=("activating",), settings=settings(server.url)))
    server.fail("*/activating-*", fault)
    with pytest.raises(DownloadError) as caught:
        await engine.install(solution, generation=tmp_path / "new", final=tmp_path / "env", reporter=SilentReporter())
    assert caught.value.message == f"activating-1.0-0 could not be downloaded: {reason}."
    assert caught.value.detail


async def test_another_package_under_the_name_is_refused_but_asked_for_twice(
    faulty_channel: Faulty, channel_dir: Path, tmp_path: Path
) -> None:
    server = faulty_channel()
    engine = CondaEngine(cache_dir=tmp_path / "cache")
    solution = await engine.solve(CondaRequest(specs=("activating",), settings=settings(server.url)))
    (other,) = list(Path(channel_dir).glob("*/matplotlib-3*.tar.bz2"))
    where = {"generation": tmp_path / "new", "final": tmp_path / "env", "reporter": SilentReporter()}
    server.fail("*/activating-*", Replace(other.read_bytes()))
    with pytest.raises(DownloadError, match="what came is not what the channel's index promises"):
        await engine.install(solution, **where)  # type: ignore[arg-type]
    assert server.asked("*/activating-*") == 2
    server.heal()
    server.fail("*/activating-*", Replace(other.read_bytes()), times=1)
    await engine.install(solution, **where)  # type: ignore[arg-type]
    assert (tmp_path / "new" / "etc" / "conda" / "activate.d" / "activating.sh").exists()


def fetch(text: str) -> str:
    return f"failed to fetch six-1.0-0.conda\nCaused by: an io error occurred: {text}"


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            fetch("No space left on device (os error 28)"),
            InstallError,
            "six-1.0-0 could not be unpacked: the disk is full.",
        ),
        (
            "failed to link six\nCaused by: Permission denied (os error 13)",
            InstallError,
            "The packages could not be put together: this user may not write there.",
        ),
        (
            "something new",
            InstallError,
            "The packages could not be put together: something new.",
        ),
        (
            fetch("end of file before message length reached"),
            DownloadError,
            "six-1.0-0 could not be downloaded: the connection broke off.",
        ),
    ],
)
def test_what_the_machine_refuses_is_no_fault_of_the_channel(text: str, kind: type, message: str) -> None:
    error = failures.of_install("InstallerError", text, settings("lab"))
    assert type(error) is kind
    assert error.message == message


@pytest.mark.parametrize("place", ["cache", "generation"])
async def test_a_place_that_cannot_be_written_is_said(place: str, channel: str, tmp_path: Path) -> None:
    # A file in the way: permissions would not stop a test that runs as root.
    engine = CondaEngine(cache_dir=tmp_path / "cache")
    solution = await engine.solve(CondaRequest(specs=("activating",), settings=settings(channel)))
    (tmp_path / "cache" / "pkgs" if place == "cache" else tmp_path / "new").write_text("")
    with pytest.raises(InstallError) as caught:
        await engine.install(solution, generation=tmp_path / "new", final=tmp_path / "env", reporter=SilentReporter())
    assert caught.value.code == "install_failed"
    assert caught.value.cure


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ("No candidates were found for six 99.*.\n", "No channel has six 99.*."),
        (
            "a * cannot be installed because there are no viable options:\n└─ a 1 would require\n"
            "   └─ b >=2, for which no candidates were found.\n",
            "a * cannot be installed: b >=2 is needed, which cannot be had with the rest.",
        ),
        (
            "gpu * cannot be installed because there are no viable options:\n├─ gpu 1 would require\n"
            "│  └─ __cuda *, for which no candidates were found.\n",
            "gpu * cannot be installed: CUDA is needed (__cuda *), and there is no NVIDIA driver.",
        ),
        (
            "The following packages are incompatible\n├─ __cuda * can be installed with any of the following options:\n"
            "│  └─ __cuda 11.8\n└─ gpu * cannot be installed because there are no viable options:\n"
            "   └─ gpu 1 would constrain\n      └─ __cuda >=12, which conflicts with any installable versions\n",
            "gpu * cannot be installed: CUDA is needed (__cuda >=12), and that of the driver is 11.8.",
        ),
        (
            "The following packages are incompatible\n"
            "├─ a 1.* cannot be installed because there are no viable options:\n"
            "│  └─ a 1, which conflicts with the versions reported above.\n"
            "└─ b 2 can be installed with any of the following options:\n   └─ b 2\n",
            "a 1.* and b 2 exclude each other.",
        ),
        ("something new", "What is wished for cannot be installed."),
    ],
)
def test_the_solvers_tree_is_told_in_one_sentence(tree: str, message: str) -> None:
    text = f"Cannot solve the request because of: {tree}"
    error = failures.of_solve("SolverError", text, settings("lab"))
    assert isinstance(error, SolveError)
    assert (error.message, error.detail) == (message, text)
