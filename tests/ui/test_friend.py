"""A notebook goes to a friend, whose computer has neither its kernel nor a GPU."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_until
from playwright.sync_api import Page, expect

from .cargo import Cargo
from .desk import BUILD, Desk
from .lab import NO_DRIVER, Lab
from .lab import lab as run_lab

if TYPE_CHECKING:
    from conftest import Caches

KEY = "jupyter_gpu_kernels"

NAME = "warp-friend"


@pytest.fixture(scope="module")
def friend(
    tmp_path_factory: pytest.TempPathFactory, channel: str, cargo_channel: Cargo, caches: Caches
) -> Iterator[Lab]:
    """The friend's computer."""
    channels = [channel, cargo_channel.server.url]
    root = tmp_path_factory.mktemp("friend")
    with run_lab(root, channels=channels, manager={"cache_dir": str(caches.root)}, driver=NO_DRIVER) as running:
        yield running
    log = (root / "lab.log").read_text(errors="replace")
    assert "/jupyter_gpu_kernels/" not in log, log


@pytest.fixture
def desk_there(page: Page, desk: Desk, friend: Lab) -> Desk:
    """The friend's page; notebooks are opened on it one by one."""
    return Desk(page.context.new_page(), friend)


def carried(file: Path) -> Any:
    """What a notebook carries of its kernel, ``None`` for nothing, or while it is being written."""
    try:
        return json.loads(file.read_text())["metadata"].get(KEY)
    except ValueError:
        return None


def open_notebook(desk: Desk, name: str) -> None:
    """Open a notebook, in a workspace where there is nothing else."""
    desk.page.goto(desk.lab.address(f"lab/tree/{name}", reset=""))
    desk.idle()


@pytest.mark.parametrize("new_name", [NAME], indirect=True)
def test_the_friend_builds_the_kernel(
    desk: Desk,
    desk_there: Desk,
    driver: Callable[..., None],
    settings: Callable[..., None],
    new_name: str,
    friend: Lab,
) -> None:
    # It is called as it is.
    settings("@jupyterlab/docmanager-extension:plugin", renameUntitledFileOnSave=False)
    driver(driver="570.86.15", cuda="12.8", gpus=[{"name": "NVIDIA H200", "compute_capability": "9.0"}])
    desk.lab.create(new_name, variant="gpu", verify=False)
    desk.reload()
    others = set(desk.lab.folder.glob("*.ipynb"))
    with desk.page.expect_response("**/recipe?*"):
        desk.new_notebook(new_name)
    expect(desk.run_cell("import warpdrive; print(warpdrive.__version__)")).to_have_text("1.5.0")
    # The mark of what is not saved comes late and goes late; after a save comes a checkpoint of it.
    with desk.page.expect_response("**/checkpoints?*"):
        desk.page.keyboard.press("Control+s")
    (notebook,) = set(desk.lab.folder.glob("*.ipynb")) - others
    wait_until(lambda: carried(notebook))
    assert carried(notebook)["original"]["cuda"].startswith("12.")
    shutil.move(notebook, friend.folder / "friend.ipynb")

    there, page = desk_there, desk_there.page
    open_notebook(there, "friend.ipynb")
    # JupyterLab has started what there is, without a word.
    expect(there.kernel_name).to_contain_text("Python 3")
    banner = page.get_by_role("region", name="The kernel of this notebook")
    expect(banner).to_contain_text(
        re.compile(rf"{NAME} \(Warpdrive 1\.5 · CUDA 12\.\d+\), which is not on this computer")
    )
    there.picture("friend-banner")
    assert there.audit(".jp-GpuKernels-offer") == []
    banner.get_by_role("button", name="Build this kernel").press("Enter")
    row = there.dialog.get_by_role("row", name="Built for")
    expect(row).to_have_text(re.compile(r"Built for\s*CUDA 12\.\d+\s*CPU"))
    there.picture("friend-dialog")
    assert there.audit(".jp-Dialog") == []
    there.dialog.get_by_role("button", name="Build", exact=True).press("Enter")
    expect(banner).to_contain_text(f"Building the kernel {NAME} of this notebook")
    there.picture("friend-building")
    expect(there.kernel_name).to_have_text(f"{NAME} (Warpdrive 1.5 · CPU)", timeout=BUILD)
    expect(banner).to_have_count(0)
    there.idle()
    expect(there.run_cell("import warpdrive; print(warpdrive.built_with_cuda())")).to_have_text("None")
    there.picture("friend-done")


def test_a_hostile_notebook_is_refused(desk_there: Desk, friend: Lab) -> None:
    there, page = desk_there, desk_there.page
    friend.set("@jupyterlab/apputils-extension:themes", {"theme": "JupyterLab Dark"})
    spec = {"name": "evil", "framework": "warpdrive", "packages": ["evil @ https://example.org/evil.whl"]}
    original = {"platform": "linux-64", "installer": "conda", "variant": "gpu", "python": "3.12"}
    recipe = {"name": "evil", "display_name": "Harmless", "spec": spec, "original": original}
    # With a kernel that is there, JupyterLab asks for none.
    metadata = {KEY: recipe, "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    text = json.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    (friend.folder / "hostile.ipynb").write_text(text)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    open_notebook(there, "hostile.ipynb")
    banner = page.get_by_role("region", name="The kernel of this notebook")
    expect(banner).to_contain_text("Harmless, which is not on this computer")
    assert [url for url in asked if "/jupyter-gpu-kernels/" in url] == [], "nothing is done before it is asked for"
    there.press("Build this kernel", banner)
    expect(there.dialog.get_by_role("alert")).to_contain_text("names a place")
    expect(there.dialog.get_by_role("button", name="Build", exact=True)).to_have_count(0)
    there.picture("friend-hostile")
    assert there.audit(".jp-Dialog") == []
    there.press("Close", there.dialog)
    there.press("Dismiss", banner)
    expect(banner).to_have_count(0)
    assert friend.traces("evil") == []
