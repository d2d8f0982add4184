"""What happens while a GPU kernel is made: cancelled, reloaded, failed, two at once, and hardly a question asked."""

from __future__ import annotations

import re
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from channel import Status
from playwright.sync_api import Page, expect

from .cargo import Cargo
from .desk import BUILD, PATIENCE, Desk, Words
from .lab import API, NO_DRIVER, Lab, end
from .lab import lab as run_lab

if TYPE_CHECKING:
    from conftest import Caches


def ask(desk: Desk, name: str, package: str) -> None:
    """Ask for a kernel with one more package."""
    form = desk.ask()
    form.fill(Name=name)
    form.more()
    form.field("Extra conda packages").fill(package)
    form.create()


def begin(desk: Desk, name: str, package: str) -> None:
    """Begin to make a kernel whose download waits half-way."""
    ask(desk, name, package)
    expect(desk.job(name)).to_contain_text("Downloading")


def test_cancelled_half_way(desk: Desk, lab: Lab, cargo: Cargo, new_name: str) -> None:
    begin(desk, new_name, cargo.load())
    job = desk.job(new_name)
    job.get_by_role("button", name=f"Cancel “Creating {new_name}”").click()
    expect(job).to_contain_text("Cancelled")
    desk.picture("cancelled")
    assert lab.traces(new_name) == []
    expect(desk.kernel(new_name)).to_have_count(0)


def test_reloaded_half_way(desk: Desk, cargo: Cargo, new_name: str) -> None:
    begin(desk, new_name, cargo.load())
    desk.reload()
    # JupyterLab opens it itself, if it had the time to remember.
    desk.open_panel()
    job = desk.job(new_name)
    expect(job.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))
    cargo.release()
    notification = desk.notification.filter(has_text=new_name)
    expect(notification.get_by_role("button", name="Open notebook")).to_be_visible(timeout=BUILD)
    expect(desk.kernel(new_name)).to_contain_text("Verified")


def test_taken_up_by_the_next_server(
    page: Page, cargo: Cargo, channel: str, caches: Caches, words: Words, tmp_path: Path
) -> None:
    place = {"channels": [channel, cargo.server.url], "manager": {"cache_dir": str(caches.root)}, "driver": NO_DRIVER}
    page.set_default_timeout(PATIENCE)
    with run_lab(tmp_path / "lab", **place) as first:
        desk = Desk(page, first, words)
        desk.open()
        begin(desk, "warp", cargo.load())
        end(first.process, signal.SIGKILL)
    expect(desk.panel).to_contain_text("Offline")
    desk.picture("offline")
    assert desk.audit(".jp-GpuKernels-panel") == []
    with run_lab(tmp_path / "lab", port=first.port, **place):
        # JupyterLab says itself that the server was away.
        page.add_locator_handler(desk.dialog, lambda dialog: dialog.get_by_role("button").last.click())
        desk.press("Retry", desk.panel)
        expect(desk.job("warp")).to_contain_text("Downloading", timeout=BUILD)
        cargo.release()
        expect(desk.kernel("warp")).to_contain_text("Verified", timeout=BUILD)
        expect(desk.panel).not_to_contain_text("Offline")


def test_two_at_once(desk: Desk, cargo: Cargo, new_name: str) -> None:
    other = f"{new_name}-other"
    begin(desk, new_name, cargo.load())
    begin(desk, other, cargo.load())
    expect(desk.panel.get_by_role("progressbar")).to_have_count(2)
    desk.picture("two-jobs")
    for name in (new_name, other):
        desk.job(name).get_by_role("button", name=f"Cancel “Creating {name}”").click()
        expect(desk.job(name)).to_contain_text("Cancelled")


def test_a_failure_says_why_and_can_be_tried_again(desk: Desk, lab: Lab, cargo: Cargo, new_name: str) -> None:
    package = cargo.name()
    cargo.server.fail(f"*/{package}-*", Status(404))
    ask(desk, new_name, package)
    job = desk.job(new_name)
    expect(job).to_contain_text("Failed", timeout=BUILD)
    expect(job).to_contain_text(package)
    expect(desk.notification.filter(has_text=new_name)).to_be_visible()
    desk.picture("failed")
    assert desk.audit(".jp-GpuKernels-panel") == []
    cargo.server.heal()
    assert lab.traces(new_name) == []
    # The form comes back with all that was asked for.
    job.get_by_role("button", name="Try again").click()
    expect(desk.form.field("Name")).to_have_value(new_name)
    expect(desk.form.field("Extra conda packages")).to_have_value(package)
    desk.form.create()
    expect(desk.kernel(new_name)).to_contain_text("Verified", timeout=BUILD)


def test_what_does_not_import_is_not_registered(desk: Desk, lab: Lab, new_name: str) -> None:
    desk.ask()
    desk.form.fill("Broken", Name=new_name)
    desk.form.create()
    job = desk.job(new_name)
    expect(job).to_contain_text("Failed", timeout=BUILD)
    expect(job).to_contain_text("libbroken.so.7")
    assert lab.traces(new_name) == []


def test_progress_comes_by_events_and_costs_few_questions(desk: Desk, page: Page, cargo: Cargo, new_name: str) -> None:
    asked: Counter[str] = Counter()
    begin(desk, new_name, cargo.load())
    page.on("request", lambda request: asked.update([urlsplit(request.url).path]))
    # Nothing happens, and nothing is asked, while the download waits.
    page.wait_for_timeout(3000)
    waiting = {path: count for path, count in asked.items() if f"/{API}/" in path}
    assert sum(waiting.values()) <= 2, waiting
    cargo.release()
    expect(desk.kernel(new_name)).to_contain_text("Verified", timeout=BUILD)
    working = {path: count for path, count in asked.items() if f"/{API}/" in path}
    assert sum(working.values()) <= 60, working
