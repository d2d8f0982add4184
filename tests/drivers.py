"""Drivers that are not there: libraries with the driver's own C interface, compiled by the tests.

A process finds them as it finds the real ones: by ``LD_LIBRARY_PATH`` (:func:`with_drivers`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pynvml
import pytest

SOURCES = Path(__file__).parent / "data" / "drivers"


def _compiler() -> str | None:
    """A C compiler that works: one without the C library's headers, say, compiles nothing."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-shared", "-fPIC", "-x", "c", "-o", str(Path(folder, "trial.so")), "-"]
        for name in ("cc", "gcc", "clang"):
            found = shutil.which(name)
            if found is None:
                continue
            done = subprocess.run([found, *words], input=b"#include <string.h>\n", capture_output=True, check=False)
            if done.returncode == 0:
                return found
    return None


COMPILER = _compiler()

needs_compiler = pytest.mark.skipif(
    COMPILER is None or sys.platform != "linux", reason="a fake driver needs Linux and a C compiler"
)

MODES = {
    "default": pynvml.NVML_COMPUTEMODE_DEFAULT,
    "exclusive": pynvml.NVML_COMPUTEMODE_EXCLUSIVE_PROCESS,
    "prohibited": pynvml.NVML_COMPUTEMODE_PROHIBITED,
}


def fake_libcuda(
    directory: Path, *, count: int = 1, version: int = 13000, init: int = 0, capability: str = "8.6"
) -> Path:
    """Compile ``libcuda.so.1`` into a directory, and answer with the directory.

    Args:
        directory: Made if need be.
        count: How many GPUs it has.
        version: What ``cuDriverGetVersion`` says.
        init: What ``cuInit`` answers, e.g. 34 for a stub, 100 for no device, 803 for a library and a kernel module of
            different versions.
        capability: Compute capability of its GPUs.
    """
    major, minor = capability.split(".")
    numbers = {"COUNT": count, "VERSION": version, "INIT": init, "MAJOR": major, "MINOR": minor}
    return _compile("libcuda", directory, [f"-D{name}={number}" for name, number in numbers.items()])


def fake_libnvidia_ml(directory: Path, description: Mapping[str, Any], *, missing: Sequence[str] = ()) -> Path:
    """Compile ``libnvidia-ml.so.1`` into a directory, and answer with the directory.

    Args:
        directory: Made if need be.
        description: As for ``JUPYTER_GPU_KERNELS_FAKE_NVML`` (see ``hardware/fake.py``), and more: for each GPU or
            instance ``failures``, the name of the code that each of some functions answers; ``reserved`` bytes;
            ``graphics`` processes; ``slices`` of an instance. ``None`` for a number or a list: not supported.
        missing: Functions that the library does not have.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "description.h").write_text(_header(description))
    return _compile("libnvidia-ml", directory, [f"-I{directory}", *(f"-DNO_{name}" for name in missing)])


def with_drivers(*directories: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that finds these libraries, and no fake of ours."""
    variables = dict(os.environ if environ is None else environ)
    variables.pop("JUPYTER_GPU_KERNELS_FAKE_NVML", None)
    inherited = variables.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    return {**variables, "LD_LIBRARY_PATH": os.pathsep.join([*map(str, directories), *filter(None, inherited)])}


def _compile(name: str, directory: Path, options: Sequence[str]) -> Path:
    assert COMPILER is not None, "Mark the test with drivers.needs_compiler."
    directory.mkdir(parents=True, exist_ok=True)
    command = [COMPILER, "-std=gnu11", "-shared", "-fPIC", f"-Wl,-soname,{name}.so.1"]
    output = ["-o", str(directory / f"{name}.so.1"), str(SOURCES / f"{name}.c")]
    done = subprocess.run([*command, *options, *output], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return directory


def _header(description: Mapping[str, Any]) -> str:
    """The description, as C."""
    lines: list[str] = []
    devices = [_device(lines, index, entry) for index, entry in enumerate(description.get("gpus", ()))]
    major, minor = description.get("cuda", "13.0").split(".")
    lines += [
        f"#define INIT {_code(description.get('error'))}",
        f"#define DRIVER {json.dumps(description.get('driver', '580.65.06'))}",
        f"#define CUDA {int(major) * 1000 + int(minor) * 10}",
        f"#define DEVICE_COUNT {len(devices)}",
        _array("Device", "devices", devices),
    ]
    return "\n".join(lines) + "\n"


def _device(lines: list[str], index: int, entry: Mapping[str, Any], owner: str = "") -> str:
    """One device's initializer, after what it points to."""
    own = f"{owner}_{index}"
    instances = [_device(lines, place, inner, own) for place, inner in enumerate(entry.get("instances", ()))]
    failures = [f"{{{json.dumps(name)}, {_code(code)}}}" for name, code in entry.get("failures", {}).items()]
    compute, graphics = entry.get("processes", ()), entry.get("graphics", ())
    lines += [
        _array("Device", f"instances{own}", instances),
        _array("Failure", f"failures{own}", failures),
        _array("Process", f"compute{own}", map(_process, compute or ())),
        _array("Process", f"graphics{own}", map(_process, graphics or ())),
    ]
    major, minor = entry.get("compute_capability", "8.6").split(".")
    kind = "MIG" if owner else "GPU"
    fields = {
        "name": json.dumps(entry.get("name", "Fake GPU")),
        "uuid": json.dumps(entry.get("uuid", f"{kind}-00000000-0000-0000-0000-{own.replace('_', ''):>012}")),
        "total": entry.get("memory_total", 16 * 1024**3),
        "reserved": entry.get("reserved", 0),
        "used": entry.get("memory_used", 0),
        "utilization": _number(entry.get("utilization", 0)),
        "major": major,
        "minor": minor,
        "mode": MODES[entry.get("compute_mode", "default")],
        "mig": _number(entry.get("mig", False)),
        "slots": 7,
        "instances": f"instances{own}",
        "instance_count": len(instances),
        "gpu_slices": entry.get("slices", (0, 0))[0],
        "compute_slices": entry.get("slices", (0, 0))[1],
        "compute": f"{{compute{own}, {_number(None if compute is None else len(compute))}}}",
        "graphics": f"{{graphics{own}, {_number(None if graphics is None else len(graphics))}}}",
        "failures": f"failures{own}",
        "failure_count": len(failures),
    }
    return "{" + ", ".join(f".{name} = {value}" for name, value in fields.items()) + "}"


def _process(entry: Mapping[str, Any]) -> str:
    memory = entry.get("memory")
    return f"{{{entry['pid']}, {'~0ull' if memory is None else f'{memory}ull'}, ~0u, ~0u}}"


def _array(kind: str, name: str, values: Any) -> str:
    """A C array, which has room for one more: none may be empty."""
    return f"static const {kind} {name}[] = {{{', '.join([*values, '{0}'])}}};"


def _number(value: Any) -> int:
    return -1 if value is None else int(value)


def _code(name: str | None) -> int:
    return int(getattr(pynvml, name)) if name else 0
