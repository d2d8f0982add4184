"""Whether everybody can use what there is: screen readers, narrow panes, large letters, dark screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .cargo import Cargo
from .desk import Desk
from .lab import API

THEMES = "@jupyterlab/apputils-extension:themes"

G = 1024**3

#: Two GPUs that are whole, and one that is split.
MANY = {
    "driver": "570.86.15",
    "cuda": "12.8",
    "gpus": [
        {
            "uuid": "GPU-00000000-0000-0000-0000-000000000000",
            "name": "NVIDIA H200",
            "memory_total": 141 * G,
            "utilization": 97,
            "memory_used": 50 * G,
            "processes": [{"pid": 4_194_305, "memory": 30 * G}],
        },
        {"uuid": "GPU-00000000-0000-0000-0000-000000000001", "name": "NVIDIA H200", "memory_total": 141 * G},
        {
            "uuid": "GPU-00000000-0000-0000-0000-000000000002",
            "name": "NVIDIA A100",
            "memory_total": 80 * G,
            "mig": True,
            "instances": [
                {
                    "uuid": "MIG-00000000-0000-0000-0000-000000000003",
                    "profile": "3g.40gb",
                    "memory_total": 40 * G,
                    "memory_used": 11 * G,
                    "processes": None,
                }
            ],
        },
    ],
}


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
    desk.job(new_name).get_by_text("Log", exact=True).click()
    desk.kernel(kernel).get_by_role("button", name="Verified").click()
    desk.picture(f"panel-{theme}")
    assert desk.audit(".jp-GpuKernels-panel") == []
    desk.choose(kernel, "Remove")
    expect(desk.dialog).to_contain_text("frees")
    desk.picture(f"remove-{theme}")
    assert desk.audit(".jp-Dialog") == []


def test_axe_finds_nothing_serious_about_gpus(
    theme: str, desk: Desk, page: Page, kernel: str, driver: Callable[..., None]
) -> None:
    driver(**MANY)
    desk.open_panel()
    for name in ("0 · NVIDIA H200", "NVIDIA A100 · 3g.40gb"):
        desk.press(name, desk.panel)
    expect(desk.panel).to_contain_text("Another process (4194305)")
    desk.kernel(kernel).get_by_role("button", name="Verified").click()
    desk.picture(f"gpus-{theme}")
    assert desk.audit(".jp-GpuKernels-panel") == []
    desk.choose(kernel, "GPUs and memory…")
    desk.dialog.get_by_label("GPUs of a kernel", exact=True).select_option(label="Always the same")
    desk.dialog.get_by_label("Memory of the GPU", exact=True).select_option(label="Up to a part of it")
    desk.picture(f"change-gpus-{theme}")
    assert desk.audit(".jp-Dialog") == []
    desk.press("Cancel", desk.dialog)
    desk.palette("Diagnose GPU Kernels")
    doctor = page.locator(".jp-GpuKernels-Diagnosis")
    doctor.get_by_text("things were looked at").click()
    for evidence in doctor.get_by_text("Evidence").all():
        evidence.click()
    desk.picture(f"diagnosis-{theme}")
    assert desk.audit(".jp-GpuKernels-Diagnosis") == []


def test_whoever_has_no_kernel_is_told_how_to_begin(desk: Desk, page: Page, driver: Callable[..., None]) -> None:
    driver(driver="570.86.15", cuda="12.8", gpus=[{"name": "NVIDIA H200"}])
    for path in ("environments", "jobs"):
        page.route(f"**/{API}/{path}?*", lambda route: route.fulfill(json=[]))
    desk.open_panel()
    expect(desk.panel).to_contain_text("NVIDIA H200")
    desk.picture("empty")
    assert desk.audit(".jp-GpuKernels-panel") == []
    desk.press("New GPU kernel", desk.panel)
    expect(desk.form.framework("TensorFlow")).to_be_focused()


def test_it_fits_into_a_narrow_sidebar(
    desk: Desk, kernel: str, cargo: Cargo, new_name: str, driver: Callable[..., None]
) -> None:
    driver(**MANY)
    form = desk.ask()
    form.fill(Name=new_name)
    form.more()
    form.field("Extra conda packages").fill(cargo.load())
    form.create()
    expect(desk.job(new_name)).to_contain_text("Downloading")
    desk.kernel(kernel).get_by_role("button", name="Verified").click()
    desk.press("0 · NVIDIA H200", desk.panel)
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
