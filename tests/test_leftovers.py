"""The check that every other test is under."""

from __future__ import annotations

import leftovers
import psutil
import pytest


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    monkeypatch.setattr(leftovers, "GRACE", 0.2)
    # Plugins of this session need not bear a session within it.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest("pytest_plugins = ['leftovers']")


def test_a_process_whose_parent_is_gone_is_found_and_ended(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pathlib
        import subprocess

        def test_leaves_a_grandchild():
            shell = subprocess.run(["sh", "-c", "sleep 60 >&- 2>&- & echo $!"], stdout=subprocess.PIPE)
            pathlib.Path("pid").write_bytes(shell.stdout)
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["processes left behind:", "*sleep 60"])
    pid = int((pytester.path / "pid").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_child_without_the_name_is_found(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os

        def test_leaves_a_child():
            os.posix_spawn("/bin/sleep", ["sleep", "60"], {})
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1, errors=1)


def test_marked_and_tidy_tests_pass(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os
        import subprocess
        import pytest

        @pytest.mark.leaves_processes
        def test_marked():
            os.posix_spawn("/bin/sleep", ["sleep", "60"], {})

        def test_tidy():
            subprocess.run(["true"])
        """
    )
    pytester.runpytest_inprocess("--strict-markers").assert_outcomes(passed=2)
