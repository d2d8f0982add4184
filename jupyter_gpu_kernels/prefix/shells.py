"""How a hook is written in each shell: static lines that set variables, and lines that restore exactly what was.

Per variable the old value is kept in a variable of ours, or a note that there was none. Those are named after the
environment, so that hooks of stacked environments do not meet.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

_XLA_FLAG = "--xla_gpu_cuda_data_dir"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hook:
    """What a hook does.

    Attributes:
        mark: Stem of our variables for this environment.
        root: Variable that holds the prefix: ``CONDA_PREFIX`` or ``VIRTUAL_ENV``.
        folders: Whole directories to put on ``LD_LIBRARY_PATH`` if they exist, relative to the prefix.
        packages: Package directories in which wheels keep CUDA libraries, relative to the prefix.
        data_dir: Where XLA finds libdevice, relative to the prefix, ``None`` if it need not be told.
        user_site: Whether packages of the user may shadow the environment's.
    """

    mark: str
    root: str
    folders: Sequence[str] = ()
    packages: Sequence[str] = ()
    data_dir: str | None = None
    user_site: bool = False

    @property
    def variables(self) -> list[str]:
        """The variables that the hook may change."""
        wanted = {
            "LD_LIBRARY_PATH": bool(self.folders or self.packages),
            "PYTHONNOUSERSITE": not self.user_site,
            "XLA_FLAGS": self.data_dir is not None,
        }
        return [name for name, used in wanted.items() if used]

    @property
    def finder(self) -> str:
        """POSIX shell that prints the CUDA directories below ``$1``, joined by colons; it has no single quote."""
        tests = " ".join(f'if test -d "$1/{name}"; then echo "$1/{name}"; fi;' for name in self.folders)
        names = ("nvidia", "cusparselt", "tensorrt_libs")
        roots = " ".join(f'"$1/{packages}/{name}"' for packages in self.packages for name in names)
        test = "\\( -name lib -o -name lib64 -o -name tensorrt_libs \\)"
        find = f"find {roots} -maxdepth 3 -type d {test} 2>/dev/null | sort"
        return f"{{ {tests} {find if roots else ':'}; }} | paste -s -d : -"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shell:
    """One shell.

    Attributes:
        suffix: Of its scripts in ``activate.d``.
        comment: What begins a comment.
        activate: Writes the lines that set variables.
        deactivate: Writes the lines that restore them.
        activate_script: Name of a virtual environment's script, lower case.
        deactivation: Beginning of the line in that script after which restoring lines go.
    """

    suffix: str
    comment: str
    activate: Callable[[Hook], list[str]]
    deactivate: Callable[[Hook], list[str]]
    activate_script: str
    deactivation: str


def _posix_activate(hook: Hook) -> list[str]:
    mark, root = hook.mark, hook.root
    changes = {
        "LD_LIBRARY_PATH": [
            f"""_jgk_new="$(sh -c '{hook.finder}' jgk "${root}" || :)\"""",
            'if [ -n "$_jgk_new" ] ; then',
            *_indent(_posix_save(mark, "LD_LIBRARY_PATH")),
            '    LD_LIBRARY_PATH="$_jgk_new${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"',
            "    export LD_LIBRARY_PATH",
            "fi",
            "unset _jgk_new",
        ],
        "PYTHONNOUSERSITE": [
            *_posix_save(mark, "PYTHONNOUSERSITE"),
            "PYTHONNOUSERSITE=1",
            "export PYTHONNOUSERSITE",
        ],
        "XLA_FLAGS": [
            'case "${XLA_FLAGS:-}" in',
            f"*{_XLA_FLAG}*) ;;",
            "*)",
            *_indent(_posix_save(mark, "XLA_FLAGS")),
            f'    XLA_FLAGS="${{XLA_FLAGS:+$XLA_FLAGS }}{_XLA_FLAG}=${root}/{hook.data_dir}"',
            "    export XLA_FLAGS",
            "    ;;",
            "esac",
        ],
    }
    body = [line for name in hook.variables for line in changes[name]]
    return [f'if [ -z "${{{mark}:-}}" ] ; then', f"    {mark}=1", f"    export {mark}", *_indent(body), "fi"]


def _posix_save(mark: str, name: str) -> list[str]:
    return [
        f'if [ -n "${{{name}+x}}" ] ; then',
        f'    {mark}_{name}="${name}"',
        f"    export {mark}_{name}",
        "else",
        f"    {mark}_{name}_UNSET=1",
        f"    export {mark}_{name}_UNSET",
        "fi",
    ]


def _posix_deactivate(hook: Hook) -> list[str]:
    lines: list[str] = []
    for name in hook.variables:
        saved = f"{hook.mark}_{name}"
        lines += [
            f'if [ -n "${{{saved}+x}}" ] ; then',
            f'    {name}="${saved}"',
            f"    export {name}",
            "fi",
            f'if [ -n "${{{saved}_UNSET:-}}" ] ; then',
            f"    unset {name}",
            "fi",
            f"unset {saved} {saved}_UNSET",
        ]
    return [*lines, f"unset {hook.mark}"]


def _fish_activate(hook: Hook) -> list[str]:
    mark, root = hook.mark, hook.root
    changes = {
        "LD_LIBRARY_PATH": [
            f"""set -l _jgk_new (string split -- : (sh -c '{hook.finder}' jgk "${root}"))""",
            'if test -n "$_jgk_new"',
            *_indent(_fish_save(mark, "LD_LIBRARY_PATH")),
            "    for _jgk_old in $LD_LIBRARY_PATH",
            '        test -n "$_jgk_old"; and set _jgk_new $_jgk_new $_jgk_old',
            "    end",
            "    set -gx LD_LIBRARY_PATH $_jgk_new",
            "end",
        ],
        "PYTHONNOUSERSITE": [*_fish_save(mark, "PYTHONNOUSERSITE"), "set -gx PYTHONNOUSERSITE 1"],
        "XLA_FLAGS": [
            f"if not string match -q -- '*{_XLA_FLAG}*' \"$XLA_FLAGS\"",
            *_indent(_fish_save(mark, "XLA_FLAGS")),
            f'    set -gx XLA_FLAGS (string trim -- "$XLA_FLAGS {_XLA_FLAG}=${root}/{hook.data_dir}")',
            "end",
        ],
    }
    body = [line for name in hook.variables for line in changes[name]]
    return [f"if not set -q {mark}", f"    set -gx {mark} 1", *_indent(body), "end"]


def _fish_save(mark: str, name: str) -> list[str]:
    return [
        f"if set -q {name}",
        f"    set -gx {mark}_{name} ${name}",
        "else",
        f"    set -gx {mark}_{name}_UNSET 1",
        "end",
    ]


def _fish_deactivate(hook: Hook) -> list[str]:
    lines: list[str] = []
    for name in hook.variables:
        saved = f"{hook.mark}_{name}"
        lines += [
            f"if set -q {saved}",
            f"    set -gx {name} ${saved}",
            f"    set -e {saved}",
            "end",
            f"if set -q {saved}_UNSET",
            f"    set -e {name}",
            f"    set -e {saved}_UNSET",
            "end",
        ]
    return [*lines, f"set -e {hook.mark}"]


def _csh_activate(hook: Hook) -> list[str]:
    mark, root = hook.mark, hook.root
    changes = {
        "LD_LIBRARY_PATH": [
            f"set _jgk_new = `sh -c '{hook.finder}' jgk \"${{{root}}}\"`",
            'if ( "$_jgk_new" != "" ) then',
            *_indent(_csh_save(mark, "LD_LIBRARY_PATH")),
            "    if ( $?LD_LIBRARY_PATH ) then",
            '        if ( "$LD_LIBRARY_PATH" != "" ) set _jgk_new = "${_jgk_new}:${LD_LIBRARY_PATH}"',
            "    endif",
            '    setenv LD_LIBRARY_PATH "$_jgk_new"',
            "endif",
            "unset _jgk_new",
        ],
        "PYTHONNOUSERSITE": [*_csh_save(mark, "PYTHONNOUSERSITE"), "setenv PYTHONNOUSERSITE 1"],
        "XLA_FLAGS": [
            'set _jgk_flags = ""',
            'if ( $?XLA_FLAGS ) set _jgk_flags = "$XLA_FLAGS "',
            f'if ( "$_jgk_flags" !~ *{_XLA_FLAG}* ) then',
            *_indent(_csh_save(mark, "XLA_FLAGS")),
            f'    setenv XLA_FLAGS "${{_jgk_flags}}{_XLA_FLAG}=${{{root}}}/{hook.data_dir}"',
            "endif",
            "unset _jgk_flags",
        ],
    }
    body = [line for name in hook.variables for line in changes[name]]
    return [f"if ( ! $?{mark} ) then", f"    setenv {mark} 1", *_indent(body), "endif"]


def _csh_save(mark: str, name: str) -> list[str]:
    return [
        f"if ( $?{name} ) then",
        f'    setenv {mark}_{name} "${name}"',
        "else",
        f"    setenv {mark}_{name}_UNSET 1",
        "endif",
    ]


def _csh_deactivate(hook: Hook) -> list[str]:
    # One command a line, no blocks: the lines are also joined into an alias.
    lines: list[str] = []
    for name in hook.variables:
        saved = f"{hook.mark}_{name}"
        lines += [
            f'test $?{saved} != 0 && setenv {name} "${saved}" && unsetenv {saved}',
            f"test $?{saved}_UNSET != 0 && unsetenv {name} && unsetenv {saved}_UNSET",
        ]
    return [*lines, f"unsetenv {hook.mark}"]


def _powershell_activate(hook: Hook) -> list[str]:
    mark, root = hook.mark, hook.root
    changes = {
        "LD_LIBRARY_PATH": [
            f"$_jgk_new = (sh -c '{hook.finder}' jgk $env:{root})",
            "if ($_jgk_new) {",
            *_indent(_powershell_save(mark, "LD_LIBRARY_PATH")),
            '    if ($env:LD_LIBRARY_PATH) { $_jgk_new = "${_jgk_new}:$env:LD_LIBRARY_PATH" }',
            "    $env:LD_LIBRARY_PATH = $_jgk_new",
            "}",
        ],
        "PYTHONNOUSERSITE": [*_powershell_save(mark, "PYTHONNOUSERSITE"), "$env:PYTHONNOUSERSITE = '1'"],
        "XLA_FLAGS": [
            f"if ($env:XLA_FLAGS -notlike '*{_XLA_FLAG}*') {{",
            *_indent(_powershell_save(mark, "XLA_FLAGS")),
            f'    $env:XLA_FLAGS = "$env:XLA_FLAGS {_XLA_FLAG}=$env:{root}/{hook.data_dir}".Trim()',
            "}",
        ],
    }
    body = [line for name in hook.variables for line in changes[name]]
    return [f"if (-not $env:{mark}) {{", f"    $env:{mark} = '1'", *_indent(body), "}"]


def _powershell_save(mark: str, name: str) -> list[str]:
    return [
        f"if (Test-Path env:{name}) {{ $env:{mark}_{name} = $env:{name} }} else {{ $env:{mark}_{name}_UNSET = '1' }}"
    ]


def _powershell_deactivate(hook: Hook) -> list[str]:
    lines: list[str] = []
    for name in hook.variables:
        saved = f"{hook.mark}_{name}"
        lines += [
            f"if (Test-Path env:{saved}) {{ $env:{name} = $env:{saved} }}",
            f"if (Test-Path env:{saved}_UNSET) {{ Remove-Item env:{name} -ErrorAction SilentlyContinue }}",
            f"Remove-Item env:{saved}, env:{saved}_UNSET -ErrorAction SilentlyContinue",
        ]
    return [*lines, f"Remove-Item env:{hook.mark} -ErrorAction SilentlyContinue"]


def _batch_activate(hook: Hook) -> list[str]:
    mark = hook.mark
    changes = {
        "PYTHONNOUSERSITE": "1",
        "XLA_FLAGS": f"%XLA_FLAGS% {_XLA_FLAG}=%{hook.root}%\\{(hook.data_dir or '').replace('/', chr(92))}",
    }
    lines = [f"@if defined {mark} @goto {mark}_DONE", f'@set "{mark}=1"']
    for name in (name for name in hook.variables if name in changes):
        lines += [
            f'@if defined {name} @set "{mark}_{name}=%{name}%"',
            f'@if not defined {name} @set "{mark}_{name}_UNSET=1"',
            f'@set "{name}={changes[name]}"',
        ]
    return [*lines, f":{mark}_DONE"]


def _batch_deactivate(hook: Hook) -> list[str]:
    lines: list[str] = []
    for name in hook.variables:
        saved = f"{hook.mark}_{name}"
        lines += [
            f'@if defined {saved} @set "{name}=%{saved}%"',
            f'@if defined {saved}_UNSET @set "{name}="',
            f'@set "{saved}="',
            f'@set "{saved}_UNSET="',
        ]
    return [*lines, f'@set "{hook.mark}="']


def _indent(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


POSIX = Shell(
    suffix=".sh",
    comment="#",
    activate=_posix_activate,
    deactivate=_posix_deactivate,
    activate_script="activate",
    deactivation="deactivate () {",
)
FISH = Shell(
    suffix=".fish",
    comment="#",
    activate=_fish_activate,
    deactivate=_fish_deactivate,
    activate_script="activate.fish",
    deactivation="function deactivate",
)
CSH = Shell(
    suffix=".csh",
    comment="#",
    activate=_csh_activate,
    deactivate=_csh_deactivate,
    activate_script="activate.csh",
    deactivation="alias deactivate '",
)
POWERSHELL = Shell(
    suffix=".ps1",
    comment="#",
    activate=_powershell_activate,
    deactivate=_powershell_deactivate,
    activate_script="activate.ps1",
    deactivation="function global:deactivate",
)
BATCH = Shell(
    suffix=".bat",
    comment="@REM",
    activate=_batch_activate,
    deactivate=_batch_deactivate,
    activate_script="activate.bat",
    deactivation="",
)
