"""What JupyterLab pays for the extension before anybody uses it."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Page

from .desk import Desk
from .lab import API


def test_nothing_is_asked_for_before_it_is_used(desk: Desk, page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(urlsplit(request.url).path))
    desk.reload()
    desk.card("New GPU kernel").wait_for()
    assert [path for path in requests if path.startswith(f"/{API}/")] == []
    ours = [path.rpartition("/")[2] for path in requests if path.startswith(f"/lab/extensions/{API}/")]
    assert sorted(name.split(".")[0] for name in ours) == ["lib_index_js", "remoteEntry", "style_index_js"]
