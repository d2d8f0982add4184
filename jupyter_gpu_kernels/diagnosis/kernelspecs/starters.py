"""Kernels that Jupyter hides or trips over, because of who would have to start them or of what they declare."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir

from ...build.contents.census import found_version
from ...build.kernelspec.kernel_json import CURVE_SINCE, PROVISIONER
from ...build.kernelspec.scan import Kernelspec, kernelspecs
from ...models import Finding
from .. import remedies
from ..check import problem, warning
from ..context import Context

#: Where jupyter_client looks for provisioners.
GROUP = "jupyter_client.kernel_provisioners"

#: Programs that start kernels of the user, whatever installation they belong to.
PROGRAMS = ("jupyter-lab", "jupyter-notebook", "jupyter-server", "jupyter-nbconvert", "papermill", "voila")

#: Seconds that another Python gets to say whether it has this package.
PATIENCE = 5.0

#: Nothing is imported by this.
QUESTION = "import importlib.util, sys; sys.exit(3 * (importlib.util.find_spec('jupyter_gpu_kernels') is None))"

#: Variables that would make another Python find other packages.
MEDDLING = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONNOUSERSITE")


def missing_here(context: Context) -> Iterator[Finding]:
    """Find kernels that Jupyter hides, as what would start them is not installed here."""
    known = {entry.name for entry in entry_points(group=GROUP)}
    for spec in kernelspecs(context.kernel_dirs):
        if spec.hidden_by or not spec.provisioner or spec.provisioner in known:
            continue
        said = f"Jupyter hides the kernel {spec.title!r}: {spec.provisioner}, which starts it, is not installed here."
        ours = spec.provisioner == PROVISIONER
        package = "jupyter_gpu_kernels" if ours else "the package that brings it"
        yield problem(
            said,
            evidence=(f"{spec.place / 'kernel.json'} asks for it", f"{sys.prefix} has {', '.join(sorted(known))}"),
            cure=f"Install {package} where Jupyter is: `{sys.executable} -m pip install …`.",
            subject=spec.name,
            remedy=remedies.release_kernelspec(spec.place) if spec.adopted else None,
        )


def missing_elsewhere(context: Context) -> Iterator[Finding]:
    """Find other Jupyters of the user that hide kernels of ours, as this package is not installed there."""
    shared = _shared(context)
    if not shared:
        return
    others = _interpreters(context.environ)
    environ = {name: value for name, value in context.environ.items() if name not in MEDDLING}
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = pool.map(lambda python: _lacks_us(python, environ), others)
        for (python, program), lacks in zip(others.items(), answers, strict=True):
            if lacks:
                names = ", ".join(spec.name for spec in shared[:3]) + (" and more" if len(shared) > 3 else "")
                yield warning(
                    f"{program.name} of another installation hides your GPU kernels ({names}).",
                    evidence=(f"{program} runs {python}", "jupyter_gpu_kernels is not installed there"),
                    cure=f"Install it there too: `{python} -m pip install jupyter_gpu_kernels`.",
                )


def encryption(context: Context) -> Iterator[Finding]:
    """Find kernels that declare an encryption that their ipykernel does not have."""
    for spec in kernelspecs(context.kernel_dirs):
        declared = spec.metadata.get("supported_encryption")
        layout = spec.layout(context.environ)
        if spec.hidden_by or layout is None or "curve" not in (declared if isinstance(declared, list) else [declared]):
            continue
        version = found_version(layout, "ipykernel", context.environ)
        if version is None or version >= CURVE_SINCE:
            continue
        name = spec.environment.name if spec.environment else ""
        mine = any(item.name == name and not item.damaged for item in context.environments)
        yield warning(
            f"The kernel {spec.title!r} promises to encrypt what it sends, and its ipykernel {version} cannot: a "
            "server that has encryption switched on freezes when it starts it.",
            evidence=(
                f"{spec.place / 'kernel.json'} declares supported_encryption",
                f"{layout.prefix} has ipykernel {version}; {CURVE_SINCE} was the first that encrypts",
            ),
            cure="Rebuild the environment."
            if mine
            else f"Install ipykernel {CURVE_SINCE} or newer in {layout.prefix}, or take that line out of kernel.json.",
            subject=spec.name,
            remedy=remedies.rebuild(name) if mine else None,
        )


def _shared(context: Context) -> list[Kernelspec]:
    """Kernels of ours, made or adopted, that every Jupyter of the user looks at."""
    user = Path(jupyter_data_dir(), "kernels")
    found = kernelspecs(folder for folder in context.kernel_dirs if folder == user)
    return [spec for spec in found if spec.provisioner == PROVISIONER]


def _interpreters(environ: Mapping[str, str]) -> dict[Path, Path]:
    """The Pythons of other installations that have Jupyter programs on ``PATH``, each with one of these."""
    found: dict[Path, Path] = {}
    for folder in environ.get("PATH", "").split(os.pathsep):
        # What a relative one names depends on where one is, and whoever put it there may be anybody.
        for name in PROGRAMS if os.path.isabs(folder) else ():  # noqa: PTH117
            program = Path(folder, name)
            python = _interpreter(program)
            if python and python.parent.parent != Path(sys.prefix) and python != Path(sys.executable):
                found.setdefault(python, program)
    return found


def _interpreter(program: Path) -> Path | None:
    """The Python of a console script, from its first line, or its second where the path has spaces."""
    # A pipe would be waited for.
    if not os.path.isfile(program):  # noqa: PTH113
        return None
    try:
        with program.open("rb") as file:
            lines = [file.readline(4096), file.readline(4096)]
    except OSError:
        return None
    if not lines[0].startswith(b"#!"):
        return None
    first = os.fsdecode(lines[0][2:].strip())
    if first.startswith("/bin/sh"):
        first = next(iter(os.fsdecode(lines[1]).split('"')[1:2]), "")
    python = Path(first.split(" -")[0])
    return python if python.is_absolute() and python.name.startswith("python") and os.access(python, os.X_OK) else None


def _lacks_us(python: Path, environ: Mapping[str, str]) -> bool:
    """Whether a Python says that it does not have this package; one that says nothing is left in peace."""
    try:
        done = subprocess.run(
            [python, "-c", QUESTION], env=dict(environ), cwd="/", timeout=PATIENCE, capture_output=True, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 3
