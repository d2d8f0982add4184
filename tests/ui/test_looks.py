"""Whether everybody can use what there is: screen readers, narrow panes, large letters, dark screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .cargo import Cargo
from .desk import Desk

THEMES = "@jupyterlab/apputils-extension:themes"


@pytest.fixture(params=["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def theme(request: pytest.FixtureRequest, settings: Callable[..., None]) -> str:
    """A theme that JupyterLab has."""
    settings(THEMES, theme=request.param)
    return str(request.param).removeprefix("JupyterLab ").lower().replace(" ", "-")


def test_axe_finds_nothing_serious(theme: str, kernel: str, desk: Desk, cargo: Cargo, new_name: str) -> None:
    desk.ask()
    desk.form.fill(Name=new_name)
    desk.form.more()
    desk.form.field("Extra conda packages").fill(cargo.load())
    desk.form.preview()
    desk.picture(f"form-{theme}")
    assert desk.audit(".jp-Dialog") == []
    desk.form.button("Create").click()
    expect(desk.job(new_name)).to_contain_text("Downloading")
    expect(desk.kernel(kernel)).to_be_visible()
    desk.picture(f"panel-{theme}")
    assert desk.audit(".jp-GpuKernels-panel") == []
    desk.choose(kernel, "Remove")
    desk.dialog.get_by_role("button", name="Remove").wait_for()
    desk.picture(f"remove-{theme}")
    assert desk.audit(".jp-Dialog") == []


def test_it_fits_into_a_narrow_sidebar(desk: Desk, kernel: str, cargo: Cargo, new_name: str) -> None:
    form = desk.ask()
    form.fill(Name=new_name)
    form.more()
    form.field("Extra conda packages").fill(cargo.load())
    form.create()
    expect(desk.job(new_name)).to_contain_text("Downloading")
    desk.kernel(kernel).get_by_role("button", name="Verified").click()
    desk.narrow(200)
    assert desk.panel.evaluate("panel => panel.clientWidth") == 200
    desk.picture("narrow")
    assert desk.overflows(desk.panel) == []


def test_it_is_usable_at_200_percent(desk: Desk, page: Page, kernel: str) -> None:
    # What a zoom does to the layout: half as many pixels, each twice as large.
    page.set_viewport_size({"width": 640, "height": 400})
    form = desk.ask()
    form.fill(Name="large")
    form.more()
    form.preview()
    form.answer.scroll_into_view_if_needed()
    desk.picture("form-200-percent")
    assert desk.overflows(form.content) == []
    expect(form.button("Create")).to_be_in_viewport()
    page.keyboard.press("Escape")
    desk.open_panel()
    expect(desk.kernel(kernel)).to_be_visible()
    desk.picture("panel-200-percent")
    assert desk.overflows(desk.panel) == []
