"""Whether everybody can use what there is: screen readers, narrow panes, large letters, dark screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

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
    expect(desk.job(f"Creating {new_name}")).to_contain_text("Downloading")
    expect(desk.kernel(kernel)).to_be_visible()
    desk.picture(f"panel-{theme}")
    assert desk.audit(".jp-GpuKernels-panel") == []
    desk.choose(kernel, "Remove")
    desk.dialog.get_by_role("button", name="Remove").wait_for()
    desk.picture(f"remove-{theme}")
    assert desk.audit(".jp-Dialog") == []
