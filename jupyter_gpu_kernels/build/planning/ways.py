"""Choosing variant, installer and recipe, each with its reason in a sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterator

from ...errors import ChannelError
from ...models import EnvironmentSpec, Framework, Hardware, Installer, Recipe, Refusal, Variant
from ..conda.settings import ChannelAnswer
from . import choices, telling
from .targets import Target

Probe = Callable[[], Awaitable[tuple[ChannelAnswer, ...]]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Way:
    """A recipe with the reasons that led to it, or the refusal that stands in its place.

    Attributes:
        variant: Taken, never ``auto``.
        variant_reason: One sentence.
        installer: Taken, never ``auto``.
        installer_reason: One sentence.
        recipe: The recipe.
        aim: What it is for: the target, without such GPUs as no build serves together with the others.
        warnings: What was given up on the way.
    """

    variant: Variant
    variant_reason: str
    installer: Installer
    installer_reason: str
    recipe: Recipe | Refusal
    aim: Target
    warnings: tuple[str, ...] = ()


async def choose(framework: Framework, spec: EnvironmentSpec, aim: Target, hardware: Hardware, probe: Probe) -> Way:
    """Choose the way that fits what was asked for.

    Args:
        framework: The framework.
        spec: What was asked for.
        aim: What the result shall run on.
        hardware: What this machine has.
        probe: Asks the conda channels; called only where the answer decides.

    Raises:
        ChannelError: A channel is there and cannot be used, which is somebody's to mend.
    """
    if not spec.recipe:
        return await _asked(spec, aim, probe)
    variant, reason = _variant(framework, spec, aim)
    served = choices.servable(framework, spec, variant, aim)
    way = await _with_installer(framework, spec, served, variant, reason, probe)
    if not isinstance(way.recipe, Refusal):
        warnings = _lost(framework, spec, aim, served, hardware) if served != aim else ()
        return dataclasses.replace(way, warnings=tuple(warnings))
    if variant is Variant.CPU or spec.variant is not Variant.AUTO or spec.cuda or spec.target_cuda or spec.target_gpu:
        return way
    reason = f"The gpu variant cannot run here: {way.recipe.reason}"
    fallback = await _with_installer(framework, spec, aim, Variant.CPU, reason, probe)
    if isinstance(fallback.recipe, Refusal):
        return way
    gpus = "GPUs" if len(hardware.gpus) > 1 else "GPU"
    # What to do for the GPU: the cpu variant, which else is a cure, is what is taken.
    others = tuple(recipe for recipe in framework.recipes if recipe.variant is not Variant.CPU)
    refused = await _with_installer(
        dataclasses.replace(framework, recipes=others), spec, served, variant, reason, probe
    )
    told = refused.recipe if isinstance(refused.recipe, Refusal) else way.recipe
    warning = f"The {gpus} of this machine would not be used: {told.reason} {told.cure}"
    return dataclasses.replace(fallback, warnings=(warning,))


def given(installer: Installer, aim: Target) -> Way:
    """The way to packages that somebody has chosen already."""
    return Way(
        variant=Variant.CPU,
        variant_reason="",
        installer=installer,
        installer_reason="The packages that are given are its own.",
        recipe=telling.plain(installer),
        aim=aim,
    )


async def _asked(spec: EnvironmentSpec, aim: Target, probe: Probe) -> Way:
    """The way of those who name all packages themselves; what they are is seen when they are solved."""
    installer, reason = spec.installer, "As asked for."
    if installer is Installer.AUTO and spec.channels:
        installer, reason = Installer.CONDA, "Channels are asked for, which are conda's."
    elif installer is Installer.AUTO:
        installer, reason = _reachable(await probe())
    recipe = telling.plain(installer, (*spec.packages, *spec.pip))
    return dataclasses.replace(given(installer, aim), installer_reason=reason, recipe=recipe)


def _variant(framework: Framework, spec: EnvironmentSpec, aim: Target) -> tuple[Variant, str]:
    """The variant, with the reason."""
    if spec.variant is not Variant.AUTO:
        return spec.variant, "As asked for."
    if Variant.GPU not in framework.variants():
        return Variant.CPU, f"{framework.title} has no other variant."
    if spec.cuda:
        return Variant.GPU, f"CUDA {spec.cuda} is asked for."
    if aim.named:
        return Variant.GPU, f"A build for {aim.gpus} is asked for."
    if aim.cuda:
        return Variant.GPU, choices.began(f"{aim.driver} runs CUDA up to {aim.cuda}.")
    return Variant.CPU, aim.missing


async def _with_installer(
    framework: Framework, spec: EnvironmentSpec, aim: Target, variant: Variant, variant_reason: str, probe: Probe
) -> Way:
    """Choose the installer for a variant."""
    conda = choices.find(framework, spec, variant, Installer.CONDA, aim)
    pypi = choices.find(framework, spec, variant, Installer.PYPI, aim)

    def way(installer: Installer, reason: str) -> Way:
        return Way(
            variant=variant,
            variant_reason=variant_reason,
            installer=installer,
            installer_reason=reason,
            recipe=conda if installer is Installer.CONDA else pypi,
            aim=aim,
        )

    if spec.installer is not Installer.AUTO:
        return way(spec.installer, "As asked for.")
    if spec.channels:
        return way(Installer.CONDA, "Channels are asked for, which are conda's.")
    if isinstance(conda, Refusal) and isinstance(pypi, Refusal):
        served = {item.installer for item in framework.recipes if item.variant is variant}
        # The refusal of a recipe that exists says more than that of one which does not.
        only_pypi = served == {Installer.PYPI}
        return way(Installer.PYPI if only_pypi else Installer.CONDA, "Neither conda nor PyPI can give it.")
    if isinstance(conda, Refusal):
        return way(Installer.PYPI, conda.reason)
    if isinstance(pypi, Refusal):
        return way(Installer.CONDA, pypi.reason)
    return way(*_reachable(await probe()))


def _reachable(answers: tuple[ChannelAnswer, ...]) -> tuple[Installer, str]:
    """Conda where its channels answer, PyPI where none can be reached."""
    names = ", ".join(answer.channel for answer in answers)
    for answer in answers:
        if answer.reachable and answer.error:
            cure = "Have the channel, the proxy or the certificate mended, or choose the installer pypi."
            raise ChannelError(answer.error, cure=cure)
    if any(answer.reachable for answer in answers):
        return Installer.CONDA, f"The conda channels answer ({names})."
    why = next((answer.error for answer in answers if answer.error), "")
    if len(answers) == 1 and why:
        return Installer.PYPI, why
    return Installer.PYPI, f"None of the conda channels ({names}) can be reached. {why}".strip()


def _lost(
    framework: Framework, spec: EnvironmentSpec, aim: Target, served: Target, hardware: Hardware
) -> Iterator[str]:
    """The warnings of a machine whose GPUs are too different, one for each that is left out."""
    kept = ", ".join(gpu.uuid for gpu in hardware.gpus if gpu.compute_capability in served.capabilities)
    for gpu in hardware.gpus:
        if gpu.compute_capability in served.capabilities:
            continue
        name = f"GPU {gpu.index} ({gpu.name}, compute capability {gpu.compute_capability})"
        alone = dataclasses.replace(aim, capabilities=(gpu.compute_capability,))
        free = dataclasses.replace(spec, version=None, cuda=None)
        other = Installer.PYPI if spec.channels or spec.installer is Installer.CONDA else Installer.CONDA
        elsewhere = dataclasses.replace(free, installer=other, channels=())
        if choices.served(framework, free, Variant.GPU, alone):
            why = f"no build of {framework.title} runs on all GPUs of this machine, and this one is for newer ones"
            cure = f"For that GPU make another environment, with the target GPU {gpu.compute_capability}; and place"
        elif choices.served(framework, elsewhere, Variant.GPU, alone):
            asked = Installer.CONDA if spec.channels else spec.installer
            why = f"no build of {framework.title} from {choices.NAMES[asked]} runs on it"
            cure = (
                f"For that GPU make another environment, with the installer {other.value} and the target GPU "
                f"{gpu.compute_capability}; and place"
            )
        else:
            why = f"no build of {framework.title} runs on it"
            cure = "Place"
        yield f"{name} is left out: {why}. {cure} the kernels of this environment elsewhere: {kept}."
