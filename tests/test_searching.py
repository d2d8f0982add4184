"""Looking for packages: a small real channel and a small package index over loopback, and what is wrong with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from channel import Server, Stall, Status
from channel.builder import ChannelBuilder
from manager import make_manager
from patience import eventually
from scripted import ScriptedManager
from wheels_index import Index, make_wheel, serve

from jupyter_gpu_kernels.build.conda.settings import ChannelSettings
from jupyter_gpu_kernels.build.contents.installed import versions as installed_versions
from jupyter_gpu_kernels.build.searching import channels
from jupyter_gpu_kernels.build.searching.channels import ChannelSearch
from jupyter_gpu_kernels.build.searching.indexes import IndexSearch
from jupyter_gpu_kernels.build.searching.names import Names
from jupyter_gpu_kernels.build.searching.pages import File, Fit, read_html
from jupyter_gpu_kernels.build.wheels.uv import prepare
from jupyter_gpu_kernels.cli.arguments import parse
from jupyter_gpu_kernels.cli.searching import search
from jupyter_gpu_kernels.errors import ChannelError, InvalidInputError, NotFoundError
from jupyter_gpu_kernels.models import FoundPackage, Stage

NAMES = "*repodata*"
Searcher = Callable[..., ChannelSearch]


@pytest.fixture
def searcher(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Searcher]:
    made = []

    def make(**options: float) -> ChannelSearch:
        made.append(ChannelSearch(tmp_path / "cache", **options))
        return made[-1]

    yield make
    for one in made:
        jp_asyncio_loop.run_until_complete(one.close())


@pytest.fixture(scope="module")
def many_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel with several builds of several versions, and one of its packages for another platform alone."""
    directory = tmp_path_factory.mktemp("versions")
    with ChannelBuilder(directory) as builder:
        for version in ("1.9", "1.10", "1.10.1rc1"):
            for build in ("0", "1"):
                builder.add_package("toolbox", version, build)
        builder.add_package("toolbox", "2.0", "0", noarch="generic")
    return directory


def settings(*urls: str, **more: object) -> ChannelSettings:
    return ChannelSettings(channels=urls, **more)  # type: ignore[arg-type]


def named(found: tuple[FoundPackage, ...]) -> list[str]:
    return [package.name for package in found]


def test_the_best_names_come_first() -> None:
    names = Names.of([["pytorch", "torch", "torchvision", "light-torch", "libtorch", "torch_scatter", "numpy"]])
    best = [name for name, _ in names.best("Torch", 10)]
    assert best == ["torch", "torchvision", "torch_scatter", "light-torch", "pytorch", "libtorch"]
    assert [name for name, _ in names.best("torch", 2)] == ["torch", "torchvision"]
    assert names.best("nothing like it", 5) == ()
    assert names.best(" ", 5) == ()


@pytest.mark.parametrize("text", ["scikit-learn", "Scikit_Learn", "scikit learn", " SCIKIT-LEARN "])
def test_case_and_separators_do_not_matter(text: str) -> None:
    assert Names.of([["scikit-learn-extra", "scikit-learn"]]).best(text, 1) == (("scikit-learn", 0),)


def test_the_first_channel_owns_a_name() -> None:
    names = Names.of([["alpha"], ["alpha", "beta"]])
    assert set(names.best("a", 5)) == {("alpha", 0), ("beta", 1)}
    assert len(names) == 2


async def test_ten_letters_cause_one_fetch(searcher: Searcher, faulty_channel: Callable[..., Server]) -> None:
    server, looking = faulty_channel(), searcher()
    letters = ["w", "wa", "war", "warp", "warpd", "warpdr", "warpdri", "warpdriv", "warpdrive"]
    answers = await asyncio.gather(*(looking.names(text, settings(server.url), 20) for text in letters))
    assert named(answers[-1]) == ["warpdrive", "warpdrive-gpu", "warpdrive-core"]
    assert answers[-1][0] == FoundPackage(name="warpdrive", stage=Stage.LINK, source=server.url)
    assert server.asked(NAMES) == 2, "one for each platform"
    assert server.asked("*/shards/*") == 0, "nothing is fetched of any package"
    assert named(await looking.names("numpy", settings(server.url), 20)) == ["numpy"]
    assert server.asked(NAMES) == 2


async def test_a_new_process_answers_from_the_disk(searcher: Searcher, faulty_channel: Callable[..., Server]) -> None:
    server = faulty_channel()
    await searcher().names("warp", settings(server.url), 20)
    server.fail("*", Status(503))
    server.forget()
    assert named(await searcher().names("warpdrive-c", settings(server.url), 20)) == ["warpdrive-core"]
    assert server.requests == []


async def test_old_names_answer_while_new_ones_are_fetched(
    searcher: Searcher, faulty_channel: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, looking = faulty_channel(), searcher()
    await looking.names("warp", settings(server.url), 20)
    monkeypatch.setattr(channels, "FRESH", 0.0)
    server.forget()
    server.fail("*", Stall())
    assert named(await looking.names("numpy", settings(server.url), 20)) == ["numpy"]
    await eventually(lambda: server.asked(NAMES))


async def test_names_that_nobody_asks_for_leave_the_memory(
    searcher: Searcher, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "IDLE", 0.05)
    looking = searcher()
    await looking.names("warp", settings(channel), 20)
    await eventually(lambda: not looking._held)
    assert named(await looking.names("numpy", settings(channel), 20)) == ["numpy"]


async def test_a_channel_that_fails_gives_its_sentence_and_is_asked_once(
    searcher: Searcher, faulty_channel: Callable[..., Server]
) -> None:
    server, looking = faulty_channel(), searcher()
    server.fail("*", Status(403))
    for text in ("w", "wa", "war"):
        with pytest.raises(ChannelError, match="could not be read: the server forbids it"):
            await looking.names(text, settings(server.url), 20)
    assert server.asked("*/noarch/repodata_shards*") <= 1
    with pytest.raises(ChannelError, match="the server forbids it"):
        await looking.package("warpdrive", settings(server.url))


async def test_a_channel_that_never_answers_is_given_up(
    searcher: Searcher, faulty_channel: Callable[..., Server]
) -> None:
    server = faulty_channel()
    server.fail("*", Stall())
    with pytest.raises(ChannelError, match=r"did not tell their packages within 1 s"):
        await searcher(limit=1).names("warp", settings(server.url), 20)


async def test_a_channel_without_a_sharded_index_is_searched_in_its_whole_one(
    searcher: Searcher, faulty_channel: Callable[..., Server]
) -> None:
    server = faulty_channel()
    server.fail("*shards*", Status(404))
    looking = searcher()
    assert named(await looking.names("warpdrive-g", settings(server.url), 20)) == ["warpdrive-gpu"]
    found = await looking.package("warpdrive", settings(server.url))
    assert found is not None
    assert found.versions == ("1.5.0", "1.4.0")


async def test_versions_come_newest_first_without_builds_and_for_this_platform(
    searcher: Searcher, serve_channel: Callable[..., Server], many_versions: Path
) -> None:
    server, looking = serve_channel(many_versions), searcher()
    found = await looking.package("ToolBox", settings(server.url))
    assert found == FoundPackage(
        name="toolbox", source=server.url, versions=("2.0", "1.10.1rc1", "1.10", "1.9"), stage=Stage.LINK
    )
    asked = len(server.requests)
    assert await looking.package("toolbox", settings(server.url)) == found
    assert len(server.requests) == asked, "it is remembered"
    assert await looking.package("nowhere", settings(server.url)) is None


async def test_a_channel_hides_a_package_of_those_after_it(
    searcher: Searcher, serve_channel: Callable[..., Server], many_versions: Path, tmp_path: Path
) -> None:
    with ChannelBuilder(tmp_path / "lab") as builder:
        builder.add_package("toolbox", "1.5", "0")
    first, second = serve_channel(tmp_path / "lab").url, serve_channel(many_versions).url
    strict = await searcher().package("toolbox", settings(first, second))
    assert strict is not None
    assert (strict.source, strict.versions) == (first, ("1.5",))
    found = await searcher().names("toolb", settings(first, second), 5)
    assert [(package.name, package.source) for package in found] == [("toolbox", first)]
    loose = await searcher().package("toolbox", settings(first, second, priority="disabled"))
    assert loose is not None
    assert loose.versions == ("2.0", "1.10.1rc1", "1.10", "1.9", "1.5")


@pytest.mark.parametrize("text", ["x" * 101, "num\x00py", "a\nb", "\u202egnp"])
async def test_hostile_questions_are_refused(searcher: Searcher, channel: str, text: str) -> None:
    with pytest.raises(InvalidInputError):
        await searcher().names(text, settings(channel), 20)
    with pytest.raises(InvalidInputError):
        await searcher().package(text, settings(channel))


async def test_a_match_spec_is_no_name(searcher: Searcher, channel: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        await searcher().package("numpy>=1[url=x]", settings(channel))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    wheels = tmp_path / "wheels"
    for version in ("1.9", "1.10", "2.0rc1"):
        make_wheel(wheels, "alpha-tool", version)
    make_wheel(wheels, "alpha-tool", "3.0", tag="cp39-cp39-win_amd64")
    with serve(wheels) as server:
        yield server


@pytest.fixture
def indexes(index: Index, monkeypatch: pytest.MonkeyPatch) -> IndexSearch:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return IndexSearch(prepare)


async def test_an_index_is_asked_for_the_very_name(indexes: IndexSearch, index: Index) -> None:
    found = await indexes.package("Alpha_Tool", "3.12.4")
    assert found == FoundPackage(
        name="alpha-tool", stage=Stage.WHEELS, source="pypi", versions=("1.10", "1.9", "2.0rc1")
    )
    assert await indexes.package("alpha", "3.12.4") is None
    assert await indexes.package("../files", "3.12.4") is None
    assert await indexes.package("alpha.tool", "3.12.4") == found
    assert [path for _, path in index.requests] == ["/simple/alpha-tool/", "/simple/alpha/"]


async def test_where_pypi_is_the_installer_the_index_is_asked(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    manager = make_manager("", tmp_path / "cache", default_installer="pypi")
    assert await manager.search.names("alpha") == ()
    assert await manager.search.names("alpha-tool") == (
        FoundPackage(name="alpha-tool", stage=Stage.WHEELS, source="pypi"),
    )
    with pytest.raises(NotFoundError, match="No configured package index has a wheel of 'alpha' for this Python"):
        await manager.search.package("alpha")
    await manager.close()


async def test_an_index_that_fails_gives_its_sentence(indexes: IndexSearch, index: Index) -> None:
    index.faults["simple/alpha"] = 503
    index.faults["simple/beta"] = 403
    with pytest.raises(ChannelError, match=r"does not answer as it should \(HTTP 503\)"):
        await indexes.package("alpha-tool", "3.12.4")
    with pytest.raises(ChannelError, match=r"refuses access \(HTTP 403\)"):
        await indexes.package("beta", "3.12.4")


async def test_credentials_of_an_index_are_used_and_never_shown(
    index: Index, indexes: IndexSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.credentials = "me:s3cret"
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url.replace("//", "//me:s3cret@"))
    assert await indexes.package("alpha-tool", "3.12.4") is not None
    index.faults["simple/beta"] = 500
    with pytest.raises(ChannelError) as caught:
        await indexes.package("beta", "3.12.4")
    assert "s3cret" not in f"{caught.value} {caught.value.detail}"


def test_pages_of_older_indexes_are_read() -> None:
    page = """<a href="/f/alpha-1.0-py3-none-any.whl#sha256=00">x</a>
    <a href="alpha-2.0-py3-none-any.whl" data-requires-python="&gt;=3.99">x</a>
    <a href="alpha-1.5-py3-none-any.whl" data-yanked="broken">x</a> <a href="alpha-1.1.tar.gz">x</a> <a>x</a>"""
    files = read_html(page)
    assert Fit("3.12.1").versions("alpha", files) == ("1.0",)
    assert Fit("3.12.1").versions("beta", [*files, File("beta-1.whl")]) == ()


async def test_the_manager_searches_what_is_configured(channel: str, tmp_path: Path) -> None:
    manager = make_manager(channel, tmp_path / "cache")
    try:
        assert named(await manager.search.names("warpdrive", limit=1)) == ["warpdrive"]
        assert await manager.search.names("") == ()
        assert (await manager.search.package("warpdrive")).versions == ("1.5.0", "1.4.0")
        with pytest.raises(NotFoundError, match=f"No channel has a package 'warp' for this platform: {channel}"):
            await manager.search.package("warp")
        with pytest.raises(InvalidInputError, match="between 1 and 100"):
            await manager.search.names("warp", limit=101)
        with pytest.raises(NotFoundError):
            await manager.search.names("warp", "nowhere")
    finally:
        await manager.close()


async def test_the_command_line_shows_names_or_versions() -> None:
    manager = ScriptedManager()
    for words, told in (
        (("nump",), "NAME  SOURCE       INSTALLED\nnump  conda-forge  -\n"),
        (("numpy", "--versions"), "Versions   2.0, 1.0\n"),
    ):
        arguments, _ = parse(["search", *words, "--environment", "tf"])
        assert told in (await search(manager, arguments)).text
    assert manager.search.asked == [("nump", "tf", 20), ("numpy", "tf")]


def test_what_an_environment_has_is_said(tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / "numpy-2.1-0.json").write_text(json.dumps({"name": "numpy", "version": "2.1"}))
    assert installed_versions(prefix) == {"numpy": "2.1"}
