"""What an environment has already, and what a plan in its place shall keep of it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from packaging.utils import canonicalize_name

from ...errors import SolveError
from ...models import PlannedPackage
from ..conda.history import name_of
from ..wheels.settings import Hold
from ..wheels.shadow import python_distributions


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preference:
    """What is there already; without anything in it, a plan is made from nothing.

    Attributes:
        keep: Match specs of what was added from outside with conda.
        hold: Records, files of a ``conda-meta``, of conda packages that keep their version unless it stands in the way.
        firm: Names of those that an answer is looked for first without moving.
        wheels: The same of wheels.
        python: Version of Python for a virtual environment whose user asked for none, ``None`` for the newest.
        remarks: What will be lost, one sentence each, for the plan's warnings.
    """

    keep: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    firm: tuple[str, ...] = ()
    wheels: Hold = dataclasses.field(default_factory=Hold)
    python: str | None = None
    remarks: tuple[str, ...] = ()

    def on_top_of(self, packages: Sequence[PlannedPackage]) -> tuple[Hold, tuple[str, ...]]:
        """What of the wheels goes on top of conda packages, and what is to be said of the rest."""
        brought = python_distributions(packages)
        kept = tuple(text for text in self.wheels.kept if canonicalize_name(name_of(text)) not in brought)
        remarks = (_BROUGHT.format(text) for text in self.wheels.kept if text not in kept)
        return dataclasses.replace(self.wheels, kept=kept), tuple(remarks)


#: There is no environment yet.
FROM_NOTHING = Preference()

_BROUGHT = "{}, which was added with pip, gives way to the conda package of that name."


@contextlib.contextmanager
def carrying(hold: Hold) -> Iterator[None]:
    """Look for wheels; if there are none that go together, say that those which somebody has added are among them."""
    try:
        yield
    except SolveError as error:
        if not hold.kept:
            raise
        added = ", ".join(sorted(named(hold.kept)))
        cure = f"{error.cure} Among them are those that were added with pip: {added}. Uninstall what may go."
        raise type(error)(error.message, cure=cure, detail=error.detail) from error


def named(specs: Iterable[str]) -> set[str]:
    """The normalised names of packages that specs of either kind speak of."""
    return {canonicalize_name(name_of(text)) for text in specs}
