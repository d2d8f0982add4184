"""What JupyterLab pays for the extension before anybody uses it, and after everybody has gone."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from .desk import Desk
from .lab import API


def test_nothing_is_asked_for_before_it_is_used(desk: Desk, page: Page) -> None:
    paths: list[str] = []
    page.on("request", lambda request: paths.append(urlsplit(request.url).path))
    desk.reload()
    assert [path for path in paths if path.startswith(f"/{API}/")] == []
    at_start = {path for path in paths if path.startswith(f"/lab/extensions/{API}/")}
    assert at_start
    # The panel comes when it is opened, the form when it is asked for.
    desk.open_panel()
    expect(desk.panel).to_contain_text("No GPU")
    with_panel = {path for path in paths if path.startswith(f"/lab/extensions/{API}/")}
    assert with_panel > at_start
    desk.ask().framework("Warpdrive").wait_for()
    assert {path for path in paths if path.startswith(f"/lab/extensions/{API}/")} > with_panel


def test_a_page_that_nobody_sees_asks_nothing(desk: Desk, page: Page) -> None:
    page.clock.install()
    # The catalogue is read last.
    with page.expect_response(f"**/{API}/frameworks?*"):
        desk.open_panel()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    turn(page, hidden=True)
    page.clock.run_for("30:00")
    # Drawings come when they are painted.
    assert [path for path in asked if path.startswith(f"/{API}/") and not path.endswith("/logo")] == []
    with page.expect_request(f"**/{API}/jobs**"):
        turn(page, hidden=False)


def turn(page: Page, *, hidden: bool) -> None:
    """Hide the page, as if another tab had come before it, or show it."""
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
          const state = hidden ? 'hidden' : 'visible';
          Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )
