"""The story once more, in Chinese."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import jupyter_gpu_kernels

from .cargo import Cargo
from .desk import BUILD, Desk, Words
from .test_looks import MANY

CATALOGUE = Path(jupyter_gpu_kernels.__file__).parent / "locale/zh_CN/LC_MESSAGES/jupyter_gpu_kernels.json"


@pytest.fixture
def words(settings: Callable[..., None]) -> Words:
    """Chinese, of which JupyterLab must be told before it is opened."""
    settings("@jupyterlab/translation-extension:plugin", locale="zh_CN")
    return Words(CATALOGUE)


def test_gpus_and_the_doctor_in_chinese(
    desk: Desk, page: Page, words: Words, kernel: str, driver: Callable[..., None]
) -> None:
    driver(**MANY)
    desk.open_panel()
    for name in ("0 · NVIDIA H200", "NVIDIA A100 · 3g.40gb"):
        desk.press(name, desk.panel)
    expect(desk.panel).to_contain_text(words("Another process (%1)", "4194305"))
    desk.kernel(kernel).get_by_role("button", name=words("Verified")).click()
    desk.picture("chinese-gpus")
    assert desk.untranslated(desk.panel) == []
    desk.choose(kernel, "GPUs and memory…")
    desk.picture("chinese-change-gpus")
    assert desk.untranslated(desk.dialog) == []
    desk.press("Cancel", desk.dialog)
    desk.choose(kernel, "Diagnose")
    doctor = page.locator(".jp-GpuKernels-Diagnosis")
    doctor.locator("summary").last.click()
    expect(doctor.get_by_text(words("in order")).first).to_be_visible()
    desk.picture("chinese-diagnosis")
    assert desk.untranslated(doctor) == []


def test_in_chinese(desk: Desk, words: Words, cargo: Cargo, kernel: str, new_name: str) -> None:
    assert words("New GPU kernel") != "New GPU kernel"
    form = desk.ask()
    form.fill(Name=new_name)
    form.more()
    form.field("Extra conda packages").fill(cargo.load())
    form.preview()
    desk.picture("chinese-form")
    assert desk.untranslated(form.dialog) == []
    form.button("Create").click()
    expect(desk.job(new_name)).to_contain_text(words("Downloading"))
    desk.kernel(kernel).get_by_role("button", name=words("Verified")).click()
    desk.picture("chinese-progress")
    assert desk.untranslated(desk.panel) == []
    cargo.release()

    notification = desk.notification.filter(has_text=words("%1 is ready.", new_name))
    desk.press("Open notebook", notification)
    desk.idle()
    expect(desk.run_cell("import warpdrive; print(warpdrive.__version__)")).to_have_text("1.5.0")
    desk.picture("chinese-notebook")

    desk.choose(new_name, "Remove…")
    expect(desk.dialog).to_contain_text("MB")
    desk.picture("chinese-remove")
    assert desk.untranslated(desk.dialog) == []
    desk.dialog.get_by_role("checkbox").check()
    desk.press("Remove", desk.dialog)
    expect(desk.kernel(new_name)).to_have_count(0, timeout=BUILD)
