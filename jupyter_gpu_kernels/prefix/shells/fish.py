"""The hook in fish."""

from __future__ import annotations

from .hook import XLA_FLAG, Hook, Shell, indent


def _activate(hook: Hook) -> list[str]:
    """Write the lines that set the variables."""
    mark, root = hook.mark, hook.root
    changes = {
        "LD_LIBRARY_PATH": [
            f"""set -l _jgk_new (string split -- : (sh -c '{hook.finder}' jgk "${root}"))""",
            'if test -n "$_jgk_new"',
            *indent(_save(mark, "LD_LIBRARY_PATH")),
            "    for _jgk_old in $LD_LIBRARY_PATH",
            '        test -n "$_jgk_old"; and set _jgk_new $_jgk_new $_jgk_old',
            "    end",
            "    set -gx LD_LIBRARY_PATH $_jgk_new",
            "end",
        ],
        "PYTHONNOUSERSITE": [*_save(mark, "PYTHONNOUSERSITE"), "set -gx PYTHONNOUSERSITE 1"],
        "XLA_FLAGS": [
            f"if not string match -q -- '*{XLA_FLAG}*' \"$XLA_FLAGS\"",
            *indent(_save(mark, "XLA_FLAGS")),
            f'    set -gx XLA_FLAGS (string trim -- "$XLA_FLAGS {XLA_FLAG}=${root}{hook.data_dir}")',
            "end",
        ],
    }
    for name, value in hook.defaults.items():
        neither = "; and ".join(f"not set -q {known}" for known in hook.names(name))
        changes[name] = [f"if {neither}", *indent([*_save(mark, name), f"set -gx {name} {value}"]), "end"]
    body = [line for name in hook.variables for line in changes[name]]
    return [f"if not set -q {mark}", f"    set -gx {mark} 1", *indent(body), "end"]


def _save(mark: str, name: str) -> list[str]:
    """Write the lines that keep the old value of one."""
    return [
        f"if set -q {name}",
        f"    set -gx {mark}_{name} ${name}",
        "else",
        f"    set -gx {mark}_{name}_UNSET 1",
        "end",
    ]


def _deactivate(hook: Hook) -> list[str]:
    """Write the lines that restore them."""
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


FISH = Shell(
    suffix=".fish",
    comment="#",
    activate=_activate,
    deactivate=_deactivate,
    activate_script="activate.fish",
    deactivation="function deactivate",
)
