"""Making a GPU kernel, from the Launcher to the first cell."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from .cargo import Cargo
from .desk import BUILD, Desk

H200 = {
    "driver": "570.86.15",
    "cuda": "12.8",
    "gpus": [{"name": "NVIDIA H200", "compute_capability": "9.0", "memory_total": 141 * 1024**3}],
}


def without_broken(route: Route) -> None:
    """Answer with the catalogue, without what only the tests want to see."""
    answer = route.fetch()
    route.fulfill(response=answer, json=[entry for entry in answer.json() if entry["id"] != "broken"])


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("new_name", ["tf-warp-speed"], indirect=True)
def test_from_the_launcher_to_a_cell(desk: Desk, page: Page, cargo: Cargo, new_name: str) -> None:
    # As large as the README shows it.
    page.set_viewport_size({"width": 1100, "height": 700})
    name, package = new_name, cargo.load()
    form = desk.ask()
    expect(form.framework("TensorFlow")).to_be_checked()
    form.fill("Warpdrive", Name=name)
    form.more()
    form.field("Extra conda packages").fill(package)
    form.preview()
    expect(form.dialog).to_contain_text("Warpdrive 1.5.0")
    expect(form.dialog).to_contain_text(re.compile(r"\d+ packages"))
    desk.picture("preview")
    form.button("Create").click()

    # The panel opens by itself, and shows how far it is.
    job = desk.job(name)
    bar = job.get_by_role("progressbar")
    expect(job).to_contain_text("Downloading")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))
    expect(job).to_contain_text("0 of 1 package")
    desk.picture("progress")
    log = job.get_by_text("Log", exact=True)
    log.click()
    expect(job).to_contain_text(package)
    log.click()
    cargo.release()

    notification = desk.notification.filter(has_text=name)
    notification.get_by_role("button", name="Open notebook").wait_for(timeout=BUILD)
    title = f"{name} (Warpdrive 1.5 · CPU)"
    expect(desk.kernel(name)).to_contain_text("Verified")
    desk.picture("done")
    notification.get_by_role("button", name="Open notebook").click()
    expect(desk.kernel_name).to_have_text(title)
    desk.idle()
    output = desk.run_cell("import warpdrive; print(warpdrive.__version__)")
    expect(output).to_have_text("1.5.0")
    desk.idle()
    desk.picture("notebook")

    # And it is where kernels are looked for.
    desk.menu("Kernel", "Change Kernel")
    expect(desk.dialog.get_by_role("combobox")).to_contain_text(title)
    desk.dialog.get_by_role("combobox").select_option("Python 3 (ipykernel)")
    desk.dialog.get_by_role("button", name="Select Kernel").click()
    expect(desk.kernel_name).to_have_text("Python 3 (ipykernel)")
    desk.menu("Kernel", "Change Kernel")
    desk.dialog.get_by_role("combobox").select_option(title)
    desk.dialog.get_by_role("button", name="Select Kernel").click()
    expect(desk.kernel_name).to_have_text(title)


def test_a_kernel_is_used_in_the_current_notebook(desk: Desk, new_name: str) -> None:
    desk.new_notebook("Python 3")
    desk.menu("Kernel", "New GPU Kernel")
    desk.form.fill(Name=new_name)
    desk.form.create()
    notification = desk.notification.filter(has_text=new_name)
    notification.get_by_role("button", name="Use in current notebook").click(timeout=BUILD)
    expect(desk.kernel_name).to_have_text(f"{new_name} (Warpdrive 1.5 · CPU)")
    desk.idle()
    expect(desk.run_cell("import warpdrive; print(warpdrive.__version__)")).to_have_text("1.5.0")


def test_with_the_keyboard_only(desk: Desk, page: Page, new_name: str) -> None:
    desk.palette("New GPU Kernel")
    expect(desk.form.framework("TensorFlow")).to_be_focused()
    press = page.keyboard.press
    for _ in range(20):
        if desk.form.framework("Warpdrive").is_checked():
            break
        press("ArrowRight")
    expect(desk.form.framework("Warpdrive")).to_be_checked()
    press("Tab")
    expect(desk.form.field("Name")).to_be_focused()
    expect(desk.form.field("Name")).to_have_value(re.compile("^warpdrive-"))
    press("Control+A")
    page.keyboard.type(new_name)
    # Enter submits, as in every form: first for the plan, which is then read, …
    press("Enter")
    expect(desk.dialog.get_by_role("heading", name="To be built: Warpdrive 1.5.0 · CPU")).to_be_focused()
    # … then for the kernel.
    for _ in range(10):
        press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Create":
            break
    press("Enter")
    expect(desk.dialog).to_have_count(0)
    expect(desk.job(new_name)).to_be_visible()


def test_what_cannot_run_is_refused_with_its_cure(desk: Desk) -> None:
    form = desk.ask()
    form.fill(Name="refused")
    form.field("GPU").check()
    form.preview()
    expect(form.dialog.get_by_role("heading", name="This cannot be built")).to_be_focused()
    desk.picture("refusal")
    form.button("Take the CPU variant").click()
    expect(form.dialog.get_by_role("heading", name="To be built: Warpdrive 1.5.0 · CPU")).to_be_visible()
    expect(form.button("Create")).to_be_enabled()


def test_the_driver_chooses_the_cuda(desk: Desk, page: Page, driver: Callable[..., None]) -> None:
    driver(**H200)
    page.set_viewport_size({"width": 1100, "height": 700})
    page.route("**/frameworks*", without_broken)
    form = desk.ask()
    expect(form.field("Name")).to_have_value("tf-warp-speed")
    expect(form.dialog).to_contain_text("CUDA up to 12.8")
    desk.picture("form", form.content)
    form.fill(Name="fast")
    form.preview()
    expect(form.dialog.get_by_role("heading", name="To be built: Warpdrive 1.5.0 · CUDA 12.9")).to_be_visible()
    desk.picture("preview-gpu", form.answer)


def test_names_are_checked_as_they_are_typed(desk: Desk, kernel: str) -> None:
    form = desk.ask()
    form.fill("Warpdrive")
    # A free one is suggested.
    expect(form.field("Name")).to_have_value(re.compile("^warpdrive"))
    form.field("Name").fill(kernel)
    expect(form.field("Name")).to_have_attribute("aria-invalid", "true")
    expect(form.field("Name")).to_have_accessible_description(re.compile("taken|belongs|exists"))
    form.field("Name").fill("a b")
    expect(form.field("Name")).to_have_accessible_description(re.compile("letters"))
    form.field("Name").fill("free-one")
    expect(form.field("Name")).not_to_have_attribute("aria-invalid", "true")
