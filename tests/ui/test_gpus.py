"""What the GPUs are doing, for whom, and which of them kernels are given."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, expect

from .desk import BUILD, Desk
from .lab import API, Lab
from .test_start import turn

G = 1024**3


def a_driver(*gpus: dict[str, Any]) -> dict[str, Any]:
    """A driver that shows these GPUs."""
    return {"driver": "570.86.15", "cuda": "12.8", "gpus": list(gpus)}


def a_gpu(number: int = 0, **doing: Any) -> dict[str, Any]:
    """A GPU that does something."""
    uuid = f"GPU-00000000-0000-0000-0000-{number:012d}"
    return {"uuid": uuid, "name": "NVIDIA H200", "compute_capability": "9.0", "memory_total": 141 * G, **doing}


def pid_of(desk: Desk) -> int:
    """The process of the notebook's kernel."""
    output = desk.run_cell("import os; print(os.getpid())")
    expect(output).to_have_text(re.compile(r"\d+"))
    desk.idle()
    return int(output.inner_text())


def readings(page: Page) -> list[str]:
    """The questions to the server what the GPUs are doing, from now on."""
    found: list[str] = []

    def note(request: Request) -> None:
        if urlsplit(request.url).path.endswith("/gpus/usage"):
            found.append(request.url)

    page.on("request", note)
    return found


def test_what_they_do_is_seen_as_it_changes(desk: Desk, driver: Callable[..., None]) -> None:
    driver(**a_driver(a_gpu(utilization=37, memory_used=30 * G)))
    desk.open_panel()
    busy = desk.panel.get_by_role("meter", name="Computing on NVIDIA H200")
    memory = desk.panel.get_by_role("meter", name="Memory of NVIDIA H200")
    expect(busy).to_have_attribute("aria-valuenow", "37")
    expect(memory).to_have_attribute("aria-valuetext", "30 of 141 GiB")
    driver(**a_driver(a_gpu(utilization=98, memory_used=70 * G)))
    expect(busy).to_have_attribute("aria-valuenow", "98")
    expect(memory).to_have_attribute("aria-valuetext", "70 of 141 GiB")


def test_they_are_read_while_they_are_seen_only(desk: Desk, page: Page, driver: Callable[..., None]) -> None:
    driver(**a_driver(a_gpu()))
    page.clock.install()
    asked = readings(page)
    page.clock.run_for("01:00")
    assert asked == []
    with page.expect_response(f"**/{API}/gpus/usage?*"):
        desk.open_panel()
    with page.expect_response(f"**/{API}/gpus/usage?*"):
        page.clock.run_for(2500)
    # Another panel comes before ours, then another tab of the browser before the page.
    files = page.get_by_role("tab", name=re.compile("^File Browser"))
    ways: list[tuple[Callable[[], object], Callable[[], object]]] = [
        (files.click, desk.open_panel),
        (lambda: turn(page, hidden=True), lambda: turn(page, hidden=False)),
    ]
    for hide, show in ways:
        hide()
        # What is on its way arrives.
        page.clock.run_for(3000)
        asked.clear()
        page.clock.run_for("10:00")
        assert asked == []
        with page.expect_request(f"**/{API}/gpus/usage?*"):
            show()
            page.clock.run_for(3000)


def test_nothing_is_read_where_there_are_none(desk: Desk, page: Page) -> None:
    page.clock.install()
    asked = readings(page)
    with page.expect_response(f"**/{API}/frameworks?*"):
        desk.open_panel()
    expect(desk.panel).to_contain_text("No NVIDIA driver is installed here")
    page.clock.run_for("10:00")
    assert asked == []


def test_an_idle_holder_is_found_and_shut_down(
    desk: Desk, page: Page, lab: Lab, kernel: str, driver: Callable[..., None]
) -> None:
    # As large as the README shows it.
    page.set_viewport_size({"width": 1100, "height": 700})
    desk.new_notebook(kernel)
    mine = pid_of(desk)
    path = lab.call("GET", "api/sessions")[0]["path"]
    processes = [{"pid": mine, "memory": 30 * G}, {"pid": 4_194_305, "memory": 12 * G}]
    other = a_gpu(1, name="NVIDIA A100-SXM4-80GB", memory_total=80 * G, utilization=4, memory_used=2 * G)
    driver(**a_driver(a_gpu(utilization=37, memory_used=50 * G, processes=processes), other))
    desk.open_panel()
    desk.press("NVIDIA H200", desk.panel)
    holders = desk.panel.locator(".jp-GpuKernels-holders").get_by_role("listitem")
    expect(holders).to_have_text(
        [
            re.compile(rf"^{re.escape(path)}30 GiB{kernel} · idle"),
            "Another process (4194305)12 GiB",
            "Not told whose8 GiB",
        ]
    )
    desk.picture("gpus")
    # Its path leads to it, whatever was looked at.
    desk.menu("File", "New Launcher")
    expect(desk.notebook).to_have_count(0)
    desk.press(path, holders.first)
    expect(desk.notebook).to_be_visible()

    desk.press(f"Shut down the kernel of {path}", desk.panel)
    expect(desk.dialog).to_contain_text("30 GiB of GPU memory come free")
    desk.picture("shut-down")
    desk.press("Cancel", desk.dialog)
    assert len(lab.call("GET", "api/kernels")) == 1
    desk.press(f"Shut down the kernel of {path}", desk.panel)
    desk.press("Shut down", desk.dialog)
    expect(desk.panel.get_by_role("button", name="Shut down")).to_have_count(0)
    assert lab.call("GET", "api/kernels") == []
    # It keeps the keyboard.
    expect(desk.panel.get_by_role("button", name="NVIDIA H200")).to_be_focused()


def test_a_kernel_is_given_what_was_chosen(desk: Desk, lab: Lab, new_name: str, driver: Callable[..., None]) -> None:
    driver(**a_driver(a_gpu(0), a_gpu(1)))
    form = desk.ask()
    form.fill(Name=new_name)
    form.field("CPU").check()
    form.more()
    form.field("GPUs of a kernel").select_option(label="Always the same")
    form.field("1 · NVIDIA H200 (141 GiB)").check()
    form.field("Memory of the GPU").select_option(label="Up to a part of it")
    form.field("Percent of the memory").fill("40")
    desk.picture("form-gpus")
    form.create()
    row = desk.kernel(new_name)
    row.get_by_role("button", name="Verified").click(timeout=BUILD)
    expect(row).to_contain_text("Always the same")
    expect(row).to_contain_text("Up to 40%")
    kept = next(item for item in lab.call("GET", f"{API}/environments") if item["name"] == new_name)
    assert (kept["memory"], kept["memory_fraction"]) == ("fraction", 0.4)
    assert kept["placement"] == {"policy": "fixed", "count": 1, "devices": [a_gpu(1)["uuid"]], "wait": 0.0}

    desk.choose(new_name, "GPUs and memory…")
    change = desk.dialog.get_by_role("button", name="Change", exact=True)
    desk.dialog.get_by_label("1 · NVIDIA H200 (141 GiB)").uncheck()
    expect(change).to_be_disabled()
    desk.dialog.get_by_label("GPUs of a kernel", exact=True).select_option(label="Not shared with other kernels")
    desk.dialog.get_by_label("How many", exact=True).fill("2")
    desk.picture("change-gpus")
    change.click()
    expect(row).to_contain_text("Not shared with other kernels (2)")
    kept = next(item for item in lab.call("GET", f"{API}/environments") if item["name"] == new_name)
    assert kept["placement"] == {"policy": "exclusive", "count": 2, "devices": [], "wait": 0.0}


def test_why_a_cuda_is_chosen_is_told(desk: Desk) -> None:
    form = desk.ask()
    form.fill(Name="elsewhere")
    form.more()
    form.dialog.get_by_label(re.compile("Build for another machine.s GPU")).fill("H100")
    form.preview()
    expect(form.answer).to_contain_text(re.compile(r"CUDA \d+\.\d: .*H100"))
    desk.picture("preview-target")
