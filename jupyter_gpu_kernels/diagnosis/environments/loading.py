"""Which CUDA libraries would really be loaded: tried in the environment's own Python, by the system's own loader.

What the trial asks for is what the environment has. Loading one of them runs no CUDA and needs neither GPU nor driver.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...models import Environment, EnvironmentKind, Finding
from ...prefix.cuda import conda_links, is_cuda_library, is_driver_library, wheel_directories
from ...prefix.layout import Layout
from ..amounts import and_more
from ..check import NotApplicable, note, problem
from ..context import Context
from ..remedies import rebuild
from .asking import ask, kernel_variables, terminal_variables

#: Those that frameworks load; the rest needs network adapters, debuggers and the like.
_LOADED = re.compile(
    r"lib(?:cudart|cublas(?:Lt)?|cudnn\w*?|cufft|cupti|curand|cusolver|cusparse(?:Lt)?|nccl|nvjitlink|nvrtc)"
    r"\.so(?:\.\d+)+",
    re.IGNORECASE,
)

#: Names of libraries in the loader's complaints.
_LIBRARY = re.compile(r"[\w.+-]+\.so(?:\.\d+)*")

_PROBE = Path(__file__).with_name("loading_probe.py")


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What came of asking for a library by its name: the file, or why there is none."""

    name: str
    path: str = ""
    error: str = ""


def look(context: Context, environment: Environment, layout: Layout) -> Iterator[Finding]:
    """CUDA libraries from elsewhere in place of the environment's own, or own ones that do not load."""
    if not layout.platform.startswith("linux"):
        msg = "Only Linux looks for CUDA libraries along LD_LIBRARY_PATH."
        raise NotApplicable(msg)
    own = own_libraries(layout)
    if not own:
        return
    kernel = kernel_variables(context, environment, layout)
    in_kernel = load(layout, sorted(own), kernel)
    foreign = [item for item in in_kernel.values() if item.path and not _is(item.path, own[item.name])]
    if foreign:
        yield problem(
            f"Its kernels load {_first(foreign)}, and not the environment's own.",
            evidence=[f"{item.name}: {item.path} instead of {own[item.name]}" for item in foreign],
            cure="Look at what sets LD_LIBRARY_PATH: its activation scripts, or `env` in its kernel.json.",
        )
    broken = [item for item in in_kernel.values() if item.error and not _excused(item.error)]
    if broken:
        yield problem(
            f"Its own {broken[0].name} cannot be loaded{and_more(len(broken))}.",
            evidence=[f"{own[item.name]}: {item.error}" for item in broken],
            cure="Rebuild it.",
            remedy=rebuild(environment.name),
        )
    yield from _in_terminals(context, layout, own, in_kernel)


def own_libraries(layout: Layout) -> dict[str, Path]:
    """The CUDA libraries of an environment that are loaded by name, each with the file that should be found."""
    found: dict[str, Path] = {}
    links = conda_links(layout) if layout.kind is EnvironmentKind.CONDA else {}
    candidates = [*links.items(), *_in_wheels(layout)]
    shortest: dict[Path, str] = {}
    for name, path in candidates:
        # Of several names of one file the shortest with a version is what others ask for: libcublas.so.12.
        real = Path(os.path.realpath(path))
        if _LOADED.fullmatch(name) and len(name) < len(shortest.get(real, name + "+")):
            shortest[real] = name
    for name, path in candidates:
        if shortest.get(Path(os.path.realpath(path))) == name:
            found.setdefault(name, path)
    return found


def load(layout: Layout, names: Sequence[str], environ: Mapping[str, str]) -> dict[str, Loaded]:
    """Ask for libraries by their names, in the environment's Python; of those that it had no time for nothing is said.

    Raises:
        NotApplicable: That Python cannot be asked.
    """
    answer = ask(layout, ["-I", "-S"], _PROBE.read_text(encoding="utf-8"), names, environ)
    found: dict[str, Loaded] = {}
    for line in answer.out.splitlines():
        try:
            told = json.loads(line)
            item = Loaded(name=str(told["name"]), path=str(told.get("path", "")), error=str(told.get("error", "")))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        found[item.name] = item
    if not found:
        msg = f"Its Python could not be asked what it loads: {answer.last_line}."
        raise NotApplicable(msg)
    return found


def _in_terminals(
    context: Context, layout: Layout, own: Mapping[str, Path], in_kernel: Mapping[str, Loaded]
) -> Iterator[Finding]:
    """What the server's own ``LD_LIBRARY_PATH`` brings to whoever is not started by the provisioner.

    Only what comes along that path counts: what the system has elsewhere comes after what a framework knows of itself.
    """
    folders = {os.path.realpath(folder) for folder in context.environ.get("LD_LIBRARY_PATH", "").split(":") if folder}
    if not folders:
        return
    in_terminal = load(layout, sorted(own), terminal_variables(context, layout))
    foreign = [
        item
        for item in in_terminal.values()
        if item.path and not _is(item.path, own[item.name]) and os.path.realpath(Path(item.path).parent) in folders
    ]
    if foreign:
        safe = {item.name: item for item in in_kernel.values() if _is(item.path, own[item.name])}
        prevented = [safe[item.name] for item in foreign if item.name in safe]
        yield note(
            f"Started without the provisioner, as by VS Code or in a terminal, it would load {_first(foreign)}. "
            + ("Kernels started by Jupyter are safe: they get its own." if len(prevented) == len(foreign) else ""),
            evidence=[f"{item.name}: {item.path}" for item in foreign]
            + [f"In a kernel, {item.name}: {item.path}" for item in prevented[:1]]
            + [f"LD_LIBRARY_PATH={context.environ['LD_LIBRARY_PATH']}"],
            cure="Elsewhere activate the environment, which puts its own libraries first, "
            f"or take {Path(foreign[0].path).parent} off LD_LIBRARY_PATH.",
        )


def _in_wheels(layout: Layout) -> Iterator[tuple[str, Path]]:
    """The CUDA libraries that wheels brought, in the order in which they are searched."""
    for folder in wheel_directories(layout):
        for name in sorted(os.listdir(folder)):
            if is_cuda_library(name) and (folder / name).is_file():
                yield name, folder / name


def _is(path: str, own: Path) -> bool:
    """Whether a mapped file is the environment's own."""
    return os.path.realpath(path) == os.path.realpath(own)


def _excused(error: str) -> bool:
    """Whether it is the system, and not the environment, that lacks something: the driver, or any other library."""
    missing = _LIBRARY.match(error)
    if missing is None or "No such file" not in error:
        return False
    return is_driver_library(missing.group()) or not is_cuda_library(missing.group())


def _first(items: Sequence[Loaded]) -> str:
    """The first of some libraries and where it comes from, and how many more there are."""
    return f"{items[0].name} from {Path(items[0].path).parent}{and_more(len(items))}"
