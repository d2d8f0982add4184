"""What a browser test gets: a page of a JupyterLab on the tests' channel, shared by all of them.

Fixtures to ask for:

``desk``      :class:`desk.Desk`: a page on which JupyterLab is open, with hands
``lab``       :class:`lab.Lab`: the server behind it
``cargo``     :class:`cargo.Cargo`: packages whose download stops half-way, for what happens meanwhile
``driver``    ``(**description) -> None``: let the machine have a GPU driver, for this test (it has none otherwise)
``settings``  ``(plugin, **values) -> None``: set something in JupyterLab, for this test; before its page is opened
``kernel``    ``str``: name of a GPU kernel that exists; do not change it
``new_name``  ``str``: a name for a GPU kernel of this test's own, removed after it

The browser is the ``chromium`` of the system, or the one that ``CHROMIUM`` names; nothing is downloaded.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import urllib.error
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserType, Page, Playwright, expect, sync_playwright

from .cargo import Cargo
from .cargo import cargo as serve_cargo
from .chromium import launch_arguments
from .desk import PATIENCE, Desk, Words
from .lab import API, NO_DRIVER, Lab
from .lab import lab as run_lab

if TYPE_CHECKING:
    from conftest import Caches

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium; a missing one fails the tests, for a panel that nobody has looked at is not tested."""
    try:
        return {**browser_type_launch_args, **launch_arguments()}
    except LookupError as error:
        pytest.fail(str(error), pytrace=False)


# Playwright's loop counts as running as long as Playwright does, and no other can run beside it in this thread. So it
# ends with these tests, where pytest-playwright would keep it for the session; and pytest-jupyter makes no loops here.


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """No loop beside Playwright's."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """No server in this process, thus nothing to clean up."""


@pytest.fixture(scope="package")
def playwright(lab: Lab) -> Iterator[Playwright]:
    """Playwright, as long as this directory's tests run; after the server, which needs a loop of its own to be made."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser_type(playwright: Playwright) -> BrowserType:
    """Chromium."""
    return playwright.chromium


@pytest.fixture(scope="package")
def browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """One browser; each test has a context of its own."""
    browser = browser_type.launch(**browser_type_launch_args)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def browser_context_args() -> dict[str, Any]:
    """A laptop's window."""
    return {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "timezone_id": "UTC"}


@pytest.fixture(scope="package")
def cargo_channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cargo]:
    """The channel of packages that wait."""
    with serve_cargo(tmp_path_factory.mktemp("cargo")) as made:
        yield made


@pytest.fixture
def cargo(cargo_channel: Cargo) -> Iterator[Cargo]:
    """The channel of packages that wait; none does after the test."""
    yield cargo_channel
    cargo_channel.release()


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory, channel: str, cargo_channel: Cargo, caches: Caches) -> Iterator[Lab]:
    """JupyterLab, on the tests' channel and that of the cargo."""
    root = tmp_path_factory.mktemp("lab")
    (root / "driver.json").write_text(json.dumps(NO_DRIVER))
    manager = {"cache_dir": str(caches.root)}
    with run_lab(
        root, channels=[channel, cargo_channel.server.url], manager=manager, driver=root / "driver.json"
    ) as running:
        yield running
    log = (root / "lab.log").read_text(errors="replace")
    # Tracebacks of ours have our files in them; JupyterLab's own are none of our business.
    assert "/jupyter_gpu_kernels/" not in log, log


@pytest.fixture
def driver(lab: Lab) -> Iterator[Callable[..., None]]:
    """Let the machine have a driver."""
    file = lab.root / "driver.json"
    yield lambda **description: file.write_text(json.dumps(description))
    file.write_text(json.dumps(NO_DRIVER))


@pytest.fixture
def settings(lab: Lab) -> Iterator[Callable[..., None]]:
    """Set something in JupyterLab."""
    changed = set()

    def change(plugin: str, **values: Any) -> None:
        changed.add(plugin)
        lab.set(plugin, values)

    yield change
    for plugin in changed:
        lab.set(plugin, None)


@pytest.fixture(scope="package")
def kernel(lab: Lab) -> str:
    """A GPU kernel for the tests that look at one."""
    name = "warp-one"
    lab.create(name)
    return name


@pytest.fixture
def new_name(lab: Lab, request: pytest.FixtureRequest) -> Iterator[str]:
    """A name that is free again after the test; which one, its parameter may say."""
    name = getattr(request, "param", None) or f"warp-{next(_numbers)}"
    yield name
    for job in lab.call("GET", f"{API}/jobs"):
        if job["name"] == name and job["state"] in ("queued", "running"):
            lab.call("DELETE", f"{API}/jobs/{job['id']}")
    if any(environment["name"] == name for environment in lab.call("GET", f"{API}/environments")):
        lab.finished(lab.call("DELETE", f"{API}/environments/{name}?stop_kernels=true"))


@pytest.fixture
def words() -> Words:
    """What the panel says; a test of another language has its own."""
    return Words()


@pytest.fixture
def desk(page: Page, lab: Lab, words: Words) -> Iterator[Desk]:
    """A page on which JupyterLab is open, and no session after it."""
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    made = Desk(page, lab, words)
    made.open()
    yield made
    thrown = list(errors)
    for session in lab.call("GET", "api/sessions"):
        with contextlib.suppress(urllib.error.HTTPError):
            lab.call("DELETE", f"api/sessions/{session['id']}")
    assert thrown == [], "the page has thrown"
