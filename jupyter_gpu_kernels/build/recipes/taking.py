"""From an environment to the recipe that its notebooks carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from packaging.utils import canonicalize_name

from ...models import EnvironmentSpec, Installer, KernelRecipe, Manifest, Original, Placement, Stage, Variant
from ..conda.history import name_of
from ..contents.installed import Contents, digest, listed
from ..planning.validation import MAX_ENTRIES
from ..tools.redaction import uncover


def recipe_of(manifest: Manifest, contents: Contents, platform: str) -> KernelRecipe:
    """Say how a kernel is made again elsewhere.

    The same environment always has the same recipe: no time is in it, and nothing of the machine but its platform.

    Args:
        manifest: What was built.
        contents: What is in it now; what somebody added is asked for by name.
        platform: Conda's name of this platform.
    """
    plan = manifest.plan
    spec = replace(portable(manifest.spec), name=manifest.name)
    return KernelRecipe(
        name=manifest.name,
        display_name=manifest.display_name,
        spec=_with_added(spec, manifest, contents),
        original=Original(
            platform=platform,
            installer=plan.installer,
            variant=plan.variant,
            python=plan.python,
            framework_version=plan.framework_version,
            cuda=plan.cuda,
            digest=digest(listed(contents, manifest)),
        ),
    )


def portable(spec: EnvironmentSpec) -> EnvironmentSpec:
    """What of a spec means any machine: no passwords, no GPUs and no CUDA of the one that it was written for."""
    return replace(
        spec,
        # A GPU is taken where there is one. Who has asked for the CPU has a reason that goes with the notebook.
        variant=Variant.CPU if spec.variant is Variant.CPU else Variant.AUTO,
        cuda=None,
        target_cuda=None,
        target_gpu=None,
        channels=tuple(map(uncover, spec.channels)),
        verify=True,
        placement=Placement(),
        sys_prefix=False,
    )


def _with_added(spec: EnvironmentSpec, manifest: Manifest, contents: Contents) -> EnvironmentSpec:
    """The same, with what somebody added by name with conda or pip; as far as a channel or an index has it."""
    built = {canonicalize_name(item.name) for item in manifest.plan.packages if item.stage is Stage.WHEELS}
    wheels = [item.name for item in contents.distributions if item.requested and not item.origin]
    pip = [*map(name_of, contents.kept), *(name for name in wheels if name not in built | contents.wheels)]
    conda = manifest.plan.installer is Installer.CONDA
    return replace(
        spec,
        packages=_joined(spec.packages, (*map(name_of, contents.added), *(() if conda else pip))),
        pip=_joined(spec.pip, pip if conda else ()),
    )


def _joined(asked: Sequence[str], added: Iterable[str]) -> tuple[str, ...]:
    """What was asked for, and names that were added to it; no name twice."""
    names = {canonicalize_name(name_of(text)) for text in asked}
    more = [name for name in dict.fromkeys(added) if canonicalize_name(name) not in names]
    return (*asked, *sorted(more))[:MAX_ENTRIES]
