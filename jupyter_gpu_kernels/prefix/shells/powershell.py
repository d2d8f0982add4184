"""The hook in PowerShell."""

from __future__ import annotations

from .hook import XLA_FLAG, Hook, Shell, indent


def _activate(hook: Hook) -> list[str]:
    """Write the lines that set the variables."""
    mark, root = hook.mark, hook.root
    changes = {
        "LD_LIBRARY_PATH": [
            f"$_jgk_new = (sh -c '{hook.finder}' jgk $env:{root})",
            "if ($_jgk_new) {",
            *indent(_save(mark, "LD_LIBRARY_PATH")),
            '    if ($env:LD_LIBRARY_PATH) { $_jgk_new = "${_jgk_new}:$env:LD_LIBRARY_PATH" }',
            "    $env:LD_LIBRARY_PATH = $_jgk_new",
            "}",
        ],
        "PYTHONNOUSERSITE": [*_save(mark, "PYTHONNOUSERSITE"), "$env:PYTHONNOUSERSITE = '1'"],
        "XLA_FLAGS": [
            f"if ($env:XLA_FLAGS -notlike '*{XLA_FLAG}*') {{",
            *indent(_save(mark, "XLA_FLAGS")),
            f'    $env:XLA_FLAGS = "$env:XLA_FLAGS {XLA_FLAG}=$env:{root}{hook.data_dir}".Trim()',
            "}",
        ],
    }
    for name, value in hook.defaults.items():
        set_it = indent([*_save(mark, name), f"$env:{name} = '{value}'"])
        either = " -or ".join(f"(Test-Path env:{known})" for known in hook.names(name))
        changes[name] = [f"if (-not ({either})) {{", *set_it, "}"]
    body = [line for name in hook.variables for line in changes[name]]
    return [f"if (-not $env:{mark}) {{", f"    $env:{mark} = '1'", *indent(body), "}"]


def _save(mark: str, name: str) -> list[str]:
    """Write the lines that keep the old value of one."""
    return [
        f"if (Test-Path env:{name}) {{ $env:{mark}_{name} = $env:{name} }} else {{ $env:{mark}_{name}_UNSET = '1' }}"
    ]


def _deactivate(hook: Hook) -> list[str]:
    """Write the lines that restore them."""
    lines: list[str] = []
    for name in hook.variables:
        saved = f"{hook.mark}_{name}"
        lines += [
            f"if (Test-Path env:{saved}) {{ $env:{name} = $env:{saved} }}",
            f"if (Test-Path env:{saved}_UNSET) {{ Remove-Item env:{name} -ErrorAction SilentlyContinue }}",
            f"Remove-Item env:{saved}, env:{saved}_UNSET -ErrorAction SilentlyContinue",
        ]
    return [*lines, f"Remove-Item env:{hook.mark} -ErrorAction SilentlyContinue"]


POWERSHELL = Shell(
    suffix=".ps1",
    comment="#",
    activate=_activate,
    deactivate=_deactivate,
    activate_script="activate.ps1",
    deactivation="function global:deactivate",
)
