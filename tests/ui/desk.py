"""JupyterLab's page, and what hands do on it: by roles and labels, as people and screen readers find things."""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .lab import Lab

CHECKOUT = Path(__file__).resolve().parents[2]

AXE = CHECKOUT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
NO_AXE = "axe-core is missing. Run npm ci --ignore-scripts in labextension/ (make test does)."

#: Every picture; the README's own only where somebody asks for new ones.
PICTURES = CHECKOUT / ".artifacts" / "ui"
README_PICTURES = CHECKOUT / "docs" / "images"

#: Milliseconds that JupyterLab may take for anything else: some seconds, on a busy machine some more.
PATIENCE = 20_000

#: Milliseconds that a build from the tests' channel may take.
BUILD = 180_000


class Words:
    """What the panel says, in the language of its reader.

    Args:
        catalogue: The messages of that language; those of the source code without one.
    """

    def __init__(self, catalogue: Path | None = None) -> None:
        messages = json.loads(catalogue.read_text(encoding="utf-8")) if catalogue else {}
        self.messages = {text: said[0] for text, said in messages.items() if text}

    def __call__(self, text: str, *values: str) -> str:
        said = self.messages.get(text, text) if self.messages else text
        for number, value in enumerate(values, 1):
            said = said.replace(f"%{number}", value)
        return said


class Form:
    """The form of a new kernel."""

    def __init__(self, dialog: Locator, words: Words) -> None:
        self.dialog = dialog
        self.words = words

    def framework(self, title: str) -> Locator:
        """The card of a framework."""
        return self.dialog.get_by_role("radio", name=title, exact=True)

    def field(self, label: str) -> Locator:
        """A field."""
        return self.dialog.get_by_label(self.words(label), exact=True)

    def button(self, label: str) -> Locator:
        """A button."""
        return self.dialog.get_by_role("button", name=self.words(label), exact=True)

    def fill(self, framework: str = "Warpdrive", **fields: str) -> None:
        """Choose a framework, and fill fields by their label."""
        # What is checked is out of sight, beneath a card of its own size.
        self.framework(framework).check(force=True)
        for label, text in fields.items():
            # A text that was suggested just so would not be typed, and the next suggestion take its place.
            field = self.field(label.replace("_", " "))
            if label == "Name":
                # A suggestion that comes while somebody types would be part of what is typed.
                expect(field).to_have_value(re.compile(f"^{framework.lower()}-"))
            field.fill("")
            field.fill(text)
            expect(field).to_have_value(text)

    @property
    def content(self) -> Locator:
        """What the dialog holds, without the shade around it."""
        return self.dialog.locator(".jp-Dialog-content")

    @property
    def answer(self) -> Locator:
        """The plan, or why there is none."""
        return self.dialog.get_by_role("region").filter(has=self.dialog.page.get_by_role("heading"))

    def more(self) -> None:
        """Show the choices that few need."""
        self.dialog.get_by_text(self.words("More choices"), exact=True).click()

    def preview(self) -> None:
        """Ask for the plan, and wait for it."""
        self.button("Preview").click()
        self.answer.wait_for()

    def create(self) -> None:
        """Ask for the plan, and then for the kernel."""
        self.preview()
        self.button("Create").click()
        self.dialog.wait_for(state="detached")


class Desk:
    """A page on which JupyterLab is open.

    Attributes:
        page: The page.
        lab: The server.
        words: What it says.
    """

    def __init__(self, page: Page, lab: Lab, words: Words | None = None) -> None:
        self.page = page
        self.lab = lab
        self.words = words or Words()

    def open(self, path: str = "lab") -> None:
        """Open JupyterLab as it is for the first time, with nothing but the Launcher."""
        self.page.goto(self.lab.address(path, reset=""))
        self.settled()

    def settled(self) -> None:
        """Wait until JupyterLab can be used."""
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
        # The last to come are the kernels.
        self.card("Python 3").first.wait_for()

    def reload(self) -> None:
        """Load the page again."""
        self.page.reload()
        self.settled()

    # What is on the page.

    def card(self, name: str | re.Pattern[str]) -> Locator:
        """A card of the Launcher."""
        return self.page.locator(".jp-LauncherCard").filter(has_text=name)

    @property
    def panel(self) -> Locator:
        """Our side panel."""
        return self.page.locator(".jp-GpuKernels-panel")

    def kernel(self, name: str) -> Locator:
        """A kernel in the panel, whatever it is called."""
        more = self.page.get_by_role("button", name=self.words("More for %1", name), exact=True)
        return self.panel.get_by_role("listitem").filter(has=more)

    def job(self, name: str, heading: str = "Creating %1") -> Locator:
        """A job in the panel, by its heading."""
        return self.panel.get_by_role("listitem", name=self.words(heading, name), exact=True)

    @property
    def dialog(self) -> Locator:
        """The open dialog."""
        return self.page.get_by_role("dialog")

    @property
    def form(self) -> Form:
        """The form of a new kernel, in its dialog."""
        return Form(self.dialog, self.words)

    @property
    def notification(self) -> Locator:
        """What JupyterLab tells in the corner."""
        return self.page.locator(".Toastify__toast")

    @property
    def notebook(self) -> Locator:
        """The notebook that is looked at."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    @property
    def kernel_name(self) -> Locator:
        """What the notebook's toolbar says of its kernel."""
        return self.notebook.locator(".jp-KernelName")

    # What hands do.

    def ask(self) -> Form:
        """Open the form of a new kernel, from the Launcher."""
        self.card(self.words("New GPU kernel")).click()
        return self.form

    def open_panel(self) -> Locator:
        """Open our side panel, unless it is."""
        tab = self.page.get_by_role("tab", name=self.words("GPU kernels"))
        if tab.get_attribute("aria-selected") != "true":
            tab.click()
        return self.panel

    def choose(self, name: str, label: str) -> None:
        """Choose from the menu of a kernel in the panel."""
        self.kernel(name).get_by_role("button", name=self.words("More for %1", name), exact=True).click()
        pattern = re.compile(f"^{re.escape(self.words(label))}")
        self.page.locator(".lm-Menu").get_by_role("menuitem", name=pattern).click()

    def menu(self, *labels: str) -> None:
        """Choose from the menu bar."""
        self.page.locator("#jp-MainMenu").get_by_role("menuitem", name=labels[0], exact=True).click()
        for label in labels[1:]:
            self.page.locator(".lm-Menu").get_by_role("menuitem", name=re.compile(f"^{re.escape(label)}")).click()

    def palette(self, label: str) -> None:
        """Choose from the command palette, with the keyboard."""
        self.page.keyboard.press("Control+Shift+C")
        search = self.page.locator(".lm-CommandPalette-input")
        search.fill(label)
        # The item that Enter would take; before the list is filtered it is another one.
        active = self.page.locator(".lm-CommandPalette-item.lm-mod-active")
        expect(active).to_contain_text(label)
        search.press("Enter")

    def run_cell(self, code: str) -> Locator:
        """Run code in the notebook's last cell; return its output."""
        cell = self.notebook.locator(".jp-CodeCell").last
        editor = cell.locator(".cm-content")
        editor.click()
        # The key means another thing before.
        expect(self.notebook.locator(".jp-Notebook")).to_have_class(re.compile("jp-mod-editMode"))
        editor.fill(code)
        # JupyterLab shows a kernel as idle before it is connected, and drops what is run then.
        for _ in range(10):
            editor.press("Control+Enter")
            with contextlib.suppress(AssertionError):
                expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[[\d*]+\]"), timeout=2000)
                break
        return cell.locator(".jp-OutputArea-output")

    def new_notebook(self, kernel: str) -> None:
        """Open a notebook from the Launcher's card of a kernel."""
        self.page.locator(".jp-LauncherCard[data-category='Notebook']").filter(has_text=kernel).click()
        self.idle()

    def idle(self) -> None:
        """Wait until the notebook's kernel has nothing to do."""
        expect(self.notebook.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']")).to_be_visible()

    def press(self, label: str, within: Locator | None = None) -> None:
        """Press a button."""
        (within or self.page).get_by_role("button", name=self.words(label), exact=True).click()

    def narrow(self, width: int) -> None:
        """Make our panel so many pixels wide, be it less than JupyterLab lets its sidebar be."""
        style = f".jp-GpuKernels-panel {{ width: {width}px !important; min-width: 0 !important; }}"
        self.page.add_style_tag(content=style)

    # What eyes see.

    def picture(self, name: str, part: Locator | None = None) -> None:
        """Keep a picture of the page or a part of it; one of the README's is renewed only on request."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        target = PICTURES / f"{name}.png"
        # What lies below the mouse looks different.
        self.page.mouse.move(0, 0)
        (part or self.page).screenshot(path=target, animations="disabled", caret="hide")
        kept = README_PICTURES / target.name
        if kept.exists() and os.environ.get("UPDATE_SCREENSHOTS"):
            kept.write_bytes(target.read_bytes())

    def audit(self, selector: str) -> list[dict[str, Any]]:
        """What axe finds that is serious or worse, below a selector."""
        if not AXE.exists():
            pytest.fail(NO_AXE, pytrace=False)
        if not self.page.evaluate("() => 'axe' in window"):
            # Lab's AMD-like loaders would take the module for themselves if it came as a script.
            self.page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
        found = self.page.evaluate("selector => axe.run(selector)", selector)
        return [
            {
                "rule": violation["id"],
                "help": violation["help"],
                "nodes": [{"html": node["html"][:300], "why": node["failureSummary"]} for node in violation["nodes"]],
            }
            for violation in found["violations"]
            if violation["impact"] in ("serious", "critical")
        ]

    def overflows(self, part: Locator) -> list[str]:
        """What does not fit into a part of the page: whatever is wider than that, or cut off without an ellipsis."""
        found: list[str] = part.evaluate(
            """root => {
              const edge = root.getBoundingClientRect();
              const found = root.scrollWidth > root.clientWidth ? [`${root.className} scrolls`] : [];
              for (const node of root.querySelectorAll('*')) {
                const style = getComputedStyle(node);
                const box = node.getBoundingClientRect();
                const scrolls = ['auto', 'scroll'].includes(style.overflowX) || node.closest('pre, svg, table');
                // What is out of sight on purpose has no size to speak of.
                if (box.width <= 1 || scrolls || style.textOverflow === 'ellipsis') continue;
                const cut = style.overflowX === 'hidden' && node.scrollWidth > node.clientWidth + 1;
                if (cut || box.right > edge.right + 1 || box.left < edge.left - 1) {
                  found.push(`${node.className || node.nodeName}: ${node.textContent.slice(0, 60)}`);
                }
              }
              return found;
            }"""
        )
        return found

    def untranslated(self, part: Locator) -> list[str]:
        """Texts that stand there as they stand in the source code, though the reader's language has words for them."""
        texts: list[str] = part.evaluate(
            """root => {
              const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
              const found = [];
              while (walker.nextNode()) found.push(walker.currentNode.textContent.trim());
              for (const node of root.querySelectorAll('[title], [aria-label], [placeholder]')) {
                found.push(node.title, node.ariaLabel, node.placeholder);
              }
              return found.filter(text => text);
            }"""
        )
        return sorted({text for text in texts if self.words.messages.get(text, text) != text})
