"""Variables in kernelspecs that were right on the day they were written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from ...build.kernelspec.scan import Kernelspec, kernelspecs, seen
from ...models import Finding
from ..check import warning
from ..context import Context

#: Variables that hold directories.
DIRECTORIES = (
    "CONDA_PREFIX",
    "CUDA_HOME",
    "CUDA_PATH",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "XLA_FLAGS",
)

_XLA_DIRECTORY = "--xla_gpu_cuda_data_dir="


def look(context: Context) -> Iterator[Finding]:
    """Find kernelspecs with variables that lead nowhere."""
    for spec in kernelspecs(context.kernel_dirs):
        variables = spec.content.get("env")
        if spec.hidden_by or not isinstance(variables, dict) or not variables:
            continue
        texts = {str(name): str(value) for name, value in variables.items()}
        unset = list(_unset(texts, context.environ))
        if unset:
            yield warning(
                f"The kernel {spec.title!r} gets ${{{unset[0]}}} to the letter, as that variable is not set here.",
                # The others are none of it, and may be passwords.
                evidence=[
                    f"{spec.place / 'kernel.json'} has {name}={value}"
                    for name, value in texts.items()
                    if any(_unset({name: value}, context.environ))
                ],
                cure="Write the value itself into kernel.json, or take the variable out of it.",
                subject=spec.name,
            )
        gone = dict(_gone(texts, context.environ))
        if gone:
            yield _stale(spec, gone)


def _stale(spec: Kernelspec, gone: Mapping[str, str]) -> Finding:
    """The finding of directories that are gone."""
    path, name = next(iter(gone.items()))
    return warning(
        f"The kernel {spec.title!r} is started with {name} from a day when {path} was there.",
        evidence=(f"{spec.place / 'kernel.json'} sets it", *(f"{name}: {path} is gone" for path, name in gone.items())),
        cure="Take these variables out of kernel.json: the provisioner of GPU kernels sets them anew at each start.",
        subject=spec.name,
    )


def _unset(texts: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    """Names in ``${…}`` that nobody sets; jupyter_client leaves these words as they are."""
    for text in texts.values():
        for name in re.findall(r"\$\{(\w+)\}", text):
            if name not in environ:
                yield name


def _gone(texts: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Directories that are gone, each with the variable that names it."""
    for name in DIRECTORIES:
        filled = Template(texts.get(name, "")).safe_substitute(environ)
        if name == "XLA_FLAGS":
            parts = [word.removeprefix(_XLA_DIRECTORY) for word in filled.split() if word.startswith(_XLA_DIRECTORY)]
        else:
            # What the server has itself is no business of the kernelspec's.
            inherited = environ.get(name, "").split(os.pathsep)
            parts = [part for part in filled.split(os.pathsep) if part not in inherited]
        for part in parts:
            if os.path.isabs(part) and "$" not in part and seen(Path(part)) is False:  # noqa: PTH117
                yield part, name
