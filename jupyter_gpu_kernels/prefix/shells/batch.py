"""The hook in Windows' command prompt; there is no library path to set."""

from __future__ import annotations

from .hook import XLA_FLAG, Hook, Shell


def _activate(hook: Hook) -> list[str]:
    """Write the lines that set the variables."""
    mark = hook.mark
    changes = {
        "PYTHONNOUSERSITE": "1",
        "XLA_FLAGS": f"%XLA_FLAGS% {XLA_FLAG}=%{hook.root}%{(hook.data_dir or '').replace('/', chr(92))}",
    }
    lines = [f"@if defined {mark} @goto {mark}_DONE", f'@set "{mark}=1"']
    for name in (name for name in hook.variables if name in changes):
        lines += [
            f'@if defined {name} @set "{mark}_{name}=%{name}%"',
            f'@if not defined {name} @set "{mark}_{name}_UNSET=1"',
            f'@set "{name}={changes[name]}"',
        ]
    for name, value in hook.defaults.items():
        neither = " ".join(f"@if not defined {known}" for known in hook.names(name))
        lines += [
            f'{neither} @set "{mark}_{name}_UNSET=1"',
            # In a batch file a percent sign is written twice.
            f'{neither} @set "{name}={value.replace("%", "%%")}"',
        ]
    return [*lines, f":{mark}_DONE"]


def _deactivate(hook: Hook) -> list[str]:
    """Write the lines that restore them."""
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


BATCH = Shell(
    suffix=".bat",
    comment="@REM",
    activate=_activate,
    deactivate=_deactivate,
    activate_script="activate.bat",
    deactivation="",
)
