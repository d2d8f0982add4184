"""The panel with 100 environments: first paint (goal: 300 ms), layout while a job runs (goal: no shift), size (95 kB).

The browser's own performance entries are what is measured, of the build that a wheel has.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .listing import settle
from .material import CHECKOUT, workplace
from .measure import Sample, milliseconds, show, verdict

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request
    from ui.lab import Lab

ENVIRONMENTS = 100
ROUNDS = 9
GOAL_PAINT = 0.3
GOAL_SHIFT = 0.0
GOAL_SIZE = 95_000

#: From the last byte of the answer, and from the moment in which the panel was told of it, to the frame that shows it.
READ_PAINT = """count => {
  const measure = performance.getEntriesByName('gpu-kernels:data-to-paint').find(m => m.detail.environments === count);
  const answer = performance.getEntriesByType('resource').find(r => /[/]environments([?]|$)/.test(r.name));
  return measure && answer && [measure.startTime + measure.duration - answer.responseEnd, measure.duration];
}"""

#: Notes what moves in the panel without the person's doing, from now on.
WATCH_SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const entry of list.getEntries().filter(entry => !entry.hadRecentInput)) {
      const nodes = entry.sources.map(({ node }) => node?.parentElement?.closest('.jp-GpuKernels-panel') && node);
      const ours = nodes.filter(node => node).map(node => {
        const place = node.closest?.('[class]') ?? node.parentElement;
        return `${place.className} “${node.textContent.slice(0, 30)}”`;
      });
      const running = document.querySelector('.jp-GpuKernels-panel [role="progressbar"]') !== null;
      if (ours.length) window.shifts.push([running, entry.value, ours.join(', ')]);
    }
  }).observe({ type: 'layout-shift' });
}"""


def main() -> None:
    """Print what the panel takes."""
    with tempfile.TemporaryDirectory(prefix="panel-") as directory, workplace() as place:
        build = _production_build(Path(directory))
        from playwright.sync_api import sync_playwright
        from ui.chromium import launch_arguments

        root = place.root / "lab"
        settle(root / "home" / ".conda" / "envs", root / "data" / "kernels", ENVIRONMENTS)
        # A person's own extensions come before those of the installation.
        shutil.copytree(build, root / "data" / "labextensions" / "jupyter-gpu-kernels")
        with _lab(root, place.channel) as lab, sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_arguments())
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            page.set_default_timeout(60_000)
            at_start = _loaded(page, lab)
            samples = _paints(page, lab)
            shifts = _shifts(page, lab)
            browser.close()
        sizes = _sizes(build)
    middle, size = samples[0].median, sum(sizes.values())
    shift, at_end = (sum(value for running, value, _ in shifts if running is when) for when in (True, False))
    note = (
        f"first paint {milliseconds(middle)} after the data: {verdict(middle, GOAL_PAINT)} "
        f"(goal {milliseconds(GOAL_PAINT)})\n"
        f"layout shift while a job runs: {shift:.4g}: {verdict(shift, GOAL_SHIFT)} (goal {GOAL_SHIFT:g}); "
        f"at its end: {at_end:.1g}{''.join(f'; {nodes}' for _, _, nodes in shifts[:3])}\n"
        f"our code: {size / 1000:.1f} kB gzipped: {verdict(size, GOAL_SIZE)} (goal {GOAL_SIZE / 1000:g} kB), of which "
        f"{sum(sizes[name] for name in at_start) / 1000:.1f} kB are loaded at the start"
    )
    show(f"The panel with {ENVIRONMENTS} environments, in Chromium", samples, note=note)


def _production_build(directory: Path) -> Path:
    """Build the extension as a wheel has it, away from the checkout."""
    source = CHECKOUT / "labextension"
    away = directory / "labextension"
    shutil.copytree(source, away, ignore=shutil.ignore_patterns("node_modules", "lib", "*.tsbuildinfo"))
    (away / "node_modules").symlink_to(source / "node_modules")
    # jupyter-builder is beside this interpreter.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    npm = shutil.which("npm", path=path)
    if npm is None:
        sys.exit("npm is missing: run this as make bench, which installs it.")
    command = [npm, "run", "--silent", "build:prod"]
    done = subprocess.run(
        command, cwd=away, env={**os.environ, "PATH": path}, check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"The panel could not be built:\n{done.stdout}{done.stderr}")
    return directory / "jupyter_gpu_kernels" / "labextension"


@contextmanager
def _lab(root: Path, channel: str) -> Iterator[Lab]:
    from ui.lab import NO_DRIVER, lab

    with lab(root, channels=[channel], driver=NO_DRIVER) as running:
        yield running


def _loaded(page: Page, lab: Lab) -> set[str]:
    """The files of ours that JupyterLab loads before anybody uses the extension."""
    found: set[str] = set()

    def note(request: Request) -> None:
        path = urlsplit(request.url).path
        if "/lab/extensions/jupyter-gpu-kernels/" in path:
            found.add(path.rpartition("/")[2])

    page.on("request", note)
    page.goto(lab.address(reset=""))
    page.get_by_role("tab", name="GPU kernels").wait_for()
    page.wait_for_load_state("networkidle")
    page.remove_listener("request", note)
    return found


def _paints(page: Page, lab: Lab) -> list[Sample]:
    """Open the panel again and again, each time in a page that has never shown it."""
    times = []
    for number in range(-1, ROUNDS):
        page.goto(lab.address(reset=""))
        page.get_by_role("tab", name="GPU kernels").click()
        measured = page.wait_for_function(READ_PAINT, arg=ENVIRONMENTS).json_value()
        if number >= 0:
            times.append(tuple(value / 1000 for value in measured))
    from_answer, from_panel = zip(*times, strict=True)
    return [Sample("from the server's answer to the paint", from_answer), Sample("of that, the panel", from_panel)]


def _shifts(page: Page, lab: Lab) -> list[tuple[bool, float, str]]:
    """Watch the layout from the moment in which the progress of a job is seen until after its end.

    Returns:
        Of each shift in the panel: whether the job ran then, how large it is, and what has moved.
    """
    body: dict[str, Any] = {"name": "shift", "framework": "warpdrive", "variant": "cpu"}
    job = lab.call("POST", "jupyter-gpu-kernels/environments", body)
    page.get_by_role("progressbar").wait_for()
    page.evaluate(WATCH_SHIFTS)
    done = lab.finished(job)
    assert done["state"] == "succeeded", done
    page.get_by_role("progressbar").wait_for(state="detached")
    found: list[tuple[bool, float, str]] = page.evaluate("window.shifts")
    return found


def _sizes(build: Path) -> dict[str, int]:
    """Bytes of our code by file, gzipped as a server would."""
    files = [path for path in (build / "static").iterdir() if path.suffix == ".js"]
    return {path.name: len(gzip.compress(path.read_bytes(), 6)) for path in files}


if __name__ == "__main__":
    main()
