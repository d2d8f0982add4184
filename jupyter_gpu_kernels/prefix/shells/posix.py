"""The hook in the POSIX shell: bash, zsh, dash."""

from __future__ import annotations

from .hook import XLA_FLAG, Hook, Shell, indent


def _activate(hook: Hook) -> list[str]:
    """Write the lines that set the variables."""
    mark, root = hook.mark, hook.root
    changes = {
        "LD_LIBRARY_PATH": [
            f"""_jgk_new="$(sh -c '{hook.finder}' jgk "${root}" || :)\"""",
            'if [ -n "$_jgk_new" ] ; then',
            *indent(_save(mark, "LD_LIBRARY_PATH")),
            '    LD_LIBRARY_PATH="$_jgk_new${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"',
            "    export LD_LIBRARY_PATH",
            "fi",
            "unset _jgk_new",
        ],
        "PYTHONNOUSERSITE": [
            *_save(mark, "PYTHONNOUSERSITE"),
            "PYTHONNOUSERSITE=1",
            "export PYTHONNOUSERSITE",
        ],
        "XLA_FLAGS": [
            'case "${XLA_FLAGS:-}" in',
            f"*{XLA_FLAG}*) ;;",
            "*)",
            *indent(_save(mark, "XLA_FLAGS")),
            f'    XLA_FLAGS="${{XLA_FLAGS:+$XLA_FLAGS }}{XLA_FLAG}=${root}{hook.data_dir}"',
            "    export XLA_FLAGS",
            "    ;;",
            "esac",
        ],
    }
    for name, value in hook.defaults.items():
        set_it = [*_save(mark, name), f"{name}={value}", f"export {name}"]
        either = "".join(f"${{{known}+x}}" for known in hook.names(name))
        changes[name] = [f'if [ -z "{either}" ] ; then', *indent(set_it), "fi"]
    body = [line for name in hook.variables for line in changes[name]]
    return [f'if [ -z "${{{mark}:-}}" ] ; then', f"    {mark}=1", f"    export {mark}", *indent(body), "fi"]


def _save(mark: str, name: str) -> list[str]:
    """Write the lines that keep the old value of one."""
    return [
        f'if [ -n "${{{name}+x}}" ] ; then',
        f'    {mark}_{name}="${name}"',
        f"    export {mark}_{name}",
        "else",
        f"    {mark}_{name}_UNSET=1",
        f"    export {mark}_{name}_UNSET",
        "fi",
    ]


def _deactivate(hook: Hook) -> list[str]:
    """Write the lines that restore them."""
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


POSIX = Shell(
    suffix=".sh",
    comment="#",
    activate=_activate,
    deactivate=_deactivate,
    activate_script="activate",
    deactivation="deactivate () {",
)
