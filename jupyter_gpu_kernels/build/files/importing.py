"""From the text of a file to an environment: what it asks for is told, planned, and built like any other."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import replace

from packaging.utils import canonicalize_name

from ...errors import InvalidInputError, RefusedError
from ...models import EnvironmentSpec, ImportRequest, Installer, Manifest
from .. import naming
from ..conda.history import name_of
from ..conda.pins import Pinned
from ..conda.settings import ChannelSettings, CondaRequest
from ..equipment import Equipment
from ..kernelspec import kernelspecs
from ..planning import telling, validation
from ..planning.planner import Planned
from ..planning.targets import platform_name
from ..reporting import BuildReporter
from ..tools.redaction import uncover
from . import formats
from .parsed import Exact, Parsed

#: In every environment anyway, so that nobody needs to ask for them.
_ESSENTIAL = frozenset({"python", "ipykernel", "pip"})


class Importer:
    """Makes environments of files.

    Args:
        equipment: What environments are made with.
    """

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment

    def read(self, request: ImportRequest, name: str) -> Parsed:
        """Read a file; what is found is complete and can be asked for. Takes a while for a large one.

        Args:
            request: The file's text, and what shall be made of it.
            name: Name of the environment.

        Raises:
            InvalidInputError: It is malformed, too large, or has what no imported file may have.
            RefusedError: It has nothing for this platform, or cannot become a kernel.
        """
        found = formats.read(request.text, platform=platform_name(), file_name=request.file_name, name=request.name)
        spec = replace(found.spec, name=name, display_name=request.display_name, verify=request.verify)
        if found.note is not None and not self._equipment.planner.catalogue.has(spec.framework):
            # Another lab's framework: what its packages are is told like that of anybody's.
            plain = EnvironmentSpec(name="", installer=spec.installer, recipe=False, companions=False)
            found = replace(found, note=None)
            spec = replace(plain, name=name, display_name=request.display_name, verify=request.verify)
        if found.note is None:
            spec = self._told(spec, found.exact)
        self._equipment.planner.check(spec)
        if found.exact is not None:
            _check_kernel(found.exact)
        return replace(found, spec=spec)

    def proposed_name(self, request: ImportRequest) -> str:
        """The name that a file has for its environment, or one made of its own; whether it is free is another question.

        Raises:
            InvalidInputError: As :meth:`read`.
        """
        found = formats.read(request.text, platform=platform_name(), file_name=request.file_name, name=request.name)
        stem = re.sub(
            r"(-explicit|-exact|-requirements|-pixi|-recipe)?(\.\w+)*$", "", request.file_name.rsplit("/", 1)[-1][-100:]
        )
        common = {"environment", "requirements", "pixi", "conda-lock", "explicit", "recipe", "spec-file"}
        for text in (found.spec.name, "" if stem in common else stem):
            clean = re.sub(r"[^A-Za-z0-9_-]+", "-", text[:200]).strip("-_")[:60]
            if clean and clean.lower() not in validation.RESERVED:
                return clean
        return "imported"

    async def plan(self, parsed: Parsed) -> Planned:
        """Answer what would be built; nothing is downloaded but metadata.

        Raises:
            RefusedError: The channels have other files than those that are named, or may not be asked.
            SolveError: No set of packages satisfies what is asked for, or the index lacks one that is named.
            ChannelError: A channel or index does not answer as it should.
        """
        if parsed.exact is None:
            planned = await self._equipment.planner.plan(parsed.spec)
        else:
            planned = await self._exactly(parsed, parsed.exact)
        warnings = (*parsed.warnings, *planned.plan.warnings)
        return replace(planned, plan=replace(planned.plan, warnings=tuple(dict.fromkeys(warnings))))

    async def build(self, parsed: Parsed, *, reporter: BuildReporter) -> Manifest:
        """Build, verify and register what a file says.

        Raises:
            GpuKernelsError: Any of the tree; then nothing but cached downloads is left.
        """
        spec = parsed.spec
        async with self._equipment.writing(spec.name, "import"):
            await asyncio.to_thread(naming.make_free, self._equipment, spec.name)
            await asyncio.to_thread(kernelspecs.check_place, sys_prefix=spec.sys_prefix)
            return await self._equipment.construction.build(lambda: self.plan(parsed), reporter)

    def _told(self, spec: EnvironmentSpec, exact: Exact | None) -> EnvironmentSpec:
        """The same with the framework that its packages are."""
        asked = [name_of(text) for text in (*spec.packages, *spec.pip)]
        names = exact.names if exact else asked
        return replace(spec, framework=telling.framework_of(self._equipment.planner.catalogue, names, asked))

    async def _exactly(self, parsed: Parsed, exact: Exact) -> Planned:
        """Plan packages that are named to the byte."""
        spec, planner = parsed.spec, self._equipment.planner
        pinned: Pinned | None = None
        conda, configured = None, frozenset[str]()
        python = exact.python
        if exact.conda:
            pinned, configured = await self._pinned(parsed, exact)
            conda = pinned.solution
            python = next(item.version for item in conda.packages if item.name == "python")
        wheels = None
        if exact.wheels:
            lines = [pin.line for pin in exact.wheels]
            wheels = await self._equipment.wheels.solve_exactly(lines, python=python, on_top=conda is not None)
            python = wheels.python
        if parsed.note is None:
            spec = _asking(spec, exact, pinned, configured, ".".join(python.split(".")[:2]))
        planned = await planner.plan_given(spec, conda=conda, wheels=wheels)
        if pinned is not None and pinned.bare:
            few = ", ".join(pinned.bare[:5]) + (", …" if len(pinned.bare) > 5 else "")
            warning = f"The channels no longer list {few}: what they need, and how large they are, is not known."
            planned = replace(planned, plan=replace(planned.plan, warnings=(warning, *planned.plan.warnings)))
        return planned

    async def _pinned(self, parsed: Parsed, exact: Exact) -> tuple[Pinned, frozenset[str]]:
        """What is known of the conda packages, and the names of channels that are configured; all must be allowed."""
        planner = self._equipment.planner
        counted = Counter(pin.channel for pin in exact.conda)
        places = tuple(place for place, _ in counted.most_common())
        # Refuses those that an administrator does not allow.
        settings: ChannelSettings = await planner.channel_settings(replace(parsed.spec, channels=places))
        try:
            configured = await planner.channel_settings(replace(parsed.spec, channels=()))
            usual = frozenset(channel.name for channel in configured.resolved())
        except RefusedError:
            # The usual channels are not allowed, and those of the file are.
            configured, usual = settings, frozenset()
        # The configured ones come first, by their own names: who has credentials for them has them there.
        known = {uncover(channel.location).rstrip("/") for channel in configured.resolved()}
        others = (place for place in settings.channels if uncover(place).rstrip("/") not in known)
        request = CondaRequest(
            specs=(parsed.note.asked if parsed.note else ()) or ("python", "ipykernel"),
            settings=replace(configured, channels=(*configured.channels, *others)),
        )
        pinned = await self._equipment.conda.pin(exact.conda, request, lock=exact.lock)
        if parsed.note is None or not parsed.note.asked:
            roots = tuple(dict.fromkeys(("python", "ipykernel", *pinned.roots)))
            pinned = replace(pinned, solution=replace(pinned.solution, request=replace(request, specs=roots)))
        return pinned, usual


def _check_kernel(exact: Exact) -> None:
    """Refuse packages that can never be a kernel.

    Raises:
        InvalidInputError: One of them is there twice.
        RefusedError: What they lack.
    """
    names = exact.names
    for listed in ([pin.parts[0] for pin in exact.conda], [pin.name for pin in exact.wheels]):
        if twice := [name for name, count in Counter(listed).items() if count > 1]:
            msg = f"The file names {twice[0]} twice for this platform."
            raise InvalidInputError(msg, cure="Have the file made again.")
    python = "python" in names or not exact.conda
    for lacking, there in (("python", python), ("ipykernel", "ipykernel" in names)):
        if not there:
            msg = f"The file's environment has no {lacking}, so that nothing in it could be a kernel."
            cure = f"Add {lacking} to that environment and make the file again, or import its environment.yml."
            raise RefusedError(msg, cure=cure)


def _asking(
    spec: EnvironmentSpec, exact: Exact, pinned: Pinned | None, configured: frozenset[str], python: str
) -> EnvironmentSpec:
    """What packages that somebody else has chosen count as asked for, when they are changed later."""
    wheels = tuple(pin.name for pin in exact.wheels if pin.name not in _ESSENTIAL)
    if pinned is None:
        return replace(spec, installer=Installer.PYPI, python=python, packages=wheels)
    roots = tuple(name for name in pinned.roots if canonicalize_name(name) not in _ESSENTIAL and name[:1] != "_")
    channels = tuple(dict.fromkeys(pinned.sources.values()))
    # Only channels that are not configured here have to be named.
    named = () if set(channels) <= configured else channels
    return replace(spec, python=python, packages=roots, pip=wheels, channels=named)
