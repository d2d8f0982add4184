"""The doctor's view: a broken environment, and its cure by a button."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from .desk import BUILD, Desk
from .lab import Lab


def view(page: Page) -> Locator:
    """The doctor's view, once it has looked."""
    found = page.locator(".jp-GpuKernels-Diagnosis")
    found.get_by_text("things were looked at").wait_for()
    return found


def test_a_broken_environment_is_found_and_cured(desk: Desk, page: Page, lab: Lab, new_name: str) -> None:
    # As large as the README shows it.
    page.set_viewport_size({"width": 1100, "height": 700})
    lab.create(new_name)
    comm = next((lab.environments / new_name).glob("lib/python3.*/site-packages/comm"))
    for part in (comm, *comm.parent.glob("comm-*.dist-info")):
        shutil.rmtree(part)
    desk.open_panel()
    desk.choose(new_name, "Diagnose")
    doctor = view(page)
    expect(doctor.get_by_role("heading", level=1)).to_have_text(f"Diagnosis of {new_name}")
    finding = doctor.get_by_role("region", name="Problems").get_by_role("listitem")
    uninstalled = finding.filter(has_text="comm, which was uninstalled")
    expect(uninstalled).to_contain_text(f"{new_name}: ipykernel")
    uninstalled.get_by_text("Evidence").click()
    expect(uninstalled).to_contain_text("Built: comm")
    desk.picture("diagnosis")

    page.context.grant_permissions(["clipboard-read"])
    desk.press("Copy as text", doctor)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "comm, which was uninstalled" in copied
    assert "**Problems**" in copied

    # Its job is seen in the panel, be it where it may.
    page.get_by_role("tab", name="File Browser").first.click()
    desk.press("Rebuild", uninstalled)
    # What is not kept is said before.
    expect(desk.dialog).to_contain_text(new_name)
    desk.picture("remedy")
    desk.press("Rebuild", desk.dialog)
    expect(desk.job(new_name, "Rebuilding %1")).to_be_visible()
    expect(uninstalled.get_by_role("button")).to_be_disabled()
    expect(doctor.get_by_role("region", name="Problems")).to_have_count(0, timeout=BUILD)
    expect(doctor).to_contain_text("Nothing is wrong.")
    assert Path(comm, "__init__.py").exists()
    desk.picture("cured")


def test_everything_is_looked_at_from_the_palette(desk: Desk, page: Page, kernel: str) -> None:
    desk.palette("Diagnose GPU Kernels")
    doctor = view(page)
    expect(doctor.get_by_role("heading", level=1)).to_have_text("Diagnosis of this machine and its kernels")
    doctor.get_by_text("things were looked at").click()
    expect(doctor.get_by_text("in order").first).to_be_visible()
    # From a kernel the same tab looks at that alone, and back.
    desk.open_panel()
    desk.choose(kernel, "Diagnose")
    expect(view(page).get_by_role("heading", level=1)).to_have_text(f"Diagnosis of {kernel}")
    desk.press("Look at everything", view(page))
    expect(view(page).get_by_role("heading", level=1)).to_have_text("Diagnosis of this machine and its kernels")
    expect(page.locator("#jp-main-dock-panel").get_by_role("tab", name="Diagnosis")).to_have_count(1)
