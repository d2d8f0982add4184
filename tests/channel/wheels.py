"""Wheels as the files and dependencies of conda packages, as a conda recipe with ``pip install`` would give them."""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from .archive import PLACEHOLDER, File


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """What a conda package needs of a wheel."""

    name: str
    version: str
    pure: bool
    python: str
    depends: tuple[str, ...]
    entry_points: tuple[str, ...]
    files: dict[str, File]


def read(path: Path, *, site_packages: str, python_minor: str) -> Wheel:
    """Read a wheel; a pure one has its modules in ``site-packages``, another in the directory given."""
    with zipfile.ZipFile(path) as archive:
        stem = "-".join(path.name.split("-")[:2])
        info = f"{stem}.dist-info"
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        pure = "Root-Is-Purelib: true" in archive.read(f"{info}/WHEEL").decode()
        scripts = _entry_points(archive, info)
        home = "site-packages" if pure else site_packages
        places = {
            "data": "",
            "headers": f"include/python{python_minor}/{metadata['Name']}/",
            "platlib": f"{home}/",
            "purelib": f"{home}/",
            "scripts": "python-scripts/" if pure else "bin/",
        }
        files: dict[str, File] = {}
        for member in archive.infolist():
            if member.is_dir() or _left_out(member.filename) or member.filename == f"{info}/RECORD":
                continue
            target = f"{home}/{member.filename}"
            if member.filename.startswith(f"{stem}.data/"):
                _, scheme, rest = member.filename.split("/", 2)
                target = places[scheme] + rest
            files[target] = File(archive.read(member), executable=bool(member.external_attr >> 16 & 0o100))
    names = [line.partition(" =")[0] for line in scripts]
    if not pure:
        files |= {f"bin/{name}": _script(line, python_minor) for name, line in zip(names, scripts, strict=True)}
    _finish_dist_info(files, f"{home}/{info}", home, path, names if pure else ())
    return Wheel(
        name=canonicalize_name(metadata["Name"]),
        version=metadata["Version"],
        pure=pure,
        python=_spec("python", SpecifierSet(metadata["Requires-Python"] or "")),
        depends=_depends(metadata),
        entry_points=scripts,
        files=files,
    )


def _left_out(name: str) -> bool:
    # Tests are a third of numpy; jedi's stubs of Django are most of jedi's files.
    return "/tests/" in name or "/django-stubs/" in name


def _entry_points(archive: zipfile.ZipFile, info: str) -> tuple[str, ...]:
    parser = configparser.ConfigParser(delimiters="=", interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    if f"{info}/entry_points.txt" in archive.namelist():
        parser.read_string(archive.read(f"{info}/entry_points.txt").decode())
    if not parser.has_section("console_scripts"):
        return ()
    return tuple(f"{name} = {target.partition('[')[0].strip()}" for name, target in parser["console_scripts"].items())


def _script(entry_point: str, python_minor: str) -> File:
    module, _, function = entry_point.partition(" = ")[2].partition(":")
    lines = (
        f"#!{PLACEHOLDER}/bin/python{python_minor}",
        "import sys",
        f"from {module} import {function.partition('.')[0]}",
        f"sys.exit({function}())",
    )
    return File("\n".join((*lines, "")).encode(), executable=True)


def _depends(metadata: Message) -> tuple[str, ...]:
    found = []
    for text in metadata.get_all("Requires-Dist") or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found.append(_spec(canonicalize_name(requirement.name), requirement.specifier))
    return tuple(found)


def _spec(name: str, specifiers: SpecifierSet) -> str:
    parts = []
    for specifier in sorted(specifiers, key=str):
        if specifier.operator == "==" and specifier.version.endswith(".*"):
            parts.append(specifier.version)
        else:
            parts.append(specifier.operator.replace("===", "==") + specifier.version)
    return " ".join((name, ",".join(parts))).rstrip()


def _finish_dist_info(files: dict[str, File], info: str, home: str, path: Path, scripts: Iterable[str]) -> None:
    """Write what ``pip install`` of a recipe leaves: who installed, from where (a path long gone), and every file."""
    origin = {"dir_info": {}, "url": f"file:///home/conda/feedstock_root/build_artifacts/{path.stem}/work"}
    files[f"{info}/INSTALLER"] = File(b"conda")
    files[f"{info}/REQUESTED"] = File(b"")
    files[f"{info}/direct_url.json"] = File(json.dumps(origin).encode())
    files[f"{info}/RECORD"] = record(files, home=home, info=info, scripts=scripts)


def record(files: Mapping[str, File], *, home: str, info: str, scripts: Iterable[str] = ()) -> File:
    """List the files of a distribution, as its ``RECORD``; ``home`` is where its modules lie."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for target, file in files.items():
        if target.startswith(f"{home}/"):
            name = target.removeprefix(f"{home}/")
        else:
            name = "../../../" + target.replace("python-scripts/", "bin/")
        digest = base64.urlsafe_b64encode(hashlib.sha256(file.data).digest()).rstrip(b"=").decode()
        writer.writerow((name, f"sha256={digest}", len(file.data)))
    for script in scripts:
        writer.writerow((f"../../../bin/{script}", "", ""))
    writer.writerow((f"{info.removeprefix(f'{home}/')}/RECORD", "", ""))
    return File(text.getvalue().encode())
