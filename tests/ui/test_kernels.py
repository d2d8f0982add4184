"""What can be done with a GPU kernel that is there."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from .desk import BUILD, Desk
from .lab import API, Lab


def test_renamed(desk: Desk, kernel: str) -> None:
    desk.open_panel()
    desk.choose(kernel, "Rename")
    desk.dialog.get_by_label("Name shown in the Launcher and in notebooks").fill("Warp nine")
    desk.picture("rename")
    desk.dialog.get_by_role("button", name="Rename").click()
    expect(desk.panel.get_by_role("heading", name="Warp nine")).to_be_visible()
    # The Launcher is told at once.
    expect(desk.card("Warp nine").first).to_be_visible()
    desk.choose(kernel, "Rename")
    desk.dialog.get_by_label("Name shown in the Launcher and in notebooks").fill(f"{kernel} (Warpdrive 1.5 · CPU)")
    desk.dialog.get_by_role("button", name="Rename").click()
    expect(desk.panel.get_by_role("heading", name="Warp nine")).to_have_count(0)


def test_removed(desk: Desk, lab: Lab, new_name: str) -> None:
    lab.create(new_name)
    desk.open_panel()
    desk.kernel(new_name).get_by_role("button", name="Open notebook").click()
    desk.idle()
    expect(desk.kernel(new_name)).to_contain_text("1 running")
    # Not while a kernel runs, unless told so.
    desk.choose(new_name, "Remove")
    expect(desk.dialog).to_contain_text(re.compile(r"\d+(\.\d+)? [MG]B"))
    expect(desk.dialog.get_by_role("checkbox")).not_to_be_checked()
    expect(desk.dialog.get_by_role("button", name="Remove")).to_be_disabled()
    desk.picture("remove")
    desk.dialog.get_by_role("checkbox").check()
    desk.dialog.get_by_role("button", name="Remove").click()
    expect(desk.kernel(new_name)).to_have_count(0)
    expect(desk.card(new_name)).to_have_count(0)
    assert lab.traces(new_name) == []


def shorten(route: Route) -> None:
    """Let the bundled notebook do less: its parameters stand in its first cell, for everybody to change."""
    answer = route.fetch()
    notebook = answer.json()
    parameters = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    source = "".join(parameters["source"])
    for name, value in {"RUNS": 3, "MATRIX_RUNS": 3, "PIXELS": 20, "MATRIX": 256}.items():
        source, count = re.subn(rf"^{name} = \d+", f"{name} = {value}", source, flags=re.MULTILINE)
        assert count == 1, name
    parameters["source"] = source
    route.fulfill(response=answer, json=notebook)


def test_the_benchmark_runs_in_a_notebook_and_is_kept(desk: Desk, lab: Lab, kernel: str) -> None:
    (lab.folder / "warp").mkdir(exist_ok=True)
    desk.reload()
    desk.page.locator(".jp-DirListing-item").filter(has_text="warp").dblclick()
    expect(desk.page.locator(".jp-BreadCrumbs-item")).to_contain_text(["warp"])
    desk.page.route("**/notebook*", shorten)
    desk.open_panel()
    desk.press("Run benchmark", desk.kernel(kernel))
    expect(desk.kernel_name).to_contain_text(kernel)
    expect(desk.kernel(kernel)).to_contain_text("1 running")
    expect(desk.kernel(kernel)).to_contain_text(" on the CPU: ", timeout=BUILD)
    desk.picture("benchmark")
    assert [path.suffix for path in (lab.folder / "warp").iterdir() if path.is_file()] == [".ipynb"]
    kept = next(item for item in lab.call("GET", f"{API}/environments") if item["name"] == kernel)
    assert kept["benchmark"] is not None


def test_verified_again(desk: Desk, kernel: str) -> None:
    desk.open_panel()
    desk.choose(kernel, "Verify")
    expect(desk.job(kernel, "Verifying %1")).to_contain_text("Done", timeout=BUILD)
