"""Entries of the catalogue."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from .hardware import Vendor
from .spec import Installer, Variant


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link:
    """A page worth reading."""

    title: str
    url: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Guard:
    """What a solution must hold to be the build that a recipe promises.

    Attributes:
        package: Name of the package that must be there; a trailing ``*`` matches any ending.
        build: Glob that its conda build string must match; empty for any.
        needs: Name of a second package that must be there too, with the same ``*``; empty for none.
        cuda: CUDA version of a wheel that has it compiled in and names it nowhere; empty to read it from the packages.
    """

    package: str
    build: str = ""
    needs: str = ""
    cuda: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to install a framework; of those that fit, the first is taken.

    Version ranges are PEP 440 specifiers; an empty one takes any.

    Attributes:
        variant: ``gpu`` or ``cpu``, never ``auto``.
        installer: ``conda`` or ``pypi``, never ``auto``.
        packages: Specs of the installer's kind; ``{version}`` becomes the range of the framework's versions, written as
            that installer writes it.
        versions: Versions of the framework that it gives.
        python: Versions of Python that it runs on.
        platforms: Conda names of platforms (``linux-64``) that it is for; empty for all.
        cuda: Versions of CUDA that it gives; empty for CPU builds.
        cuda_package: Spec that forces one CUDA version, e.g. ``cuda-version={cuda}``; empty if there is none.
        torch_backend: uv's ``--torch-backend``, with ``{cuda}`` as bare digits (``cu{cuda}``); empty for none.
        only_exact: Take it only when a CUDA version was asked for.
        capability: Compute capabilities that it runs on.
        native: Compute capabilities that it has machine code for; for the rest the driver compiles. Empty for all.
        before_turing: Specs to add where a GPU is older than Turing (compute capability 7.5).
        channels: Conda channels that have it, where the usual ones do not.
        sees_cuda: Whether a CPU recipe still shows the machine's CUDA to the solver.
        guard: What proves the solution.
        note: A sentence to read before the build; empty for none.
    """

    variant: Variant
    installer: Installer
    packages: tuple[str, ...]
    versions: str = ""
    python: str = ""
    platforms: tuple[str, ...] = ()
    cuda: str = ""
    cuda_package: str = ""
    torch_backend: str = ""
    only_exact: bool = False
    capability: str = ""
    native: str = ""
    before_turing: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    sees_cuda: bool = False
    guard: Guard | None = None
    note: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Absence:
    """Why a framework has no recipe for something, and what to do instead.

    Attributes:
        variant: For this variant; ``auto`` for both.
        installer: For this installer; ``auto`` for both.
        reason: One sentence.
        cure: One sentence.
    """

    variant: Variant = Variant.AUTO
    installer: Installer = Installer.AUTO
    reason: str
    cure: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """What becomes of a framework on machines without an NVIDIA GPU; one sentence each, empty for nothing to say.

    Attributes:
        apple: On a Mac with Apple silicon.
        amd: On a machine with an AMD GPU.
        none: On a machine with neither.
    """

    apple: str = ""
    amd: str = ""
    none: str = ""

    def on(self, vendor: Vendor) -> str:
        """The sentence for a machine with such a GPU; empty for NVIDIA's."""
        return {Vendor.APPLE: self.apple, Vendor.AMD: self.amd, Vendor.NONE: self.none}.get(vendor, "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Extra:
    """Something that can be added to a framework, and is verified after it.

    Attributes:
        id: What a spec says, e.g. ``"fiftyone"``.
        title: What people call it.
        description: One sentence on what it is for.
        pip: PEP 508 requirements: the pip stage of a conda environment, plain ones of a virtual environment.
        packages: Conda packages that a conda environment needs besides.
        wheels: PEP 508 requirements that a virtual environment needs besides.
        python: Versions of Python that it runs on, a PEP 440 specifier; empty for any.
        import_name: Module to import; empty for none.
        environ: Environment variables under which it is tried.
        verification: Python source (3.6 or newer), run in a kernel after the framework's. What it puts into the dict
            ``report`` as ``sentence`` is shown; as ``problem``, why the extra is of no use.
    """

    id: str
    title: str
    description: str = ""
    pip: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    python: str = ""
    import_name: str = ""
    environ: Mapping[str, str] = dataclasses.field(default_factory=dict)
    verification: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Framework:
    """An entry of the catalogue.

    Attributes:
        id: What a spec says, e.g. ``"tensorflow"``.
        title: What people call it.
        nickname: What names suggested for its kernels begin with; empty for the id.
        summary: One sentence on what it is for.
        package: Name of the package whose version is the framework's, in any of its recipes, in order of preference.
        import_name: Module to import; empty for none.
        logo: Stem of the logo's file.
        legacy: What a reader must know of an entry that upstream no longer cares for; empty for the living.
        links: Upstream's pages.
        companions: Packages added unless refused; the names are the same in conda and in PyPI.
        verification: Python source (3.6 or newer), run in a kernel where a dict ``report`` exists. As far as it comes
            it fills the keys ``framework_version`` (str), ``built_with_cuda`` (str or None), ``devices`` (list of
            str) and ``computation`` (str), and ``problem`` (str) when the framework says why it sees no GPU.
        benchmark: Id of the adapter in the bundled notebook.
        recipes: The ways to install it.
        extras: What can be added to it.
        absences: Why others are not there.
        elsewhere: What becomes of it on machines without an NVIDIA GPU.
        source: File that it was read from; empty for the bundled ones.
    """

    id: str
    title: str
    nickname: str = ""
    summary: str
    package: tuple[str, ...] = ()
    import_name: str = ""
    logo: str = ""
    legacy: str = ""
    links: tuple[Link, ...] = ()
    companions: tuple[str, ...] = ("numpy", "pandas", "matplotlib")
    verification: str = ""
    benchmark: str = "numpy"
    recipes: tuple[Recipe, ...]
    extras: tuple[Extra, ...] = ()
    absences: tuple[Absence, ...] = ()
    elsewhere: Elsewhere = Elsewhere()
    source: str = ""

    def named(self, version: str | None) -> str:
        """The title with a version, which is said once: ``TensorFlow 2.19``, ``TensorFlow 1.15``."""
        title, _, last = self.title.rpartition(" ")
        said = bool(version) and last[:1].isdigit() and f"{version}.".startswith(f"{last}.")
        return f"{title if said else self.title} {version or ''}".strip()

    def variants(self) -> tuple[Variant, ...]:
        """The variants that it has a recipe for."""
        return tuple(sorted({recipe.variant for recipe in self.recipes}, reverse=True))
