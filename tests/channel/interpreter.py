"""The running interpreter as the files of a conda package: works from python.org, pyenv and Debian builds.

Debian (and Ubuntu) look for packages in ``dist-packages`` and install into ``local/``; the copy is set back to what
Python itself does.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from .archive import File, Link

#: Parts of the standard library that a kernel can do without: they are half of its size.
LEFT_OUT = {
    "__pycache__",
    "EXTERNALLY-MANAGED",
    "dist-packages",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "site-packages",
    "sitecustomize.py",
    "test",
    "tests",
    "tkinter",
    "turtle.py",
    "turtledemo",
}

#: Debian's install locations in ``sysconfig``, set back.
LOCATIONS = (("{base}/local", "{base}"), ("{platbase}/local", "{platbase}"), ("dist-packages", "site-packages"))

#: Debian's ``site`` is frozen into the interpreter since 3.11, so it has to be corrected while it runs.
SITECUSTOMIZE = """\
import site
import sys

if sys.prefix == sys.base_prefix:
    site.getsitepackages = lambda prefixes=None: [
        "%s/lib/python%d.%d/site-packages" % (prefix, *sys.version_info[:2])
        for prefix in dict.fromkeys(prefixes or site.PREFIXES)
    ]
    site.addsitepackages(None)
"""


def files() -> dict[str, File | Link]:
    """Files of the interpreter by their path in a prefix."""
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    # sys.executable is the test venv's own; the base's is a link to the versioned name, or that itself.
    executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    found: dict[str, File | Link] = {
        f"bin/python{minor}": File(executable.read_bytes(), executable=True),
        "bin/python3": Link(f"python{minor}"),
        "bin/python": Link(f"python{minor}"),
    }
    library = Path(sysconfig.get_path("stdlib"))
    for path in _walk(library):
        name = path.relative_to(library).as_posix()
        found[f"lib/python{minor}/{name}"] = File(path.read_bytes(), executable=path.suffix == ".so")
    if "dist-packages" in (library / "site.py").read_text():
        module = Path(sysconfig.__file__)
        locations = module.read_text()
        for debian, python in LOCATIONS:
            locations = locations.replace(debian, python)
        found[f"lib/python{minor}/{module.relative_to(library).as_posix()}"] = File(locations.encode())
        found[f"lib/python{minor}/sitecustomize.py"] = File(SITECUSTOMIZE.encode())
    # Some distributions keep compiled modules elsewhere.
    compiled = Path(sysconfig.get_config_var("DESTSHARED") or library / "lib-dynload")
    for path in _walk(compiled):
        found[f"lib/python{minor}/lib-dynload/{path.relative_to(compiled).as_posix()}"] = File(path.read_bytes(), True)
    shared = sysconfig.get_config_var("INSTSONAME") or ""
    if ".so" in shared and (Path(sys.base_prefix) / "lib" / shared).exists():
        found[f"lib/{shared}"] = File((Path(sys.base_prefix) / "lib" / shared).read_bytes(), executable=True)
    return found


def _walk(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path.name in LEFT_OUT or path.name.startswith("config-"):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.suffix not in (".a", ".pyc") and "_test" not in path.name:
            yield path
