"""The hook in csh and tcsh."""

from __future__ import annotations

from .hook import XLA_FLAG, Hook, Shell, indent


def _activate(hook: Hook) -> list[str]:
    """Write the lines that set the variables."""
    mark, root = hook.mark, hook.root
    changes = {
        "LD_LIBRARY_PATH": [
            f"set _jgk_new = `sh -c '{hook.finder}' jgk \"${{{root}}}\"`",
            'if ( "$_jgk_new" != "" ) then',
            *indent(_save(mark, "LD_LIBRARY_PATH")),
            "    if ( $?LD_LIBRARY_PATH ) then",
            '        if ( "$LD_LIBRARY_PATH" != "" ) set _jgk_new = "${_jgk_new}:${LD_LIBRARY_PATH}"',
            "    endif",
            '    setenv LD_LIBRARY_PATH "$_jgk_new"',
            "endif",
            "unset _jgk_new",
        ],
        "PYTHONNOUSERSITE": [*_save(mark, "PYTHONNOUSERSITE"), "setenv PYTHONNOUSERSITE 1"],
        "XLA_FLAGS": [
            'set _jgk_flags = ""',
            # In a block: tcsh looks for the variable of a single line before it tests the condition.
            "if ( $?XLA_FLAGS ) then",
            '    set _jgk_flags = "$XLA_FLAGS "',
            "endif",
            f'if ( "$_jgk_flags" !~ *{XLA_FLAG}* ) then',
            *indent(_save(mark, "XLA_FLAGS")),
            f'    setenv XLA_FLAGS "${{_jgk_flags}}{XLA_FLAG}=${{{root}}}{hook.data_dir}"',
            "endif",
            "unset _jgk_flags",
        ],
    }
    for name, value in hook.defaults.items():
        neither = " && ".join(f"! $?{known}" for known in hook.names(name))
        changes[name] = [f"if ( {neither} ) then", *indent([*_save(mark, name), f"setenv {name} {value}"]), "endif"]
    body = [line for name in hook.variables for line in changes[name]]
    return [f"if ( ! $?{mark} ) then", f"    setenv {mark} 1", *indent(body), "endif"]


def _save(mark: str, name: str) -> list[str]:
    """Write the lines that keep the old value of one."""
    return [
        f"if ( $?{name} ) then",
        f'    setenv {mark}_{name} "${name}"',
        "else",
        f"    setenv {mark}_{name}_UNSET 1",
        "endif",
    ]


def _deactivate(hook: Hook) -> list[str]:
    """Write the lines that restore them."""
    # One command a line, no blocks: the lines are also joined into an alias.
    lines: list[str] = []
    for name in hook.variables:
        saved = f"{hook.mark}_{name}"
        lines += [
            f'test $?{saved} != 0 && setenv {name} "${saved}" && unsetenv {saved}',
            f"test $?{saved}_UNSET != 0 && unsetenv {name} && unsetenv {saved}_UNSET",
        ]
    return [*lines, f"unsetenv {hook.mark}"]


CSH = Shell(
    suffix=".csh",
    comment="#",
    activate=_activate,
    deactivate=_deactivate,
    activate_script="activate.csh",
    deactivation="alias deactivate '",
)
