"""A pytest plugin that shares the tests out among workers (``pytest -n 2 --dist loadgroup``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

#: Files and directories whose tests share what is costly to make: one worker runs them, and makes it once.
TOGETHER = (
    "tests/test_cuda_choice.py",
    "tests/test_end_to_end.py",
    "tests/test_launch_provisioner.py",
    "tests/test_packaging.py",
    "tests/ui/",
)

#: What takes longest of all: workers begin with it, so that all of them have done at about the same time.
LONGEST = "test_storm.py"


def group(nodeid: str) -> str:
    """Name what is run by one worker: a group of tests, or a test alone."""
    return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let workers begin with what takes longest; groups come even before, the largest first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.name != LONGEST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Group tests by where they are.

    The marker ``xdist_group`` would do it too, but pytest-xdist 3.8 writes it where pytest 9.2 no longer reads it.
    """
    if config.getoption("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Scheduling(config, log)
