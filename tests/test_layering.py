"""The house's arrows, read from the imports themselves."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import jupyter_gpu_kernels

PACKAGE = Path(jupyter_gpu_kernels.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))

#: What each room may import of the others. A room may always import itself.
ALLOWED = {
    "errors": set(),
    "_version": set(),
    "models": {"errors"},
    "prefix": {"models", "errors"},
    "hardware": {"models", "errors"},
    "build": {"hardware", "prefix", "models", "errors", "_version"},
    "launch": {"hardware", "prefix", "models", "errors", "_version"},
    "diagnosis": {"launch", "build", "hardware", "prefix", "models", "errors", "_version"},
    "benchmark": {"build", "hardware", "prefix", "models", "errors", "_version"},
    "serve": {"diagnosis", "benchmark", "build", "hardware", "prefix", "models", "errors", "_version"},
    "cli": {"serve", "diagnosis", "benchmark", "build", "hardware", "prefix", "models", "errors", "_version"},
    "__init__": {"serve", "_version"},
    "__main__": {"cli"},
}

#: What each part of the building room may import of its other parts.
INSTALLERS = {"tools", "reporting"}
ALLOWED_IN_BUILD = {
    "tools": set(),
    "reporting": set(),
    "compilation": set(),
    "disk": {"tools"},
    "conda": INSTALLERS,
    "wheels": INSTALLERS,
    "bytecode": {"compilation", *INSTALLERS},
    "verification": INSTALLERS,
    "kernelspec": {"disk"},
    "changing": {"disk"},
    "planning": {"conda", "wheels"},
    "channels": {"conda", "wheels", "tools"},
    "searching": {"conda", "wheels", "tools"},
    "contents": {"conda", "wheels", "tools"},
    "recipes": {"conda", "contents", "planning", "tools"},
    "adoption": {"contents", "disk", "kernelspec", "wheels", *INSTALLERS},
}
#: What joins them, from the ground up; each may import all of what is before it.
JOINED = {"construction": set(ALLOWED_IN_BUILD), "equipment": {"construction", *ALLOWED_IN_BUILD}}
JOINED["naming"] = {"equipment", *JOINED["equipment"]}
#: Those with a verb stand on all of that, and not on each other; but for packs, which hold a lock as files do.
JOINED |= {verb: {"naming", *JOINED["naming"]} for verb in ("pipeline", "editing", "files", "copying", "packing")}
JOINED["packing"] |= {"files"}

#: Foreign tools, and the only places that may import them: modules, or whole directories.
FOREIGN = {
    "rattler": {"build/conda/builder/"},
    "pynvml": {"hardware/nvml.py"},
    "uv": {"build/wheels/uv.py"},
    "jupyter_server": {"serve/app.py", "serve/handlers/"},
}


def imports(module: Path) -> set[tuple[str, ...]]:
    """Absolute dotted names imported anywhere in a module."""
    here = ("jupyter_gpu_kernels", *module.with_suffix("").parts)
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text())):
        if isinstance(node, ast.Import):
            found.update(tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else ()
            stem = base + tuple(node.module.split(".") if node.module else ())
            found.update((*stem, alias.name) for alias in node.names)
    return found


def room(parts: tuple[str, ...]) -> str:
    return Path(parts[0]).stem if parts else "__init__"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_arrows_point_down(module: Path) -> None:
    here = room(module.parts)
    for name in imports(module):
        if name[0] == "jupyter_gpu_kernels" and len(name) > 1:
            there = room(name[1:])
            if there.startswith("__"):
                continue
            assert there == here or there in ALLOWED[here], f"{module} imports {'.'.join(name)}"


@pytest.mark.parametrize("module", [path for path in MODULES if path.parts[0] == "build"], ids=str)
def test_arrows_point_down_inside_the_building_room(module: Path) -> None:
    here = room(module.parts[1:])
    allowed = {"__init__": set(), **ALLOWED_IN_BUILD, **JOINED}[here]
    for name in imports(module):
        if name[:2] == ("jupyter_gpu_kernels", "build") and len(name) > 2:
            there = room(name[2:])
            assert there == here or there in allowed, f"{module} imports {'.'.join(name)}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_each_foreign_tool_has_one_door(module: Path) -> None:
    for name in imports(module):
        doors = FOREIGN.get(name[0], {""})
        assert any(module.as_posix().startswith(door) for door in doors), f"{module} imports {name[0]}"


@pytest.mark.parametrize(
    "module", [path for path in MODULES if path.parts[0] in ("prefix", "models", "errors.py")], ids=str
)
def test_what_an_environment_is_needs_only_the_standard_library(module: Path) -> None:
    for name in imports(module):
        # The one exception is lazy: from_json() is never called where only the standard library is.
        if module.as_posix() == "models/serialization.py" and name[0] == "msgspec":
            continue
        assert name[0] in sys.stdlib_module_names | {"jupyter_gpu_kernels"}, f"{module} imports {name[0]}"
