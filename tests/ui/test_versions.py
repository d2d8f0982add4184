"""The panel as it is installed in other Jupyters: the oldest JupyterLab that it asks for, and Notebook 7."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from distributions import Distributions, Installation
from playwright.sync_api import ConsoleMessage, Page, expect

from .conftest import NO_DRIVER
from .desk import CHECKOUT, PATIENCE, Desk, Words
from .lab import Lab
from .lab import lab as run_lab

NAME = "warp-elsewhere"

#: The oldest JupyterLab that the panel asks for, and the Notebook of its time: 7.2 is to 4.2 as 7.6 is to 4.6.
_ASKED = json.loads((CHECKOUT / "labextension" / "package.json").read_text())["dependencies"]["@jupyterlab/application"]
OLDEST = pytest.param((_ASKED.replace("^", "jupyterlab=="), _ASKED.replace("^4.", "notebook==7.")), id="oldest")

#: Today's Notebook; today's JupyterLab is that of the other tests.
NEWEST = pytest.param(("notebook>=7,<8",), id="newest")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Jupyters share, one after the other: a home with a GPU kernel."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def jupyter(
    request: pytest.FixtureRequest,
    place: Path,
    channel: str,
    install: Callable[..., Installation],
    distributions: Distributions,
) -> Iterator[Lab]:
    """A server of JupyterLab and Notebook 7, with our wheel."""
    made = install(distributions.wheel, *request.param)
    with run_lab(place, channels=[channel], driver=NO_DRIVER, python=made.python) as running:
        if not (running.environments / NAME).exists():
            running.create(NAME)
        yield running


@pytest.fixture(autouse=True)
def patience(page: Page) -> None:
    """As much as the other tests have."""
    page.context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)


@pytest.mark.parametrize("jupyter", [OLDEST], indirect=True)
def test_in_jupyterlab(jupyter: Lab, page: Page) -> None:
    wrong = _listen(page)
    desk = Desk(page, jupyter, Words())
    desk.open()
    desk.open_panel()
    expect(desk.kernel(NAME)).to_contain_text("Verified")
    desk.choose(NAME, "Diagnose")
    expect(page.locator("#jp-main-dock-panel")).to_contain_text("things were looked at")
    desk.picture("jupyterlab-oldest-diagnosis")
    desk.kernel(NAME).get_by_role("button", name="Open notebook").click()
    _runs(desk)
    _ask(desk)
    desk.picture("jupyterlab-oldest")
    assert wrong == []


@pytest.mark.parametrize("jupyter", [OLDEST, NEWEST], indirect=True)
def test_in_notebook_7(jupyter: Lab, page: Page, request: pytest.FixtureRequest) -> None:
    wrong = _listen(page)
    desk = Desk(page, jupyter, Words())
    page.goto(jupyter.address("tree"))
    page.locator(".jp-DirListing-content").wait_for()
    desk.palette("Show GPU Kernels")
    expect(desk.kernel(NAME)).to_contain_text("Verified")
    # Nothing but a document has a tab there.
    desk.choose(NAME, "Diagnose")
    expect(desk.dialog).to_contain_text("things were looked at")
    desk.picture(f"notebook-{request.node.callspec.id.rpartition('-')[2]}-diagnosis")
    desk.press("Close", desk.dialog.locator(".jp-Dialog-footer"))
    # Each document has a tab of the browser.
    with page.context.expect_page() as opened:
        desk.kernel(NAME).get_by_role("button", name="Open notebook").click()
    wrong_there = _listen(opened.value)
    _runs(Desk(opened.value, jupyter, Words()))
    _ask(desk)
    desk.picture(f"notebook-{request.node.callspec.id.rpartition('-')[2]}")
    assert [*wrong, *wrong_there] == []


# With the mouse: in JupyterLab 4.2, with our panel or without, keys pressed in quick succession do not always arrive.


def _runs(desk: Desk) -> None:
    """See that the notebook has the kernel, and that it is ready."""
    expect(desk.kernel_name).to_have_text(f"{NAME} (Warpdrive 1.5 · CPU)")
    desk.idle()


def _ask(desk: Desk) -> None:
    """Ask in the form what another kernel would be."""
    desk.panel.get_by_role("button", name=re.compile("^New GPU kernel", re.IGNORECASE)).click()
    desk.form.fill("Warpdrive", Name="warp-again")
    desk.form.preview()
    expect(desk.dialog).to_contain_text("Warpdrive 1.5.0")


def _listen(page: Page) -> list[str]:
    """What our code throws, or says to the console, or what is said of it there."""
    heard: list[str] = []

    def is_ours(text: str) -> bool:
        return re.search("gpu[-_]?kernels", text, re.IGNORECASE) is not None

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and is_ours(f"{message.text} {message.location['url']}"):
            heard.append(f"{message.type}: {message.text}")

    page.on("console", said)
    page.on("pageerror", lambda error: heard.append(f"{error}") if is_ours(error.stack or "") else None)
    return heard
