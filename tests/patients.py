"""Environments for the doctor: made by uv of real wheels, then broken by the tests, each in a copy of its own.

Frameworks are stand-ins: wheels with the few files that tell what a framework was built with, written as the real ones
are, and installed as anybody would install them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uv
from doctoring import examine, look, make_context
from manager import FRAMEWORKS
from wheel_files import write_wheel

from jupyter_gpu_kernels.build.contents.census import census
from jupyter_gpu_kernels.build.disk.inventory import Inventory
from jupyter_gpu_kernels.build.planning.catalogue import Catalogue
from jupyter_gpu_kernels.diagnosis.context import Context
from jupyter_gpu_kernels.models import (
    Diagnosis,
    EnvironmentKind,
    EnvironmentSpec,
    Finding,
    Gpu,
    Hardware,
    Installer,
    Manifest,
    Plan,
    PlannedPackage,
    Variant,
    Vendor,
    Verification,
    VerificationOutcome,
    now,
)
from jupyter_gpu_kernels.prefix.layout import Layout
from jupyter_gpu_kernels.prefix.manifest import write_manifest

H200 = Gpu(
    index=0,
    uuid="GPU-11111111-1111-1111-1111-111111111111",
    name="NVIDIA H200",
    memory_total=150 * 10**9,
    compute_capability="9.0",
)
MACHINE = Hardware(driver="580.95.05", cuda="13.0", gpus=(H200,), vendor=Vendor.NVIDIA)

#: The lines of PyTorch's ``torch/version.py``.
TORCH_VERSION = """from typing import Optional

__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'rocm', 'xpu']
__version__ = {version!r}
debug = False
cuda: Optional[str] = {cuda!r}
git_version = 'cf30153c4c131c8164ee7798e5022d810682e2cb'
hip: Optional[str] = None
"""

#: The line of TensorFlow's ``build_info.py`` that counts.
TENSORFLOW_BUILD = "import collections\n\nbuild_info = collections.OrderedDict({pairs!r})\n"


def torch_files(version: str, cuda: str | None) -> dict[str, str]:
    """What PyTorch's wheels tell of themselves."""
    return {"torch/__init__.py": "", "torch/version.py": TORCH_VERSION.format(version=version, cuda=cuda)}


def tensorflow_files(*, cuda: str | None, architectures: Sequence[str] = ("sm_80", "compute_90")) -> dict[str, str]:
    """What TensorFlow's wheels tell of themselves."""
    pairs: list[tuple[str, object]] = [("is_cuda_build", cuda is not None), ("is_rocm_build", False)]
    if cuda is not None:
        pairs += [("cuda_version", cuda), ("cudnn_version", "9"), ("cuda_compute_capabilities", list(architectures))]
    return {
        "tensorflow/__init__.py": "",
        "tensorflow/python/platform/build_info.py": TENSORFLOW_BUILD.format(pairs=pairs),
    }


def stand_in(
    folder: Path, name: str, version: str, files: Mapping[str, str | bytes] | None = None, requires: Sequence[str] = ()
) -> Path:
    """Write a wheel."""
    contents = {path: text if isinstance(text, bytes) else text.encode() for path, text in (files or {}).items()}
    return write_wheel(folder, name, version, contents, requires=requires)


@dataclass(frozen=True, kw_only=True)
class Patient:
    """An environment that can be examined, and broken before.

    Attributes:
        prefix: Where it lies.
        wheels: Directory of real wheels.
        uv_cache: uv's cache.
        context: The machine.
    """

    prefix: Path
    wheels: Path
    uv_cache: Path
    context: Context

    @property
    def packages(self) -> Path:
        """Its package directory."""
        (folder,) = Layout.of_prefix(self.prefix).site_packages()
        return folder

    def pip(self, *words: str | Path) -> None:
        """Do what a user's ``pip`` would do, with nothing but the wheels at hand."""
        environ = {**os.environ, "UV_CACHE_DIR": str(self.uv_cache)}
        command = [uv.find_uv_bin(), "pip", *map(str, words), "--quiet", "--python", str(self.prefix / "bin/python")]
        if words[0] == "install":
            command += ["--no-index", "--find-links", str(self.wheels)]
        subprocess.run(command, check=True, env=environ)

    def install(
        self,
        name: str,
        version: str,
        files: Mapping[str, str | bytes] | None = None,
        requires: Sequence[str] = (),
    ) -> None:
        """Install a stand-in, without looking at what it needs."""
        self.pip("install", "--no-deps", stand_in(self.prefix.parent / "stand-ins", name, version, files, requires))

    def record(self, **spec: Any) -> None:
        """Write down what there is now as what was built: its manifest, as of a build that was verified."""
        version, cuda = spec.pop("framework_version", None), spec.pop("cuda_built", None)
        variant = spec.pop("variant_built", Variant.GPU if cuda else Variant.CPU)
        more = {name: spec.pop(name) for name in ("verification", "launch", "built_by") if name in spec}
        layout = Layout.of_prefix(self.prefix)
        found = census(layout)
        conda = layout.kind is EnvironmentKind.CONDA
        packages = tuple(
            PlannedPackage(name=package.name, version=package.version, build=package.build)
            for package in (found.conda if conda else found.python).values()
        )
        name = self.prefix.name
        asked = EnvironmentSpec(**{"name": name, **spec})
        plan = Plan(
            spec=asked,
            installer=Installer.CONDA if conda else Installer.PYPI,
            installer_reason="",
            variant=variant,
            variant_reason="This machine has no NVIDIA driver." if variant is Variant.CPU else "",
            python=layout.python_version() or "",
            framework_version=version,
            cuda=cuda,
            packages=packages,
        )
        verified = Verification(outcome=VerificationOutcome.VERIFIED, sentence="It works.", checked=now())
        manifest = Manifest(
            name=name,
            kernel_name=name,
            display_name=name,
            kind=layout.kind,
            prefix=str(self.prefix),
            generation=f"{name}-0123abcd",
            spec=asked,
            plan=plan,
            **{"verification": verified, "created": now(), **more},
        )
        write_manifest(self.prefix, manifest)

    def seen(self, **changes: Any) -> Context:
        """What the doctor sees: the environment as listed, and the machine, with changes."""
        inventory = Inventory([self.prefix.parent], dict)
        environment = replace(inventory.environment(self.prefix.name), **changes.pop("environment", {}))
        # The search path is not what is tested, and not all that the tests run with belongs to it.
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.prefix.parent / "home"), **changes.pop("environ", {})}
        context = replace(self.context, environments=(environment,), manifest_of=inventory.manifest)
        return replace(context, environ=environ, **changes)

    def look(self, check_id: str, **changes: Any) -> tuple[Finding, ...]:
        """What a check of the catalogue finds."""
        return look(check_id, self.seen(**changes))

    def examine(self, check_id: str, **changes: Any) -> Diagnosis:
        """What the doctor says of a check of the catalogue."""
        return examine(check_id, self.seen(**changes))

    def only(self, check_id: str, **changes: Any) -> Finding:
        """The one thing that a check of the catalogue finds."""
        (finding,) = self.look(check_id, **changes)
        assert finding.subject == self.prefix.name
        return finding


def make_patient(prefix: Path, python: Path, wheels: Path, uv_cache: Path, *requirements: str) -> Patient:
    """Make a virtual environment of real wheels."""
    environ = {**os.environ, "UV_CACHE_DIR": str(uv_cache)}
    prefix.parent.mkdir(parents=True, exist_ok=True)
    words = [uv.find_uv_bin(), "venv", "--quiet", "--no-project", "--python", str(python), str(prefix)]
    subprocess.run(words, check=True, env=environ)
    context = make_context(prefix.parent / "machine", hardware=MACHINE, frameworks=tuple(Catalogue.load([FRAMEWORKS])))
    patient = Patient(prefix=prefix, wheels=wheels, uv_cache=uv_cache, context=context)
    patient.pip("install", "--compile-bytecode", *requirements)
    return patient


def copy_of(patient: Patient, target: Path) -> Patient:
    """A copy to be broken; files are shared, so they must be replaced, and not written to."""
    shutil.copytree(patient.prefix, target, symlinks=True, copy_function=_link)
    context = replace(patient.context, practice=make_context(target.parent / "machine").practice, root=target.parent)
    return replace(patient, prefix=target, context=context)


def rewrite(path: Path, data: bytes | str) -> None:
    """Replace a file that others may share."""
    path.unlink()
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def _link(source: str, target: str) -> None:
    if os.path.islink(source):  # noqa: PTH114
        shutil.copy2(source, target, follow_symlinks=False)
    else:
        os.link(source, target)
