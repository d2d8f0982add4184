"""The pip stage: wheels on top of conda packages, none of which is ever replaced."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from ...errors import InstallError, SolveError
from ...models import EnvironmentKind, PlannedPackage
from ...prefix.layout import Layout
from ..reporting import Reporter
from . import solving
from .lock import read_lock
from .settings import WheelsSolution
from .shadow import fill, python_distributions
from .uv import Uv


async def plan(
    uv: Uv,
    requirements: Sequence[str],
    packages: Sequence[PlannedPackage],
    *,
    python: str,
    interpreter: str,
    cwd: Path,
    options: Sequence[str],
    held: Sequence[Sequence[str]] = (),
) -> tuple[str, dict[str, str]]:
    """Plan wheels on top of conda packages that are planned themselves.

    Args:
        uv: uv.
        requirements: Checked requirements.
        packages: The conda packages.
        python: Version of Python that conda will install.
        interpreter: A Python of this machine, of whatever version.
        cwd: A throwaway directory.
        options: Further options for what resolves.
        held: Exact requirements of wheels that keep their version unless it stands in the way; see
            :func:`~.solving.would_change`.

    Returns:
        A lock of what goes on top, empty if conda has it all; and the versions that conda brings.

    Raises:
        SolveError: They contradict each other, or nothing satisfies the requirements.
    """
    environment = cwd / "shadow"
    await solving.ask(uv, "venv", "--quiet", "--no-project", "--python", interpreter, str(environment), cwd=cwd)
    layout = Layout(environment, EnvironmentKind.VIRTUALENV)
    pins = python_distributions(packages)
    fill(layout.site_packages()[0], pins)
    lock = await _lock(
        uv,
        requirements,
        pins,
        of=str(layout.python),
        python=python,
        interpreter=interpreter,
        cwd=cwd,
        options=options,
        refusal=SolveError,
        held=held,
    )
    return lock, pins


async def confirm(
    uv: Uv,
    requirements: Sequence[str],
    *,
    layout: Layout,
    python: str,
    interpreter: str,
    cwd: Path,
    options: Sequence[str],
    held: Sequence[Sequence[str]] = (),
) -> str:
    """Plan once more against the environment as conda has really built it; names may differ from what was assumed.

    The arguments are those of :func:`plan`; what it planned is held.

    Returns:
        A lock, empty if nothing is missing.

    Raises:
        InstallError: A package of conda would have to be replaced.
        SolveError: The requirements contradict what is there.
    """
    pins = await installed(uv, layout, cwd)
    return await _lock(
        uv,
        requirements,
        pins,
        of=str(layout.python),
        python=python,
        interpreter=interpreter,
        cwd=cwd,
        options=options,
        refusal=InstallError,
        held=held,
    )


async def missing(
    uv: Uv, solution: WheelsSolution, *, layout: Layout, cwd: Path, options: Sequence[str], reporter: Reporter
) -> tuple[str, ...]:
    """The pins of what an environment lacks of a solution, or of another one if conda's packages want that.

    Args:
        uv: uv.
        solution: What was planned.
        layout: The environment, with its conda packages.
        cwd: A throwaway directory.
        options: Further options for what resolves.
        reporter: Is told if it was planned anew.

    Raises:
        InstallError: A package of conda would have to be replaced.
        SolveError: The requirements contradict what is there.
    """
    text = await confirm(
        uv,
        solution.requirements,
        layout=layout,
        python=solution.python,
        interpreter=solution.interpreter,
        cwd=cwd,
        options=options,
        held=[f"{package.name}=={package.version}" for package in solution.packages],
    )
    planned = {(package.name, package.version) for package in solution.packages}
    actual = read_lock(text, solution.python) if text else ()
    if {(package.name, package.version) for package in actual} == planned:
        return solution.pins
    reporter.log("The wheels were planned again, since conda's packages differ from their names.")
    return tuple(package.pin for package in actual)


async def installed(uv: Uv, layout: Layout, cwd: Path) -> dict[str, str]:
    """Versions by name of the Python distributions in an environment.

    ``uv pip list`` and not ``freeze``: that gives the build directories of conda packages in place of versions.
    """
    words = ("pip", "list", "--format", "json", "--python", str(layout.python))
    answer = await solving.ask(uv, *words, cwd=cwd, solving=False)
    try:
        entries = json.loads(answer.output or "[]")
        return {canonicalize_name(entry["name"]): str(entry["version"]) for entry in entries}
    except (ValueError, TypeError, KeyError) as error:
        msg = "uv did not say which packages the environment has."
        raise InstallError(msg, cure="Try again with a current uv.", detail=answer.output[:2000]) from error


async def _lock(
    uv: Uv,
    requirements: Sequence[str],
    pins: Mapping[str, str],
    *,
    of: str,
    python: str,
    interpreter: str,
    cwd: Path,
    options: Sequence[str],
    refusal: type[SolveError] | type[InstallError],
    held: Sequence[Sequence[str]],
) -> str:
    """Lock what an environment lacks of the requirements; ``of`` is the environment's interpreter."""
    added, removed = await solving.would_change(
        uv, requirements, cwd=cwd, interpreter=of, python=python, pins=pins, options=options, held=held
    )
    replaced = sorted({*removed, *(name for name in added if name in pins)})
    if replaced:
        name = replaced[0]
        msg = f"pip would replace {name} {pins.get(name, removed.get(name, ''))}, which conda has installed."
        cure = "Loosen the pip requirement, or ask for that version among the conda packages."
        raise refusal(msg, cure=cure, detail=", ".join(replaced))
    if not added:
        return ""
    exact = [f"{name}=={version}" for name, version in sorted(added.items())]
    answer = await solving.lock(
        uv, exact, cwd=cwd, interpreter=interpreter, python=python, options=("--no-deps", *options)
    )
    return answer.output
