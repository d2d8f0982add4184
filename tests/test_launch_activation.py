"""Activation scripts, run as conda does, with all their ways to go wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
import pytest
from patience import PATIENCE, wait_until

from jupyter_gpu_kernels.launch.activation import activate
from jupyter_gpu_kernels.launch.scripts import (
    ScriptError,
    bash_text,
    parse_windows_listing,
    run_scripts,
    windows_command_line,
)
from jupyter_gpu_kernels.models import EnvironmentKind
from jupyter_gpu_kernels.prefix.environ import base_environment
from jupyter_gpu_kernels.prefix.hooks import write_hooks
from jupyter_gpu_kernels.prefix.layout import Layout

SERVER = {"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "A": "server"}


def make(prefix: Path) -> Layout:
    (prefix / "conda-meta").mkdir(parents=True)
    return Layout(prefix, EnvironmentKind.CONDA, "linux")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make(tmp_path / "envs" / "it's a test")


def script(layout: Layout, name: str, text: str, folder: str = "activate.d") -> Path:
    path = layout.prefix / "etc" / "conda" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def state(layout: Layout, **variables: str) -> None:
    (layout.prefix / "conda-meta" / "state").write_text(json.dumps({"version": 1, "env_vars": variables}))


def added(
    layout: Layout, server: dict[str, str] = SERVER, timeout: float = 20
) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """What activation changed over the variables that it starts from; ``None`` is unset."""
    result = activate(server, layout, timeout=timeout)
    base = base_environment(server, layout)
    names = base.keys() | result.environ.keys()
    changed = {name: result.environ.get(name) for name in names if base.get(name) != result.environ.get(name)}
    return changed, result.warnings


def test_without_scripts_nothing_is_run(layout: Layout) -> None:
    write_hooks(layout, layout.prefix)
    # There is no shell on this PATH: had one been needed, there would be a warning.
    assert added(layout, {"PATH": "/nowhere"}) == ({}, ())


def test_scripts_run_in_order_and_see_the_environment(layout: Layout) -> None:
    script(layout, "b.sh", 'export ORDER="$ORDER:b" PREFIX="$CONDA_PREFIX" SHELL_PATH="$PATH"\n')
    script(layout, "a.sh", 'export ORDER="a"; UNEXPORTED=1; unset A\n')
    script(layout, "c.fish", "exit 1\n")
    prefix = str(layout.prefix)
    expected = {"ORDER": "a:b", "PREFIX": prefix, "SHELL_PATH": f"{prefix}/bin:/usr/bin:/bin", "A": None}
    assert added(layout) == (expected, ())


def test_values_survive_whatever_is_in_them(layout: Layout) -> None:
    script(layout, "a.sh", "export LINES=$'one\\ntwo=2\\n' ; export EMPTY=\n")
    script(layout, "b.sh", "echo to stdout; echo to stderr >&2; cat; false\n")
    assert added(layout) == ({"LINES": "one\ntwo=2\n", "EMPTY": ""}, ())


def test_declared_variables_are_taken_literally_and_the_users_come_last(layout: Layout, tmp_path: Path) -> None:
    state(layout, B="user", Mixed_Case="$(touch %s) $HOME" % (tmp_path / "executed"), A="***unset***")
    folder = layout.prefix / "etc" / "conda" / "env_vars.d"
    folder.mkdir(parents=True)
    (folder / "one.json").write_text('{"B": "package", "C": "1", "D": 3}')
    (folder / "two.json").write_text('{"C": "2", "": "x", "E=F": "x"}')
    expected = {
        "A": None,
        "B": "user",
        "C": "2",
        "D": "3",
        "Mixed_Case": f"$(touch {tmp_path / 'executed'}) $HOME",
    }
    assert added(layout) == (expected, ())
    script(layout, "a.sh", 'export SEEN="$B"\n')
    assert added(layout) == ({**expected, "SEEN": "user"}, ())
    assert not (tmp_path / "executed").exists()


def test_damaged_declarations_are_a_warning(layout: Layout) -> None:
    (layout.prefix / "conda-meta" / "state").write_text("{")
    changed, (warning,) = added(layout)
    assert changed == {}
    assert "cannot be read" in warning


@pytest.mark.parametrize(
    "end", ["exit 3", "set -e; false", "set -u; echo $NOT_SET", "trap 'true' EXIT; trap - EXIT; exit"]
)
def test_a_script_that_ends_the_shell_costs_only_what_comes_after_it(layout: Layout, end: str) -> None:
    script(layout, "a.sh", "export FIRST=1\n")
    script(layout, "b.sh", f"echo oh dear >&2; export SECOND=1; {end}\n")
    script(layout, "c.sh", "export THIRD=1\n")
    changed, (warning,) = added(layout)
    lost = "trap" in end
    assert changed == ({} if lost else {"FIRST": "1", "SECOND": "1"})
    assert "oh dear" in warning
    assert lost or "b.sh ended the shell" in warning


def test_a_script_that_traps_its_end_does_not_take_the_variables_with_it(layout: Layout) -> None:
    script(layout, "a.sh", "export FIRST=1; trap 'echo bye' EXIT\n")
    script(layout, "b.sh", "export SECOND=1\n")
    assert added(layout) == ({"FIRST": "1", "SECOND": "1"}, ())


def test_a_script_that_hangs_is_killed_with_its_children(layout: Layout) -> None:
    # Seconds that no other sleeper on this machine sleeps.
    child, itself = f"98700{os.getpid()}", f"98800{os.getpid()}"
    script(layout, "a.sh", f"export FIRST=1; sleep {child} & sleep {itself}\n")
    changed, (warning,) = added(layout, timeout=0.5)
    assert changed == {}
    assert "a.sh did not end within 0.5 seconds" in warning
    wait_until(lambda: not {("sleep", child), ("sleep", itself)} & commands())


def commands() -> set[tuple[str, ...]]:
    return {tuple(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])}


def test_a_program_left_in_the_background_is_not_waited_for(layout: Layout) -> None:
    script(layout, "a.sh", "sleep 600 & export FIRST=1 CHILD=$!\n")
    changed, warnings = added(layout, timeout=PATIENCE)
    assert (changed["FIRST"], warnings) == ("1", ())
    psutil.Process(int(changed["CHILD"] or 0)).kill()


def test_bash_reads_no_files_of_its_own(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "rc").write_text("export RC=1\n")
    server = {**SERVER, "BASH_ENV": str(tmp_path / "rc"), "ENV": str(tmp_path / "rc"), "PWD": "/x", "SHLVL": "4"}
    script(layout, "a.sh", "export FIRST=1\n")
    assert added(layout, server) == ({"FIRST": "1"}, ())


def test_without_bash_the_kernel_starts_with_what_needs_none(layout: Layout, tmp_path: Path) -> None:
    # Scripts for another platform's shell, which is not here: the same as no bash.
    script(layout, "a.bat", "set FIRST=1\n")
    state(layout, B="user")
    windows = Layout(layout.prefix, EnvironmentKind.CONDA, "win32")
    result = activate({"PATH": str(tmp_path)}, windows)
    assert result.environ["B"] == "user"
    assert len(result.warnings) == 1


def test_the_servers_own_environment_is_left_first(layout: Layout, tmp_path: Path) -> None:
    base = make(tmp_path / "base")
    state(base, DECLARED="by base", CHANGED="by base", RESTORED="by base")
    script(base, "a.sh", 'export LEFT="$CONDA_PREFIX $CONDA_SHLVL"; unset PROJ_DATA\n', folder="deactivate.d")
    server = {
        **SERVER,
        "CONDA_PREFIX": str(base.prefix),
        "CONDA_SHLVL": "2",
        "PROJ_DATA": "/base",
        "DECLARED": "by base",
        "CHANGED": "by the user",
        "RESTORED": "by base",
        "__CONDA_SHLVL_1_RESTORED": "before",
    }
    changed, warnings = added(layout, server)
    assert warnings == ()
    assert changed == {"LEFT": f"{base.prefix} 2", "PROJ_DATA": None, "DECLARED": None, "RESTORED": "before"}


def test_our_own_hook_is_not_run(layout: Layout) -> None:
    write_hooks(layout, layout.prefix)
    hook = layout.prefix / "etc" / "conda" / "activate.d" / "jupyter-gpu-kernels.sh"
    assert hook.exists()
    script(layout, "other.sh", "export OTHER=1\n")
    assert added(layout) == ({"OTHER": "1"}, ())


def test_a_virtual_environment_has_nothing_to_run(tmp_path: Path) -> None:
    layout = Layout(tmp_path, EnvironmentKind.VIRTUALENV, "linux")
    assert activate(SERVER, layout).environ == base_environment(SERVER, layout)


def test_an_unrunnable_shell_is_reported(layout: Layout, tmp_path: Path) -> None:
    broken = tmp_path / "bash"
    broken.write_text("#!/no/such/shell\n")
    broken.chmod(0o755)
    with pytest.raises(ScriptError, match="were not run"):
        run_scripts([tmp_path / "a.sh"], {"PATH": str(tmp_path)}, cwd=tmp_path, timeout=5, platform="linux")


def test_the_text_for_bash_quotes_paths() -> None:
    assert ". '/a b/it'\"'\"'s.sh'" in bash_text([Path("/a b/it's.sh")], 7)


def test_the_command_for_windows_calls_each_script_and_lists_variables() -> None:
    line = windows_command_line([Path("C:/e/a.bat"), Path("C:/e/b c.bat")])
    assert line == 'cmd.exe /D /U /S /C "call "C:/e/a.bat" 1>&2 & call "C:/e/b c.bat" 1>&2 & set"'
    listing = "A=1\r\n=C:=C:\\\r\nB=x=y\r\nÄ=ö\r\n".encode("utf-16-le")
    assert parse_windows_listing(listing) == {"A": "1", "B": "x=y", "Ä": "ö"}
