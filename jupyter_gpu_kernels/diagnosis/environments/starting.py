"""Whether a kernel of an environment can be started at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ...build.contents.census import text
from ...launch.preparation import has_kernel_package
from ...models import Environment, Finding
from ...prefix.cuda import package_directories
from ...prefix.layout import Layout
from ..check import NotApplicable, problem
from ..context import Context
from ..remedies import rebuild
from .asking import ask, kernel_variables, refuse_strangers

#: Tells which Python this is.
_VERSION = "import sys; print('.'.join(map(str, sys.version_info[:3])))"

#: What every kernel imports first.
_IMPORT = "import ipykernel.kernelapp"


def look_at_python(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """An interpreter that does not run, or has become another version than the packages are for."""
    python, remedy = layout.python, rebuild(environment.name)
    if not os.access(python, os.X_OK):
        # Told as a part that is gone, see kernelspecs.remains.
        return
    refuse_strangers(environment, layout)
    answer = ask(layout, ["-I", "-S"], _VERSION, [], context.environ)
    if answer.status is None:
        msg = "Its Python did not answer in time."
        raise NotApplicable(msg)
    version = answer.out.strip()
    if answer.status or not re.fullmatch(r"\d+(\.\d+)+", version):
        yield problem(
            "Its Python does not run.",
            evidence=[str(python), answer.last_line],
            cure="Rebuild it.",
            remedy=remedy,
        )
        return
    folders = [folder.parent.name for folder in layout.site_packages()]
    minor = ".".join(version.split(".")[:2])
    if not layout.windows and folders and not any(re.fullmatch(rf"python{minor}t?", name) for name in folders):
        yield problem(
            f"Its Python is {version} now, and its packages are for {folders[0]}.",
            evidence=[f"{python} leads to {os.path.realpath(python)}", str(layout.site_packages()[0])],
            cure="Rebuild it: the Python that it was made from was upgraded.",
            remedy=remedy,
        )


def look_at_kernel_package(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """An ipykernel that is missing, or that does not import; without a Python there is more amiss than that."""
    if not os.access(layout.python, os.X_OK):
        return
    kernelspec = Path(environment.kernelspec, "kernel.json")
    if environment.kernelspec and "ipykernel" not in text(kernelspec):
        return
    if not has_kernel_package(layout):
        yield problem(
            "It has no ipykernel, which every Python kernel needs.",
            evidence=[f"Looked in {folder}" for folder in package_directories(layout)],
            cure="Rebuild it, or install ipykernel into it.",
            remedy=rebuild(environment.name),
        )
        return
    answer = ask(layout, ["-I"], _IMPORT, [], kernel_variables(context, environment, layout))
    if answer.status is None:
        msg = "ipykernel was not imported in time."
        raise NotApplicable(msg)
    if answer.status:
        yield problem(
            f"Its ipykernel cannot be imported, so no kernel starts: {answer.last_line}.",
            evidence=answer.error.strip().splitlines()[-6:],
            cure="Rebuild it, or install ipykernel into it again.",
            remedy=rebuild(environment.name),
        )
