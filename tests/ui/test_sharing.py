"""A kernel is changed, handed on as a file, copied and renamed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .desk import BUILD, Desk
from .lab import API, Lab


def view(page: Page, heading: str) -> Locator:
    """A view of the main area, by its heading."""
    found = page.locator(".jp-GpuKernels-View").filter(has=page.get_by_role("heading", level=1, name=heading))
    found.wait_for()
    return found


def version(lab: Lab, kernel: str, package: str) -> str | None:
    """The version of a package that a kernel has."""
    found = lab.call("GET", f"{API}/environments/{kernel}/packages")
    return next((item["version"] for item in found if item["name"] == package), None)


def test_a_package_is_added_and_the_kernel_handed_on(
    desk: Desk, page: Page, lab: Lab, new_name: str, request: pytest.FixtureRequest
) -> None:
    other, copy, last = (f"{new_name}-{what}" for what in ("import", "copy", "last"))
    request.addfinalizer(lambda: clear(lab, other, copy, last))
    lab.create(new_name, verify=False)
    desk.open_panel()

    # Found as it is typed, and with the keyboard alone.
    desk.choose(new_name, "Packages")
    packages = view(page, f"Packages of {new_name}")
    expect(packages.get_by_role("row").filter(has_text="ipykernel")).to_contain_text("Framework")
    field = packages.get_by_role("combobox", name="Add a package")
    field.press_sequentially("prefix")
    expect(packages.get_by_role("option").first).to_contain_text("prefixed")
    desk.picture("packages-search")
    assert desk.audit(".jp-GpuKernels-View") == []
    field.press("ArrowDown")
    field.press("Enter")
    expect(packages.get_by_role("combobox", name="Version of prefixed")).to_contain_text("1.0")
    desk.press("Add", packages)
    preview = packages.get_by_role("region", name="What shall change")
    expect(preview.get_by_role("row").filter(has_text="prefixed")).to_be_visible()
    expect(preview).to_contain_text("1 new")
    desk.picture("packages-preview")
    assert desk.audit(".jp-GpuKernels-View") == []
    assert desk.overflows(packages) == []
    desk.press("Apply", preview)
    expect(packages.get_by_role("listitem", name=f"Changing packages of {new_name}")).to_contain_text(
        "Done", timeout=BUILD
    )
    added = packages.get_by_role("row").filter(has_text="prefixed")
    expect(added).to_contain_text("Asked for")
    desk.picture("packages")

    # Written beside what is open.
    desk.choose(new_name, "Share")
    desk.dialog.get_by_role("radio", name="environment.yml, exact").check()
    desk.picture("share")
    assert desk.audit(".jp-Dialog") == []
    desk.press("Save", desk.dialog)
    expect(desk.dialog.get_by_role("status")).to_have_text(re.compile(r"^Saved: .+\.yml$"))
    path = desk.dialog.get_by_role("status").inner_text().removeprefix("Saved: ")
    desk.press("Close", desk.dialog)
    assert "prefixed" in (lab.folder / path).read_text()

    # Made of that file, from where it lies.
    page.get_by_role("tab", name="File Browser").first.click()
    page.locator(".jp-DirListing-item").filter(has_text=path).click(button="right")
    page.locator(".lm-Menu").get_by_role("menuitem", name="Build a GPU Kernel from This File").click()
    desk.dialog.get_by_role("heading", name="To be built: environment.yml").wait_for()
    desk.dialog.get_by_label("Name", exact=True).fill(other)
    desk.picture("import")
    assert desk.audit(".jp-Dialog") == []
    desk.press("Build", desk.dialog)
    # The panel is shown, with its job.
    expect(desk.job(other, "Importing %1")).to_contain_text("Done", timeout=BUILD)
    assert version(lab, other, "prefixed") == version(lab, new_name, "prefixed") is not None

    # Copied, and the copy called something else.
    desk.choose(new_name, "Clone")
    desk.dialog.get_by_label("Name of the copy").fill(new_name)
    expect(desk.dialog.get_by_label("Name of the copy")).to_have_attribute("aria-invalid", "true")
    desk.dialog.get_by_label("Name of the copy").fill(copy)
    desk.picture("clone")
    assert desk.audit(".jp-Dialog") == []
    desk.press("Clone", desk.dialog)
    expect(desk.job(copy, "Cloning to %1")).to_contain_text("Done", timeout=BUILD)
    desk.choose(copy, "Rename")
    desk.dialog.get_by_label("Name", exact=True).fill(last)
    desk.press("Rename", desk.dialog)
    expect(desk.job(last, "Renaming to %1")).to_contain_text("Done", timeout=BUILD)
    expect(desk.kernel(copy)).to_have_count(0)
    assert version(lab, last, "prefixed") is not None


def test_what_is_around_the_kernels_is_shown(desk: Desk, page: Page, kernel: str) -> None:
    desk.open_panel()
    expect(desk.kernel(kernel)).to_be_visible()
    desk.press("Package sources", desk.panel)
    sources = view(page, "Where packages come from")
    expect(sources.get_by_role("region", name="Conda channels, in their order")).to_contain_text("127.0.0.1")
    desk.picture("channels")
    assert desk.audit(".jp-GpuKernels-View") == []
    assert desk.overflows(sources) == []
    desk.press("Adopt environments…", desk.panel)
    others = view(page, "Environments that were made elsewhere")
    expect(others.get_by_text(re.compile(r"^\d+ environments?$"))).to_be_visible()
    desk.picture("foreign")
    assert desk.audit(".jp-MainAreaWidget:not(.lm-mod-hidden) .jp-GpuKernels-View") == []


def clear(lab: Lab, *names: str) -> None:
    """Remove kernels."""
    for name in {item["name"] for item in lab.call("GET", f"{API}/environments")} & set(names):
        lab.finished(lab.call("DELETE", f"{API}/environments/{name}?stop_kernels=true"))
