"""How a hook is written in each shell: static lines that set variables, and lines that restore exactly what was.

Per variable the old value is kept in a variable of ours, or a note that there was none. Those are named after the
environment, so that hooks of stacked environments do not meet.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

#: The flag that tells XLA where libdevice is.
XLA_FLAG = "--xla_gpu_cuda_data_dir"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hook:
    """What a hook does.

    Attributes:
        mark: Stem of our variables for this environment.
        root: Variable that holds the prefix: ``CONDA_PREFIX`` or ``VIRTUAL_ENV``.
        folders: Whole directories to put on ``LD_LIBRARY_PATH`` if they exist, relative to the prefix.
        packages: Package directories in which wheels keep CUDA libraries, relative to the prefix.
        data_dir: Where XLA finds libdevice: what follows the prefix, slash included; ``None`` if it need not be told.
        user_site: Whether packages of the user may shadow the environment's.
        defaults: Variables to set where they are not set; but for a percent sign, values need no quoting in any shell.
        aliases: Other names of some of those; where one is set, that is enough.
    """

    mark: str
    root: str
    folders: Sequence[str] = ()
    packages: Sequence[str] = ()
    data_dir: str | None = None
    user_site: bool = False
    defaults: Mapping[str, str] = dataclasses.field(default_factory=dict)
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def variables(self) -> list[str]:
        """The variables that the hook may change."""
        wanted = {
            "LD_LIBRARY_PATH": bool(self.folders or self.packages),
            "PYTHONNOUSERSITE": not self.user_site,
            "XLA_FLAGS": self.data_dir is not None,
        }
        return [*(name for name, used in wanted.items() if used), *self.defaults]

    def names(self, name: str) -> list[str]:
        """A variable, and its other name if it has one."""
        return [name, self.aliases[name]] if name in self.aliases else [name]

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


def indent(lines: Sequence[str]) -> list[str]:
    """Write lines one level deeper."""
    return [f"    {line}" for line in lines]
